//! How far a plan is.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde::{Deserialize, Serialize};

use super::plan::{ItemOutcome, PlanId};

/// How far a plan is; written by its future, read by the actor.
#[derive(Debug)]
pub(super) struct PlanProgress {
    id: PlanId,
    label: String,
    items_len: usize,
    ended_len: AtomicUsize,
    failed_len: AtomicUsize,
}

impl PlanProgress {
    pub(super) fn new(id: PlanId, label: String, items_len: usize) -> Self {
        Self { id, label, items_len, ended_len: AtomicUsize::new(0), failed_len: AtomicUsize::new(0) }
    }

    pub(super) fn count(&self, outcome: &ItemOutcome) {
        self.ended_len.fetch_add(1, Ordering::Relaxed);
        if outcome.is_err() {
            self.failed_len.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn snapshot(&self) -> PlanSnapshot {
        PlanSnapshot {
            id: self.id,
            label: self.label.clone(),
            items_len: self.items_len,
            ended_len: self.ended_len.load(Ordering::Relaxed),
            failed_len: self.failed_len.load(Ordering::Relaxed),
        }
    }
}

/// How far a plan is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSnapshot {
    /// The plan's number.
    pub id: PlanId,
    /// What it does, for people.
    pub label: String,
    /// Its items.
    pub items_len: usize,
    /// Items that ended, failed ones included.
    pub ended_len: usize,
    /// Items that failed.
    pub failed_len: usize,
}
