//! Our counts of tokens beside those that providers report.
//!
//! Counting costs more than all else around a call. So only short prompts are counted again, only those of every
//! [`EVERY`]th answer, off the async threads, and one at a time: at most a fifth of a millisecond of one core for
//! [`EVERY`] answers. A process of a few calls builds no encoder for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use playhouse_protocol::completion::{ChatMessage, Completion, CompletionRequest, ResponseFormat};

use crate::observer::{CallEvent, CallObserver};
use crate::tokens::TokenCounter;

/// Of so many attempts one is compared, the last of them.
pub(super) const EVERY: u64 = 16;

/// The longest prompt that is compared, in bytes.
pub(super) const PROMPT_BYTES_MAX: usize = 4 * 1024;

/// Compares for one catalog entry, and lets its counter learn.
#[derive(Debug)]
pub(super) struct Comparing {
    counter: Arc<dyn TokenCounter>,
    observer: Arc<dyn CallObserver>,
    attempts: AtomicU64,
    /// Whether a prompt is being counted now.
    is_counting: AtomicBool,
}

/// An attempt whose prompt will be counted if its answer tells what the provider counted.
pub(super) struct Comparison {
    comparing: Arc<Comparing>,
    messages: Arc<[ChatMessage]>,
}

impl Comparing {
    pub(super) fn new(counter: Arc<dyn TokenCounter>, observer: Arc<dyn CallObserver>) -> Self {
        Self { counter, observer, attempts: AtomicU64::new(0), is_counting: AtomicBool::new(false) }
    }

    /// An attempt begins. A schema is left out: providers write it into the prompt, each in its own words.
    pub(super) fn begin(self: &Arc<Self>, request: &CompletionRequest) -> Option<Comparison> {
        if !(self.attempts.fetch_add(1, Ordering::Relaxed) + 1).is_multiple_of(EVERY) {
            return None;
        }
        let bytes: usize = request.messages.iter().map(|message| message.content.len()).sum();
        let is_comparable = bytes <= PROMPT_BYTES_MAX && request.format == ResponseFormat::Text;
        is_comparable.then(|| Comparison { comparing: Arc::clone(self), messages: request.messages.clone() })
    }

    fn compare(&self, model: &str, messages: &[ChatMessage], reported: u64) {
        let counted = self.counter.count_chat(messages);
        self.counter.learn(counted, reported);
        self.observer.observe(model, &CallEvent::TokensCompared { counted, reported });
    }
}

impl Comparison {
    /// The attempt has been answered.
    pub(super) fn end(self, completion: &Completion, model: &str) {
        let Self { comparing, messages } = self;
        let reported = completion.usage.prompt_tokens;
        if !completion.usage_reported || reported == 0 || comparing.is_counting.swap(true, Ordering::AcqRel) {
            return;
        }
        let model = model.to_owned();
        // Not waited for: nobody needs it now, and it ends soon.
        drop(tokio::task::spawn_blocking(move || {
            let _busy = Busy(&comparing.is_counting);
            comparing.compare(&model, &messages, reported);
        }));
    }
}

/// Says that nothing is counted any more, also when counting panics.
struct Busy<'a>(&'a AtomicBool);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}
