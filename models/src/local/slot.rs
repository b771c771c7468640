//! The way of one answer from the worker thread to whoever asked.
//!
//! The worker never waits here: text that is not fetched yet is joined with what follows, so a caller that stops
//! reading delays nobody. What is kept is bounded by the answer's length.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use playhouse_protocol::completion::Completion;
use tokio::sync::Notify;

use crate::client::CompletionEvent;
use crate::error::ModelError;

#[derive(Debug, Default)]
struct Slot {
    state: Mutex<State>,
    changed: Notify,
    cancelled: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    text: String,
    end: Option<Result<Completion, ModelError>>,
    /// Nothing more will come.
    closed: bool,
}

/// The worker's end. Dropping it ends the answer, finished or not.
#[derive(Debug)]
pub(super) struct SlotWriter(Arc<Slot>);

/// The caller's end. Dropping it cancels the answer.
#[derive(Debug)]
pub(super) struct SlotReader(Arc<Slot>);

/// Both ends of a new slot.
pub(super) fn slot() -> (SlotWriter, SlotReader) {
    let slot = Arc::new(Slot::default());
    (SlotWriter(Arc::clone(&slot)), SlotReader(slot))
}

impl Slot {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SlotWriter {
    /// Whether nobody waits for the answer any more.
    pub(super) fn is_cancelled(&self) -> bool {
        self.0.cancelled.load(Ordering::Relaxed)
    }

    /// Adds text to the answer.
    pub(super) fn push(&self, text: &str) {
        self.0.state().text.push_str(text);
        self.0.changed.notify_one();
    }

    /// Ends the answer.
    pub(super) fn finish(self, end: Result<Completion, ModelError>) {
        self.0.state().end = Some(end);
    }
}

impl Drop for SlotWriter {
    fn drop(&mut self) {
        self.0.state().closed = true;
        self.0.changed.notify_one();
    }
}

impl SlotReader {
    /// The next event: text, then the end, then nothing. An answer that was dropped by the worker has no end.
    pub(super) async fn next(&mut self) -> Option<Result<CompletionEvent, ModelError>> {
        loop {
            {
                let mut state = self.0.state();
                if !state.text.is_empty() {
                    return Some(Ok(CompletionEvent::Delta(std::mem::take(&mut state.text))));
                }
                if let Some(end) = state.end.take() {
                    return Some(end.map(CompletionEvent::Finished));
                }
                if state.closed {
                    return None;
                }
            }
            self.0.changed.notified().await;
        }
    }
}

impl Drop for SlotReader {
    fn drop(&mut self) {
        self.0.cancelled.store(true, Ordering::Relaxed);
    }
}
