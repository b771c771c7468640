//! The supervisor as ractor sees it.

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};
use tokio::sync::oneshot;

use crate::cause::ExitCause;

use super::message::Step;
use super::state::{ChildPhase, Mode, SupervisorState};
use super::{SupervisorMessage, SupervisorSpec, exits, shutdown, snapshot};

/// How many may wait at once for a supervisor to be ready; more are refused.
const READY_WAITERS_MAX: usize = 1_024;

/// The actor; everything it knows is in its state.
pub(super) struct SupervisorActor;

/// What it is started with.
pub(super) struct SupervisorArgs {
    pub(super) spec: SupervisorSpec,
    /// Told why it ended, if it is a root.
    pub(super) ended: Option<oneshot::Sender<ExitCause>>,
}

impl Actor for SupervisorActor {
    type Msg = SupervisorMessage;
    type State = SupervisorState;
    type Arguments = SupervisorArgs;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        Ok(SupervisorState::new(args.spec, args.ended))
    }

    async fn post_start(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        // Not before it is linked to its own supervisor: children of an actor that is not in the tree
        // would outlive it.
        exits::begin_first_start(&myself, state);
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            SupervisorMessage::GetTree { limit, reply } => snapshot::answer(state, limit, reply),
            SupervisorMessage::GetReady { reply } => {
                state.waiting_for_ready.retain(|waiting| !waiting.is_closed());
                if matches!(state.mode, Mode::Supervising)
                    && state.waiting_for_ready.len() < READY_WAITERS_MAX
                {
                    state.waiting_for_ready.push(reply);
                }
                state.answer_if_ready();
            }
            SupervisorMessage::GetChild { name, reply } => {
                let found = state.children.iter().find(|child| child.spec.name == name);
                let running = found.and_then(|child| match &child.phase {
                    ChildPhase::Running { cell, .. } => Some(cell.clone()),
                    ChildPhase::Waiting
                    | ChildPhase::Backoff { .. }
                    | ChildPhase::Starting
                    | ChildPhase::Stopping
                    | ChildPhase::Ended { .. } => None,
                });
                // Whoever no longer waits does not mind.
                let _ = reply.send(running);
            }
            SupervisorMessage::Shutdown { grace, kill_limit, reply } => {
                shutdown::begin_shutdown(&myself, state, grace, kill_limit, reply);
            }
            SupervisorMessage::StepCompleted(Step(step)) => exits::on_step(&myself, state, step)?,
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        // That an actor runs says nothing about its child before its start has returned.
        if let Some((cell, cause)) = ExitCause::from_event(event) {
            exits::on_actor_ended(&myself, state, &cell, cause);
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        _myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        shutdown::stop_remaining(state).await;
        Ok(())
    }
}
