//! What everybody writes with.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use playhouse_actors::metrics_actor::Meter;
use playhouse_actors::task::StepJournal;
use playhouse_protocol::journal::{Payload, RecordedStep};
use playhouse_protocol::{Failure, TaskId};
use playhouse_supervisors::Address;
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::message::JournalMessage;
use crate::store::{Entry, Reception, StoreError, StoreErrorKind, TaskStore};

/// The wait before an entry that must be written is tried again; it doubles up to [`AGAIN_MAX`].
const AGAIN_INITIAL: Duration = Duration::from_millis(20);

/// Long enough to leave a full disk alone, short enough to go on soon when there is room.
const AGAIN_MAX: Duration = Duration::from_secs(2);

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
    waiting: Mutex<Vec<Waiting>>,
    /// Whether the actor has been told, or will find out by itself.
    nudged: AtomicBool,
    closed: AtomicBool,
    actor: OnceLock<Address<JournalMessage>>,
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
        Self(Arc::new(Shared {
            store,
            meter,
            waiting: Mutex::default(),
            nudged: AtomicBool::new(true),
            closed: AtomicBool::new(false),
            actor: OnceLock::new(),
        }))
    }

    /// Tells where the writer is found. Once, before anything is written.
    pub(crate) fn connect(&self, actor: Address<JournalMessage>) {
        // Set once by the tree that is built for this journal.
        let _ = self.0.actor.set(actor);
    }

    pub(crate) fn store(&self) -> &Arc<dyn TaskStore> {
        &self.0.store
    }

    /// How many writers wait.
    pub(crate) fn waiting_len(&self) -> u64 {
        self.waiting().len() as u64
    }

    /// Refuses further entries.
    pub(crate) fn close(&self) {
        self.0.closed.store(true, Ordering::Release);
    }

    /// Writes entries, all or none. Returns when they are durable.
    ///
    /// # Errors
    /// The store's; none of the entries is written then.
    pub(crate) async fn commit(&self, entries: Vec<Entry>) -> Result<Vec<Reception>, StoreError> {
        if self.0.closed.load(Ordering::Acquire) {
            return Err(failed(StoreErrorKind::Closed));
        }
        let (reply, written) = oneshot::channel();
        self.waiting().push(Waiting { entries, reply });
        if !self.0.nudged.swap(true, Ordering::AcqRel) {
            // An actor that is being restarted looks at the list by itself.
            if let Some(actor) = self.0.actor.get().and_then(Address::get) {
                let _ = actor.cast(JournalMessage::Commit);
            }
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
        self.0.nudged.store(false, Ordering::Release);
        let mut waiting = self.waiting();
        let mut entries_len = 0;
        let taken = waiting
            .iter()
            .take_while(|one| {
                entries_len += one.entries.len();
                entries_len <= len_max
            })
            .count();
        // A single writer with more entries than fit goes alone.
        let taken = taken.max(usize::from(!waiting.is_empty()));
        waiting.drain(..taken).collect()
    }

    /// Whether entries wait that nobody has told the actor of.
    pub(super) fn is_waited_for(&self) -> bool {
        !self.waiting().is_empty() && !self.0.nudged.swap(true, Ordering::AcqRel)
    }

    /// Writes to the store, counted.
    pub(super) async fn write(&self, entries: Vec<Entry>) -> Result<Vec<Reception>, StoreError> {
        let (started, entries_len) = (Instant::now(), entries.len());
        let written = self.0.store.commit(entries).await;
        let failure = written.as_ref().err().map(StoreError::class);
        self.0.meter.journal_committed(entries_len, started.elapsed(), failure);
        written
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
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
                Some(Reception::Written | Reception::Settled(_)) => Ok(()),
                Some(Reception::NotApplicable | Reception::KeyTaken { .. }) | None => {
                    Err(Failure::internal(format!("write down step {path}: the journal has no such task")))
                }
            }
        })
    }
}
