//! Where tasks are written down: the trait, its record types, and two stores.
//!
//! [`MemoryStore`] lives as long as the process; [`SqliteStore`] (feature `sqlite`, on by default) is a file.
//! Every store passes the same suite, `conformance`. One writer, the journal's actor, commits in groups;
//! readers may be many.

mod entry;
mod error;
mod memory;
mod record;
#[cfg(feature = "sqlite")]
mod sqlite;

#[cfg(any(test, feature = "conformance"))]
pub mod conformance;

#[cfg(all(test, feature = "sqlite"))]
mod tests;

pub use entry::{AcceptedTask, Entry, Reception, TaskEnd};
pub use error::{StoreError, StoreErrorKind};
pub use memory::MemoryStore;
pub use record::{Retention, StatusCounts, StoredTask, TaskFilter};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteStore;

use std::collections::BTreeMap;
use std::fmt;

use futures::future::BoxFuture;
use playhouse_protocol::journal::{Payload, RecordedStep, StepPath};
use playhouse_protocol::{TaskId, TenantId, Usage};

/// What tenants used.
pub type UsageByTenant = BTreeMap<TenantId, Usage>;

/// A store of tasks.
///
/// Contract, which `conformance` tests:
/// - [`commit`](Self::commit) is all or nothing, and what it wrote is there after a crash at any later moment.
/// - Entries take effect in their order; an entry that cannot take effect (the task is unknown or has ended)
///   changes nothing, says so in its [`Reception`], and does not hinder the others.
/// - An end, and a step's answer, never change once they are written.
/// - Equal pieces of payloads are kept once, and a payload that extends another one costs its further pieces.
/// - Lists are ordered by task id; nothing depends on a hash.
pub trait TaskStore: Send + Sync + fmt::Debug {
    /// Writes a group of entries. Returns one [`Reception`] for each when all of them are durable.
    ///
    /// # Errors
    /// Nothing of the group was written then.
    fn commit(&self, group: Vec<Entry>) -> BoxFuture<'_, Result<Vec<Reception>, StoreError>>;

    /// The tasks that have not ended, in the order of their ids, without their requests: up to `limit` of those
    /// behind `after`. A task that cannot be read, for damage or another version, is left out here and in
    /// [`list`](Self::list), and stays in the store.
    fn open_tasks(
        &self,
        after: Option<TaskId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>>;

    /// What is known of a task; `None` for an unknown one.
    fn task(&self, task: TaskId) -> BoxFuture<'_, Result<Option<StoredTask>, StoreError>>;

    /// What a task was asked; `None` for an unknown one.
    fn request(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>>;

    /// What a task answered; `None` for one that has no answer.
    fn reply(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>>;

    /// The steps of a task in the order in which they were written; none for an unknown task.
    fn steps(&self, task: TaskId) -> BoxFuture<'_, Result<Vec<RecordedStep>, StoreError>>;

    /// What a step was asked; `None` for an unknown one.
    fn step_input(&self, task: TaskId, path: StepPath) -> BoxFuture<'_, Result<Option<Payload>, StoreError>>;

    /// The tasks that a filter lets through, in the order of their ids, the latest first.
    fn list(&self, filter: TaskFilter) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>>;

    /// How many tasks there are by status.
    fn counts(&self) -> BoxFuture<'_, Result<StatusCounts, StoreError>>;

    /// What the recorded model calls that were answered at `since_unix_ms` or later used, by tenant, whatever became of
    /// their tasks. Not called for moments long ago: it may take time that grows with what was recorded since.
    fn usage_since(&self, since_unix_ms: u64) -> BoxFuture<'_, Result<UsageByTenant, StoreError>>;

    /// Removes ended tasks as `retention` says, at most `limit` of them, and returns how many. Parts of a task
    /// that is still there, open tasks and dead letters stay.
    fn prune(&self, retention: Retention, limit: usize) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Moves what was written to its final place, so that the next start has nothing to catch up with.
    fn checkpoint(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// Ends the writing: what was written is brought to its final place, and another process may have the store.
    /// A later commit fails as closed; reading may go on. Does nothing the second time.
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>>;

    /// The bytes that the store takes.
    fn bytes_len(&self) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Whether what is written survives the process.
    fn is_durable(&self) -> bool;
}
