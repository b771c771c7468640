//! What is kept of a task while it is open, and for those who wait for its end.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use playhouse_actors::context::AnyAgent;
use playhouse_actors::task::{EventLog, TaskScope};
use playhouse_protocol::journal::{FailedAttempt, Payload};
use playhouse_protocol::task::{Durability, TaskOptions, TaskStatus, TaskSummary};
use playhouse_protocol::{Failure, FailureClass, TaskId, Usage};
use tokio::sync::SetOnce;
use tokio::time::Instant;

use super::ledger::Origin;
use crate::admission::{Slot, TASK_TIMEOUT_MAX};
use crate::plan::PlanWork;
use crate::store::{AcceptedTask, TaskEnd};

/// Who does the work of a task.
#[derive(Clone)]
pub(crate) enum Work {
    /// An agent.
    Agent(Arc<dyn AnyAgent>),
    /// A plan, whose parts are tasks.
    Plan(PlanWork),
}

impl Work {
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Agent(agent) => agent.kind(),
            Self::Plan(_) => crate::plan::KIND,
        }
    }
}

/// How the wait for a task ended.
#[derive(Debug)]
pub(crate) enum Settled {
    /// The task ended.
    Ended(TaskEnd),
    /// It was left open in the journal, for the next process.
    Kept,
}

/// A task that is open. Owned by the table and by those who hold a handle; it ends with the last of them.
pub(crate) struct OpenTask {
    pub(crate) scope: Arc<TaskScope>,
    pub(crate) events: Option<Arc<EventLog>>,
    pub(crate) work: Work,
    pub(crate) options: TaskOptions,
    pub(crate) parent: Option<TaskId>,
    pub(crate) submitted_unix_ms: u64,
    pub(crate) deadline_unix_ms: u64,
    pub(crate) origin: Origin,
    pub(crate) settled: SetOnce<Settled>,
    /// Whether its acceptance is durable: before that nobody is told of it.
    confirmed: AtomicBool,
    /// Whether somebody took it back, as opposed to a shutdown.
    taken_back: AtomicBool,
    state: Mutex<State>,
}

struct State {
    slot: Option<Slot>,
    /// What it asks; none when it is in the journal and was not needed yet.
    request: Option<Payload>,
    is_running: bool,
    /// Attempts that were begun by this process and by earlier ones.
    attempts: u32,
    attempts_max: u32,
    failed_attempts: Vec<FailedAttempt>,
    accepted: Instant,
    running_since: Option<Instant>,
    ran: Duration,
    ended: Option<Instant>,
}

/// What an open task begins with.
pub(crate) struct OpenTaskArgs {
    pub(crate) scope: Arc<TaskScope>,
    pub(crate) events: Option<Arc<EventLog>>,
    pub(crate) work: Work,
    pub(crate) options: TaskOptions,
    pub(crate) parent: Option<TaskId>,
    pub(crate) submitted_unix_ms: u64,
    pub(crate) deadline_unix_ms: u64,
    pub(crate) origin: Origin,
    pub(crate) slot: Option<Slot>,
    pub(crate) request: Option<Payload>,
    pub(crate) attempts_max: u32,
    pub(crate) failed_attempts: Vec<FailedAttempt>,
}

/// Where a task's time went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TaskTimings {
    /// Waiting: for a place, for the journal, for another attempt.
    pub queued: Duration,
    /// Running.
    pub running: Duration,
}

impl OpenTask {
    pub(crate) fn new(args: OpenTaskArgs) -> Arc<Self> {
        Arc::new(Self {
            scope: args.scope,
            events: args.events,
            work: args.work,
            options: args.options,
            parent: args.parent,
            submitted_unix_ms: args.submitted_unix_ms,
            deadline_unix_ms: args.deadline_unix_ms,
            origin: args.origin,
            settled: SetOnce::new(),
            confirmed: AtomicBool::new(false),
            taken_back: AtomicBool::new(false),
            state: Mutex::new(State {
                slot: args.slot,
                request: args.request,
                is_running: false,
                attempts: u32::try_from(args.failed_attempts.len()).unwrap_or(u32::MAX),
                attempts_max: args.attempts_max,
                failed_attempts: args.failed_attempts,
                accepted: Instant::now(),
                running_since: None,
                ran: Duration::ZERO,
                ended: None,
            }),
        })
    }

    pub(crate) fn id(&self) -> TaskId {
        self.scope.id()
    }

    /// Whether it is written down.
    pub(crate) fn is_journaled(&self) -> bool {
        self.options.durability == Durability::Full
    }

    /// The task as the journal takes it.
    pub(crate) fn accepted_entry(&self) -> AcceptedTask {
        AcceptedTask {
            id: self.id(),
            kind: self.work.kind().to_owned(),
            options: self.options.clone(),
            parent: self.parent,
            submitted_unix_ms: self.submitted_unix_ms,
            deadline_unix_ms: self.deadline_unix_ms,
            request: self.request().unwrap_or_default(),
        }
    }

    /// When a plan was opened again, in milliseconds since 1970; `None` for one that never was a dead letter, and for
    /// everything else. Every plan has the same time, so its deadline tells when that began.
    pub(crate) fn plan_reopened_unix_ms(&self) -> Option<u64> {
        let time_ms = u64::try_from(TASK_TIMEOUT_MAX.as_millis()).unwrap_or(u64::MAX);
        let opened = self.deadline_unix_ms.saturating_sub(time_ms);
        (matches!(self.work, Work::Plan(_)) && opened > self.submitted_unix_ms).then_some(opened)
    }

    pub(crate) fn confirm(&self) {
        self.confirmed.store(true, Ordering::Release);
    }

    pub(crate) fn is_confirmed(&self) -> bool {
        self.confirmed.load(Ordering::Acquire)
    }

    /// Takes the task back: what runs for it is stopped where it is.
    pub(crate) fn take_back(&self) {
        self.taken_back.store(true, Ordering::Release);
        self.scope.cancel().cancel();
    }

    pub(crate) fn is_taken_back(&self) -> bool {
        self.taken_back.load(Ordering::Acquire)
    }

    pub(crate) fn request(&self) -> Option<Payload> {
        self.state().request.clone()
    }

    pub(crate) fn keep_request(&self, request: Payload) {
        self.state().request = Some(request);
    }

    /// Begins the next attempt and returns its number.
    pub(crate) fn begin_attempt(&self) -> u32 {
        let mut state = self.state();
        state.attempts = state.attempts.saturating_add(1);
        state.is_running = true;
        state.running_since = Some(Instant::now());
        state.attempts
    }

    /// Ends the attempt that runs, if one does.
    pub(crate) fn end_attempt(&self) {
        let mut state = self.state();
        state.is_running = false;
        if let Some(since) = state.running_since.take() {
            state.ran += since.elapsed();
        }
    }

    /// Whether an attempt before the next one may have left steps.
    pub(crate) fn may_have_steps(&self) -> bool {
        self.origin != Origin::Accepted || self.state().attempts > 0
    }

    pub(crate) fn attempts(&self) -> u32 {
        self.state().attempts
    }

    pub(crate) fn attempts_max(&self) -> u32 {
        self.state().attempts_max
    }

    /// How many attempts ended at a full queue, and why the last one of the others failed.
    pub(crate) fn failed_attempts(&self) -> (u32, Option<Failure>) {
        let state = self.state();
        let mut others = state.failed_attempts.iter().filter(|one| !is_overloaded(one));
        let last = others.next_back().map(|one| one.failure.clone());
        (overloaded_len(&state.failed_attempts), last)
    }

    pub(crate) fn push_failed_attempt(&self, attempt: FailedAttempt) {
        self.state().failed_attempts.push(attempt);
    }

    /// Tells everybody who waits. The request and the slot are given up.
    pub(crate) fn settle(&self, settled: Settled) {
        {
            let mut state = self.state();
            state.request = None;
            state.slot = None;
            state.ended = Some(Instant::now());
        }
        // Set once: by the task's own driver, or when it was read from the journal.
        let _ = self.settled.set(settled);
    }

    pub(crate) fn timings(&self) -> TaskTimings {
        let state = self.state();
        let running = state.ran + state.running_since.map(|since| since.elapsed()).unwrap_or_default();
        let until = state.ended.unwrap_or_else(Instant::now);
        let all = until.saturating_duration_since(state.accepted);
        TaskTimings { queued: all.saturating_sub(running), running }
    }

    pub(crate) fn usage(&self) -> Usage {
        match self.settled.get() {
            Some(Settled::Ended(end)) => end.usage,
            Some(Settled::Kept) | None => self.scope.usage(),
        }
    }

    pub(crate) fn summary(&self) -> TaskSummary {
        let (is_running, attempts) = {
            let state = self.state();
            (state.is_running, state.attempts)
        };
        let end = match self.settled.get() {
            Some(Settled::Ended(end)) => Some(end),
            Some(Settled::Kept) | None => None,
        };
        let open = if is_running { TaskStatus::Running } else { TaskStatus::Queued };
        TaskSummary {
            id: self.id(),
            kind: self.work.kind().to_owned(),
            tenant: self.options.tenant.clone(),
            status: end.map_or(open, |end| end.status),
            parent: self.parent,
            submitted_unix_ms: self.submitted_unix_ms,
            ended_unix_ms: end.map(|end| end.unix_ms),
            attempts: end.map_or(attempts, |end| end.attempts),
            usage: self.usage(),
            failure: end.and_then(|end| end.failure.clone()),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_overloaded(attempt: &FailedAttempt) -> bool {
    attempt.failure.class == FailureClass::Overloaded
}

/// How many attempts ended at a full queue: they are not counted against those that a task has.
pub(crate) fn overloaded_len(attempts: &[FailedAttempt]) -> u32 {
    u32::try_from(attempts.iter().filter(|attempt| is_overloaded(attempt)).count()).unwrap_or(u32::MAX)
}

impl fmt::Debug for OpenTask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenTask")
            .field("id", &self.id())
            .field("kind", &self.work.kind())
            .finish_non_exhaustive()
    }
}
