//! The runtime itself.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use dashmap::DashMap;
use playhouse_actors::agent::{Agent, AgentError};
use playhouse_actors::context::AgentServices;
use playhouse_actors::metrics_actor::MetricsMessage;
use playhouse_actors::model_actor::{ModelMessage, ModelSnapshot};
use playhouse_actors::orchestrator::{OrchestratorMessage, PlanId, PlanSnapshot};
use playhouse_actors::task::{EventLog, TaskScope, TaskScopeArgs};
use playhouse_config::settings::LimitsConfig;
use playhouse_models::Catalog;
use playhouse_protocol::event::TaskEventKind;
use playhouse_protocol::task::{TaskOptions, TaskStatus, TaskSummary};
use playhouse_protocol::{Failure, FailureClass, SeededSource, TaskId, WallClock};
use playhouse_supervisors::{Address, SupervisorMessage, SupervisorPool, TreeNode};
use ractor::{ActorRef, Message, RpcReplyPort};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admission::{Admission, Admitted, check_options};
use crate::builder::RuntimeBuilder;
use crate::error::StateError;
use crate::handle::TaskHandle;
use crate::map::Map;
use crate::shutdown::ShutdownSummary;

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
    pub(crate) services: Arc<AgentServices>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) root: ActorRef<SupervisorMessage>,
    pub(crate) pool: SupervisorPool,
    pub(crate) models: BTreeMap<String, Address<ModelMessage>>,
    pub(crate) orchestrator: Address<OrchestratorMessage>,
    pub(crate) metrics: Address<MetricsMessage>,
    pub(crate) limits: LimitsConfig,
    pub(crate) ids: SeededSource,
    pub(crate) clock: Arc<dyn WallClock>,
}

struct Inner {
    parts: RuntimeParts,
    /// Submitted tasks that are open, by id.
    tasks: DashMap<TaskId, OpenTask>,
    /// Owns the futures of submitted tasks.
    tracker: TaskTracker,
    /// The parent of every task's token.
    stop: CancellationToken,
    plans: AtomicU64,
}

struct OpenTask {
    kind: &'static str,
    scope: Arc<TaskScope>,
    submitted_unix_ms: u64,
    running: Arc<AtomicBool>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        self.stop.cancel();
        // Its children end with it.
        self.parts.root.kill();
    }
}

impl Runtime {
    /// Begins to write a runtime down.
    pub fn builder() -> RuntimeBuilder {
        RuntimeBuilder::default()
    }

    pub(crate) fn from_parts(parts: RuntimeParts) -> Self {
        Self {
            inner: Arc::new(Inner {
                parts,
                tasks: DashMap::new(),
                tracker: TaskTracker::new(),
                stop: CancellationToken::new(),
                plans: AtomicU64::new(0),
            }),
        }
    }

    /// Asks an agent and waits for its answer. Dropping the future cancels the request.
    ///
    /// # Errors
    /// What the agent says; class `Overloaded` when too many tasks are open, `Deadline` when the configured
    /// time is over.
    pub async fn run<A: Agent>(&self, request: A::Request) -> Result<A::Reply, Failure> {
        self.run_with::<A>(request, TaskOptions::default()).await
    }

    /// [`run`](Self::run) with a tenant, a time limit and a budget.
    ///
    /// # Errors
    /// As [`run`](Self::run); class `Denied` when the budget does not allow a model call.
    pub async fn run_with<A: Agent>(
        &self,
        request: A::Request,
        options: TaskOptions,
    ) -> Result<A::Reply, Failure> {
        let (admitted, timeout) = self.accept::<A>(&request, &options)?;
        let id = self.next_task_id();
        let scope = self.scope(id, options, timeout, None);
        self.answer::<A>(admitted, &scope, request, || {}).await
    }

    /// Checks a request as [`submit`](Self::submit) does, without handing it in: for callers who have costly
    /// preparations to make. Returns the time that the task would have.
    ///
    /// # Errors
    /// When the request or its options are wrong, or the runtime has no such agent.
    pub fn check<A: Agent>(&self, request: &A::Request, options: &TaskOptions) -> Result<Duration, Failure> {
        let parts = &self.inner.parts;
        let timeout = check_options(options, parts.limits.task_timeout)?;
        let agent = parts.services.registry().get::<A>();
        agent.ok_or(AgentError::NotRegistered { kind: A::KIND })?.validate(request)?;
        Ok(timeout)
    }

    /// Hands a request in, to be answered while the caller does something else.
    ///
    /// # Errors
    /// When the request is wrong or too many tasks are open; nothing was accepted then.
    pub fn submit<A: Agent>(
        &self,
        request: A::Request,
        options: TaskOptions,
    ) -> Result<TaskHandle<A::Reply>, Failure> {
        let (admitted, timeout) = self.accept::<A>(&request, &options)?;
        let id = self.next_task_id();
        let events = EventLog::new(id);
        let scope = self.scope(id, options, timeout, Some(Arc::clone(&events)));
        scope.emit(|| TaskEventKind::Accepted { kind: A::KIND.to_owned() });
        let running = Arc::new(AtomicBool::new(false));
        self.inner.tasks.insert(
            id,
            OpenTask {
                kind: A::KIND,
                scope: Arc::clone(&scope),
                submitted_unix_ms: id.unix_ms(),
                running: Arc::clone(&running),
            },
        );
        let (sender, answer) = oneshot::channel();
        let runtime = self.clone();
        let handle = TaskHandle { scope: Arc::clone(&scope), events, answer };
        self.inner.tracker.spawn(async move {
            let begin = || {
                running.store(true, Ordering::Relaxed);
                scope.emit(|| TaskEventKind::Started { attempt: 1 });
            };
            let answered = runtime.answer::<A>(admitted, &scope, request, begin).await;
            runtime.inner.tasks.remove(&id);
            let failure = answered.as_ref().err().cloned();
            scope.emit(|| TaskEventKind::Finished {
                status: status_of(failure.as_ref()),
                usage: scope.usage(),
                failure,
            });
            // The submitter may have dropped its handle.
            let _ = sender.send(answered);
        });
        Ok(handle)
    }

    /// Asks an agent once for each request, side by side. See [`Map`].
    pub fn map<A: Agent>(&self, requests: Vec<A::Request>) -> Map<A> {
        Map::new(self.clone(), requests)
    }

    /// Takes a submitted task back. Returns whether it was open.
    pub fn cancel(&self, id: TaskId) -> bool {
        let open = self.inner.tasks.get(&id).map(|task| task.scope.cancel().clone());
        open.inspect(CancellationToken::cancel).is_some()
    }

    /// The submitted tasks that are open, oldest first.
    pub fn tasks(&self) -> Vec<TaskSummary> {
        let mut open: Vec<_> = self
            .inner
            .tasks
            .iter()
            .map(|task| TaskSummary {
                id: *task.key(),
                kind: task.kind.to_owned(),
                tenant: task.scope.tenant().clone(),
                status: if task.running.load(Ordering::Relaxed) {
                    TaskStatus::Running
                } else {
                    TaskStatus::Queued
                },
                parent: None,
                submitted_unix_ms: task.submitted_unix_ms,
                ended_unix_ms: None,
                attempts: u32::from(task.running.load(Ordering::Relaxed)),
                usage: task.scope.usage(),
                failure: None,
            })
            .collect();
        open.sort_by_key(|task| task.id);
        open
    }

    /// The models that can be asked.
    pub fn catalog(&self) -> &Catalog {
        &self.inner.parts.catalog
    }

    /// The kinds of agents that can be asked, in alphabetical order.
    pub fn agent_kinds(&self) -> Vec<&'static str> {
        self.inner.parts.services.registry().kinds().collect()
    }

    /// The live supervision tree.
    ///
    /// # Errors
    /// When it does not answer within 5 seconds.
    pub async fn tree(&self) -> Result<TreeNode, StateError> {
        playhouse_supervisors::tree(&self.inner.parts.root, STATE_LIMIT)
            .await
            .map_err(|_| StateError { part: "the supervision tree", limit: STATE_LIMIT })
    }

    /// Everything that was counted, in Prometheus' exposition format 0.0.4.
    ///
    /// # Errors
    /// When the metrics actor does not answer within 5 seconds.
    pub async fn metrics_text(&self) -> Result<String, StateError> {
        state(&self.inner.parts.metrics, "the metrics actor", MetricsMessage::GetText).await
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
        state(&self.inner.parts.orchestrator, "the orchestrator", OrchestratorMessage::GetPlans).await
    }

    /// Stops the runtime: takes no further task, waits for open ones up to `grace`, cancels the rest, and
    /// stops the tree in reverse order. Later calls on this runtime are refused.
    pub async fn shutdown(&self, grace: Duration) -> ShutdownSummary {
        let inner = &self.inner;
        crate::shutdown::shutdown(
            &inner.parts.admission,
            &inner.tracker,
            &inner.stop,
            &inner.parts.root,
            grace,
        )
        .await
    }

    /// [`shutdown`](Self::shutdown) with the configured grace.
    pub async fn shutdown_gracefully(&self) -> ShutdownSummary {
        self.shutdown(self.inner.parts.limits.shutdown_grace).await
    }

    pub(crate) fn next_plan_id(&self) -> PlanId {
        PlanId(self.inner.plans.fetch_add(1, Ordering::Relaxed) + 1)
    }

    pub(crate) async fn orchestrator(&self) -> Result<ActorRef<OrchestratorMessage>, Failure> {
        self.inner
            .parts
            .orchestrator
            .wait(STATE_LIMIT)
            .await
            .map_err(|error| Failure::new(error.class(), format!("ask the orchestrator: {error}")))
    }

    fn next_task_id(&self) -> TaskId {
        TaskId::new(self.inner.parts.clock.unix_ms(), &self.inner.parts.ids)
    }

    /// Checks a request and lets it in.
    fn accept<A: Agent>(
        &self,
        request: &A::Request,
        options: &TaskOptions,
    ) -> Result<(Admitted, Duration), Failure> {
        let admission = &self.inner.parts.admission;
        match self.check::<A>(request, options) {
            Ok(timeout) => Ok((admission.admit()?, timeout)),
            Err(failure) => admission.refuse(failure),
        }
    }

    fn scope(
        &self,
        id: TaskId,
        options: TaskOptions,
        timeout: Duration,
        events: Option<Arc<EventLog>>,
    ) -> Arc<TaskScope> {
        TaskScope::new(TaskScopeArgs {
            id,
            tenant: options.tenant,
            budget: options.budget,
            timeout,
            cancel: self.inner.stop.child_token(),
            events,
            clock: Arc::clone(&self.inner.parts.clock),
        })
    }

    /// Waits for a place among the live agents, then asks.
    async fn answer<A: Agent>(
        &self,
        admitted: Admitted,
        scope: &Arc<TaskScope>,
        request: A::Request,
        begin: impl FnOnce(),
    ) -> Result<A::Reply, Failure> {
        let place = tokio::select! {
            biased;
            () = scope.cancel().cancelled() => Err(AgentError::Cancelled),
            place = self.inner.parts.pool.admit() => place.map_err(|_| AgentError::Cancelled),
            () = tokio::time::sleep_until(scope.deadline()) => Err(scope.deadline_error()),
        };
        let answered = match place {
            Ok(_place) => {
                begin();
                playhouse_actors::ask::<A>(&self.inner.parts.services, scope, request).await
            }
            Err(error) => Err(error),
        };
        let answered = answered.map_err(Failure::from);
        let (task, elapsed_ms) = (scope.id(), scope.elapsed().as_millis());
        match &answered {
            Ok(_) => tracing::debug!(%task, agent = A::KIND, elapsed_ms, "task answered"),
            // The failure's text may quote the request.
            Err(failure) => {
                tracing::debug!(%task, agent = A::KIND, elapsed_ms, class = %failure.class, "task failed");
            }
        }
        admitted.end(answered.as_ref().err().map(|failure| failure.class));
        answered
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime")
            .field("agents", &self.agent_kinds())
            .field("tasks_open", &self.inner.parts.admission.open())
            .finish_non_exhaustive()
    }
}

fn status_of(failure: Option<&Failure>) -> TaskStatus {
    match failure.map(|failure| failure.class) {
        None => TaskStatus::Completed,
        Some(FailureClass::Cancelled) => TaskStatus::Cancelled,
        Some(_) => TaskStatus::Failed,
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
