//! One agent asked many times side by side.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use playhouse_actors::Agent;
use playhouse_actors::orchestrator::{ItemOutcome, OrchestratorMessage, Plan};
use playhouse_protocol::task::TaskOptions;
use playhouse_protocol::{Failure, FailureClass};
use tokio::sync::oneshot;

use crate::runtime::Runtime;

/// Items that run at once when nobody says: enough for any provider's default limits, and a bound for a list
/// of any length.
const WIDTH_DEFAULT: usize = 64;

type Observe<Reply> = dyn Fn(usize, &Result<Reply, Failure>) + Send + Sync;

/// A fan-out that is being written down; [`run`](Self::run) runs it. Made by [`Runtime::map`].
#[must_use = "a map does nothing until it is run"]
pub struct Map<A: Agent> {
    runtime: Runtime,
    items: Vec<A::Request>,
    width: usize,
    options: TaskOptions,
    observe: Option<Arc<Observe<A::Reply>>>,
}

impl<A: Agent> Map<A> {
    pub(crate) fn new(runtime: Runtime, items: Vec<A::Request>) -> Self {
        Self { runtime, items, width: WIDTH_DEFAULT, options: TaskOptions::default(), observe: None }
    }

    /// How many items run at once at most; 64 when this is not called.
    pub fn width(mut self, width: usize) -> Self {
        self.width = width;
        self
    }

    /// Options for each item's task: the time and the budget are for one item, not for all.
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

    /// Runs all items. Gives one outcome for each, in input order: an item that fails takes no other along.
    /// Dropping the future cancels all.
    ///
    /// # Errors
    /// When there is no item or the width is out of range: nothing was run. Failures of items are in the list.
    pub async fn run(self) -> Result<Vec<Result<A::Reply, Failure>>, Failure> {
        let Self { runtime, items, width, options, observe } = self;
        let label = format!("map {}", A::KIND);
        let items: Vec<_> = items.into_iter().map(|item| Mutex::new(Some(item))).collect();
        let len = items.len();
        let asked = runtime.clone();
        let run_item = move |index: usize| {
            let request =
                items.get(index).and_then(|item| item.lock().unwrap_or_else(PoisonError::into_inner).take());
            let (runtime, options, observe) = (asked.clone(), options.clone(), observe.clone());
            let run = async move {
                let Some(request) = request else {
                    return Err(Failure::internal(format!("run item {index}: it was taken already")));
                };
                let outcome = runtime.run_with::<A>(request, options).await;
                if let Some(observe) = observe {
                    observe(index, &outcome);
                }
                outcome.map(|reply| Box::new(reply) as Box<dyn std::any::Any + Send>)
            };
            Box::pin(run) as futures::future::BoxFuture<'static, ItemOutcome>
        };
        let plan = Plan::new(runtime.next_plan_id(), label, len, width, run_item)?;
        let (reply, outcomes) = oneshot::channel();
        let lost = || Failure::new(FailureClass::Retryable, "run a plan: the orchestrator was restarted");
        runtime
            .orchestrator()
            .await?
            .cast(OrchestratorMessage::RunPlan { plan, reply })
            .map_err(|_| lost())?;
        let outcomes = outcomes.await.map_err(|_| lost())?;
        Ok(outcomes.into_iter().map(typed::<A>).collect())
    }
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
            .finish_non_exhaustive()
    }
}
