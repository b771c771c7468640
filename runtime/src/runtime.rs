//! The runtime itself.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use playhouse_actors::agent::{Agent, AgentError};
use playhouse_actors::metrics_actor::MetricsMessage;
use playhouse_actors::model_actor::{ModelMessage, ModelSnapshot};
use playhouse_actors::orchestrator::{OrchestratorMessage, PlanSnapshot};
use playhouse_models::{BudgetLedger, Catalog, ModelWish};
use playhouse_protocol::journal::Payload;
use playhouse_protocol::task::{Durability, TaskOptions, TaskSummary};
use playhouse_protocol::{Budget, Failure, TaskId, envelope};
use playhouse_supervisors::{Address, TreeNode};
use ractor::{Message, RpcReplyPort};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use crate::admission::{TASK_TIMEOUT_MAX, check_options, unwritable_request};
use crate::builder::RuntimeBuilder;
use crate::error::StateError;
use crate::handle::{TaskHandle, kept};
use crate::map::Map;
use crate::performance;
use crate::plan::{Observe, PartReply, PlanHandle, PlanPart, PlanResult, PlanSpec, PlanWork};
use crate::router::CatalogRouter;
use crate::shutdown::ShutdownSummary;
use crate::store::{TaskFilter, TaskStore};
use crate::tasks::{Accounting, DeadLetter, Engine, Settled, Submission, TakeBackOnDrop, Work};
use crate::tree::Root;

/// How long a part of the runtime may take to tell its state. None of them does anything long.
const STATE_LIMIT: Duration = Duration::from_secs(5);

/// A running Playhouse: a supervision tree, its agents and its models.
///
/// Cheap to clone; all clones are the same runtime. When the last one is dropped without
/// [`shutdown`](Self::shutdown), everything in it is stopped at once. Several runtimes in one process do not
/// know of each other.
#[derive(Clone)]
pub struct Runtime {
    inner: Arc<Inner>,
}

pub(crate) struct RuntimeParts {
    pub(crate) engine: Arc<Engine>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) router: Arc<CatalogRouter>,
    pub(crate) performance_file: Option<PathBuf>,
    pub(crate) root: Root,
    pub(crate) models: BTreeMap<String, Address<ModelMessage>>,
    pub(crate) metrics: Address<MetricsMessage>,
    /// Tells the engine when the tree has ended.
    pub(crate) _watch: JoinSet<()>,
}

struct Inner {
    parts: RuntimeParts,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.parts.engine.stop.cancel();
        self.parts.engine.parts.journal.close();
    }
}

impl Runtime {
    /// Begins to write a runtime down.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::default()
    }

    pub(crate) fn from_parts(parts: RuntimeParts) -> Self {
        Self { inner: Arc::new(Inner { parts }) }
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.inner.parts.engine
    }

    /// What was used today, and what is left of it: of all tenants together, and of each.
    pub fn budgets(&self) -> &Arc<BudgetLedger> {
        self.engine().parts.services.ledger()
    }

    #[cfg(test)]
    pub(crate) fn root(&self) -> &ractor::ActorRef<playhouse_supervisors::SupervisorMessage> {
        &self.inner.parts.root.0
    }

    /// Asks an agent and waits for its answer. Dropping the future cancels the request.
    ///
    /// # Errors
    /// What the agent says; class `Overloaded` when too many tasks are open, `Deadline` when the configured
    /// time is over.
    pub async fn run<A: Agent>(&self, request: A::Request) -> Result<A::Reply, Failure> {
        self.run_with::<A>(request, TaskOptions::default()).await
    }

    /// [`run`](Self::run) with a tenant, a time limit, a budget and so on.
    ///
    /// # Errors
    /// As [`run`](Self::run); class `Denied` when the budget does not allow a model call.
    pub async fn run_with<A: Agent>(
        &self,
        request: A::Request,
        options: TaskOptions,
    ) -> Result<A::Reply, Failure> {
        let asker = TakeBackOnDrop::default();
        let mut submission = self.submission::<A>(&request, options)?;
        drop(request);
        submission.is_watched = false;
        submission.take_back = Some(asker.submission_half());
        let task = self.engine().submit(submission).await?;
        TaskHandle::<A>::new(task).result().await
    }

    /// Checks a request as [`submit`](Self::submit) does, without handing it in: for callers who have costly
    /// preparations to make. Returns the time that the task would have.
    ///
    /// # Errors
    /// When the request or its options are wrong, or the runtime has no such agent.
    pub fn check<A: Agent>(&self, request: &A::Request, options: &TaskOptions) -> Result<Duration, Failure> {
        let parts = &self.engine().parts;
        let timeout = check_options(options, parts.limits.task_timeout)?;
        let agent = parts.services.registry().get::<A>();
        agent.ok_or(AgentError::NotRegistered { kind: A::KIND })?.validate(request)?;
        Ok(timeout)
    }

    /// Hands a request in, to be answered while the caller does something else. When this returns, the task is
    /// as durable as its options say, and is worked on whatever becomes of the handle. A request whose
    /// idempotency key was used before returns the task of that time.
    ///
    /// # Errors
    /// When the request is wrong, too many tasks are open, or the journal cannot be written; nothing was
    /// accepted then.
    pub async fn submit<A: Agent>(
        &self,
        request: A::Request,
        options: TaskOptions,
    ) -> Result<TaskHandle<A>, Failure> {
        let submission = self.submission::<A>(&request, options)?;
        drop(request);
        Ok(TaskHandle::new(self.engine().submit(submission).await?))
    }

    /// Asks an agent once for each request, side by side. See [`Map`].
    pub fn map<A: Agent>(&self, requests: Vec<A::Request>) -> Map<A> {
        Map::new(self.clone(), requests)
    }

    /// Hands a plan in: many tasks in an order, as one task that is as durable as they are. `options` are those of
    /// each part, with a key for the plan as a whole; the plan itself may take [`TASK_TIMEOUT_MAX`]. A part that
    /// finds too many tasks open waits.
    ///
    /// # Errors
    /// When the plan or the options are wrong, too many tasks are open, or the journal cannot be written; nothing
    /// was accepted then.
    pub async fn submit_plan(&self, plan: PlanPart, options: TaskOptions) -> Result<PlanHandle, Failure> {
        let submission = self.plan_submission(plan, options, None)?;
        Ok(PlanHandle::new(self.engine().submit(submission).await?))
    }

    /// [`submit_plan`](Self::submit_plan), and tells `observe` of each part's outcome when it is there, in the order of ending.
    /// `observe` must not block. It is told nothing of a plan that was submitted before under the same key.
    ///
    /// # Errors
    /// As [`submit_plan`](Self::submit_plan).
    pub async fn submit_plan_observed(
        &self,
        plan: PlanPart,
        options: TaskOptions,
        observe: impl Fn(usize, Result<PartReply<'_>, &Failure>) + Send + Sync + 'static,
    ) -> Result<PlanHandle, Failure> {
        let observe = move |number: usize, outcome: &Result<Payload, Failure>| {
            observe(number, outcome.as_ref().map(PartReply::new));
        };
        let submission = self.plan_submission(plan, options, Some(Arc::new(observe)))?;
        Ok(PlanHandle::new(self.engine().submit(submission).await?))
    }

    /// A plan that was accepted before, by this process or an earlier one on the same journal.
    ///
    /// # Errors
    /// Class `InvalidInput` for an unknown task and for one that is no plan.
    pub async fn attach_plan(&self, id: TaskId) -> Result<PlanHandle, Failure> {
        let task = self.engine().attach(id).await?;
        match &task.work {
            Work::Plan(_) => Ok(PlanHandle::new(task)),
            Work::Agent(agent) => {
                Err(Failure::invalid(format!("find plan {id}: it is a task of agent {}", agent.kind())))
            }
        }
    }

    /// The time that a task with these options has.
    pub(crate) fn timeout(&self, options: &TaskOptions) -> Result<Duration, Failure> {
        check_options(options, self.engine().parts.limits.task_timeout)
    }

    /// Runs a checked item of a map in memory, as soon as there is room for it. Dropping the future cancels it.
    pub(crate) async fn run_in_memory<A: Agent>(
        &self,
        request: Payload,
        options: TaskOptions,
        timeout: Duration,
    ) -> Result<A::Reply, Failure> {
        let asker = TakeBackOnDrop::default();
        let agent = self.engine().parts.services.registry().by_kind(A::KIND);
        let agent = agent.ok_or(AgentError::NotRegistered { kind: A::KIND })?;
        let make = || {
            Ok(Submission {
                work: Work::Agent(Arc::clone(agent)),
                request: request.clone(),
                options: options.clone(),
                parent: None,
                timeout,
                is_watched: false,
                take_back: Some(asker.submission_half()),
            })
        };
        let task = self.engine().submit_when_there_is_room(make).await?;
        TaskHandle::<A>::new(task).result().await
    }

    /// Runs a plan and waits for it. Dropping the future cancels it.
    pub(crate) async fn run_plan(
        &self,
        plan: PlanPart,
        options: TaskOptions,
        observe: Option<Arc<Observe>>,
    ) -> Result<PlanResult, Failure> {
        let asker = TakeBackOnDrop::default();
        let mut submission = self.plan_submission(plan, options, observe)?;
        submission.take_back = Some(asker.submission_half());
        let task = self.engine().submit(submission).await?;
        PlanHandle::new(task).result().await
    }

    fn plan_submission(
        &self,
        plan: PlanPart,
        options: TaskOptions,
        observe: Option<Arc<Observe>>,
    ) -> Result<Submission, Failure> {
        let checked = || {
            check_options(&options, self.engine().parts.limits.task_timeout)?;
            let registry = self.engine().parts.services.registry();
            if let Some(leaf) = plan.leaves.iter().find(|leaf| registry.by_kind(&leaf.kind).is_none()) {
                return Err(Failure::invalid(format!("run a plan: no agent of kind {}", leaf.kind))
                    .with_hint("Register it: Runtime::builder().agent(…)."));
            }
            // The limits are for each part.
            let own = TaskOptions {
                budget: Budget::default(),
                timeout_ms: None,
                attempt_timeout_ms: None,
                ..options.clone()
            };
            let parts = TaskOptions { idempotency_key: None, ..options };
            let request = PlanSpec::new(plan, parts)?.to_payload()?;
            Ok((own, request))
        };
        let (options, request) = checked().map_err(|failure| self.engine().refuse(failure))?;
        Ok(Submission {
            work: Work::Plan(PlanWork { observe }),
            request,
            options,
            parent: None,
            timeout: TASK_TIMEOUT_MAX,
            is_watched: false,
            take_back: None,
        })
    }

    /// A task that was accepted before, by this process or an earlier one on the same journal.
    ///
    /// # Errors
    /// Class `InvalidInput` for an unknown task and for one of another kind.
    pub async fn attach<A: Agent>(&self, id: TaskId) -> Result<TaskHandle<A>, Failure> {
        let task = self.engine().attach(id).await?;
        if task.work.kind() == A::KIND {
            Ok(TaskHandle::new(task))
        } else {
            Err(Failure::invalid(format!(
                "find task {id} of agent {}: it is of agent {}",
                A::KIND,
                task.work.kind()
            )))
        }
    }

    /// Waits for the end of a task, whatever its kind.
    ///
    /// # Errors
    /// Class `InvalidInput` for an unknown task; `Retryable` when this process does not work on it, or the runtime
    /// was shut down before it ended; the journal's failure.
    pub async fn wait(&self, id: TaskId) -> Result<TaskSummary, Failure> {
        let task = self.engine().attach(id).await?;
        match task.settled.wait().await {
            Settled::Ended(_) => Ok(task.summary()),
            Settled::Kept => Err(kept(id)),
        }
    }

    /// Takes a task back and waits until that is written down. Returns whether it was open: a task that has
    /// ended stays as it is.
    ///
    /// # Errors
    /// Class `InvalidInput` for an unknown task; `Retryable` when the runtime came down before that was written; the
    /// journal's failure.
    pub async fn cancel(&self, id: TaskId) -> Result<bool, Failure> {
        match self.engine().find(id) {
            Some(task) => self.engine().cancel(&task).await,
            None => self.engine().cancel_stored(id).await,
        }
    }

    /// What is known of a task; `None` for an unknown one.
    ///
    /// # Errors
    /// The journal's failure.
    pub async fn task(&self, id: TaskId) -> Result<Option<TaskSummary>, Failure> {
        if let Some(task) = self.engine().find(id).filter(|task| task.is_confirmed()) {
            return Ok(Some(task.summary()));
        }
        Ok(self.store().task(id).await?.map(TaskSummary::from))
    }

    /// The tasks of the journal that `filter` lets through, the latest first.
    ///
    /// # Errors
    /// The journal's failure.
    pub async fn tasks(&self, filter: TaskFilter) -> Result<Vec<TaskSummary>, Failure> {
        let stored = self.store().list(filter).await?;
        let live = |task: crate::store::StoredTask| match self.engine().find(task.id) {
            Some(open) => open.summary(),
            None => task.into(),
        };
        Ok(stored.into_iter().map(live).collect())
    }

    /// The tasks that wait or run now, oldest first.
    pub fn open_tasks(&self) -> Vec<TaskSummary> {
        self.engine().open_tasks()
    }

    /// Whether [`shutdown`](Self::shutdown) has begun.
    pub fn is_shutting_down(&self) -> bool {
        self.engine().parts.slots.is_closed()
    }

    /// Why this runtime can work no more: its supervision tree has given up. Everything is refused then, and tasks that
    /// are in a durable journal are left to the next runtime on it. `None` for one that works or was shut down.
    pub fn failure(&self) -> Option<Failure> {
        self.engine().failure.get().cloned()
    }

    /// What became of all tasks since this runtime's start.
    pub fn accounting(&self) -> Accounting {
        self.engine().parts.ledger.read()
    }

    /// A task that was given up, with its history.
    ///
    /// # Errors
    /// Class `InvalidInput` for an unknown task and for one that is no dead letter; the journal's failure.
    pub async fn dead_letter(&self, id: TaskId) -> Result<DeadLetter, Failure> {
        self.engine().dead_letter(id).await
    }

    /// Opens a dead letter again, with as many attempts and as much time as it had at first. It goes on from its last
    /// answered step; of a plan, the parts that failed are done again.
    ///
    /// # Errors
    /// As [`dead_letter`](Self::dead_letter); class `InvalidInput` when this runtime has no agent of its kind,
    /// `Overloaded` when too many tasks are open.
    pub async fn replay(&self, id: TaskId) -> Result<(), Failure> {
        self.engine().replay(id).await
    }

    /// Removes a task that has ended, with its steps.
    ///
    /// # Errors
    /// Class `InvalidInput` for an unknown task and for an open one; the journal's failure.
    pub async fn discard(&self, id: TaskId) -> Result<(), Failure> {
        self.engine().discard(id).await
    }

    /// Where tasks are written down.
    pub fn store(&self) -> &Arc<dyn TaskStore> {
        self.engine().parts.journal.store()
    }

    /// The models that can be asked.
    pub fn catalog(&self) -> &Catalog {
        &self.inner.parts.catalog
    }

    /// The model that a task of this type would ask now: the one that is named, or else the one that is selected. Beside those
    /// of the catalog, it may be one of the embedder's own.
    ///
    /// # Errors
    /// When there is no such model, or none fulfils what the settings ask for.
    pub fn model_for(&self, task_type: &str, model: Option<&str>) -> Result<String, Failure> {
        self.inner.parts.router.name_for(&ModelWish::of(task_type).named(model))
    }

    /// Tells how good an answer of a model to a task of this type was: 0.0 (useless) to 1.0 (nothing to change). Models are
    /// selected by it, where the settings ask for quality. `develop` tells what its reviewer makes of each round by itself.
    ///
    /// # Errors
    /// When no such model is in the catalog, or the score is beyond its bounds.
    pub fn record_quality(&self, model: &str, task_type: &str, score: f64) -> Result<(), Failure> {
        let catalog = self.catalog();
        catalog.config(model)?;
        if !(0.0..=1.0).contains(&score) {
            return Err(Failure::invalid(format!(
                "record the quality of model {model}: the score is {score}"
            ))
            .with_hint("Use 0.0 (useless) to 1.0 (nothing to change)."));
        }
        catalog.record_quality(model, task_type, score);
        Ok(())
    }

    /// The kinds of agents that can be asked, in alphabetical order.
    pub fn agent_kinds(&self) -> Vec<&'static str> {
        self.engine().parts.services.registry().kinds().collect()
    }

    /// The live supervision tree.
    ///
    /// # Errors
    /// When it does not answer within 5 seconds.
    pub async fn tree(&self) -> Result<TreeNode, StateError> {
        playhouse_supervisors::tree(&self.inner.parts.root.0, STATE_LIMIT)
            .await
            .map_err(|_| StateError { part: "the supervision tree", limit: STATE_LIMIT })
    }

    /// Everything that was counted, in Prometheus' exposition format 0.0.4.
    ///
    /// # Errors
    /// When the metrics actor does not answer within 5 seconds.
    pub async fn metrics_text(&self) -> Result<String, StateError> {
        let silent = |_| StateError { part: "the metrics actor", limit: STATE_LIMIT };
        let actor = &self.inner.parts.metrics;
        // Sent through the address, which counts it for the tree.
        actor.wait(STATE_LIMIT).await.map_err(silent)?;
        let (reply, text) = oneshot::channel();
        actor.send(MetricsMessage::GetText(reply.into())).map_err(silent)?;
        let silent = StateError { part: "the metrics actor", limit: STATE_LIMIT };
        match tokio::time::timeout(STATE_LIMIT, text).await {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(_)) | Err(_) => Err(silent),
        }
    }

    /// What a model has done since its actor started; `None` for a name that is not in the catalog.
    ///
    /// # Errors
    /// When its actor does not answer within 5 seconds.
    pub async fn model_snapshot(&self, model: &str) -> Result<Option<ModelSnapshot>, StateError> {
        match self.inner.parts.models.get(model) {
            None => Ok(None),
            Some(actor) => state(actor, "a model's actor", ModelMessage::GetSnapshot).await.map(Some),
        }
    }

    /// The plans that run now, oldest first.
    ///
    /// # Errors
    /// When the orchestrator does not answer within 5 seconds.
    pub async fn plans(&self) -> Result<Vec<PlanSnapshot>, StateError> {
        state(&self.engine().parts.orchestrator, "the orchestrator", OrchestratorMessage::GetPlans).await
    }

    /// Stops the runtime: takes no further task, waits for open ones up to `grace`, leaves those that are in a
    /// durable journal to the next process, cancels the rest, and stops the tree in reverse order. Later calls
    /// on this runtime are refused.
    pub async fn shutdown(&self, grace: Duration) -> ShutdownSummary {
        let parts = &self.inner.parts;
        let summary = crate::shutdown::shutdown(self.engine(), &parts.root.0, grace).await;
        if let Some(path) = &parts.performance_file {
            performance::save(&parts.catalog, path).await;
        }
        summary
    }

    /// [`shutdown`](Self::shutdown) with the configured grace.
    pub async fn shutdown_gracefully(&self) -> ShutdownSummary {
        self.shutdown(self.engine().parts.limits.shutdown_grace).await
    }

    /// Checks a request and writes it down as bytes. What cannot be read back is refused here and not found out
    /// at the next start.
    pub(crate) fn submission<A: Agent>(
        &self,
        request: &A::Request,
        options: TaskOptions,
    ) -> Result<Submission, Failure> {
        let checked = self.check::<A>(request, &options).and_then(|timeout| {
            let agent = self.engine().parts.services.registry().by_kind(A::KIND);
            let agent = Arc::clone(agent.ok_or(AgentError::NotRegistered { kind: A::KIND })?);
            let bytes = envelope::encode_agent_value(A::VERSION, request)
                .map_err(|error| unwritable_request::<A>(&error))?;
            if options.durability == Durability::Full {
                agent.check(&bytes)?;
            }
            Ok((timeout, agent, bytes))
        });
        let (timeout, agent, bytes) = checked.map_err(|failure| self.engine().refuse(failure))?;
        Ok(Submission {
            work: Work::Agent(agent),
            request: Payload::single(bytes),
            options,
            parent: None,
            timeout,
            is_watched: true,
            take_back: None,
        })
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("agents", &self.agent_kinds())
            .field("accounting", &self.accounting())
            .finish_non_exhaustive()
    }
}

/// Asks an actor for its state.
async fn state<M: Message, T: Send + 'static>(
    actor: &Address<M>,
    part: &'static str,
    question: impl FnOnce(RpcReplyPort<T>) -> M,
) -> Result<T, StateError> {
    let silent = StateError { part, limit: STATE_LIMIT };
    let actor = actor.wait(STATE_LIMIT).await.map_err(|_| silent)?;
    match actor.call(question, Some(STATE_LIMIT)).await {
        Ok(ractor::rpc::CallResult::Success(answer)) => Ok(answer),
        Ok(ractor::rpc::CallResult::Timeout | ractor::rpc::CallResult::SenderError) | Err(_) => Err(silent),
    }
}
