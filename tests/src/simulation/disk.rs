//! What survives a crash, and the faults on the way to it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::{BoxFuture, pending};
use playhouse_runtime::protocol::journal::{Payload, RecordedStep, StepKind, StepPath};
use playhouse_runtime::protocol::{TaskId, TenantId, Usage};
use playhouse_runtime::store::{
    Entry, MemoryStore, Reception, Retention, StatusCounts, StoreError, StoreErrorKind, StoredTask,
    TaskFilter, TaskStore,
};
use tokio::sync::Notify;

use super::draws::Draws;
use super::log::Log;
use super::world::Clock;

/// What a commit that fails to a full disk is followed by: so many commits that fail alike.
const FULL_LEN: u64 = 5;

/// The disk of one world.
#[derive(Debug)]
pub struct Disk {
    /// What is written.
    pub store: Arc<MemoryStore>,
    draws: Draws,
    log: Log,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The life that may write.
    life: u64,
    commits: u64,
    /// At which commit of this life the process dies, and whether the commit is written before.
    crash: Option<(u64, bool)>,
    full_until: u64,
    /// Questions of recorded model calls, by task: these are never asked again.
    recorded: BTreeMap<TaskId, BTreeMap<StepPath, String>>,
}

/// When the process of a life dies, so that commits tell.
#[derive(Debug, Clone, Copy)]
pub struct Crash {
    /// The commit, counted from 1 within the life.
    pub commit: u64,
    /// Whether that commit is written; nobody is told.
    pub is_written: bool,
}

impl Disk {
    /// An empty disk.
    pub fn new(draws: Draws, log: Log) -> Arc<Self> {
        Arc::new(Self { store: Arc::default(), draws, log, state: Mutex::default() })
    }

    /// Begins a life: whatever an earlier one still has under way is never written.
    pub fn begin(self: &Arc<Self>, life: u64, crash: Option<Crash>, clock: Clock) -> Arc<LifeStore> {
        let mut state = self.state();
        state.life = life;
        state.commits = 0;
        state.full_until = 0;
        state.crash = crash.map(|crash| (crash.commit, crash.is_written));
        drop(state);
        Arc::new(LifeStore { disk: Arc::clone(self), life, clock, crashed: Arc::default() })
    }

    /// Whether a question has a recorded answer.
    pub fn is_recorded(&self, task: TaskId, question: &str) -> bool {
        self.state().recorded.get(&task).is_some_and(|known| known.values().any(|one| one == question))
    }

    /// The commits of this life so far.
    pub fn commits(&self) -> u64 {
        self.state().commits
    }

    /// Notes the questions of model calls that a group records.
    fn note(&self, group: &[Entry], receptions: &[Reception]) {
        let mut state = self.state();
        for (entry, reception) in group.iter().zip(receptions) {
            match (entry, reception) {
                (Entry::StepEnded { task, step, input }, Reception::Written)
                    if matches!(step.kind, StepKind::ModelCall { .. }) && step.outcome.is_answered() =>
                {
                    let question = input.parts.last().map(|part| String::from_utf8_lossy(&part.bytes));
                    let known = state.recorded.entry(*task).or_default();
                    known.insert(step.path.clone(), question.unwrap_or_default().into_owned());
                }
                (Entry::Reopened { task, .. }, Reception::Written) => {
                    // Steps behind a failed one may be made again.
                    let left =
                        self.store.steps(*task).now_or_never().and_then(Result::ok).unwrap_or_default();
                    let left: BTreeSet<_> = left.into_iter().map(|step| step.path).collect();
                    state.recorded.entry(*task).or_default().retain(|path, _| left.contains(path));
                }
                _ => {}
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The disk as one life of the process sees it.
pub struct LifeStore {
    disk: Arc<Disk>,
    life: u64,
    clock: Clock,
    /// Told when the process dies.
    pub crashed: Arc<Notify>,
}

impl fmt::Debug for LifeStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LifeStore").field("life", &self.life).finish_non_exhaustive()
    }
}

/// What a commit comes to.
enum Fate {
    Written { after_ms: u64 },
    Fails(StoreErrorKind),
    Dies { is_written: bool },
    Gone,
}

impl LifeStore {
    fn fate(&self) -> (u64, Fate) {
        let mut state = self.disk.state();
        if state.life != self.life {
            return (0, Fate::Gone);
        }
        state.commits += 1;
        let commit = state.commits;
        let place = self.life * 1_000_000 + commit;
        let draws = self.disk.draws;
        let fate = match state.crash {
            Some((at, is_written)) if commit == at => {
                state.life = u64::MAX;
                Fate::Dies { is_written }
            }
            _ if commit < state.full_until => Fate::Fails(StoreErrorKind::Full),
            _ if draws.happens(3, "disk full", place) => {
                state.full_until = commit + FULL_LEN;
                Fate::Fails(StoreErrorKind::Full)
            }
            _ if draws.happens(20, "commit fails", place) => {
                Fate::Fails(StoreErrorKind::Io { message: "the disk is on fire".to_owned() })
            }
            _ if draws.happens(200, "commit is slow", place) => {
                Fate::Written { after_ms: draws.below(40, "commit takes", place) }
            }
            _ => Fate::Written { after_ms: 0 },
        };
        (commit, fate)
    }

    async fn write(&self, group: Vec<Entry>) -> Result<Vec<Reception>, StoreError> {
        let (commit, fate) = self.fate();
        let entries_len = group.len();
        let told = |text: &str| {
            let line = format!("life {} commit {commit} of {entries_len}: {text}", self.life);
            self.disk.log.line(self.clock.now_ms(), &line);
        };
        match fate {
            Fate::Gone => pending().await,
            Fate::Dies { is_written } => {
                told(if is_written { "written, then dead" } else { "dead" });
                if is_written {
                    let receptions = self.disk.store.commit(group.clone()).await?;
                    self.disk.note(&group, &receptions);
                }
                self.crashed.notify_one();
                pending().await
            }
            Fate::Fails(kind) => {
                told("failed");
                Err(StoreError { doing: "write to the simulated disk", path: None, kind })
            }
            Fate::Written { after_ms } => {
                if after_ms > 0 {
                    tokio::time::sleep(Duration::from_millis(after_ms)).await;
                    if self.disk.state().life != self.life {
                        return pending().await;
                    }
                }
                let receptions = self.disk.store.commit(group.clone()).await?;
                self.disk.note(&group, &receptions);
                told("written");
                Ok(receptions)
            }
        }
    }
}

impl TaskStore for LifeStore {
    fn commit(&self, group: Vec<Entry>) -> BoxFuture<'_, Result<Vec<Reception>, StoreError>> {
        Box::pin(self.write(group))
    }

    fn open_tasks(
        &self,
        after: Option<TaskId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>> {
        self.disk.store.open_tasks(after, limit)
    }

    fn task(&self, task: TaskId) -> BoxFuture<'_, Result<Option<StoredTask>, StoreError>> {
        self.disk.store.task(task)
    }

    fn request(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.disk.store.request(task)
    }

    fn reply(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.disk.store.reply(task)
    }

    fn steps(&self, task: TaskId) -> BoxFuture<'_, Result<Vec<RecordedStep>, StoreError>> {
        self.disk.store.steps(task)
    }

    fn step_input(&self, task: TaskId, path: StepPath) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.disk.store.step_input(task, path)
    }

    fn list(&self, filter: TaskFilter) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>> {
        self.disk.store.list(filter)
    }

    fn counts(&self) -> BoxFuture<'_, Result<StatusCounts, StoreError>> {
        self.disk.store.counts()
    }

    fn usage_since(
        &self,
        since_unix_ms: u64,
    ) -> BoxFuture<'_, Result<BTreeMap<TenantId, Usage>, StoreError>> {
        self.disk.store.usage_since(since_unix_ms)
    }

    fn prune(&self, retention: Retention, limit: usize) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.disk.store.prune(retention, limit)
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.disk.store.checkpoint()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.disk.store.close()
    }

    fn bytes_len(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.disk.store.bytes_len()
    }

    fn is_durable(&self) -> bool {
        true
    }
}
