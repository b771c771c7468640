//! Running a plan: its parts are tasks, handed in under keys of the plan's own.

use std::any::Any;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use playhouse_actors::agent::AgentError;
use playhouse_actors::orchestrator::{ItemOutcome, OrchestratorMessage, Plan, PlanId};
use playhouse_protocol::journal::Payload;
use playhouse_protocol::task::{Durability, TaskOptions, TaskStatus};
use playhouse_protocol::{Failure, FailureClass, IdempotencyKey, TaskId};
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::CancellationToken;

use super::part::Leaf;
use super::spec::{PlanReply, PlanSpec};
use crate::admission::check_options;
use crate::handle::kept;
use crate::store::TaskEnd;
use crate::tasks::{Engine, OpenTask, Settled, Submission, TakeBackOnDrop, Work};

/// How long the orchestrator is waited for while its supervisor restarts it.
pub(crate) const ORCHESTRATOR_LIMIT: Duration = Duration::from_secs(5);

/// Is told of each part's outcome when it is there.
pub(crate) type Observe = dyn Fn(usize, &Result<Payload, Failure>) + Send + Sync;

/// What runs a plan's task.
#[derive(Clone, Default)]
pub(crate) struct PlanWork {
    /// For the process that submitted it; lost with that.
    pub(crate) observe: Option<Arc<Observe>>,
}

impl fmt::Debug for PlanWork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PlanWork")
    }
}

/// What the parts of one run share.
struct Parts {
    engine: Arc<Engine>,
    plan: TaskId,
    leaves: Vec<Leaf>,
    options: TaskOptions,
    observe: Option<Arc<Observe>>,
    /// Replies for those that take the reply before them as their request.
    replies: Mutex<Vec<Option<Payload>>>,
    /// Is cancelled when the orchestrator is lost under the plan, whose parts then go on.
    lost: CancellationToken,
    /// When the plan was opened again, for one that was a dead letter: what had failed by then is done again.
    reopened_unix_ms: Option<u64>,
    /// Parts that are open.
    open: AtomicUsize,
    /// Whether a part was refused because the runtime shuts down.
    is_stranded: AtomicBool,
    /// Told when no part is open any more and none can be accepted.
    stalled: Notify,
}

impl PlanWork {
    /// Runs the plan that `request` holds, within its task's limits. A plan that failed as its policies have it has
    /// an answer all the same: the outcomes of its parts.
    ///
    /// # Errors
    /// Why there is no answer: class `Cancelled` when the task was taken back, and when a shutdown cut the plan short;
    /// `Lost` when the orchestrator ended, and the parts go on.
    pub(crate) async fn run(
        &self,
        engine: &Arc<Engine>,
        task: &OpenTask,
        request: Payload,
    ) -> Result<Payload, AgentError> {
        let PlanSpec { shape, leaves, options } = PlanSpec::from_payload(&request)?;
        let leaves_len = leaves.len();
        let parts = Arc::new(Parts {
            engine: Arc::clone(engine),
            plan: task.id(),
            replies: Mutex::new(vec![None; leaves_len]),
            leaves,
            options,
            observe: self.observe.clone(),
            lost: CancellationToken::new(),
            reopened_unix_ms: task.plan_reopened_unix_ms(),
            open: AtomicUsize::new(0),
            is_stranded: AtomicBool::new(false),
            stalled: Notify::new(),
        });
        let run = Arc::clone(&parts);
        let run_item = move |index, previous| Arc::clone(&run).boxed(index, previous);
        let label = format!("plan {}", task.id());
        let plan = Plan::new(PlanId(engine.next_plan_number()), label, shape, leaves_len, run_item)?
            .with_lost_token(parts.lost.clone());
        let (reply, outcome) = oneshot::channel();
        let lost = || AgentError::Lost { kind: super::KIND };
        let orchestrator = &engine.parts.orchestrator;
        tokio::select! {
            biased;
            up = orchestrator.wait(ORCHESTRATOR_LIMIT) => drop(up.map_err(|_| lost())?),
            () = task.scope.cancel().cancelled() => return Err(AgentError::Cancelled),
        }
        orchestrator.send(OrchestratorMessage::RunPlan { plan, reply }).map_err(|_| lost())?;
        let outcome = tokio::select! {
            biased;
            outcome = outcome => outcome.map_err(|_| lost())?,
            () = task.scope.cancel().cancelled() => return Err(AgentError::Cancelled),
            () = parts.stalled.notified() => return Err(AgentError::Cancelled),
            () = tokio::time::sleep_until(task.scope.deadline()) => return Err(task.scope.deadline_error()),
        };
        // A shutdown ended parts that another process goes on with, so this is not what the plan comes to.
        if task.scope.cancel().is_cancelled() {
            return Err(AgentError::Cancelled);
        }
        let reply =
            PlanReply { failure: outcome.failure, items: outcome.items.into_iter().map(untyped).collect() };
        Ok(reply.to_payload().map_err(Failure::from)?)
    }
}

fn untyped(outcome: ItemOutcome) -> Result<Payload, Failure> {
    let reply = outcome?.downcast::<Payload>();
    reply.map(|reply| *reply).map_err(|_| Failure::internal("read a part's reply: it has another type"))
}

/// A part that is open, or about to be.
struct OpenPart<'a>(&'a Parts);

impl Drop for OpenPart<'_> {
    fn drop(&mut self) {
        let is_last = self.0.open.fetch_sub(1, Ordering::AcqRel) == 1;
        if is_last && self.0.is_stranded.load(Ordering::Acquire) {
            self.0.stalled.notify_one();
        }
    }
}

impl Parts {
    fn boxed(self: Arc<Self>, index: usize, previous: Option<usize>) -> BoxFuture<'static, ItemOutcome> {
        Box::pin(async move {
            let outcome = self.run(index, previous).await;
            if let Ok(reply) = &outcome
                && let Some(slot) = self.replies.lock().unwrap_or_else(PoisonError::into_inner).get_mut(index)
                && self.is_taken_on(index)
            {
                *slot = Some(reply.clone());
            }
            if let Some(observe) = &self.observe {
                observe(index, &outcome);
            }
            outcome.map(|reply| Box::new(reply) as Box<dyn Any + Send>)
        })
    }

    /// Whether the next task may ask for this one's reply.
    fn is_taken_on(&self, index: usize) -> bool {
        self.leaves.get(index + 1).is_some_and(|next| next.request.is_none())
    }

    /// One part: hands its task in as soon as there is room, and waits for its end. A part that is dropped
    /// takes its task back.
    async fn run(&self, index: usize, previous: Option<usize>) -> Result<Payload, Failure> {
        let leaf = self
            .leaves
            .get(index)
            .ok_or_else(|| Failure::internal(format!("run part {index} of a plan: there is none")))?;
        let request = match &leaf.request {
            Some(request) => Payload::single(request.as_slice()),
            None => self.reply_of(previous).ok_or_else(|| {
                Failure::invalid(format!("run part {index} of a plan: no task is directly before it"))
                    .with_hint("A task that takes a reply stands behind a task in a sequence.")
            })?,
        };
        let asker = TakeBackOnDrop::unless(self.lost.clone());
        let open = self.begin();
        let accepted = self.accepted(index, leaf, &request, &asker).await;
        let Some(task) = self.unless_stranded(accepted)? else {
            drop(open);
            // The plan is left to the next process when the parts that run have ended.
            return std::future::pending().await;
        };
        let settled = task.settled.wait().await;
        drop(asker);
        match settled {
            Settled::Ended(TaskEnd { failure: Some(failure), .. }) => Err(failure.clone()),
            Settled::Ended(end) => Ok(end.reply.clone().unwrap_or_default()),
            Settled::Kept => Err(kept(task.id())),
        }
    }

    /// The part's task: a new one, or the one of an earlier attempt or process, which is this plan's as well.
    async fn accepted(
        &self,
        index: usize,
        leaf: &Leaf,
        request: &Payload,
        asker: &TakeBackOnDrop,
    ) -> Result<Arc<OpenTask>, Failure> {
        let make = || self.submission(index, leaf, request.clone(), asker);
        let mut task = self.engine.submit_when_there_is_room(make).await?;
        if self.is_to_be_done_again(&task) {
            self.engine.open_or_discard(&task).await?;
            task = self.engine.submit_when_there_is_room(make).await?;
        }
        asker.submission_half().begun(&task);
        Ok(task)
    }

    /// Whether a part ended without an answer before the plan was opened again.
    fn is_to_be_done_again(&self, task: &OpenTask) -> bool {
        match (task.settled.get(), self.reopened_unix_ms) {
            (Some(Settled::Ended(end)), Some(reopened)) => {
                end.status != TaskStatus::Completed && end.unix_ms < reopened
            }
            _ => false,
        }
    }

    /// Nothing for a part that was refused because the runtime shuts down.
    fn unless_stranded(
        &self,
        accepted: Result<Arc<OpenTask>, Failure>,
    ) -> Result<Option<Arc<OpenTask>>, Failure> {
        match accepted {
            Err(refused) if self.engine.parts.slots.is_closed() => {
                tracing::debug!(plan = %self.plan, %refused, "a part is left to the next process");
                self.is_stranded.store(true, Ordering::Release);
                Ok(None)
            }
            accepted => accepted.map(Some),
        }
    }

    fn begin(&self) -> OpenPart<'_> {
        self.open.fetch_add(1, Ordering::AcqRel);
        OpenPart(self)
    }

    fn reply_of(&self, previous: Option<usize>) -> Option<Payload> {
        let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
        replies.get_mut(previous?)?.take()
    }

    fn submission(
        &self,
        index: usize,
        leaf: &Leaf,
        request: Payload,
        asker: &TakeBackOnDrop,
    ) -> Result<Submission, Failure> {
        let agent = self.engine.parts.services.registry().by_kind(&leaf.kind).ok_or_else(|| {
            Failure::new(
                FailureClass::Internal,
                format!("run part {index} of a plan: no agent of kind {}", leaf.kind),
            )
        })?;
        let bytes = request.as_single().map_or(&[][..], |bytes| bytes);
        agent.check(bytes)?;
        let mut options = self.options.clone();
        if options.durability == Durability::Full {
            options.idempotency_key = Some(IdempotencyKey::try_from(format!("plan:{}:{index}", self.plan))?);
        }
        let timeout = check_options(&options, self.engine.parts.limits.task_timeout)?;
        Ok(Submission {
            work: Work::Agent(Arc::clone(agent)),
            request,
            options,
            parent: Some(self.plan),
            timeout,
            is_watched: false,
            take_back: Some(asker.submission_half()),
        })
    }
}
