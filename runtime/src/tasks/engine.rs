//! What all tasks of a runtime share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use dashmap::DashMap;
use playhouse_actors::context::AgentServices;
use playhouse_actors::orchestrator::OrchestratorMessage;
use playhouse_actors::task::{EventLog, StepJournal, TaskScope, TaskScopeArgs};
use playhouse_config::settings::{AttemptsConfig, LimitsConfig};
use playhouse_protocol::task::{Durability, TaskOptions, TaskSummary};
use playhouse_protocol::{Failure, RandomSource, SeededSource, TaskId, WallClock};
use playhouse_supervisors::{Address, ExitCause};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::ledger::Ledger;
use super::open_task::{OpenTask, Work};
use crate::admission::{Places, Slots};
use crate::journal::Journal;

/// What an [`Engine`] is made of.
#[derive(Debug)]
pub(crate) struct EngineParts {
    pub(crate) services: Arc<AgentServices>,
    pub(crate) journal: Journal,
    pub(crate) places: Arc<Places>,
    /// For tasks of agents.
    pub(crate) slots: Arc<Slots>,
    /// For plans.
    pub(crate) plan_slots: Arc<Slots>,
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
    /// Why no more can be done.
    pub(crate) failure: OnceLock<Failure>,
    plans: AtomicU64,
}

impl Engine {
    pub(crate) fn new(parts: EngineParts) -> Arc<Self> {
        Arc::new(Self {
            parts,
            table: DashMap::new(),
            tracker: TaskTracker::new(),
            stop: CancellationToken::new(),
            failure: OnceLock::new(),
            plans: AtomicU64::new(0),
        })
    }

    pub(crate) fn next_task_id(&self) -> TaskId {
        TaskId::new(self.parts.clock.unix_ms(), &self.parts.ids)
    }

    /// The slots that bound a kind of work.
    pub(crate) fn slots(&self, work: &Work) -> &Arc<Slots> {
        match work {
            Work::Agent(_) => &self.parts.slots,
            Work::Plan(_) => &self.parts.plan_slots,
        }
    }

    /// Lets no further task in because the runtime shuts down.
    pub(crate) fn close(&self) {
        self.parts.plan_slots.close();
        self.parts.slots.close();
    }

    /// The supervision tree has ended, and with it the journal's writer: whoever waits and whoever comes is told.
    /// Open tasks are left to the next process, or are lost with this one where nothing outlives it.
    pub(crate) fn tree_ended(&self, cause: &ExitCause) {
        if !self.stop.is_cancelled() {
            let told = |doing: &str| {
                Failure::internal(format!("{doing}: the supervision tree of the runtime has ended: {cause}"))
                    .with_hint("Start another runtime on the same journal; it goes on with the open tasks.")
            };
            tracing::error!(%cause, "the supervision tree has ended");
            // Set once: a tree ends once.
            let _ = self.failure.set(told("go on"));
            self.parts.plan_slots.close_with(told("accept a plan"));
            self.parts.slots.close_with(told("accept a task"));
        }
        self.stop.cancel();
        self.parts.journal.close();
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

    /// The open parts of a plan, oldest first. Looks through the whole table, so it is for plans that end otherwise than
    /// most.
    pub(crate) fn parts_of(&self, plan: TaskId) -> Vec<Arc<OpenTask>> {
        let of_plan = self.table.iter().filter(|task| task.parent == Some(plan));
        let mut parts: Vec<_> = of_plan.map(|task| Arc::clone(&task)).collect();
        parts.sort_by_key(|part| part.id());
        parts
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
