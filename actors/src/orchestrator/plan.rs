//! What an orchestrator runs.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use playhouse_protocol::Failure;
use playhouse_protocol::plan::PlanShape;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::progress::PlanProgress;
use super::run::Run;

/// The number of a plan within its runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlanId(pub u64);

/// What became of one item: a reply, whose type the plan's maker knows, or a failure.
pub type ItemOutcome = Result<Box<dyn Any + Send>, Failure>;

/// What became of a plan.
#[derive(Debug)]
pub struct PlanOutcome {
    /// One outcome for each item, in input order. An item that was not begun or was cut off has a failure of class
    /// `Cancelled` that says why.
    pub items: Vec<ItemOutcome>,
    /// Why the plan as a whole failed, as its policies have it.
    pub failure: Option<Failure>,
}

/// Makes the future of the item with an index. The other index is that of the item directly before it in its
/// sequence, whose reply is there by then.
pub(super) type RunItem = dyn Fn(usize, Option<usize>) -> BoxFuture<'static, ItemOutcome> + Send + Sync;

/// Items in a shape.
pub struct Plan {
    id: PlanId,
    label: String,
    shape: Arc<PlanShape>,
    run_item: Arc<RunItem>,
    cancel: CancellationToken,
    lost: CancellationToken,
}

impl Plan {
    /// A plan of `items_len` items; `run_item` makes the future of the item with the given index, and is given the
    /// index of the item directly before it in a sequence.
    ///
    /// # Errors
    /// As [`PlanShape::check`].
    pub fn new(
        id: PlanId,
        label: impl Into<String>,
        shape: PlanShape,
        items_len: usize,
        run_item: impl Fn(usize, Option<usize>) -> BoxFuture<'static, ItemOutcome> + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        shape.check(items_len)?;
        Ok(Self {
            id,
            label: label.into(),
            shape: Arc::new(shape),
            run_item: Arc::new(run_item),
            cancel: CancellationToken::new(),
            lost: CancellationToken::new(),
        })
    }

    /// The same plan with a token that is cancelled before its items are dropped because the orchestrator ended, as
    /// opposed to items that are dropped because the plan is cancelled or its policies cut them off.
    #[must_use]
    pub fn with_lost_token(mut self, lost: CancellationToken) -> Self {
        self.lost = lost;
        self
    }

    /// The plan's number.
    pub fn id(&self) -> PlanId {
        self.id
    }

    /// Cancels the plan: items that run are dropped, items that wait are not begun.
    pub fn cancel_token(&self) -> CancellationToken {
        self.cancel.clone()
    }

    pub(super) fn lost_token(&self) -> CancellationToken {
        self.lost.clone()
    }

    pub(super) fn progress(&self) -> Arc<PlanProgress> {
        Arc::new(PlanProgress::new(self.id, self.label.clone(), self.shape.tasks_len()))
    }

    /// Runs the plan to its end.
    pub(super) async fn run(self, progress: Arc<PlanProgress>) -> PlanOutcome {
        let run = Run::new(self.shape.tasks_len(), self.run_item, progress);
        let ended = tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(cancelled("the plan was cancelled")),
            ended = run.whole(self.shape) => ended,
        };
        PlanOutcome { items: run.take_outcomes("the plan was cancelled"), failure: ended.err() }
    }
}

/// The failure of an item that was not begun or cut off.
pub(super) fn cancelled(why: &str) -> Failure {
    Failure::new(playhouse_protocol::FailureClass::Cancelled, format!("finish: {why}"))
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("id", &self.id)
            .field("label", &self.label)
            .field("shape", &self.shape)
            .finish_non_exhaustive()
    }
}
