//! The ways in which a supervisor ends: told to, giving up, or simply stopped.

use std::time::Duration;

use ractor::{ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::time::timeout;

use crate::cause::ExitCause;
use crate::stop::{KILL_LIMIT, REPORTS_MAX, ShutdownReport};

use super::message::{Step, StepKind};
use super::repair::{Gone, Member, Repair, stop_all, wait_until_gone};
use super::state::{ChildPhase, Mode, SupervisorState};
use super::{EscalationError, SupervisorMessage};

/// Begins to stop the children because somebody wants the supervisor down.
pub(super) fn begin_shutdown(
    myself: &ActorRef<SupervisorMessage>,
    state: &mut SupervisorState,
    grace: Duration,
    kill_limit: Duration,
    reply: RpcReplyPort<ShutdownReport>,
) {
    match &mut state.mode {
        Mode::Supervising => {
            state.mode = Mode::ShuttingDown { replies: vec![reply] };
            begin_to_stop_all(myself, state, Some(crate::bounded(grace)), crate::bounded(kill_limit));
        }
        // The first one's limits hold.
        Mode::ShuttingDown { replies } | Mode::Escalating { replies, .. } => {
            if replies.len() < REPORTS_MAX {
                replies.push(reply);
            }
        }
        // It ends in a moment; the dropped port says so.
        Mode::Down => drop(reply),
    }
}

/// Begins to stop the children because the restart budget is spent.
pub(super) fn begin_escalation(
    myself: &ActorRef<SupervisorMessage>,
    state: &mut SupervisorState,
    error: EscalationError,
) {
    state.mode = Mode::Escalating { error, replies: Vec::new() };
    begin_to_stop_all(myself, state, None, KILL_LIMIT);
}

fn begin_to_stop_all(
    myself: &ActorRef<SupervisorMessage>,
    state: &mut SupervisorState,
    grace: Option<Duration>,
    kill_limit: Duration,
) {
    // Nobody will be up any more: the dropped ports say so.
    state.waiting_for_ready.clear();
    let overtaken: Vec<Gone> = state.repairs.drain(..).map(Repair::overtake).collect();
    for child in &mut state.children {
        child.phase = match child.phase {
            ChildPhase::Ended { failed } => ChildPhase::Ended { failed },
            ChildPhase::Waiting
            | ChildPhase::Backoff { .. }
            | ChildPhase::Starting
            | ChildPhase::Running { .. }
            | ChildPhase::Stopping => ChildPhase::Stopping,
        };
    }
    let members = all_in_reverse(state);
    let (myself, name) = (myself.clone(), state.name.clone());
    state.tasks.spawn(async move {
        wait_until_gone(overtaken).await;
        let report = stop_all(&name, &members, grace, kill_limit).await;
        // A supervisor that is gone has taken its children with it.
        let _ = myself.cast(SupervisorMessage::StepCompleted(Step(StepKind::AllStopped { report })));
    });
}

/// All children are down: answers, and ends in the way that was begun.
///
/// # Errors
/// The [`EscalationError`], if that is the way.
pub(super) fn on_all_stopped(
    myself: &ActorRef<SupervisorMessage>,
    state: &mut SupervisorState,
    report: &ShutdownReport,
) -> Result<(), ActorProcessingErr> {
    for child in &mut state.children {
        if !matches!(child.phase, ChildPhase::Ended { .. }) {
            child.phase = ChildPhase::Ended { failed: false };
        }
    }
    let (error, replies) = match std::mem::replace(&mut state.mode, Mode::Down) {
        Mode::ShuttingDown { replies } => (None, replies),
        Mode::Escalating { error, replies } => (Some(error), replies),
        Mode::Supervising | Mode::Down => (None, Vec::new()),
    };
    for reply in replies {
        // Whoever no longer waits does not mind.
        let _ = reply.send(report.clone());
    }
    match error {
        None => {
            myself.stop(None);
            Ok(())
        }
        Some(error) => {
            state.report_end(error.clone().into());
            Err(Box::new(error))
        }
    }
}

/// Stops what still runs when ractor has stopped the supervisor, before it would kill the children.
pub(super) async fn stop_remaining(state: &mut SupervisorState) {
    if !matches!(state.mode, Mode::Down) {
        // A task that blocks a thread cannot be waited for longer than that.
        let _ = timeout(KILL_LIMIT, state.tasks.shutdown()).await;
        stop_all(&state.name, &all_in_reverse(state), None, KILL_LIMIT).await;
    }
    state.report_end(ExitCause::Normal);
}

fn all_in_reverse(state: &SupervisorState) -> Vec<Member> {
    state.children.iter().enumerate().rev().map(|(index, child)| Member::new(index, &child.spec)).collect()
}
