//! What the orchestrator holds.

use std::collections::BTreeMap;
use std::sync::Arc;

use playhouse_supervisors::MailboxGauge;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::plan::PlanId;
use super::progress::PlanProgress;

/// The state of an [`OrchestratorActor`](super::OrchestratorActor). A restart loses the open plans, which are
/// cancelled, and whose askers are told.
#[derive(Debug)]
pub struct OrchestratorState {
    pub(super) mailbox: MailboxGauge,
    pub(super) open: BTreeMap<PlanId, Arc<PlanProgress>>,
    /// Owns the futures of the open plans.
    pub(super) plans: TaskTracker,
    /// Ends them when the actor ends.
    pub(super) stop: CancellationToken,
}

impl OrchestratorState {
    pub(super) fn new(mailbox: MailboxGauge) -> Self {
        Self { mailbox, open: BTreeMap::new(), plans: TaskTracker::new(), stop: CancellationToken::new() }
    }
}

impl Drop for OrchestratorState {
    /// However the actor ends, its plans end with it.
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
