//! A store in memory: as fast as a map, and as durable.

mod payloads;
mod state;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use futures::future::{BoxFuture, FutureExt, ready};
use playhouse_protocol::journal::{Payload, RecordedStep, StepPath};
use playhouse_protocol::{TaskId, TenantId, Usage};

use self::state::State;
use super::{Entry, Reception, Retention, StatusCounts, StoreError, StoredTask, TaskFilter, TaskStore};

/// A store that lives as long as the process. Everything is there at once: no call waits.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<State>);

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&mut State) -> T,
    ) -> BoxFuture<'_, Result<T, StoreError>> {
        ready(Ok(ask(&mut self.state()))).boxed()
    }
}

impl TaskStore for MemoryStore {
    fn commit(&self, group: Vec<Entry>) -> BoxFuture<'_, Result<Vec<Reception>, StoreError>> {
        self.now(|state| group.into_iter().map(|entry| state.apply(entry)).collect())
    }

    fn open_tasks(
        &self,
        after: Option<TaskId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>> {
        self.now(|state| state.open_tasks(after, limit))
    }

    fn task(&self, task: TaskId) -> BoxFuture<'_, Result<Option<StoredTask>, StoreError>> {
        self.now(|state| state.task(task))
    }

    fn request(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.now(|state| state.request(task))
    }

    fn reply(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.now(|state| state.reply(task))
    }

    fn steps(&self, task: TaskId) -> BoxFuture<'_, Result<Vec<RecordedStep>, StoreError>> {
        self.now(|state| state.steps(task))
    }

    fn step_input(&self, task: TaskId, path: StepPath) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.now(|state| state.step_input(task, &path))
    }

    fn list(&self, filter: TaskFilter) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>> {
        self.now(|state| state.list(&filter))
    }

    fn counts(&self) -> BoxFuture<'_, Result<StatusCounts, StoreError>> {
        self.now(|state| state.counts())
    }

    fn usage_since(
        &self,
        since_unix_ms: u64,
    ) -> BoxFuture<'_, Result<BTreeMap<TenantId, Usage>, StoreError>> {
        self.now(move |state| state.usage_since(since_unix_ms))
    }

    fn prune(&self, retention: Retention, limit: usize) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.now(|state| state.prune(retention, limit))
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.now(|_| ())
    }

    /// Nothing is written anywhere, so it can be used on.
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.now(|_| ())
    }

    /// The bytes of all pieces; what is around them is not counted.
    fn bytes_len(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.now(|state| state.bytes_len())
    }

    fn is_durable(&self) -> bool {
        false
    }
}
