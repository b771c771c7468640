//! Stopping an actor in bounded time: asked first, killed when it does not follow.

use std::time::Duration;

use ractor::rpc::CallResult;
use ractor::{ActorCell, ActorRef, ActorStatus};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::supervisor::SupervisorMessage;

/// How long a killed actor may take to end. A kill takes effect where the actor waits next, so only code
/// that blocks a thread outlives this.
pub(crate) const KILL_LIMIT: Duration = Duration::from_secs(1);

/// How many may wait for the report of one shutdown: its own supervisor and a few who asked beside it. The
/// ports of more are dropped.
pub(crate) const REPORTS_MAX: usize = 64;

/// How one child came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopOutcome {
    /// It was not running.
    WasDown,
    /// It ended within its grace.
    Stopped,
    /// Its grace passed and it was killed.
    Killed,
    /// It did not even follow the kill in time: it blocks a thread. It ends where it waits next.
    Abandoned,
}

/// How one child of a supervisor came to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildStop {
    /// The child's name.
    pub name: String,
    /// How it ended.
    pub outcome: StopOutcome,
    /// How its own children ended, if it is a supervisor and could still tell.
    pub nested: Option<ShutdownReport>,
}

/// What it took to stop a supervisor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShutdownReport {
    /// The supervisor's name.
    pub name: String,
    /// How long it took, in milliseconds.
    pub elapsed_ms: u64,
    /// Its children in the order in which they were stopped; empty for a dynamic supervisor, whose
    /// children have no names and are counted only.
    pub children: Vec<ChildStop>,
    /// How many actors below it ended within their grace.
    pub stopped: u64,
    /// How many had to be killed.
    pub killed: u64,
    /// How many outlived their kill.
    pub abandoned: u64,
}

impl ShutdownReport {
    /// A report of nothing yet.
    pub(crate) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            elapsed_ms: 0,
            children: Vec::new(),
            stopped: 0,
            killed: 0,
            abandoned: 0,
        }
    }

    /// Adds one child, and what is below it.
    pub(crate) fn add(&mut self, child: ChildStop) {
        self.count(child.outcome);
        if let Some(nested) = &child.nested {
            self.stopped += nested.stopped;
            self.killed += nested.killed;
            self.abandoned += nested.abandoned;
        }
        self.children.push(child);
    }

    /// Counts one actor.
    pub(crate) fn count(&mut self, outcome: StopOutcome) {
        match outcome {
            StopOutcome::WasDown => {}
            StopOutcome::Stopped => self.stopped += 1,
            StopOutcome::Killed => self.killed += 1,
            StopOutcome::Abandoned => self.abandoned += 1,
        }
    }

    /// The paths of the children that did not end by themselves, `parent/child`, in the order of the report.
    pub fn forced(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for child in &self.children {
            if matches!(child.outcome, StopOutcome::Killed | StopOutcome::Abandoned) {
                paths.push(format!("{}/{}", self.name, child.name));
            }
            if let Some(nested) = &child.nested {
                paths.extend(nested.forced().into_iter().map(|path| format!("{}/{path}", self.name)));
            }
        }
        paths
    }
}

/// Stops one actor: asks, waits up to `grace`, kills; all of it within `grace + kill_limit`.
///
/// A supervisor is asked to stop its children in order and to report on them. Each level of a tree has half
/// of the time of the one above it to kill, so that its report comes before it is killed itself.
pub(crate) async fn stop_actor(
    cell: &ActorCell,
    grace: Duration,
    kill_limit: Duration,
) -> (StopOutcome, Option<ShutdownReport>) {
    if cell.get_status() == ActorStatus::Stopped {
        return (StopOutcome::WasDown, None);
    }
    let begun = Instant::now();
    let mut nested = None;
    if !grace.is_zero() {
        let kill_at = if cell.is_message_type_of::<SupervisorMessage>() == Some(true) {
            let kill_at = begun + grace + kill_limit / 4 * 3;
            nested = stop_nested(cell, grace, kill_limit / 2, kill_at).await;
            kill_at
        } else {
            cell.stop(None);
            begun + grace
        };
        if cell.wait(Some(left_until(kill_at))).await.is_ok() {
            return (StopOutcome::Stopped, nested);
        }
    }
    cell.kill();
    match cell.wait(Some(left_until(begun + grace + kill_limit))).await {
        Ok(()) => (StopOutcome::Killed, nested),
        Err(_timeout) => (StopOutcome::Abandoned, nested),
    }
}

/// Asks a supervisor to stop its children within `grace` and to end; waits for its report until `until`.
async fn stop_nested(
    cell: &ActorCell,
    grace: Duration,
    kill_limit: Duration,
    until: Instant,
) -> Option<ShutdownReport> {
    let supervisor: ActorRef<SupervisorMessage> = cell.clone().into();
    let answer = supervisor
        .call(|reply| SupervisorMessage::Shutdown { grace, kill_limit, reply }, Some(left_until(until)))
        .await;
    match answer {
        Ok(CallResult::Success(report)) => Some(report),
        Ok(CallResult::Timeout | CallResult::SenderError) | Err(_) => None,
    }
}

pub(crate) fn left_until(instant: Instant) -> Duration {
    instant.saturating_duration_since(Instant::now())
}
