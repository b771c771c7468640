//! Whoever hands a task in, takes it back, waits for it, replays it, over all lives.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use playhouse_runtime::protocol::task::{Durability, TaskStatus};
use playhouse_runtime::protocol::{Failure, FailureClass, TaskId};
use playhouse_runtime::{Runtime, TaskHandle};

use super::disk::{Disk, told};
use super::draws::Draws;
use super::log::Log;
use super::orders::{Plan, Player, plan, reply};
use super::world::Clock;

/// How long a clerk waits before it tries again what was refused without a time.
const AGAIN: Duration = Duration::from_millis(250);

/// Tasks are handed in within this time of a life's beginning, in milliseconds.
const OPENING_MS: u64 = 20_000;

/// What the clerks know. It outlives the lives.
#[derive(Debug, Default)]
pub(super) struct Books(Mutex<Known>);

#[derive(Debug, Default)]
pub(super) struct Known {
    /// Tasks that were acknowledged, by number.
    pub(super) acknowledged: BTreeMap<u64, TaskId>,
    /// Tasks whose taking back was acknowledged.
    pub(super) taken_back: BTreeSet<TaskId>,
    /// Dead letters that were replayed.
    replayed: BTreeSet<TaskId>,
    /// What a task was seen to come to. It may change by a replay only.
    pub(super) results: BTreeMap<TaskId, String>,
    /// Numbers that nothing is to be done for any more.
    pub(super) finished: BTreeSet<u64>,
}

impl Books {
    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A clerk for one task, for one life.
#[derive(Clone)]
pub(super) struct Clerk {
    pub(super) runtime: Runtime,
    pub(super) books: Arc<Books>,
    pub(super) disk: Arc<Disk>,
    pub(super) draws: Draws,
    pub(super) log: Log,
    pub(super) clock: Clock,
    pub(super) life: u64,
}

impl Clerk {
    pub(super) async fn serve(self, number: u64) {
        self.begin(number).await;
        let Plan { order, options, cancelled_after_ms } = plan(self.draws, number);
        let is_journaled = options.durability == Durability::Full;
        let known = self.books.known().acknowledged.get(&number).copied();
        let handle = match known {
            Some(id) => self.insist(number, Some(id), || self.runtime.attach::<Player>(id)).await,
            None => {
                let submit = || self.runtime.submit::<Player>(order.clone(), options.clone());
                self.insist(number, None, submit).await
            }
        };
        let Some(handle) = handle else { return };
        let id = handle.id();
        if is_journaled && known.is_none() {
            self.acknowledge(number, id);
        }
        self.tell(number, &format!("is task {id}"));
        if let Some(after) = cancelled_after_ms
            && known.is_none()
        {
            tokio::time::sleep(Duration::from_millis(after)).await;
            self.take_back(number, id, is_journaled).await;
        }
        self.wait(number, handle, &order, is_journaled).await;
    }

    /// Waits until it is this order's turn.
    pub(super) async fn begin(&self, number: u64) {
        let place = number * 100 + self.life;
        let begin = self.draws.below(OPENING_MS, "begins", place);
        tokio::time::sleep(Duration::from_millis(begin)).await;
        self.draws.dawdle("serve", place).await;
    }

    /// What was acknowledged is written.
    pub(super) fn acknowledge(&self, number: u64, id: TaskId) {
        if !self.disk.has_task(id) && !self.disk.is_pruned(id) {
            self.violate(number, &format!("acknowledged before it was written: {id}"));
        }
        self.books.known().acknowledged.insert(number, id);
    }

    /// Asks for a handle as long as that can help. `None` when there is nothing to wait for in this life: it ends, or the
    /// task, `known` from before, was removed for its age.
    pub(super) async fn insist<T, F: Future<Output = Result<T, Failure>>>(
        &self,
        number: u64,
        known: Option<TaskId>,
        ask: impl Fn() -> F,
    ) -> Option<T> {
        loop {
            let failure = match ask().await {
                Ok(handle) => return Some(handle),
                Err(failure) => failure,
            };
            self.tell(number, &format!("refused: {}", failure.class));
            // What is left to the next life is not this one's any more.
            if self.runtime.is_shutting_down() {
                return None;
            }
            if known.is_some_and(|id| self.disk.is_pruned(id)) {
                self.tell(number, "was removed");
                self.books.known().finished.insert(number);
                return None;
            }
            if !failure.class.is_retryable() {
                self.violate(number, &format!("refused for good: {failure}"));
                return None;
            }
            tokio::time::sleep(failure.retry_after_ms.map_or(AGAIN, Duration::from_millis)).await;
        }
    }

    async fn take_back(&self, number: u64, id: TaskId, is_journaled: bool) {
        let taken = self.runtime.cancel(id).await;
        self.tell(number, &format!("taken back: {:?}", taken.as_ref().map_err(|failure| failure.class)));
        if is_journaled && taken == Ok(true) {
            self.books.known().taken_back.insert(id);
        }
    }

    async fn wait(
        &self,
        number: u64,
        mut handle: TaskHandle<Player>,
        order: &super::orders::Order,
        is_journaled: bool,
    ) {
        loop {
            let id = handle.id();
            let result = handle.result().await;
            if result.as_ref().is_err_and(is_interruption) {
                return self.tell(number, "interrupted");
            }
            let status = handle.summary().status;
            if let Ok(answer) = &result {
                let expected = reply(&id.to_string(), order, "");
                if *answer != expected {
                    self.violate(number, &format!("answered {answer:?} and not {expected:?}"));
                }
            }
            let text = told(result.as_ref().ok().map(|answer| format!("{answer:?}")), result.as_ref().err());
            self.tell(number, &format!("{status}: {text}"));
            if !is_journaled {
                break;
            }
            self.check_told(number, id, &text);
            let replays = status == TaskStatus::DeadLettered
                && self.draws.happens(300, "replayed", number)
                && self.books.known().replayed.insert(id);
            if !replays {
                break;
            }
            match self.replay(number, id).await {
                Some(again) => handle = again,
                None => return,
            }
        }
        self.books.known().finished.insert(number);
    }

    /// What is told is written, and the same as it was before.
    pub(super) fn check_told(&self, number: u64, id: TaskId, text: &str) {
        let written = self.disk.end(id);
        if written.as_deref() != Some(text) {
            self.violate(number, &format!("told {text:?}, and {written:?} is written"));
        }
        let before = self.books.known().results.insert(id, text.to_owned());
        if before.is_some_and(|before| before != text) {
            self.violate(number, &format!("came to something else than before: {text}"));
        }
    }

    /// Replays a dead letter, as often as the disk refuses. `None` when this life ends.
    async fn replay(&self, number: u64, id: TaskId) -> Option<TaskHandle<Player>> {
        self.books.known().results.remove(&id);
        self.draws.dawdle("replay", number).await;
        let replayed = self.insist(number, None, || self.runtime.replay(id)).await;
        self.tell(number, &format!("replayed: {}", replayed.is_some()));
        if replayed.is_none() {
            self.books.known().replayed.remove(&id);
            return None;
        }
        self.insist(number, Some(id), || self.runtime.attach::<Player>(id)).await
    }

    pub(super) fn tell(&self, number: u64, text: &str) {
        self.log.line(self.clock.now_ms(), &format!("life {} order {number} {text}", self.life));
    }

    pub(super) fn violate(&self, number: u64, what: &str) {
        self.tell(number, what);
        self.log.violate(format!("order {number}: {what}"));
    }
}

/// Whether the wait ended because the runtime did.
pub(super) fn is_interruption(failure: &Failure) -> bool {
    failure.class == FailureClass::Retryable && failure.message.ends_with("the runtime was shut down")
}
