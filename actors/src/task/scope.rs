//! One task's identity, limits and usage.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use playhouse_protocol::event::TaskEventKind;
use playhouse_protocol::usage::BudgetLimit;
use playhouse_protocol::{Budget, TaskId, TenantId, Usage, WallClock};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::agent::AgentError;
use crate::task::EventLog;

/// What a [`TaskScope`] is made of.
#[derive(Debug)]
pub struct TaskScopeArgs {
    /// The task.
    pub id: TaskId,
    /// Who submitted it.
    pub tenant: TenantId,
    /// What it may use.
    pub budget: Budget,
    /// How long it may take from now on.
    pub timeout: Duration,
    /// Cancels it.
    pub cancel: CancellationToken,
    /// Where its events go; `None` when nobody can watch it.
    pub events: Option<Arc<EventLog>>,
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
    cancel: CancellationToken,
    events: Option<Arc<EventLog>>,
    clock: Arc<dyn WallClock>,
    steps: AtomicU32,
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
            cancel: args.cancel,
            events: args.events,
            clock: args.clock,
            steps: AtomicU32::new(0),
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
            .checked_add(self.timeout)
            .unwrap_or_else(|| self.started + Duration::from_secs(946_080_000))
    }

    /// The error of a task whose time is over.
    pub fn deadline_error(&self) -> AgentError {
        AgentError::DeadlineExceeded { limit_ms: u64::try_from(self.timeout.as_millis()).unwrap_or(u64::MAX) }
    }

    /// Time since the task began.
    pub fn elapsed(&self) -> Duration {
        self.started.elapsed()
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
    /// [`AgentError::BudgetExceeded`] when it does not fit with what is used and set aside already.
    pub fn reserve(self: &Arc<Self>, planned: Usage) -> Result<Reservation, AgentError> {
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
            return Err(AgentError::BudgetExceeded {
                which,
                used: pick(&open),
                planned: pick(&planned),
                limit: limit.unwrap_or_default(),
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
