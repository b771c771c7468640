//! Running a shape: who begins when, who is cut off, what the whole comes to.

use std::future::Future;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use playhouse_protocol::Failure;
use playhouse_protocol::plan::{PlanShape, Policy};
use playhouse_supervisors::catch_panic;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::plan::{ItemOutcome, RunItem, cancelled};
use super::progress::PlanProgress;
use super::tally::{Decision, Tally};

/// The tasks over which the parts of one node are spread: one task could use one core only for spawning agents. A
/// fixed number, so that a plan runs alike on every machine.
const LANES_MAX: usize = 4;

/// Nodes with fewer parts run in one task: a spawn costs more than it saves.
const LANES_FROM: usize = 32;

/// How a part came to its end, as its neighbours see it.
type Ended = Result<(), Failure>;

/// What all parts of one plan share. Ends with the plan's future.
#[derive(Clone)]
pub(super) struct Run {
    make: Arc<RunItem>,
    outcomes: Arc<Mutex<Vec<Option<ItemOutcome>>>>,
    progress: Arc<PlanProgress>,
}

/// A part of a shape, with the index of its first item.
#[derive(Clone)]
struct Part {
    shape: Arc<PlanShape>,
    first: usize,
}

/// The parts of a node that run side by side.
enum Parts {
    Items(Range<usize>),
    Branches(Vec<Part>),
}

impl Run {
    pub(super) fn new(items_len: usize, run_item: Arc<RunItem>, progress: Arc<PlanProgress>) -> Self {
        let mut outcomes = Vec::new();
        outcomes.resize_with(items_len, || None);
        Self { make: run_item, outcomes: Arc::new(Mutex::new(outcomes)), progress }
    }

    /// Runs the whole shape.
    pub(super) async fn whole(&self, shape: Arc<PlanShape>) -> Ended {
        self.clone().part(Part { shape, first: 0 }, None).await
    }

    /// Every outcome in input order. An item that nobody has decided on was cut off with the whole.
    pub(super) fn take_outcomes(&self, why: &str) -> Vec<ItemOutcome> {
        let outcomes = std::mem::take(&mut *self.outcomes());
        outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| Err(cancelled(why)))).collect()
    }

    /// Runs one part. `previous` is the item directly before it in a sequence.
    fn part(self, part: Part, previous: Option<usize>) -> BoxFuture<'static, Ended> {
        Box::pin(async move {
            match &*part.shape {
                PlanShape::Task => self.item(part.first, previous).await,
                PlanShape::Sequence(parts) => self.sequence(&place(parts, part.first), previous).await,
                PlanShape::Parallel { branches, width, policy } => {
                    let branches = place(branches, part.first);
                    self.side_by_side(Parts::Branches(branches), *width, *policy).await
                }
                PlanShape::Items { count, width, policy } => {
                    let items = part.first..part.first + count;
                    self.side_by_side(Parts::Items(items), *width, *policy).await
                }
            }
        })
    }

    async fn item(&self, index: usize, previous: Option<usize>) -> Ended {
        let outcome = catch_panic(async { (self.make)(index, previous).await })
            .await
            .unwrap_or_else(|panic| Err(Failure::internal(format!("run item {index}: {panic}"))));
        self.progress.count(&outcome);
        let ended = outcome.as_ref().map(|_| ()).map_err(Clone::clone);
        if let Some(slot) = self.outcomes().get_mut(index) {
            *slot = Some(outcome);
        }
        ended
    }

    async fn sequence(&self, parts: &[Part], mut previous: Option<usize>) -> Ended {
        for (at, part) in parts.iter().enumerate() {
            let ended = self.clone().part(part.clone(), previous).await;
            if let Err(failure) = ended {
                for left in parts.get(at + 1..).unwrap_or_default() {
                    self.cut_off(left.items(), "an earlier part of its sequence failed");
                }
                return Err(failure);
            }
            previous = matches!(*part.shape, PlanShape::Task).then_some(part.first);
        }
        Ok(())
    }

    async fn side_by_side(&self, parts: Parts, width: usize, policy: Policy) -> Ended {
        let parts_len = parts.len();
        let items = parts.items();
        let lanes_len = if parts_len < LANES_FROM { 1 } else { width.min(LANES_MAX) };
        let node = Arc::new(Node {
            run: self.clone(),
            next: AtomicUsize::new(0),
            parts,
            tally: Mutex::new((Tally::new(policy, parts_len), None)),
            decided: CancellationToken::new(),
        });
        if lanes_len == 1 {
            tokio::select! {
                biased;
                () = Arc::clone(&node).drive(width) => {}
                () = node.decided.cancelled() => {}
            }
        } else {
            let mut lanes = JoinSet::new();
            for lane in 0..lanes_len {
                // The width is shared out, the remainder to the first lanes.
                let width = width / lanes_len + usize::from(lane < width % lanes_len);
                lanes.spawn(Arc::clone(&node).drive(width));
            }
            tokio::select! {
                biased;
                () = node.decided.cancelled() => {}
                () = async { while lanes.join_next().await.is_some() {} } => {}
            }
            // No part runs once its node has ended.
            lanes.shutdown().await;
        }
        match node.take_decision() {
            None => node.take_tally(policy, parts_len).end(),
            Some(Decision::Enough) => {
                self.cut_off(items, "enough others had answered");
                Ok(())
            }
            Some(Decision::Hopeless(failure)) => {
                self.cut_off(items, "too many others had failed");
                Err(failure)
            }
        }
    }

    /// Gives items without an outcome the failure of those that were cut off.
    fn cut_off(&self, items: Range<usize>, why: &str) {
        let mut outcomes = self.outcomes();
        for slot in outcomes.get_mut(items).unwrap_or_default() {
            slot.get_or_insert_with(|| Err(cancelled(why)));
        }
    }

    fn outcomes(&self) -> MutexGuard<'_, Vec<Option<ItemOutcome>>> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The parts of a node with their first items.
fn place(parts: &[PlanShape], mut first: usize) -> Vec<Part> {
    parts
        .iter()
        .map(|shape| {
            let part = Part { shape: Arc::new(shape.clone()), first };
            first += shape.tasks_len();
            part
        })
        .collect()
}

impl Part {
    fn items(&self) -> Range<usize> {
        self.first..self.first + self.shape.tasks_len()
    }
}

impl Parts {
    fn len(&self) -> usize {
        match self {
            Self::Items(items) => items.len(),
            Self::Branches(branches) => branches.len(),
        }
    }

    fn items(&self) -> Range<usize> {
        match self {
            Self::Items(items) => items.clone(),
            Self::Branches(branches) => {
                let first = branches.first().map_or(0, |part| part.first);
                first..branches.last().map_or(first, |part| part.items().end)
            }
        }
    }
}

/// Parts that run side by side. Shared by the lanes that run them.
struct Node {
    run: Run,
    next: AtomicUsize,
    parts: Parts,
    tally: Mutex<(Tally, Option<Decision>)>,
    decided: CancellationToken,
}

impl Node {
    /// Runs parts, at most `width` at once, until none is left to begin.
    async fn drive(self: Arc<Self>, width: usize) {
        let mut running: FuturesUnordered<_> = std::iter::from_fn(|| self.begin_next()).take(width).collect();
        while let Some(ended) = running.next().await {
            let decision = {
                let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
                // What ends behind a decision changes nothing.
                if tally.1.is_none() {
                    tally.1 = tally.0.count(&ended);
                }
                tally.1.is_some()
            };
            if decision {
                self.decided.cancel();
                return;
            }
            running.extend(self.begin_next());
        }
    }

    /// The next part that nobody has begun.
    fn begin_next(&self) -> Option<impl Future<Output = Ended> + Send + use<>> {
        let at = self.next.fetch_add(1, Ordering::Relaxed);
        let run = self.run.clone();
        let part = match &self.parts {
            Parts::Items(items) => Err(items.clone().nth(at)?),
            Parts::Branches(branches) => Ok(branches.get(at)?.clone()),
        };
        Some(async move {
            match part {
                Ok(part) => run.part(part, None).await,
                Err(item) => run.item(item, None).await,
            }
        })
    }

    fn take_decision(&self) -> Option<Decision> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner).1.take()
    }

    fn take_tally(&self, policy: Policy, parts_len: usize) -> Tally {
        let mut tally = self.tally.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut tally.0, Tally::new(policy, parts_len))
    }
}
