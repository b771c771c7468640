//! A repair: the task that stops some children, waits, and starts some, one after another.
//!
//! The first start of all children is a repair too. A repair changes nothing in the supervisor's state:
//! it sends each step as a message. When another exit overtakes it, the repair that replaces it first
//! waits until it is gone, so that never two of them work on one child.

use std::time::Duration;

use ractor::{ActorCell, ActorRef, ActorStatus};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::child::{ChildSpec, Factory, Slot, StartContext, StartError};
use crate::panics::catch_panic;
use crate::stop::{ChildStop, KILL_LIMIT, ShutdownReport, StopOutcome, left_until, stop_actor};

use super::SupervisorMessage;
use super::message::{RepairId, Step, StepKind};

/// What a supervisor remembers of a repair under way.
pub(super) struct Repair {
    pub(super) id: RepairId,
    /// Whom it has not stopped yet.
    pub(super) stopping: Vec<usize>,
    /// Whom it has not started yet, in order.
    pub(super) pending: Vec<usize>,
    /// When it may begin to start.
    pub(super) due: Instant,
    abort: AbortHandle,
    gone: Gone,
}

/// Resolves when a task is gone, however it went.
pub(super) type Gone = oneshot::Receiver<()>;

impl Repair {
    /// Ends it where it waits next; the result tells when that has happened.
    pub(super) fn overtake(self) -> Gone {
        self.abort.abort();
        self.gone
    }
}

/// A child as the tasks of its supervisor need it.
pub(super) struct Member {
    index: usize,
    name: String,
    slot: Slot,
    factory: Factory,
    grace: Duration,
    start_limit: Duration,
}

impl Member {
    pub(super) fn new(index: usize, spec: &ChildSpec) -> Self {
        Self {
            index,
            name: spec.name.clone(),
            slot: spec.slot.clone(),
            factory: spec.factory.clone(),
            grace: spec.grace,
            start_limit: spec.start_limit,
        }
    }
}

/// What a repair is to do.
pub(super) struct Order {
    pub(super) id: RepairId,
    /// The repairs it overtakes.
    pub(super) overtaken: Vec<Gone>,
    pub(super) stop: Vec<Member>,
    pub(super) due: Instant,
    pub(super) start: Vec<Member>,
    /// Whether children are independent, so that one that does not start keeps nobody waiting.
    pub(super) past_failed_starts: bool,
}

impl Order {
    /// Begins to carry it out in a task of the supervisor.
    pub(super) fn begin(
        self,
        myself: ActorRef<SupervisorMessage>,
        tasks: &mut tokio::task::JoinSet<()>,
    ) -> Repair {
        let (present, gone) = oneshot::channel();
        let (id, due) = (self.id, self.due);
        let stopping = self.stop.iter().map(|member| member.index).collect();
        let pending = self.start.iter().map(|member| member.index).collect();
        let abort = tasks.spawn(async move {
            // Dropped with the task, which is what `gone` waits for.
            let _present: oneshot::Sender<()> = present;
            self.carry_out(&myself).await;
        });
        Repair { id, stopping, pending, due, abort, gone }
    }

    async fn carry_out(self, myself: &ActorRef<SupervisorMessage>) {
        let Self { id: repair, overtaken, stop, due, start, past_failed_starts } = self;
        // A supervisor that is gone needs no steps; its children go down with it.
        let report = |step| drop(myself.cast(SupervisorMessage::StepCompleted(Step(step))));
        wait_until_gone(overtaken).await;
        for member in &stop {
            let (outcome, _nested) = stop_member(member, member.grace, KILL_LIMIT).await;
            report(StepKind::ChildStopped { repair, child: member.index, outcome });
        }
        sleep_until(due).await;
        for member in &start {
            report(StepKind::ChildStarting { repair, child: member.index });
            let result = start_member(member, myself).await;
            let failed = result.is_err();
            report(StepKind::ChildStarted { repair, child: member.index, result });
            if failed && !past_failed_starts {
                return;
            }
        }
        report(StepKind::RepairCompleted { repair });
    }
}

/// Waits until these tasks are gone.
pub(super) async fn wait_until_gone(overtaken: Vec<Gone>) {
    for gone in overtaken {
        // The sender is never used, only dropped: the error is the answer.
        let _ = gone.await;
    }
}

/// Stops these children in the given order, all within `grace + kill_limit`, each within its own grace.
///
/// Without `grace` each has its own only.
pub(super) async fn stop_all(
    supervisor: &str,
    members: &[Member],
    grace: Option<Duration>,
    kill_limit: Duration,
) -> ShutdownReport {
    let begun = Instant::now();
    let mut report = ShutdownReport::new(supervisor);
    for member in members {
        let (grace, kill_limit) = match grace {
            None => (member.grace, kill_limit),
            Some(all) => {
                let grace_left = left_until(begun + all);
                let kill_left = left_until(begun + all + kill_limit);
                (member.grace.min(grace_left), kill_limit.min(kill_left))
            }
        };
        let (outcome, nested) = stop_member(member, grace, kill_limit).await;
        report.add(ChildStop { name: member.name.clone(), outcome, nested });
    }
    report.elapsed_ms = crate::millis(begun.elapsed());
    report
}

async fn stop_member(
    member: &Member,
    grace: Duration,
    kill_limit: Duration,
) -> (StopOutcome, Option<ShutdownReport>) {
    let Some(cell) = member.slot.get() else {
        return (StopOutcome::WasDown, None);
    };
    let stopped = stop_actor(&cell, grace, kill_limit).await;
    member.slot.clear(cell.get_id());
    stopped
}

/// Starts a child within its limit. When that fails, nothing of it is left running.
async fn start_member(
    member: &Member,
    supervisor: &ActorRef<SupervisorMessage>,
) -> Result<ActorCell, StartError> {
    let context = StartContext::new(supervisor.get_cell(), member.slot.clone());
    let factory = member.factory.clone();
    let start = catch_panic(async move { factory(context).await });
    let result = match timeout(member.start_limit, start).await {
        Ok(Ok(Ok(cell))) => adopt(&cell, supervisor).map(|()| cell),
        Ok(Ok(Err(error))) => Err(error),
        Ok(Err(panic)) => Err(panic.into()),
        Err(_elapsed) => Err(StartError::TimedOut { limit_ms: crate::millis(member.start_limit) }),
    };
    match &result {
        Ok(cell) if member.slot.holds(cell.get_id()) => {}
        Ok(cell) => member.slot.set(cell.clone()),
        Err(_) => drop(stop_member(member, member.grace, KILL_LIMIT).await),
    }
    result
}

/// Makes sure that the supervisor hears of the child's end.
fn adopt(cell: &ActorCell, supervisor: &ActorRef<SupervisorMessage>) -> Result<(), StartError> {
    if cell.try_get_supervisor().is_some_and(|linked| linked.get_id() == supervisor.get_id()) {
        return Ok(());
    }
    cell.link(supervisor.get_cell());
    let is_linked = cell.try_get_supervisor().is_some_and(|linked| linked.get_id() == supervisor.get_id());
    // One that has ended was either linked before, and its exit is on its way, or never was.
    if is_linked || cell.get_status() >= ActorStatus::Stopping {
        return Ok(());
    }
    Err(StartError::Failed { message: "its actor cannot be linked to the supervisor".to_owned() })
}
