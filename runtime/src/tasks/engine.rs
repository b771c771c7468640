//! What all tasks of a runtime share.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use playhouse_actors::context::AgentServices;
use playhouse_actors::orchestrator::OrchestratorMessage;
use playhouse_actors::task::{EventLog, StepJournal, TaskScope, TaskScopeArgs};
use playhouse_config::settings::{AttemptsConfig, LimitsConfig};
use playhouse_protocol::task::{Durability, TaskOptions, TaskSummary};
use playhouse_protocol::{RandomSource, SeededSource, TaskId, WallClock};
use playhouse_supervisors::Address;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ledger::Ledger;
use super::open_task::OpenTask;
use crate::admission::{Places, Slots};
use crate::journal::Journal;

/// What an [`Engine`] is made of.
#[derive(Debug)]
pub(crate) struct EngineParts {
    pub(crate) services: Arc<AgentServices>,
    pub(crate) journal: Journal,
    pub(crate) places: Arc<Places>,
    pub(crate) slots: Arc<Slots>,
    pub(crate) ledger: Ledger,
    pub(crate) orchestrator: Address<OrchestratorMessage>,
    pub(crate) limits: LimitsConfig,
    pub(crate) attempts: AttemptsConfig,
    pub(crate) ids: SeededSource,
    pub(crate) jitter: SeededSource,
    pub(crate) clock: Arc<dyn WallClock>,
}

/// What all tasks of a runtime share: the table of open tasks, and what they need. It ends with the runtime
/// and the last task.
#[derive(Debug)]
pub(crate) struct Engine {
    pub(crate) parts: EngineParts,
    /// The open tasks, by id.
    pub(crate) table: DashMap<TaskId, Arc<OpenTask>>,
    /// Owns the futures of tasks.
    pub(crate) tracker: TaskTracker,
    /// The parent of every task's token.
    pub(crate) stop: CancellationToken,
    plans: AtomicU64,
}

impl Engine {
    pub(crate) fn new(parts: EngineParts) -> Arc<Self> {
        Arc::new(Self {
            parts,
            table: DashMap::new(),
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
            plans: AtomicU64::new(0),
        })
    }

    pub(crate) fn next_task_id(&self) -> TaskId {
        TaskId::new(self.parts.clock.unix_ms(), &self.parts.ids)
    }

    /// The number of the next plan that the orchestrator runs.
    pub(crate) fn next_plan_number(&self) -> u64 {
        self.plans.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Evenly drawn from 0 up to and without 1.
    pub(crate) fn jitter(&self) -> f64 {
        // The upper 53 bits: as many as a double holds exactly.
        (self.parts.jitter.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// The open tasks, oldest first.
    pub(crate) fn open_tasks(&self) -> Vec<TaskSummary> {
        let mut open: Vec<_> =
            self.table.iter().filter(|task| task.is_confirmed()).map(|task| task.summary()).collect();
        open.sort_by_key(|task| task.id);
        open
    }

    pub(crate) fn find(&self, id: TaskId) -> Option<Arc<OpenTask>> {
        self.table.get(&id).map(|task| Arc::clone(&task))
    }

    /// What a task's agents share.
    pub(crate) fn scope(
        &self,
        id: TaskId,
        options: &TaskOptions,
        timeout: Duration,
        elapsed: Duration,
        events: Option<Arc<EventLog>>,
    ) -> Arc<TaskScope> {
        let journal: Option<Arc<dyn StepJournal>> = match options.durability {
            Durability::Full => Some(Arc::new(self.parts.journal.clone())),
            Durability::None => None,
        };
        TaskScope::new(TaskScopeArgs {
            id,
            tenant: options.tenant.clone(),
            budget: self.parts.services.ledger().task_budget(options.budget),
            timeout,
            elapsed,
            cancel: self.stop.child_token(),
            events,
            journal,
            clock: Arc::clone(&self.parts.clock),
        })
    }
}
