//! What a model's actor holds.

use std::sync::Arc;

use playhouse_protocol::Usage;
use playhouse_supervisors::MailboxGauge;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::metrics_actor::Meter;

/// What a [`ModelActor`](super::ModelActor) is started with.
#[derive(Debug, Clone)]
pub struct ModelArgs {
    /// The catalog entry.
    pub model: String,
    /// Calls that may be open at once; a further one is refused.
    pub calls_open_max: usize,
    /// Where calls are counted.
    pub meter: Arc<Meter>,
    /// Counts the messages that wait for the actor.
    pub mailbox: MailboxGauge,
}

/// The state of a [`ModelActor`](super::ModelActor). A restart loses all of it; calls under way are
/// cancelled and their askers told.
#[derive(Debug)]
pub struct ModelState {
    pub(super) calls_open_max: usize,
    pub(super) meter: Arc<Meter>,
    pub(super) mailbox: MailboxGauge,
    /// Owns the calls under way.
    pub(super) calls: TaskTracker,
    /// Ends them when the actor ends.
    pub(super) stop: CancellationToken,
    pub(super) snapshot: ModelSnapshot,
}

impl ModelState {
    pub(super) fn new(args: ModelArgs) -> Self {
        Self {
            snapshot: ModelSnapshot { model: args.model, ..ModelSnapshot::default() },
            calls_open_max: args.calls_open_max,
            meter: args.meter,
            mailbox: args.mailbox,
            calls: TaskTracker::new(),
            stop: CancellationToken::new(),
        }
    }
}

impl Drop for ModelState {
    /// However the actor ends, its calls end with it.
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// What a model has done since its actor started.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSnapshot {
    /// The catalog entry.
    pub model: String,
    /// Calls under way or waiting inside the provider.
    pub calls_open: usize,
    /// Calls that were answered.
    pub answered: u64,
    /// Calls that failed.
    pub failed: u64,
    /// Calls whose asker went away.
    pub cancelled: u64,
    /// Calls refused because too many were open.
    pub refused: u64,
    /// What the answers used.
    pub usage: Usage,
}
