//! What the orchestrator is told.

use ractor::RpcReplyPort;
use tokio::sync::oneshot;

use super::plan::{Plan, PlanId, PlanOutcome};
use super::progress::PlanSnapshot;

/// The mailbox of an [`OrchestratorActor`](super::OrchestratorActor).
#[derive(Debug)]
pub enum OrchestratorMessage {
    /// From the runtime. The reply holds one outcome for each item, in input order. When the asker drops its
    /// end, the plan is cancelled. When the actor is gone, the sender of the reply is dropped.
    RunPlan {
        /// What to run.
        plan: Plan,
        /// Where the outcomes go.
        reply: oneshot::Sender<PlanOutcome>,
    },
    /// From the actor's own plans: one ended.
    PlanEnded(PlanId),
    /// From whoever shows the state: the open plans, oldest first. When the actor is gone, the question fails.
    GetPlans(RpcReplyPort<Vec<PlanSnapshot>>),
}
