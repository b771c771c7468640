//! Running a plan: its parts are tasks, handed in under keys of the plan's own.

use std::any::Any;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use playhouse_actors::agent::AgentError;
use playhouse_actors::orchestrator::{ItemOutcome, OrchestratorMessage, Plan, PlanId};
use playhouse_protocol::journal::Payload;
use playhouse_protocol::task::{Durability, TaskOptions};
use playhouse_protocol::{Failure, FailureClass, IdempotencyKey, TaskId};
use tokio::sync::oneshot;

use super::part::Leaf;
use super::spec::{PlanReply, PlanSpec};
use crate::admission::check_options;
use crate::handle::kept;
use crate::store::TaskEnd;
use crate::tasks::{Engine, OpenTask, Settled, Submission, TakeBackOnDrop, Work};

/// How long the orchestrator is waited for while its supervisor restarts it.
pub(crate) const ORCHESTRATOR_LIMIT: Duration = Duration::from_secs(5);

/// What a part waits before it is handed in again when too many tasks are open and nobody says how long.
const AGAIN_DEFAULT: Duration = Duration::from_millis(100);

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
}

impl PlanWork {
    /// Runs the plan that `request` holds, within its task's limits. A plan that failed as its policies have it has
    /// an answer all the same: the outcomes of its parts.
    pub(crate) async fn run(
        &self,
        engine: &Arc<Engine>,
        task: &OpenTask,
        request: Payload,
    ) -> Result<Payload, AgentError> {
        let PlanSpec { shape, leaves, options } = PlanSpec::from_payload(&request)?;
        let leaves_len = leaves.len();
        let replies = Mutex::new(vec![None; leaves_len]);
        let parts = Arc::new(Parts {
            engine: Arc::clone(engine),
            plan: task.id(),
            leaves,
            options,
            observe: self.observe.clone(),
            replies,
        });
        let run_item = move |index, previous| Arc::clone(&parts).boxed(index, previous);
        let label = format!("plan {}", task.id());
        let plan = Plan::new(PlanId(engine.next_plan_number()), label, shape, leaves_len, run_item)?;
        let (reply, outcome) = oneshot::channel();
        let lost = || Failure::new(FailureClass::Retryable, "run a plan: the orchestrator was restarted");
        let orchestrator = &engine.parts.orchestrator;
        orchestrator.wait(ORCHESTRATOR_LIMIT).await.map_err(|_| lost())?;
        orchestrator.send(OrchestratorMessage::RunPlan { plan, reply }).map_err(|_| lost())?;
        let outcome = tokio::select! {
            biased;
            outcome = outcome => outcome.map_err(|_| lost())?,
            () = task.scope.cancel().cancelled() => return Err(AgentError::Cancelled),
            () = tokio::time::sleep_until(task.scope.deadline()) => return Err(task.scope.deadline_error()),
        };
        let reply =
            PlanReply { failure: outcome.failure, items: outcome.items.into_iter().map(untyped).collect() };
        Ok(reply.to_payload().map_err(Failure::from)?)
    }
}

fn untyped(outcome: ItemOutcome) -> Result<Payload, Failure> {
    let reply = outcome?.downcast::<Payload>();
    reply.map(|reply| *reply).map_err(|_| Failure::internal("read a part's reply: it has another type"))
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

    /// One part: hands its task in, as often as there is no room, and waits for its end. A part that is dropped
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
        let asker = TakeBackOnDrop::default();
        let task = loop {
            let submission = self.submission(index, leaf, request.clone(), &asker)?;
            match self.engine.submit(submission).await {
                Ok(task) => {
                    // One of an earlier attempt or process is this plan's as well.
                    asker.submission_half().begun(&task);
                    break task;
                }
                Err(refused)
                    if refused.class == FailureClass::Overloaded && !self.engine.stop.is_cancelled() =>
                {
                    let again = refused.retry_after_ms.map_or(AGAIN_DEFAULT, Duration::from_millis);
                    tokio::time::sleep(again).await;
                }
                Err(refused) => return Err(refused),
            }
        };
        let settled = task.settled.wait().await;
        drop(asker);
        match settled {
            Settled::Ended(TaskEnd { failure: Some(failure), .. }) => Err(failure.clone()),
            Settled::Ended(end) => Ok(end.reply.clone().unwrap_or_default()),
            Settled::Kept => Err(kept(task.id())),
        }
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
