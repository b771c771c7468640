//! The events of one task, for those who watch it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use playhouse_protocol::TaskId;
use playhouse_protocol::event::{TaskEvent, TaskEventKind};
use tokio::sync::Notify;

/// Token events kept for watchers who lag. An answer has seldom more than 2,000 tokens, so a watcher that
/// comes late still sees a whole answer; older ones are dropped with a marked gap.
pub const TOKEN_EVENTS_MAX: usize = 4_096;

/// Everything that happened to one task. Shared by the task's agents, who write, and by watchers, who read
/// at their own pace; it ends with the last of them.
#[derive(Debug)]
pub struct EventLog {
    task: TaskId,
    entries: Mutex<Entries>,
    grown: Notify,
}

#[derive(Debug, Default)]
struct Entries {
    events: VecDeque<TaskEvent>,
    last_sequence: u64,
    droppable_len: usize,
    finished: bool,
}

impl EventLog {
    /// An empty log.
    pub fn new(task: TaskId) -> Arc<Self> {
        Arc::new(Self { task, entries: Mutex::default(), grown: Notify::new() })
    }

    /// Adds an event. Nothing is added behind [`TaskEventKind::Finished`].
    pub fn push(&self, unix_ms: u64, kind: TaskEventKind) {
        {
            let mut entries = self.lock();
            if entries.finished {
                return;
            }
            entries.last_sequence += 1;
            entries.finished = matches!(kind, TaskEventKind::Finished { .. });
            if kind.is_droppable() {
                entries.droppable_len += 1;
            }
            let sequence = entries.last_sequence;
            if entries.events.is_empty() {
                // Most tasks that wait have this one event, and many wait.
                entries.events.reserve_exact(1);
            }
            entries.events.push_back(TaskEvent { task: self.task, sequence, unix_ms, kind });
            if entries.droppable_len > TOKEN_EVENTS_MAX {
                // The few lifecycle events in front of the oldest token event are stepped over.
                if let Some(oldest) = entries.events.iter().position(|event| event.kind.is_droppable()) {
                    entries.events.remove(oldest);
                    entries.droppable_len -= 1;
                }
            }
        }
        self.grown.notify_waiters();
    }

    /// The events behind sequence number `after` (0 for all), as they come, up to and with `Finished`.
    pub fn watch(self: &Arc<Self>, after: u64) -> EventStream {
        EventStream { log: Arc::clone(self), cursor: after, ended: false }
    }

    /// The first event behind `cursor`, with the gap before it marked.
    fn next_after(&self, cursor: u64) -> Option<TaskEvent> {
        let entries = self.lock();
        let at = entries.events.partition_point(|event| event.sequence <= cursor);
        let event = entries.events.get(at)?;
        let skipped = event.sequence - cursor - 1;
        if skipped == 0 {
            return Some(event.clone());
        }
        Some(TaskEvent {
            task: self.task,
            sequence: event.sequence - 1,
            unix_ms: event.unix_ms,
            kind: TaskEventKind::TokensSkipped { count: skipped },
        })
    }

    fn lock(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The events of one task in order; see [`EventLog::watch`].
#[derive(Debug)]
pub struct EventStream {
    log: Arc<EventLog>,
    cursor: u64,
    ended: bool,
}

impl EventStream {
    /// A stream without events, for a task that nobody can watch.
    pub fn ended(task: TaskId) -> Self {
        Self { log: EventLog::new(task), cursor: 0, ended: true }
    }

    /// The next event, or `None` behind `Finished`. May be dropped at any time without losing an event.
    pub async fn next(&mut self) -> Option<TaskEvent> {
        if self.ended {
            return None;
        }
        loop {
            let log = Arc::clone(&self.log);
            // Registered before the look, so that an event between look and wait is not missed.
            let mut grown = std::pin::pin!(log.grown.notified());
            grown.as_mut().enable();
            if let Some(event) = self.log.next_after(self.cursor) {
                self.cursor = event.sequence;
                self.ended = matches!(event.kind, TaskEventKind::Finished { .. });
                return Some(event);
            }
            grown.await;
        }
    }
}
