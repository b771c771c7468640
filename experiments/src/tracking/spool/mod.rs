//! What waits to be sent to the tracking server, on disk.
//!
//! ```text
//! spool/journal.jsonl     operations by number, one a line; appended to, and on disk before a call returns
//! spool/checkpoint.json   the last number that was sent, and what the server calls our runs
//! spool/blobs/…           the bytes of files by their SHA-256
//! spool/parked.jsonl      operations that the server refused for good, each with the reason
//! ```
//!
//! [`Spool`] is the face; [`Operation`] what is kept; `journal` its file, `checkpoint` how far it was sent, `parked` what was
//! refused; `deliver` sends in order; [`SpoolWorker`] does so while a process lives. Several processes may append; one sends.

mod checkpoint;
mod deliver;
mod journal;
mod operation;
mod parked;
mod worker;

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use deliver::Delivery;
pub use operation::{AliasChange, NewVersion, Operation};
pub use parked::{Parked, Refusal};
pub use worker::SpoolWorker;

pub(super) use checkpoint::RunHandle;

use super::TrackingError;
use super::error::blocking;
use crate::files;
use journal::{Entry, Index};

/// How much a spool may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SpoolLimits {
    /// Bytes of operations and files together. A gigabyte holds some million points, or a hundred reports with figures.
    pub bytes_max: u64,
}

impl Default for SpoolLimits {
    fn default() -> Self {
        Self { bytes_max: 1024 * 1024 * 1024 }
    }
}

/// Operations that wait to be sent to the tracking server. Shared by the trackers that append and the worker that sends.
#[derive(Debug)]
pub struct Spool {
    dir: PathBuf,
    limits: SpoolLimits,
    index: Mutex<Index>,
    /// Woken when something was appended.
    pub(super) appended: tokio::sync::Notify,
}

impl Spool {
    /// The spool of a folder of experiments; made when it is not there. A last line that a crash has cut off is dropped.
    ///
    /// # Errors
    /// When its files cannot be read or are damaged.
    pub async fn open(experiments_dir: &Path, limits: SpoolLimits) -> Result<Arc<Self>, TrackingError> {
        let dir = experiments_dir.join("spool");
        blocking(move || {
            let index = Mutex::new(Index::default());
            let spool = Self { dir, limits, index, appended: tokio::sync::Notify::new() };
            let _lock = spool.lock()?;
            spool.index().refresh(&spool.journal())?;
            Ok(Arc::new(spool))
        })
        .await
    }

    /// Keeps operations; they are on disk when this returns. What is in the journal already is not kept twice.
    ///
    /// # Errors
    /// When the spool is full, a parameter is changed, a run was not begun, or the files fail.
    pub async fn append(self: &Arc<Self>, operations: Vec<Operation>) -> Result<(), TrackingError> {
        self.keep(operations, None).await
    }

    /// Keeps an operation and the bytes of the file that it names.
    pub(super) async fn append_file(
        self: &Arc<Self>,
        operation: Operation,
        sha256: String,
        bytes: Vec<u8>,
    ) -> Result<(), TrackingError> {
        self.keep(vec![operation], Some((sha256, bytes))).await
    }

    async fn keep(
        self: &Arc<Self>,
        operations: Vec<Operation>,
        blob: Option<(String, Vec<u8>)>,
    ) -> Result<(), TrackingError> {
        let spool = Arc::clone(self);
        blocking(move || spool.keep_now(operations, blob)).await?;
        self.appended.notify_one();
        Ok(())
    }

    fn keep_now(
        &self,
        operations: Vec<Operation>,
        blob: Option<(String, Vec<u8>)>,
    ) -> Result<(), TrackingError> {
        let _lock = self.lock()?;
        let mut index = self.index();
        index.refresh(&self.journal())?;
        let new = index.new_of(operations)?;
        if new.is_empty() {
            return Ok(());
        }
        let lines = index.lines(&new)?;
        let blob_len = blob.as_ref().map_or(0, |(_, bytes)| bytes.len() as u64);
        if self.bytes_held()? + lines.len() as u64 + blob_len > self.limits.bytes_max {
            return Err(TrackingError::Full { path: self.dir.clone(), bytes_max: self.limits.bytes_max });
        }
        if let Some((sha256, bytes)) = blob {
            let path = self.blob(&sha256);
            files::write_whole(&path, &bytes).map_err(|error| TrackingError::file("write", &path, error))?;
        }
        index.append(&self.journal(), &lines, new)
    }

    /// What the server has refused for good, each operation once.
    ///
    /// # Errors
    /// When the file cannot be read or is damaged.
    pub async fn parked(self: &Arc<Self>) -> Result<Vec<Parked>, TrackingError> {
        let spool = Arc::clone(self);
        blocking(move || parked::read(&spool.dir.join("parked.jsonl"))).await
    }

    /// How many operations wait.
    ///
    /// # Errors
    /// When the files cannot be read or are damaged.
    pub async fn pending(self: &Arc<Self>) -> Result<u64, TrackingError> {
        let spool = Arc::clone(self);
        blocking(move || {
            let delivered = checkpoint::read(&spool.dir)?.delivered;
            let _lock = spool.lock()?;
            let mut index = spool.index();
            index.refresh(&spool.journal())?;
            Ok(index.next_seq().saturating_sub(delivered + 1))
        })
        .await
    }

    /// Operations behind a number, at most `count_max`.
    fn entries_behind(&self, delivered: u64, count_max: usize) -> Result<Vec<Entry>, TrackingError> {
        let _lock = self.lock()?;
        let entries = journal::read(&self.journal())?.entries.into_iter();
        Ok(entries.filter(|entry| entry.seq > delivered).take(count_max).collect())
    }

    /// Drops what nobody needs any more: bytes of files that were sent, and, when the journal has grown, operations of runs
    /// that have ended. Operations of a run that goes on are kept: by them the same call is known again.
    fn sweep(&self, delivered: u64) -> Result<(), TrackingError> {
        let _lock = self.lock()?;
        let mut index = self.index();
        index.refresh(&self.journal())?;
        let journal = journal::read(&self.journal())?;
        let needed: BTreeSet<&str> = journal
            .entries
            .iter()
            .filter(|entry| entry.seq > delivered)
            .filter_map(|entry| entry.operation.blob())
            .collect();
        let blobs = self.dir.join("blobs");
        for entry in std::fs::read_dir(&blobs).into_iter().flatten().flatten() {
            if !needed.contains(&*entry.file_name().to_string_lossy()) {
                // One that stays is found by the next sweep.
                drop(std::fs::remove_file(entry.path()));
            }
        }
        if journal.whole_len >= COMPACTED_FROM_BYTES {
            index.compact(&self.journal(), journal, delivered)?;
        }
        Ok(())
    }

    fn bytes_held(&self) -> Result<u64, TrackingError> {
        let size = |path: &Path| path.metadata().map_or(0, |found| found.len());
        let blobs = self.dir.join("blobs");
        let mut held = size(&self.journal());
        for entry in std::fs::read_dir(&blobs).into_iter().flatten() {
            let entry = entry.map_err(|error| TrackingError::file("read", &blobs, error))?;
            held += size(&entry.path());
        }
        Ok(held)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Guards journal and blobs against other processes.
    fn lock(&self) -> Result<File, TrackingError> {
        let path = self.dir.join("append.lock");
        files::lock(&path).map_err(|error| TrackingError::file("lock", &path, error))
    }

    fn journal(&self) -> PathBuf {
        self.dir.join("journal.jsonl")
    }

    fn blob(&self, sha256: &str) -> PathBuf {
        self.dir.join("blobs").join(sha256)
    }
}

/// From this length on the journal is written anew without what is no longer needed.
const COMPACTED_FROM_BYTES: u64 = 4 * 1024 * 1024;

#[cfg(test)]
mod tests;
