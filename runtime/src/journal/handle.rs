//! What everybody writes with.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use playhouse_actors::metrics_actor::Meter;
use playhouse_actors::task::StepJournal;
use playhouse_protocol::journal::{Payload, RecordedStep};
use playhouse_protocol::{Failure, FailureClass, TaskId};
use ractor::ActorRef;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::message::JournalMessage;
use crate::store::{Entry, Reception, StoreError, StoreErrorKind, TaskStore};

/// The wait before an entry that must be written is tried again; it doubles up to [`AGAIN_MAX`].
const AGAIN_INITIAL: Duration = Duration::from_millis(20);

/// Long enough to leave a full disk alone, short enough to go on soon when there is room.
const AGAIN_MAX: Duration = Duration::from_secs(2);

/// How many writers may die under one commit: more, and it is the commit that they die of.
const WRITERS_LOST_MAX: usize = 3;

/// The list of entries that wait for a commit, and the store. Cheap to clone; one list a runtime.
///
/// The list needs no bound of its own: each open task has at most a few entries in it, and the number of open
/// tasks is bounded.
#[derive(Debug, Clone)]
pub(crate) struct Journal(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    store: Arc<dyn TaskStore>,
    meter: Arc<Meter>,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    waiting: Vec<Waiting>,
    /// The actor that writes, or that was the last to do so.
    writer: Option<ActorRef<JournalMessage>>,
    /// Whether the writer was told that something waits and has not looked yet. One that died will not: the next one
    /// looks by itself.
    is_nudged: bool,
    is_closed: bool,
}

impl List {
    fn nudge(&mut self) {
        if let Some(writer) = self.writer.as_ref().filter(|_| !self.is_nudged) {
            let _ = writer.cast(JournalMessage::Commit);
        }
        self.is_nudged = true;
    }
}

/// Entries that are written together.
#[derive(Debug)]
pub(super) struct Waiting {
    pub(super) entries: Vec<Entry>,
    reply: oneshot::Sender<Result<Vec<Reception>, StoreError>>,
}

impl Waiting {
    pub(super) fn answer(self, written: Result<Vec<Reception>, StoreError>) {
        // Whoever no longer waits does not mind: the entries count all the same.
        let _ = self.reply.send(written);
    }
}

impl Journal {
    pub(crate) fn new(store: Arc<dyn TaskStore>, meter: Arc<Meter>) -> Self {
        Self(Arc::new(Shared { store, meter, list: Mutex::default() }))
    }

    /// Tells who writes from now on, and that it look at what waits.
    pub(super) fn begin(&self, writer: ActorRef<JournalMessage>) {
        let mut list = self.list();
        list.writer = Some(writer);
        list.is_nudged = false;
        list.nudge();
    }

    pub(crate) fn store(&self) -> &Arc<dyn TaskStore> {
        &self.0.store
    }

    /// How many writers wait.
    pub(crate) fn waiting_len(&self) -> u64 {
        self.list().waiting.len() as u64
    }

    /// Refuses what waits and what comes. What is being written meanwhile is written or not.
    pub(crate) fn close(&self) {
        let waiting = {
            let mut list = self.list();
            list.is_closed = true;
            std::mem::take(&mut list.waiting)
        };
        waiting.into_iter().for_each(|waiting| waiting.answer(Err(failed(StoreErrorKind::Closed))));
    }

    /// Writes entries, all or none. Returns when they are durable. When the writer dies under it, whether they were
    /// written is not known, so they are written again until it is: no entry does harm the second time.
    ///
    /// # Errors
    /// The store's; none of the entries is written then. Interrupted, when one writer after the other died.
    pub(crate) async fn commit(&self, entries: Vec<Entry>) -> Result<Vec<Reception>, StoreError> {
        let mut writers_lost = 0;
        let mut again = AGAIN_INITIAL;
        loop {
            match self.commit_once(entries.clone()).await {
                Err(error) if error.kind == StoreErrorKind::Interrupted => {
                    if writers_lost == WRITERS_LOST_MAX {
                        return Err(error);
                    }
                    writers_lost += 1;
                }
                Err(error) if writers_lost > 0 && error.is_transient() => {
                    tokio::time::sleep(again).await;
                    again = (again * 2).min(AGAIN_MAX);
                }
                settled => return settled,
            }
        }
    }

    async fn commit_once(&self, entries: Vec<Entry>) -> Result<Vec<Reception>, StoreError> {
        let (reply, written) = oneshot::channel();
        {
            let mut list = self.list();
            if list.is_closed {
                return Err(failed(StoreErrorKind::Closed));
            }
            list.waiting.push(Waiting { entries, reply });
            list.nudge();
        }
        written.await.unwrap_or_else(|_| Err(failed(StoreErrorKind::Interrupted)))
    }

    /// Writes entries that must not be lost: a commit that fails for want of room or for a broken disk is
    /// tried again until it succeeds or the journal is closed. Every entry may be written twice without harm.
    ///
    /// # Errors
    /// When the entries can never be written, or the journal was closed.
    pub(crate) async fn commit_surely(&self, entries: Vec<Entry>) -> Result<Vec<Reception>, StoreError> {
        let mut again = AGAIN_INITIAL;
        loop {
            match self.commit(entries.clone()).await {
                Err(error) if error.is_transient() => {
                    tracing::warn!(%error, again_ms = again.as_millis(), "the journal could not be written");
                    tokio::time::sleep(again).await;
                    again = (again * 2).min(AGAIN_MAX);
                }
                settled => return settled,
            }
        }
    }

    /// Up to `len_max` entries from the head of the list, with their writers.
    pub(super) fn take(&self, len_max: usize) -> Vec<Waiting> {
        let mut list = self.list();
        list.is_nudged = false;
        let mut entries_len = 0;
        let taken = list
            .waiting
            .iter()
            .take_while(|one| {
                entries_len += one.entries.len();
                entries_len <= len_max
            })
            .count();
        // A single writer with more entries than fit goes alone.
        let taken = taken.max(usize::from(!list.waiting.is_empty()));
        list.waiting.drain(..taken).collect()
    }

    /// Tells the actor of what it left in the list.
    pub(super) fn nudge_if_waiting(&self) {
        let mut list = self.list();
        if !list.waiting.is_empty() {
            list.nudge();
        }
    }

    /// Writes to the store, counted.
    pub(super) async fn write(&self, entries: Vec<Entry>) -> Result<Vec<Reception>, StoreError> {
        let (started, entries_len) = (Instant::now(), entries.len());
        let written = self.0.store.commit(entries).await;
        let failure = written.as_ref().err().map(StoreError::class);
        self.0.meter.journal_committed(entries_len, started.elapsed(), failure);
        written
    }

    fn list(&self) -> MutexGuard<'_, List> {
        self.0.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn failed(kind: StoreErrorKind) -> StoreError {
    StoreError { doing: "write to the journal", path: None, kind }
}

impl StepJournal for Journal {
    fn record(&self, task: TaskId, step: RecordedStep, input: Payload) -> BoxFuture<'_, Result<(), Failure>> {
        Box::pin(async move {
            let path = step.path.to_string();
            let receptions =
                self.commit_surely(vec![Entry::StepEnded { task, step: Box::new(step), input }]).await?;
            match receptions.first() {
                // Whatever becomes of the answer: the task has ended.
                Some(Reception::Settled(status)) if !status.is_open() => Ok(()),
                Some(Reception::Written) => Ok(()),
                // An attempt that was stopped has left it, and it was written behind the reading of this one.
                Some(Reception::Settled(_)) => Err(Failure::new(
                    FailureClass::Retryable,
                    format!("write down step {path}: an earlier attempt's answer is recorded, and stands"),
                )),
                Some(Reception::NotApplicable | Reception::KeyTaken { .. }) | None => {
                    Err(Failure::internal(format!("write down step {path}: the journal has no such task")))
                }
            }
        })
    }
}
