//! What an orchestrator runs.

use std::any::Any;
use std::fmt;
use std::future::Future;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use playhouse_protocol::{Failure, FailureClass};
use playhouse_supervisors::catch_panic;
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

/// The most items that one plan runs at once: as many as agents that a runtime keeps alive by default, a
/// hundred times over. More is a mistake of units.
pub const WIDTH_MAX: usize = 100_000;

/// The tasks over which the items of one plan are spread: one task could use one core only for spawning agents. A fixed
/// number, so that a plan runs alike on every machine.
const LANES_MAX: usize = 4;

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
    pub(super) async fn run(self, progress: Arc<PlanProgress>) -> Vec<ItemOutcome> {
        let lanes_len = self.width.min(LANES_MAX);
        let board = Arc::new(Board::new(self.items_len, self.run_item, progress));
        let mut lanes = JoinSet::new();
        for lane in 0..lanes_len {
            // The width is shared out, the remainder to the first lanes.
            let width = self.width / lanes_len + usize::from(lane < self.width % lanes_len);
            lanes.spawn(Arc::clone(&board).drive(width));
        }
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => {}
            () = async { while lanes.join_next().await.is_some() {} } => {}
        }
        // No item runs once its plan has answered.
        lanes.shutdown().await;
        board.take_outcomes()
    }
}

/// What the lanes of one plan share. Ends with the plan's future.
struct Board {
    next: AtomicUsize,
    items_len: usize,
    run_item: Arc<RunItem>,
    outcomes: Mutex<Vec<Option<ItemOutcome>>>,
    progress: Arc<PlanProgress>,
}

impl Board {
    fn new(items_len: usize, run_item: Arc<RunItem>, progress: Arc<PlanProgress>) -> Self {
        let mut outcomes = Vec::new();
        outcomes.resize_with(items_len, || None);
        Self { next: AtomicUsize::new(0), items_len, run_item, outcomes: Mutex::new(outcomes), progress }
    }

    /// Runs items, at most `width` at once, until none is left to begin.
    async fn drive(self: Arc<Self>, width: usize) {
        let mut running: FuturesUnordered<_> = std::iter::from_fn(|| self.begin_next()).take(width).collect();
        while let Some((index, outcome)) = running.next().await {
            self.progress.count(&outcome);
            if let Some(slot) = self.outcomes().get_mut(index) {
                *slot = Some(outcome);
            }
            running.extend(self.begin_next());
        }
    }

    /// The next item that nobody has begun.
    fn begin_next(&self) -> Option<impl Future<Output = (usize, ItemOutcome)> + Send + use<>> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        let run_item = Arc::clone(&self.run_item);
        (index < self.items_len).then_some(async move {
            let outcome = catch_panic(async { run_item(index).await })
                .await
                .unwrap_or_else(|panic| Err(Failure::internal(format!("run item {index}: {panic}"))));
            (index, outcome)
        })
    }

    /// Every outcome in input order; an item without one was cancelled.
    fn take_outcomes(&self) -> Vec<ItemOutcome> {
        let cancelled = || Failure::new(FailureClass::Cancelled, "finish: the plan was cancelled");
        let outcomes = std::mem::take(&mut *self.outcomes());
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(cancelled()))).collect()
    }

    fn outcomes(&self) -> MutexGuard<'_, Vec<Option<ItemOutcome>>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
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
