//! One task's identity, limits and usage.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use playhouse_models::{BudgetExceeded, BudgetScope};
use playhouse_protocol::event::TaskEventKind;
use playhouse_protocol::journal::{Fingerprint, Payload, RecordedStep, StepKind, StepOutcome, StepPath};
use playhouse_protocol::usage::BudgetLimit;
use playhouse_protocol::{Budget, TaskId, TenantId, Usage, WallClock};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::agent::AgentError;
use crate::task::steps::Attempt;
use crate::task::{EventLog, StepJournal};

/// A step that ended and is to be written down.
#[derive(Debug)]
pub(crate) struct NewStep {
    pub(crate) path: StepPath,
    pub(crate) kind: StepKind,
    pub(crate) label: String,
    pub(crate) fingerprint: Fingerprint,
    pub(crate) outcome: StepOutcome,
    pub(crate) input: Payload,
}

/// What a [`TaskScope`] is made of.
#[derive(Debug)]
pub struct TaskScopeArgs {
    /// The task.
    pub id: TaskId,
    /// Who submitted it.
    pub tenant: TenantId,
    /// What it may use.
    pub budget: Budget,
    /// How long it may take in all.
    pub timeout: Duration,
    /// How much of that has passed already, in an earlier process.
    pub elapsed: Duration,
    /// Cancels it.
    pub cancel: CancellationToken,
    /// Where its events go; `None` when nobody can watch it.
    pub events: Option<Arc<EventLog>>,
    /// Where its steps are written down; `None` when they are not.
    pub journal: Option<Arc<dyn StepJournal>>,
    /// The time of day for its events.
    pub clock: Arc<dyn WallClock>,
}

/// What all agents of one task share. It ends with the last of them and the task's handle.
#[derive(Debug)]
pub struct TaskScope {
    id: TaskId,
    tenant: TenantId,
    budget: Budget,
    started: Instant,
    timeout: Duration,
    elapsed_before: Duration,
    cancel: CancellationToken,
    events: Option<Arc<EventLog>>,
    journal: Option<Arc<dyn StepJournal>>,
    clock: Arc<dyn WallClock>,
    steps: AtomicU32,
    replayed: AtomicU32,
    attempt: Mutex<Attempt>,
    spent: Mutex<Spent>,
}

#[derive(Debug, Default)]
struct Spent {
    used: Usage,
    reserved: Usage,
}

impl TaskScope {
    /// A task that begins now.
    pub fn new(args: TaskScopeArgs) -> Arc<Self> {
        Arc::new(Self {
            id: args.id,
            tenant: args.tenant,
            budget: args.budget,
            started: Instant::now(),
            timeout: args.timeout,
            elapsed_before: args.elapsed,
            cancel: args.cancel,
            events: args.events,
            journal: args.journal,
            clock: args.clock,
            steps: AtomicU32::new(0),
            replayed: AtomicU32::new(0),
            attempt: Mutex::default(),
            spent: Mutex::default(),
        })
    }

    /// The task.
    pub fn id(&self) -> TaskId {
        self.id
    }

    /// Who submitted it.
    pub fn tenant(&self) -> &TenantId {
        &self.tenant
    }

    /// What it may use.
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// Is cancelled when the task is taken back.
    pub fn cancel(&self) -> &CancellationToken {
        &self.cancel
    }

    /// When its time is over.
    pub fn deadline(&self) -> Instant {
        // A timeout that reaches past what the clock can hold is no limit worth the name: 30 years.
        self.started
            .checked_add(self.timeout.saturating_sub(self.elapsed_before))
            .unwrap_or_else(|| self.started + Duration::from_secs(946_080_000))
    }

    /// The error of a task whose time is over.
    pub fn deadline_error(&self) -> AgentError {
        AgentError::DeadlineExceeded { limit_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX) }
    }

    /// Time since the task was accepted, earlier processes included.
    pub fn elapsed(&self) -> Duration {
        self.elapsed_before + self.started.elapsed()
    }

    /// Begins the attempt `number`, counted from 1, from the steps that are written down, in the order of their
    /// writing. What they used is counted when they are taken, so what earlier attempts counted is forgotten.
    pub fn begin_attempt(&self, number: u32, steps: Vec<RecordedStep>) {
        *self.attempt() = Attempt::new(number, steps);
        if self.journal.is_some() {
            self.spent().used = Usage::default();
        }
        self.emit(|| TaskEventKind::Started { attempt: number });
    }

    /// The attempt that runs, counted from 1; 0 before the first.
    pub fn attempt_number(&self) -> u32 {
        self.attempt().number
    }

    /// The record of the step at `path`, if an earlier attempt or process made it.
    pub(crate) fn take_recorded(&self, path: &StepPath) -> Option<RecordedStep> {
        self.attempt().take(path)
    }

    /// What the recorded steps below `path` used.
    pub(crate) fn recorded_usage_below(&self, path: &StepPath) -> Usage {
        self.attempt().usage_below(path)
    }

    /// Counts what a step used that is not asked again.
    pub(crate) fn count_recorded(&self, usage: Usage) {
        self.replayed.fetch_add(1, Ordering::Relaxed);
        self.spent().used += usage;
    }

    /// How many steps were taken from what is written down, in all attempts of this process.
    pub(crate) fn replayed_len(&self) -> u32 {
        self.replayed.load(Ordering::Relaxed)
    }

    /// Whether steps are written down.
    pub fn is_journaled(&self) -> bool {
        self.journal.is_some()
    }

    /// Writes a step down, within the task's limits. Does nothing for a task that is not journaled.
    ///
    /// # Errors
    /// `Cancelled` and `DeadlineExceeded` when the task's limits end the wait; the journal's failure.
    pub(crate) async fn record(&self, step: NewStep) -> Result<(), AgentError> {
        let Some(journal) = &self.journal else { return Ok(()) };
        let NewStep { path, kind, label, fingerprint, outcome, input } = step;
        let attempt = self.attempt().number;
        let unix_ms = self.clock.unix_ms();
        let step = RecordedStep { path, attempt, kind, label, fingerprint, outcome, unix_ms };
        tokio::select! {
            biased;
            recorded = journal.record(self.id, step, input) => recorded.map_err(AgentError::from),
            () = self.cancel.cancelled() => Err(AgentError::Cancelled),
            () = tokio::time::sleep_until(self.deadline()) => Err(self.deadline_error()),
        }
    }

    fn attempt(&self) -> MutexGuard<'_, Attempt> {
        self.attempt.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was used so far.
    pub fn usage(&self) -> Usage {
        self.spent().used
    }

    /// The number of the next step, counted from 1.
    pub fn next_step(&self) -> u32 {
        self.steps.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether anybody can watch it.
    pub fn is_watched(&self) -> bool {
        self.events.is_some()
    }

    /// Tells watchers; does nothing when nobody can watch.
    pub fn emit(&self, kind: impl FnOnce() -> TaskEventKind) {
        if let Some(events) = &self.events {
            events.push(self.clock.unix_ms(), kind());
        }
    }

    /// Sets `planned` aside before a model call.
    ///
    /// # Errors
    /// When it does not fit with what is used and set aside already.
    pub fn reserve(self: &Arc<Self>, planned: Usage) -> Result<Reservation, BudgetExceeded> {
        let mut spent = self.spent();
        let mut open = spent.used;
        open += spent.reserved;
        if let Some(which) = self.budget.exceeded_by(&open, &planned) {
            let pick = |usage: &Usage| match which {
                BudgetLimit::ModelCalls => usage.model_calls,
                BudgetLimit::Tokens => usage.total_tokens(),
                BudgetLimit::Cost => usage.cost_nano_usd,
            };
            let limit = match which {
                BudgetLimit::ModelCalls => self.budget.model_calls_max,
                BudgetLimit::Tokens => self.budget.tokens_max,
                BudgetLimit::Cost => self.budget.cost_nano_usd_max,
            };
            return Err(BudgetExceeded {
                scope: BudgetScope::Task,
                which,
                used: pick(&open),
                planned: pick(&planned),
                limit: limit.unwrap_or_default(),
                ends_in: None,
            });
        }
        spent.reserved += planned;
        drop(spent);
        Ok(Reservation { task: Arc::clone(self), planned })
    }

    fn spent(&self) -> MutexGuard<'_, Spent> {
        self.spent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A part of the budget that is set aside for one model call; given back when dropped.
#[derive(Debug)]
pub struct Reservation {
    task: Arc<TaskScope>,
    planned: Usage,
}

impl Reservation {
    /// Replaces what was set aside by what was used.
    pub fn settle(self, used: Usage) {
        self.task.spent().used += used;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let reserved = &mut self.task.spent().reserved;
        let planned = &self.planned;
        reserved.model_calls = reserved.model_calls.saturating_sub(planned.model_calls);
        reserved.prompt_tokens = reserved.prompt_tokens.saturating_sub(planned.prompt_tokens);
        reserved.cached_prompt_tokens =
            reserved.cached_prompt_tokens.saturating_sub(planned.cached_prompt_tokens);
        reserved.completion_tokens = reserved.completion_tokens.saturating_sub(planned.completion_tokens);
        reserved.cost_nano_usd = reserved.cost_nano_usd.saturating_sub(planned.cost_nano_usd);
    }
}
