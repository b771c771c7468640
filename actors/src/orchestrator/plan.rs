//! What an orchestrator runs.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use playhouse_protocol::{Failure, FailureClass};
use playhouse_supervisors::catch_panic;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

/// The most items that one plan runs at once: as many as agents that a runtime keeps alive by default, a
/// hundred times over. More is a mistake of units.
pub const WIDTH_MAX: usize = 100_000;

/// The number of a plan within its runtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PlanId(pub u64);

/// What became of one item: a reply, whose type the plan's maker knows, or a failure.
pub type ItemOutcome = Result<Box<dyn Any + Send>, Failure>;

type RunItem = dyn Fn(usize) -> BoxFuture<'static, ItemOutcome> + Send + Sync;

/// A parallel fan-out.
pub struct Plan {
    id: PlanId,
    label: String,
    items_len: usize,
    width: usize,
    run_item: Arc<RunItem>,
    cancel: CancellationToken,
}

impl Plan {
    /// A plan of `items_len` items, of which at most `width` run at once; `run_item` makes the future of
    /// the item with the given index.
    ///
    /// # Errors
    /// When there is no item, or `width` is not between 1 and [`WIDTH_MAX`].
    pub fn new(
        id: PlanId,
        label: impl Into<String>,
        items_len: usize,
        width: usize,
        run_item: impl Fn(usize) -> BoxFuture<'static, ItemOutcome> + Send + Sync + 'static,
    ) -> Result<Self, Failure> {
        if items_len == 0 {
            return Err(
                Failure::invalid("run a plan: it has no items").with_hint("Give it at least one item.")
            );
        }
        if !(1..=WIDTH_MAX).contains(&width) {
            return Err(Failure::invalid(format!("run a plan: width is {width}"))
                .with_hint(format!("Use a width from 1 to {WIDTH_MAX}.")));
        }
        Ok(Self {
            id,
            label: label.into(),
            items_len,
            width,
            run_item: Arc::new(run_item),
            cancel: CancellationToken::new(),
        })
    }

    /// The plan's number.
    pub fn id(&self) -> PlanId {
        self.id
    }

    /// Cancels the plan: items that run are dropped, items that wait are not begun.
    pub fn cancel_token(&self) -> CancellationToken {
        self.cancel.clone()
    }

    pub(super) fn progress(&self) -> Arc<PlanProgress> {
        Arc::new(PlanProgress {
            id: self.id,
            label: self.label.clone(),
            items_len: self.items_len,
            width: self.width,
            ended_len: AtomicUsize::new(0),
            failed_len: AtomicUsize::new(0),
        })
    }

    /// Runs every item and gives one outcome for each, in input order.
    pub(super) async fn run(self, progress: &PlanProgress) -> Vec<ItemOutcome> {
        let mut outcomes: Vec<Option<ItemOutcome>> = Vec::new();
        outcomes.resize_with(self.items_len, || None);
        let item = |index: usize| {
            let run_item = Arc::clone(&self.run_item);
            async move {
                let outcome = catch_panic(async { run_item(index).await })
                    .await
                    .unwrap_or_else(|panic| Err(Failure::internal(format!("run item {index}: {panic}"))));
                (index, outcome)
            }
        };
        let mut waiting = 0..self.items_len;
        let mut running: FuturesUnordered<_> = waiting.by_ref().take(self.width).map(item).collect();
        loop {
            let ended = tokio::select! {
                biased;
                () = self.cancel.cancelled() => break,
                ended = running.next() => ended,
            };
            let Some((index, outcome)) = ended else { break };
            progress.count(&outcome);
            if let Some(slot) = outcomes.get_mut(index) {
                *slot = Some(outcome);
            }
            running.extend(waiting.next().map(item));
        }
        // Dropped before the rest is marked, so that no item runs once its plan has answered.
        drop(running);
        let cancelled = || Failure::new(FailureClass::Cancelled, "finish: the plan was cancelled");
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(cancelled()))).collect()
    }
}

impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan")
            .field("id", &self.id)
            .field("label", &self.label)
            .field("items_len", &self.items_len)
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

/// How far a plan is; written by its future, read by the actor.
#[derive(Debug)]
pub(super) struct PlanProgress {
    id: PlanId,
    label: String,
    items_len: usize,
    width: usize,
    ended_len: AtomicUsize,
    failed_len: AtomicUsize,
}

impl PlanProgress {
    fn count(&self, outcome: &ItemOutcome) {
        self.ended_len.fetch_add(1, Ordering::Relaxed);
        if outcome.is_err() {
            self.failed_len.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(super) fn snapshot(&self) -> PlanSnapshot {
        PlanSnapshot {
            id: self.id,
            label: self.label.clone(),
            items_len: self.items_len,
            width: self.width,
            ended_len: self.ended_len.load(Ordering::Relaxed),
            failed_len: self.failed_len.load(Ordering::Relaxed),
        }
    }
}

/// How far a plan is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanSnapshot {
    /// The plan's number.
    pub id: PlanId,
    /// What it does, for people.
    pub label: String,
    /// Its items.
    pub items_len: usize,
    /// How many run at once at most.
    pub width: usize,
    /// Items that ended, failed ones included.
    pub ended_len: usize,
    /// Items that failed.
    pub failed_len: usize,
}
