//! From the exit of a child, over the policy's decision, to a repair.

use std::time::Duration;

use ractor::{ActorCell, ActorProcessingErr, ActorRef};
use tokio::time::Instant;

use crate::cause::ExitCause;
use crate::child::StartError;
use crate::policy::Decision;
use crate::stop::StopOutcome;

use super::message::{RepairId, StepKind};
use super::repair::{Gone, Member, Order};
use super::state::{ChildPhase, Mode, SupervisorState};
use super::{EscalationError, SupervisorEvent, SupervisorMessage, shutdown};

/// Starts all children for the first time.
pub(super) fn begin_first_start(myself: &ActorRef<SupervisorMessage>, state: &mut SupervisorState) {
    let all = (0..state.children.len()).collect();
    begin_repair(myself, state, Vec::new(), all, Instant::now());
}

/// An actor that is linked to the supervisor has ended.
pub(super) fn on_actor_ended(
    myself: &ActorRef<SupervisorMessage>,
    state: &mut SupervisorState,
    cell: &ActorCell,
    cause: ExitCause,
) {
    let id = cell.get_id();
    let Some(index) = state.child_of(id) else {
        state.keep_early_exit(id, cause);
        return;
    };
    let Some(child) = state.children.get_mut(index) else { return };
    match child.phase {
        ChildPhase::Running { .. } => {
            child.spec.slot.clear(id);
            on_exit(myself, state, index, cause, Vec::new());
        }
        // Its start is still to be reported; what follows from its end is decided then.
        ChildPhase::Waiting | ChildPhase::Backoff { .. } | ChildPhase::Starting => {
            child.early_exit = Some((id, cause));
        }
        // As it was told to; how it ended no longer matters.
        ChildPhase::Stopping | ChildPhase::Ended { .. } => child.spec.slot.clear(id),
    }
}

/// A repair has done a step. Steps of repairs that were overtaken are void: whoever overtook them looks
/// after their children.
///
/// # Errors
/// The [`EscalationError`], when the last step of an escalation is done.
pub(super) fn on_step(
    myself: &ActorRef<SupervisorMessage>,
    state: &mut SupervisorState,
    step: StepKind,
) -> Result<(), ActorProcessingErr> {
    match step {
        StepKind::ChildStopped { repair, child, outcome } => on_stopped(state, repair, child, outcome),
        StepKind::ChildStarting { repair, child } => {
            let is_under_way = state.repairs.iter().any(|known| known.id == repair);
            if let Some(child) = state.children.get_mut(child).filter(|_| is_under_way) {
                child.phase = ChildPhase::Starting;
            }
        }
        StepKind::ChildStarted { repair, child, result } => on_started(myself, state, repair, child, result),
        StepKind::RepairCompleted { repair } => state.repairs.retain(|known| known.id != repair),
        StepKind::AllStopped { report } => return shutdown::on_all_stopped(myself, state, &report),
    }
    while state.tasks.try_join_next().is_some() {}
    state.answer_if_ready();
    Ok(())
}

fn on_stopped(state: &mut SupervisorState, repair: RepairId, index: usize, outcome: StopOutcome) {
    let Some(repair) = state.repairs.iter_mut().find(|known| known.id == repair) else { return };
    repair.stopping.retain(|stopping| *stopping != index);
    let phase = if repair.pending.contains(&index) {
        ChildPhase::Backoff { until: repair.due }
    } else {
        ChildPhase::Ended { failed: false }
    };
    state.policy.on_stopped(index);
    let Some(child) = state.children.get_mut(index) else { return };
    // One that was down already and stays down keeps what is known of its end.
    if !matches!((&child.phase, &phase), (ChildPhase::Ended { .. }, ChildPhase::Ended { .. })) {
        child.phase = phase;
    }
    if outcome != StopOutcome::WasDown {
        state.notify(index, |supervisor, child| SupervisorEvent::ChildStopped { supervisor, child, outcome });
    }
}

fn on_started(
    myself: &ActorRef<SupervisorMessage>,
    state: &mut SupervisorState,
    repair_id: RepairId,
    index: usize,
    result: Result<ActorCell, StartError>,
) {
    let Some(at) = state.repairs.iter().position(|known| known.id == repair_id) else { return };
    let Some(repair) = state.repairs.get_mut(at) else { return };
    repair.pending.retain(|pending| *pending != index);
    let Some(child) = state.children.get_mut(index) else { return };
    let early_exit = child.early_exit.take();
    match result {
        Ok(cell) => {
            let id = cell.get_id();
            let early_exit = early_exit
                .filter(|(exited, _)| *exited == id)
                .map(|(_, cause)| cause)
                .or_else(|| state.take_early_exit(id));
            let Some(child) = state.children.get_mut(index) else { return };
            child.phase = ChildPhase::Running { cell, since: Instant::now() };
            let now = state.now();
            state.policy.on_started(index, now);
            state.notify(index, |supervisor, child| SupervisorEvent::ChildStarted { supervisor, child });
            if let Some(cause) = early_exit {
                if let Some(child) = state.children.get_mut(index) {
                    child.spec.slot.clear(id);
                }
                on_exit(myself, state, index, cause, Vec::new());
            }
        }
        Err(error) => {
            // What ended the actor says more than that its start came to nothing.
            let cause = early_exit.map_or_else(|| error.into(), |(_, cause)| cause);
            let unstarted = if state.policy.strategy().is_group() {
                // The repair ended here; those behind this child still want to be started.
                state.repairs.remove(at).pending
            } else {
                Vec::new()
            };
            on_exit(myself, state, index, cause, unstarted);
        }
    }
}

/// Lets the policy decide on the exit of a child. `unstarted` are children that were to be started after it
/// and now have nobody to do so.
fn on_exit(
    myself: &ActorRef<SupervisorMessage>,
    state: &mut SupervisorState,
    index: usize,
    cause: ExitCause,
    unstarted: Vec<usize>,
) {
    state.notify(index, |supervisor, child| SupervisorEvent::ChildEnded {
        supervisor,
        child,
        cause: cause.clone(),
    });
    let Some(child) = state.children.get_mut(index) else { return };
    child.phase = ChildPhase::Ended { failed: cause.is_failure() };
    if cause.is_failure() {
        child.last_failure = Some((Instant::now(), cause.clone()));
    }
    if !matches!(state.mode, Mode::Supervising) {
        return;
    }
    let (now, random) = (state.now(), state.random());
    match state.policy.on_exit(index, &cause, now, random) {
        Decision::Ignore => {}
        Decision::Remove => {
            if !unstarted.is_empty() {
                begin_repair(myself, state, Vec::new(), unstarted, Instant::now());
            }
        }
        Decision::Restart { stop, start, after } => {
            count_restarts(state, index, &cause, &start, after);
            let start = start.into_iter().chain(unstarted).collect();
            begin_repair(myself, state, stop, start, Instant::now() + crate::bounded(after));
        }
        Decision::Escalate => {
            state.notify(index, |supervisor, child| SupervisorEvent::Escalated {
                supervisor,
                child,
                cause: cause.clone(),
            });
            let budget = state.policy.budget();
            let error = EscalationError { child: state.child_name(index), cause, budget };
            shutdown::begin_escalation(myself, state, error);
        }
    }
}

fn count_restarts(
    state: &mut SupervisorState,
    index: usize,
    cause: &ExitCause,
    start: &[usize],
    after: Duration,
) {
    for touched in start {
        let Some(child) = state.children.get_mut(*touched) else { continue };
        if *touched == index {
            *child.restarts.entry(cause.kind()).or_default() += 1;
        } else {
            child.restarts_with_sibling += 1;
        }
    }
    let siblings =
        start.iter().filter(|touched| **touched != index).map(|touched| state.child_name(*touched)).collect();
    let (cause, after_ms) = (cause.kind(), crate::millis(after));
    state.notify(index, |supervisor, child| SupervisorEvent::RestartScheduled {
        supervisor,
        child,
        cause,
        after_ms,
        siblings,
    });
}

/// Begins a repair. It overtakes those that have unfinished business with the same children, and does that too.
fn begin_repair(
    myself: &ActorRef<SupervisorMessage>,
    state: &mut SupervisorState,
    mut stop: Vec<usize>,
    mut start: Vec<usize>,
    mut due: Instant,
) {
    let mut overtaken: Vec<Gone> = Vec::new();
    let (met, others) = std::mem::take(&mut state.repairs).into_iter().partition(|repair| {
        let touches = |index: &usize| stop.contains(index) || start.contains(index);
        repair.pending.iter().any(touches) || repair.stopping.iter().any(touches)
    });
    state.repairs = others;
    for repair in Vec::from_iter::<Vec<_>>(met) {
        start.extend(&repair.pending);
        // A start under way there must not go on here.
        stop.extend(&repair.pending);
        stop.extend(&repair.stopping);
        due = due.max(repair.due);
        overtaken.push(repair.overtake());
    }
    start.sort_unstable();
    start.dedup();
    stop.sort_unstable_by(|a, b| b.cmp(a));
    stop.dedup();
    for (index, child) in state.children.iter_mut().enumerate() {
        child.phase = match (stop.contains(&index), start.contains(&index), &child.phase) {
            (_, false, ChildPhase::Ended { failed }) => ChildPhase::Ended { failed: *failed },
            // Whatever is said of it: an actor may have been spawned for it that was not reported yet.
            (
                true,
                _,
                ChildPhase::Waiting
                | ChildPhase::Backoff { .. }
                | ChildPhase::Starting
                | ChildPhase::Running { .. }
                | ChildPhase::Stopping,
            ) => ChildPhase::Stopping,
            (_, true, _) if due > Instant::now() => ChildPhase::Backoff { until: due },
            (_, true, _) => ChildPhase::Waiting,
            (false, false, phase) => phase.clone(),
        };
    }
    let members = |indices: Vec<usize>| {
        indices
            .into_iter()
            .filter_map(|index| state.children.get(index).map(|child| Member::new(index, &child.spec)))
            .collect()
    };
    state.repairs_begun += 1;
    let order = Order {
        id: RepairId(state.repairs_begun),
        overtaken,
        stop: members(stop),
        due,
        start: members(start),
        past_failed_starts: !state.policy.strategy().is_group(),
    };
    let repair = order.begin(myself.clone(), &mut state.tasks);
    state.repairs.push(repair);
}
