//! One agent asked many times side by side.

use std::fmt;
use std::sync::Arc;

use playhouse_actors::Agent;
use playhouse_actors::orchestrator::{ItemOutcome, OrchestratorMessage, Plan, PlanId};
use playhouse_protocol::plan::{PlanShape, Policy};
use playhouse_protocol::task::{Durability, TaskOptions};
use playhouse_protocol::{Failure, FailureClass, envelope};
use tokio::sync::oneshot;

use crate::plan::{ORCHESTRATOR_LIMIT, Observe, PlanPart};
use crate::runtime::Runtime;

/// Items that run at once when nobody says: enough for any provider's default limits, and a bound for a list
/// of any length.
const WIDTH_DEFAULT: usize = 64;

type ObserveReply<Reply> = dyn Fn(usize, &Result<Reply, Failure>) + Send + Sync;

/// A fan-out that is being written down; [`run`](Self::run) runs it. Made by [`Runtime::map`].
///
/// With durability `Full` (the default) it is a plan in the runtime's journal and its items are tasks there: see
/// [`Runtime::submit_plan`] for one that outlives its submitter. With durability `None` its items are in memory
/// alone.
#[must_use = "a map does nothing until it is run"]
pub struct Map<A: Agent> {
    runtime: Runtime,
    items: Vec<A::Request>,
    width: usize,
    policy: Policy,
    options: TaskOptions,
    observe: Option<Arc<ObserveReply<A::Reply>>>,
}

impl<A: Agent> Map<A> {
    pub(crate) fn new(runtime: Runtime, items: Vec<A::Request>) -> Self {
        Self {
            runtime,
            items,
            width: WIDTH_DEFAULT,
            policy: Policy::Collect,
            options: TaskOptions::default(),
            observe: None,
        }
    }

    /// How many items run at once at most; 64 when this is not called.
    pub fn width(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// What failures mean; [`Policy::Collect`] when this is not called.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    /// Options for each item's task: the time, the attempts and the budget are for one item, not for all.
    pub fn options(mut self, options: TaskOptions) -> Self {
        self.options = options;
        self
    }

    /// Is told of each item's outcome when it is there, in the order of ending. Must not block.
    pub fn observe(
        mut self,
        observe: impl Fn(usize, &Result<A::Reply, Failure>) + Send + Sync + 'static,
    ) -> Self {
        self.observe = Some(Arc::new(observe));
        self
    }

    /// Runs the items. Gives one outcome for each, in input order. Dropping the future cancels all.
    ///
    /// # Errors
    /// When there is no item, the width or the policy is out of range, or a request is wrong: nothing was run.
    /// When the policy does not hold, its failure. Failures of items are in the list otherwise.
    pub async fn run(self) -> Result<Vec<Result<A::Reply, Failure>>, Failure> {
        match self.options.durability {
            Durability::Full => self.run_in_journal().await,
            Durability::None => self.run_in_memory().await,
        }
    }

    fn shape(&self) -> PlanShape {
        PlanShape::Items { count: self.items.len(), width: self.width, policy: self.policy }
    }

    async fn run_in_journal(self) -> Result<Vec<Result<A::Reply, Failure>>, Failure> {
        let shape = self.shape();
        let Self { runtime, items, options, observe, .. } = self;
        shape.check(items.len())?;
        let mut leaves = Vec::with_capacity(items.len());
        for item in &items {
            runtime.check::<A>(item, &options)?;
            leaves.append(&mut PlanPart::task::<A>(item)?.leaves);
        }
        drop(items);
        let observe = observe.map(|observe| {
            let read = move |index: usize, outcome: &Result<_, Failure>| match outcome {
                Err(failure) => observe(index, &Err(failure.clone())),
                Ok(reply) => observe(index, &read_reply::<A>(reply)),
            };
            Arc::new(read) as Arc<Observe>
        });
        let result = runtime.run_plan(PlanPart { shape, leaves }, options, observe).await?;
        result.failure.clone().map_or_else(|| Ok(result.all::<A>()), Err)
    }

    async fn run_in_memory(self) -> Result<Vec<Result<A::Reply, Failure>>, Failure> {
        let shape = self.shape();
        let Self { runtime, items, options, observe, .. } = self;
        let label = format!("map {}", A::KIND);
        shape.check(items.len())?;
        // Each is written down as bytes, so that nothing is run when one of them is wrong.
        let mut checked = Vec::with_capacity(items.len());
        for item in items {
            checked.push(runtime.submission::<A>(&item, options.clone())?.request);
        }
        let (len, timeout) = (checked.len(), runtime.timeout(&options)?);
        let asked = runtime.clone();
        let run_item = move |index: usize, _: Option<usize>| {
            let request = checked.get(index).cloned();
            let (runtime, options, observe) = (asked.clone(), options.clone(), observe.clone());
            let run = async move {
                let request = request
                    .ok_or_else(|| Failure::internal(format!("run item {index} of a map: there is none")))?;
                let outcome = runtime.run_in_memory::<A>(request, options, timeout).await;
                if let Some(observe) = observe {
                    observe(index, &outcome);
                }
                outcome.map(|reply| Box::new(reply) as Box<dyn std::any::Any + Send>)
            };
            Box::pin(run) as futures::future::BoxFuture<'static, ItemOutcome>
        };
        let id = PlanId(runtime.engine().next_plan_number());
        let plan = Plan::new(id, label, shape, len, run_item)?;
        let (reply, outcome) = oneshot::channel();
        let lost = || Failure::new(FailureClass::Retryable, "run a plan: the orchestrator was restarted");
        let orchestrator = &runtime.engine().parts.orchestrator;
        orchestrator.wait(ORCHESTRATOR_LIMIT).await.map_err(|_| lost())?;
        orchestrator.send(OrchestratorMessage::RunPlan { plan, reply }).map_err(|_| lost())?;
        let outcome = outcome.await.map_err(|_| lost())?;
        outcome.failure.map_or_else(|| Ok(outcome.items.into_iter().map(typed::<A>).collect()), Err)
    }
}

fn read_reply<A: Agent>(reply: &playhouse_protocol::journal::Payload) -> Result<A::Reply, Failure> {
    let bytes = reply.as_single().map_or(&[][..], |bytes| bytes);
    envelope::decode_agent_value(A::VERSION, bytes).map_err(Failure::from)
}

fn typed<A: Agent>(outcome: ItemOutcome) -> Result<A::Reply, Failure> {
    let reply = outcome?.downcast::<A::Reply>();
    reply.map(|reply| *reply).map_err(|_| Failure::internal("read an item's reply: it has another type"))
}

impl<A: Agent> fmt::Debug for Map<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Map")
            .field("agent", &A::KIND)
            .field("items", &self.items.len())
            .field("width", &self.width)
            .field("policy", &self.policy)
            .finish_non_exhaustive()
    }
}
