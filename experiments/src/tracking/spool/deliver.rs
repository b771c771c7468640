//! Sends what is in the spool, in order.

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep_until, timeout_at};

use super::checkpoint::{self, Checkpoint};
use super::journal::Entry;
use super::{Operation, Parked, Spool, parked};
use crate::files;
use crate::tracking::TrackingError;
use crate::tracking::error::blocking;
use crate::tracking::mlflow::{MlflowClient, SendError, Sent};

/// Operations that are read at once.
const CHUNK: usize = 256;

/// Operations between two checkpoints. After a crash as many may have been sent without our knowing, so they are looked up.
const CHECKPOINT_EVERY: u64 = 16;

/// What became of the operations of a spool.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Operations that were sent.
    pub sent: u64,
    /// Operations of which the server refused something for good.
    pub parked: u64,
    /// Operations that still wait.
    pub pending: u64,
    /// Why the last attempt failed, where some still wait.
    pub last_failure: Option<String>,
    /// How long to wait before another attempt, where it would have come behind the deadline.
    pub retry_after: Option<Duration>,
}

/// What one delivery knows.
struct Progress {
    checkpoint: Checkpoint,
    /// Operations up to this number may have been sent by a process that crashed.
    unclear_until: u64,
    since_checkpoint: u64,
    delivery: Delivery,
}

impl Spool {
    /// Sends what waits, in order, until nothing does or until `deadline`. Failures that may pass are tried again, with a
    /// wait that grows; what the server refuses for good is parked.
    ///
    /// # Errors
    /// When another process is sending, the server does not let us in (then all is kept), or the files fail.
    pub async fn deliver(
        self: &Arc<Self>,
        client: &MlflowClient,
        deadline: Instant,
    ) -> Result<Delivery, TrackingError> {
        let spool = Arc::clone(self);
        let (lock, checkpoint) = blocking(move || spool.begin_delivery()).await?;
        let unclear_until = checkpoint.delivered + CHECKPOINT_EVERY;
        let delivery = Delivery::default();
        let mut progress = Progress { checkpoint, unclear_until, since_checkpoint: 0, delivery };
        let ended = self.deliver_all(client, deadline, &mut progress).await;
        let Progress { mut checkpoint, mut delivery, .. } = progress;
        let spool = Arc::clone(self);
        blocking(move || {
            checkpoint.write(&spool.dir)?;
            spool.sweep(checkpoint.delivered)?;
            let known = checkpoint.runs.len();
            checkpoint.runs.retain(|run, _| spool.index().has_begun(run));
            if checkpoint.runs.len() < known {
                checkpoint.write(&spool.dir)?;
            }
            drop(lock);
            Ok(())
        })
        .await?;
        ended?;
        delivery.pending = self.pending().await?;
        Ok(delivery)
    }

    fn begin_delivery(&self) -> Result<(File, Checkpoint), TrackingError> {
        let path = self.dir.join("deliver.lock");
        let lock = files::try_lock(&path).map_err(|error| TrackingError::file("lock", &path, error))?;
        let lock = lock.ok_or_else(|| TrackingError::Busy { path: self.dir.clone() })?;
        Ok((lock, checkpoint::read(&self.dir)?))
    }

    async fn deliver_all(
        self: &Arc<Self>,
        client: &MlflowClient,
        deadline: Instant,
        progress: &mut Progress,
    ) -> Result<(), TrackingError> {
        loop {
            let (spool, delivered) = (Arc::clone(self), progress.checkpoint.delivered);
            let entries = blocking(move || spool.entries_behind(delivered, CHUNK)).await?;
            if entries.is_empty() {
                return Ok(());
            }
            for entry in entries {
                if !self.deliver_one(client, deadline, &entry, progress).await? {
                    return Ok(());
                }
            }
        }
    }

    /// Whether the operation is done with: sent or parked.
    async fn deliver_one(
        self: &Arc<Self>,
        client: &MlflowClient,
        deadline: Instant,
        entry: &Entry,
        progress: &mut Progress,
    ) -> Result<bool, TrackingError> {
        let mut is_unclear = entry.seq <= progress.unclear_until;
        let mut attempt = 0;
        let bytes = self.bytes_of(&entry.operation).await?;
        let sent = loop {
            if Instant::now() >= deadline {
                return Ok(false);
            }
            let handle = entry.operation.run().and_then(|run| progress.checkpoint.runs.get(run));
            let sending = client.send(&entry.operation, handle, bytes.as_deref(), is_unclear);
            // What is cut off here may have been done: the first operations of a delivery are always looked up.
            let Ok(sent) = timeout_at(deadline, sending).await else {
                progress.delivery.last_failure = Some("it did not answer in time".to_owned());
                return Ok(false);
            };
            match sent {
                Ok(sent) => break sent,
                Err(SendError::Denied { status }) => return Err(TrackingError::Denied { status }),
                Err(SendError::Token(error)) => return Err(TrackingError::Token(error)),
                Err(SendError::Away { reason, retry_after, is_unclear: was_unclear }) => {
                    is_unclear |= was_unclear;
                    attempt += 1;
                    let again = Instant::now() + client.wait(attempt, retry_after);
                    tracing::debug!(reason, attempt, "the tracking server is away");
                    progress.delivery.last_failure = Some(reason);
                    if again >= deadline {
                        progress.delivery.retry_after = Some(again - Instant::now());
                        return Ok(false);
                    }
                    sleep_until(again).await;
                }
            }
        };
        self.note(entry, sent, progress).await?;
        Ok(true)
    }

    /// Writes down that an operation is done with.
    async fn note(
        self: &Arc<Self>,
        entry: &Entry,
        sent: Sent,
        progress: &mut Progress,
    ) -> Result<(), TrackingError> {
        progress.delivery.last_failure = None;
        if sent.refused.is_empty() {
            progress.delivery.sent += 1;
        } else {
            progress.delivery.parked += 1;
            let seq = entry.seq;
            let parked: Vec<_> = sent
                .refused
                .into_iter()
                .map(|(operation, refusal)| Parked { seq, operation, refusal })
                .collect();
            for one in &parked {
                tracing::warn!(seq, refusal = %one.refusal, "the tracking server refused an operation; it is parked");
            }
            let path = self.dir.join("parked.jsonl");
            blocking(move || parked::append(&path, &parked)).await?;
        }
        let runs = &mut progress.checkpoint.runs;
        if let (Operation::Begin(start), Some(handle)) = (&entry.operation, sent.run) {
            runs.insert(start.run.clone(), handle);
        }
        progress.checkpoint.delivered = entry.seq;
        progress.since_checkpoint += 1;
        if progress.since_checkpoint >= CHECKPOINT_EVERY {
            progress.since_checkpoint = 0;
            let (spool, checkpoint) = (Arc::clone(self), progress.checkpoint.clone());
            blocking(move || checkpoint.write(&spool.dir)).await?;
        }
        Ok(())
    }

    /// The bytes that an operation refers to; `None` where there are none, or no more.
    async fn bytes_of(&self, operation: &Operation) -> Result<Option<Vec<u8>>, TrackingError> {
        let Some(sha256) = operation.blob() else { return Ok(None) };
        let path = self.blob(sha256);
        blocking(move || {
            files::read_if_there(&path).map_err(|error| TrackingError::file("read", &path, error))
        })
        .await
    }
}
