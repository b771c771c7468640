//! The books: every task that came in is accounted for.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use playhouse_actors::metrics_actor::Meter;
use playhouse_protocol::FailureClass;
use playhouse_protocol::task::TaskStatus;
use serde::{Deserialize, Serialize};

/// What became of the tasks of one runtime since its start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Accounting {
    /// Tasks that were accepted.
    pub accepted: u64,
    /// Open tasks of an earlier process that this one went on with.
    pub resumed: u64,
    /// Dead letters that were opened again.
    pub reopened: u64,
    /// Tasks that were answered.
    pub completed: u64,
    /// Tasks that ended with a failure.
    pub failed: u64,
    /// Tasks that were taken back.
    pub cancelled: u64,
    /// Tasks that were given up and kept.
    pub dead_lettered: u64,
    /// Tasks that wait or run.
    pub open: u64,
    /// Tasks that a shutdown left open in the journal, for the next process.
    pub kept: u64,
    /// Submissions that were refused; nothing was accepted by these.
    pub refused: u64,
}

impl Accounting {
    /// Whether nothing is missing: what came in is what ended and what is open.
    pub const fn adds_up(&self) -> bool {
        self.accepted + self.resumed + self.reopened
            == self.completed + self.failed + self.cancelled + self.dead_lettered + self.open + self.kept
    }
}

/// How a task came in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Accepted,
    Resumed,
    Reopened,
}

/// Keeps the books, here and in the metrics. One a runtime.
#[derive(Debug)]
pub(crate) struct Ledger {
    meter: Arc<Meter>,
    counts: Mutex<Accounting>,
}

impl Ledger {
    pub(crate) fn new(meter: Arc<Meter>) -> Self {
        Self { meter, counts: Mutex::default() }
    }

    pub(crate) fn opened(&self, origin: Origin) {
        let mut counts = self.counts();
        counts.open += 1;
        match origin {
            Origin::Accepted => {
                counts.accepted += 1;
                self.meter.task_accepted();
            }
            Origin::Resumed => {
                counts.resumed += 1;
                self.meter.task_resumed();
            }
            Origin::Reopened => {
                counts.reopened += 1;
                self.meter.task_reopened();
            }
        }
    }

    pub(crate) fn ended(&self, status: TaskStatus, failure: Option<FailureClass>) {
        let mut counts = self.counts();
        counts.open = counts.open.saturating_sub(1);
        match status {
            TaskStatus::Completed => counts.completed += 1,
            TaskStatus::Cancelled => counts.cancelled += 1,
            TaskStatus::DeadLettered => counts.dead_lettered += 1,
            TaskStatus::Failed | TaskStatus::Queued | TaskStatus::Running => counts.failed += 1,
        }
        self.meter.task_ended(status, failure);
    }

    pub(crate) fn kept(&self) {
        let mut counts = self.counts();
        counts.open = counts.open.saturating_sub(1);
        counts.kept += 1;
        self.meter.task_kept();
    }

    pub(crate) fn refused(&self, class: FailureClass) {
        self.counts().refused += 1;
        self.meter.task_refused(class);
    }

    pub(crate) fn attempt_failed(&self, class: FailureClass) {
        self.meter.task_attempt_failed(class);
    }

    pub(crate) fn read(&self) -> Accounting {
        *self.counts()
    }

    fn counts(&self) -> MutexGuard<'_, Accounting> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
