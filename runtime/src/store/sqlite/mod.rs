//! A store in a file: SQLite in WAL mode, each commit synced before it counts.
//!
//! One connection writes, a few read beside it; all of them block, so every call runs on a thread for blocking
//! work. Read in this order: `schema` is the tables, `open` how a file is checked before it is touched,
//! `payloads` how equal pieces are kept once, `write` and `read` the calls, `prune` what goes.

mod columns;
mod faults;
mod lock;
mod open;
mod payloads;
mod prune;
mod read;
mod schema;
mod usage;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use playhouse_protocol::journal::{Payload, RecordedStep, StepPath};
use playhouse_protocol::{TaskId, TenantId, Usage};
use rusqlite::Connection;

use self::faults::{Fault, failed};
use self::lock::OwnerLock;
use super::{
    Entry, Reception, Retention, StatusCounts, StoreError, StoreErrorKind, StoredTask, TaskFilter, TaskStore,
};

/// Connections that read side by side. Reads are short, and two keep a slow list from holding up the rest.
const READERS_LEN: usize = 2;

/// A store in a file. Cheap to clone; all clones are the same store. The file belongs to one process at a time,
/// which the lock file beside it (`<path>.lock`) tells the others.
#[derive(Debug, Clone)]
pub struct SqliteStore(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    path: PathBuf,
    writer: Mutex<Writer>,
    readers: Vec<Mutex<Connection>>,
    next_reader: AtomicUsize,
}

/// Who may write.
#[derive(Debug)]
enum Writer {
    /// This store, as long as it holds the lock.
    Open { connection: Connection, _lock: OwnerLock },
    /// Nobody, from the beginning.
    ReadOnly,
    /// Nobody any more.
    Closed,
}

impl SqliteStore {
    /// Opens the journal in the file at `path`, which is made with its folder when it is not there. Blocks.
    ///
    /// # Errors
    /// When another process has it, it is no journal, damaged, of a newer version, or cannot be written. A file
    /// that is refused is left as it was.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let lock = open::prepare(path)?;
        let writer = open::writer(path)?;
        let readers =
            (0..READERS_LEN).map(|_| open::reader(path).map(Mutex::new)).collect::<Result<_, _>>()?;
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            writer: Mutex::new(Writer::Open { connection: writer, _lock: lock }),
            readers,
            next_reader: AtomicUsize::new(0),
        })))
    }

    /// Opens the journal at `path` to read it, also while another process writes it. Blocks.
    ///
    /// # Errors
    /// When it is not there, no journal, damaged, or of a newer version.
    pub fn open_read_only(path: &Path) -> Result<Self, StoreError> {
        open::check_existing(path)?;
        let readers = vec![Mutex::new(open::reader(path)?)];
        Ok(Self(Arc::new(Inner {
            path: path.to_owned(),
            writer: Mutex::new(Writer::ReadOnly),
            readers,
            next_reader: AtomicUsize::new(0),
        })))
    }

    /// Runs `work` on the writing connection.
    fn on_writer<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&mut Connection) -> Result<T, Fault> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let inner = Arc::clone(&self.0);
        on_thread(doing, self.0.path.clone(), move || {
            // A panic in between has rolled its transaction back.
            let mut writer = inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
            match &mut *writer {
                Writer::Open { connection, .. } => work(connection),
                Writer::ReadOnly => Err(Fault::Kind(StoreErrorKind::ReadOnly)),
                Writer::Closed => Err(Fault::Kind(StoreErrorKind::Closed)),
            }
        })
    }

    /// Runs `work` on one of the reading connections.
    fn on_reader<T: Send + 'static>(
        &self,
        doing: &'static str,
        work: impl FnOnce(&Connection) -> Result<T, Fault> + Send + 'static,
    ) -> BoxFuture<'static, Result<T, StoreError>> {
        let inner = Arc::clone(&self.0);
        on_thread(doing, self.0.path.clone(), move || {
            let turn = inner.next_reader.fetch_add(1, Ordering::Relaxed) % inner.readers.len().max(1);
            let Some(reader) = inner.readers.get(turn) else {
                return Err(Fault::Kind(StoreErrorKind::Closed));
            };
            let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            // One view of the file for all that is read.
            let view = reader.transaction()?;
            work(&view)
        })
    }
}

fn on_thread<T: Send + 'static>(
    doing: &'static str,
    path: PathBuf,
    work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
) -> BoxFuture<'static, Result<T, StoreError>> {
    Box::pin(async move {
        match tokio::task::spawn_blocking(work).await {
            Ok(done) => done.map_err(|fault| failed(doing, &path, fault)),
            // It panicked, or the runtime ends.
            Err(_) => Err(StoreError { doing, path: Some(path), kind: StoreErrorKind::Interrupted }),
        }
    })
}

fn checkpoint(connection: &Connection) -> Result<(), Fault> {
    Ok(connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

impl TaskStore for SqliteStore {
    fn commit(&self, group: Vec<Entry>) -> BoxFuture<'_, Result<Vec<Reception>, StoreError>> {
        self.on_writer("write to the journal", move |connection| write::commit(connection, &group))
    }

    fn open_tasks(
        &self,
        after: Option<TaskId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>> {
        self.on_reader("read the open tasks of the journal", move |view| read::open_tasks(view, after, limit))
    }

    fn task(&self, task: TaskId) -> BoxFuture<'_, Result<Option<StoredTask>, StoreError>> {
        self.on_reader("read a task of the journal", move |view| read::task(view, task))
    }

    fn request(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.on_reader("read a request of the journal", move |view| read::request(view, task))
    }

    fn reply(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.on_reader("read an answer of the journal", move |view| read::reply(view, task))
    }

    fn steps(&self, task: TaskId) -> BoxFuture<'_, Result<Vec<RecordedStep>, StoreError>> {
        self.on_reader("read the steps of the journal", move |view| read::steps(view, task))
    }

    fn step_input(&self, task: TaskId, path: StepPath) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.on_reader("read a step of the journal", move |view| read::step_input(view, task, &path))
    }

    fn list(&self, filter: TaskFilter) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>> {
        self.on_reader("list the tasks of the journal", move |view| read::list(view, &filter))
    }

    fn counts(&self) -> BoxFuture<'_, Result<StatusCounts, StoreError>> {
        self.on_reader("count the tasks of the journal", read::counts)
    }

    fn usage_since(
        &self,
        since_unix_ms: u64,
    ) -> BoxFuture<'_, Result<BTreeMap<TenantId, Usage>, StoreError>> {
        self.on_reader("read what was used", move |connection| usage::usage_since(connection, since_unix_ms))
    }

    fn prune(&self, retention: Retention, limit: usize) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.on_writer("remove old tasks from the journal", move |connection| {
            prune::prune(connection, retention, limit)
        })
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.on_writer("bring the journal up to date", |connection| checkpoint(connection))
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        let inner = Arc::clone(&self.0);
        on_thread("close the journal", self.0.path.clone(), move || {
            let mut writer = inner.writer.lock().unwrap_or_else(PoisonError::into_inner);
            match std::mem::replace(&mut *writer, Writer::Closed) {
                // The lock goes last, with all else written.
                Writer::Open { connection, _lock } => checkpoint(&connection),
                Writer::ReadOnly | Writer::Closed => Ok(()),
            }
        })
    }

    fn bytes_len(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        let path = self.0.path.clone();
        on_thread("measure the journal", path.clone(), move || {
            let len = |path: &Path| std::fs::metadata(path).map_or(0, |file| file.len());
            let mut wal = path.clone().into_os_string();
            wal.push("-wal");
            Ok(len(&path) + len(Path::new(&wal)))
        })
    }

    fn is_durable(&self) -> bool {
        true
    }
}
