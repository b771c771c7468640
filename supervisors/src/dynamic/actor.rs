//! The dynamic supervisor as ractor sees it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ractor::{Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cause::ExitCause;
use crate::stop::{KILL_LIMIT, REPORTS_MAX, ShutdownReport};
use crate::supervisor::{Observer, Step, StepKind, SupervisorEvent, SupervisorMessage, last_failure, notify};
use crate::tree::{NodeKind, NodeState, TreeNode};

use super::state::{Counters, DynamicSupervisorState, Mode};
use super::stop::stop_children;

/// The actor; everything it knows is in its state.
pub(super) struct DynamicSupervisorActor;

/// What it is started with.
#[derive(Clone)]
pub(super) struct DynamicSupervisorArgs {
    pub(super) name: String,
    pub(super) counters: Arc<Counters>,
    pub(super) failures_kept: usize,
    pub(super) grace: Duration,
    pub(super) observer: Option<Arc<dyn Observer>>,
}

impl Actor for DynamicSupervisorActor {
    type Msg = SupervisorMessage;
    type State = DynamicSupervisorState;
    type Arguments = DynamicSupervisorArgs;

    async fn pre_start(
        &self,
        _myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        let DynamicSupervisorArgs { name, counters, failures_kept, grace, observer } = args;
        counters.count_lost();
        let events = counters.begin_events();
        Ok(DynamicSupervisorState {
            name,
            counters,
            events,
            failures: VecDeque::new(),
            failures_kept,
            grace,
            observer,
            began: Instant::now(),
            mode: Mode::Supervising,
            tasks: JoinSet::new(),
        })
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        // Whoever no longer waits for an answer does not mind.
        match message {
            SupervisorMessage::GetTree { limit: _, reply } => drop(reply.send(node(state))),
            SupervisorMessage::GetReady { reply } => drop(reply.send(())),
            // Its children have no names.
            SupervisorMessage::GetChild { name: _, reply } => drop(reply.send(None)),
            SupervisorMessage::Shutdown { grace, kill_limit, reply } => {
                begin_shutdown(&myself, state, grace, kill_limit, reply);
            }
            SupervisorMessage::StepCompleted(Step(step)) => on_step(&myself, state, step),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        state.events.taken();
        if matches!(event, SupervisionEvent::ActorStarted(_)) {
            state.counters.count_started();
        }
        match ExitCause::from_event(event) {
            None => {}
            Some((_child, ExitCause::Normal)) => state.counters.count_ended(),
            Some((child, cause)) => on_failure(state, &child, cause),
        }
        Ok(())
    }

    async fn post_stop(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        if !matches!(state.mode, Mode::Down) {
            state.tasks.abort_all();
            stop_children(&myself, &state.name, state.grace, KILL_LIMIT).await;
        }
        Ok(())
    }
}

fn on_failure(state: &mut DynamicSupervisorState, child: &ActorCell, cause: ExitCause) {
    state.counters.count_failed();
    if !matches!(state.mode, Mode::Supervising) {
        // Killed by us, as like as not, and in thousands.
        return;
    }
    let event = SupervisorEvent::ChildEnded {
        supervisor: state.name.clone(),
        child: child.get_id().to_string(),
        cause: cause.clone(),
    };
    notify(state.observer.as_ref(), &event);
    state.remember(cause);
}

fn begin_shutdown(
    myself: &ActorRef<SupervisorMessage>,
    state: &mut DynamicSupervisorState,
    grace: Duration,
    kill_limit: Duration,
    reply: RpcReplyPort<ShutdownReport>,
) {
    match &mut state.mode {
        Mode::Supervising => {
            state.mode = Mode::ShuttingDown { replies: vec![reply] };
            let (grace, kill_limit) = (crate::bounded(grace).min(state.grace), crate::bounded(kill_limit));
            let (myself, name) = (myself.clone(), state.name.clone());
            state.tasks.spawn(async move {
                let report = stop_children(&myself, &name, grace, kill_limit).await;
                // A supervisor that is gone has taken its children with it.
                let _ = myself.cast(SupervisorMessage::StepCompleted(Step(StepKind::AllStopped { report })));
            });
        }
        // The first one's limits hold.
        Mode::ShuttingDown { replies } => {
            if replies.len() < REPORTS_MAX {
                replies.push(reply);
            }
        }
        // It ends in a moment; the dropped port says so.
        Mode::Down => drop(reply),
    }
}

fn on_step(myself: &ActorRef<SupervisorMessage>, state: &mut DynamicSupervisorState, step: StepKind) {
    match step {
        StepKind::AllStopped { report } => {
            if let Mode::ShuttingDown { replies } = std::mem::replace(&mut state.mode, Mode::Down) {
                for reply in replies {
                    let _ = reply.send(report.clone());
                }
            }
            myself.stop(None);
        }
        // It repairs nothing.
        StepKind::ChildStopped { .. }
        | StepKind::ChildStarting { .. }
        | StepKind::ChildStarted { .. }
        | StepKind::RepairCompleted { .. } => {}
    }
}

fn node(state: &DynamicSupervisorState) -> TreeNode {
    TreeNode {
        name: state.name.clone(),
        kind: NodeKind::DynamicSupervisor {
            counts: state.counters.read(),
            recent_failures: state.failures.iter().map(last_failure).collect(),
        },
        restart: None,
        state: match state.mode {
            Mode::Supervising => NodeState::Running,
            Mode::ShuttingDown { .. } => NodeState::Stopping,
            Mode::Down => NodeState::Stopped,
        },
        uptime_ms: Some(crate::millis(state.began.elapsed())),
        restarts: std::collections::BTreeMap::new(),
        restarts_with_sibling: 0,
        last_failure: state.failures.back().map(last_failure),
        mailbox_len: None,
        children: Vec::new(),
    }
}
