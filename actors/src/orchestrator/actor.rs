//! The actor itself.

use std::sync::Arc;

use playhouse_supervisors::MailboxGauge;
use ractor::{Actor, ActorProcessingErr, ActorRef};
use tokio::sync::oneshot;

use super::message::OrchestratorMessage;
use super::plan::{Plan, PlanOutcome};
use super::state::OrchestratorState;

/// Fans work out; see the [module](super).
#[derive(Debug, Clone, Copy, Default)]
pub struct OrchestratorActor;

impl Actor for OrchestratorActor {
    type Msg = OrchestratorMessage;
    type State = OrchestratorState;
    type Arguments = MailboxGauge;

    async fn pre_start(
        &self,
        _myself: ActorRef<OrchestratorMessage>,
        mailbox: MailboxGauge,
    ) -> Result<OrchestratorState, ActorProcessingErr> {
        mailbox.begin();
        Ok(OrchestratorState::new(mailbox))
    }

    async fn handle(
        &self,
        myself: ActorRef<OrchestratorMessage>,
        message: OrchestratorMessage,
        state: &mut OrchestratorState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            OrchestratorMessage::RunPlan { plan, reply } => {
                state.mailbox.taken();
                begin_plan(&myself, state, plan, reply);
            }
            OrchestratorMessage::PlanEnded(id) => {
                state.open.remove(&id);
            }
            OrchestratorMessage::GetPlans(reply) => {
                // Whoever asked may have stopped waiting.
                let _ = reply.send(state.open.values().map(|plan| plan.snapshot()).collect());
            }
        }
        Ok(())
    }
}

fn begin_plan(
    myself: &ActorRef<OrchestratorMessage>,
    state: &mut OrchestratorState,
    plan: Plan,
    mut reply: oneshot::Sender<PlanOutcome>,
) {
    let progress = plan.progress();
    let id = plan.id();
    state.open.insert(id, Arc::clone(&progress));
    let stop = state.stop.clone();
    let lost = plan.lost_token();
    let myself = myself.clone();
    state.plans.spawn(async move {
        let orchestrator_ended = async {
            stop.cancelled().await;
            // Inside the branch: the select drops the plan before it goes on behind it.
            lost.cancel();
        };
        let outcomes = tokio::select! {
            biased;
            () = orchestrator_ended => None,
            () = reply.closed() => None,
            outcomes = plan.run(progress) => Some(outcomes),
        };
        let _ = myself.cast(OrchestratorMessage::PlanEnded(id));
        if let Some(outcomes) = outcomes {
            let _ = reply.send(outcomes);
        }
    });
}
