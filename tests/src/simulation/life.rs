//! The disk as one life of the process sees it, and the faults on the way to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, pending, ready};
use playhouse_runtime::protocol::TaskId;
use playhouse_runtime::protocol::journal::{Payload, RecordedStep, StepPath};
use playhouse_runtime::store::{
    Entry, Reception, Retention, StatusCounts, StoreError, StoreErrorKind, StoredTask, TaskFilter, TaskStore,
    UsageByTenant,
};
use tokio::sync::Notify;

use super::disk::Disk;
use super::world::{Clock, TROUBLED_LIVES};

/// What a commit that fails to a full disk is followed by: so many commits that fail alike.
const FULL_LEN: u64 = 5;

/// How often the writer of a life dies at most: its supervisor bears ten times a minute.
const PANICS_MAX: u64 = 4;

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
    Written {
        after_ms: u64,
    },
    Fails(StoreErrorKind),
    /// The process dies.
    Dies {
        is_written: bool,
    },
    /// The writer dies, and the process goes on.
    Panics {
        is_written: bool,
    },
    Gone,
}

impl LifeStore {
    pub(super) fn new(disk: Arc<Disk>, life: u64, clock: Clock) -> Arc<Self> {
        Arc::new(Self { disk, life, clock, crashed: Arc::default() })
    }

    fn fate(&self) -> (u64, Fate) {
        let mut state = self.disk.state();
        if state.life != self.life {
            return (0, Fate::Gone);
        }
        state.commits += 1;
        let commit = state.commits;
        let place = self.place(commit);
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
            _ if state.panics < PANICS_MAX && draws.happens(3, "writer dies", place) => {
                state.panics += 1;
                Fate::Panics { is_written: draws.happens(500, "writer dies behind the commit", place) }
            }
            _ if draws.happens(200, "commit is slow", place) => {
                Fate::Written { after_ms: draws.below(40, "commit takes", place) }
            }
            _ => Fate::Written { after_ms: 0 },
        };
        (commit, fate)
    }

    const fn place(&self, at: u64) -> u64 {
        self.life * 1_000_000 + at
    }

    async fn write(&self, group: Vec<Entry>) -> Result<Vec<Reception>, StoreError> {
        let (commit, fate) = self.fate();
        let entries_len = group.len();
        let told = |text: &str| {
            let line = format!("life {} commit {commit} of {entries_len}: {text}", self.life);
            self.disk.log.line(self.clock.now_ms(), &line);
        };
        self.disk.draws.dawdle("commit", self.place(commit)).await;
        match fate {
            Fate::Gone => pending().await,
            Fate::Dies { is_written } => {
                told(if is_written { "written, then dead" } else { "dead" });
                if is_written {
                    self.write_and_note(group).await?;
                }
                self.crashed.notify_one();
                pending().await
            }
            Fate::Panics { is_written } => {
                told(if is_written { "written, then the writer dies" } else { "the writer dies" });
                if is_written {
                    self.write_and_note(group).await?;
                }
                self.fall_over()
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
                let receptions = self.write_and_note(group).await?;
                told("written");
                Ok(receptions)
            }
        }
    }

    async fn write_and_note(&self, group: Vec<Entry>) -> Result<Vec<Reception>, StoreError> {
        let receptions = self.disk.store.commit(group.clone()).await?;
        self.disk.note(&group, &receptions);
        Ok(receptions)
    }

    #[expect(clippy::panic, reason = "what is simulated")]
    fn fall_over<T>(&self) -> T {
        panic!("the disk of life {} fell over", self.life)
    }

    /// A read, which fails now and then.
    fn read(&self, what: &'static str, per_mille: u64) -> Result<(), StoreError> {
        let place = {
            let mut state = self.disk.state();
            state.reads += 1;
            self.place(state.reads)
        };
        if !self.disk.draws.happens(per_mille, what, place) {
            return Ok(());
        }
        self.disk.state().reads_failed += 1;
        self.disk.log.line(self.clock.now_ms(), &format!("life {} failed to {what}", self.life));
        let kind = StoreErrorKind::Io { message: "the disk cannot be read".to_owned() };
        Err(StoreError { doing: what, path: None, kind })
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
        Box::pin(async move {
            // A process that cannot read its journal does not start; the last ones can.
            let per_mille = if self.life < TROUBLED_LIVES { 50 } else { 0 };
            self.read("read the open tasks", per_mille)?;
            self.disk.store.open_tasks(after, limit).await
        })
    }

    fn task(&self, task: TaskId) -> BoxFuture<'_, Result<Option<StoredTask>, StoreError>> {
        Box::pin(async move {
            self.read("read a task", 5)?;
            self.disk.store.task(task).await
        })
    }

    fn request(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        Box::pin(async move {
            self.read("read a request", 5)?;
            self.disk.store.request(task).await
        })
    }

    fn reply(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        Box::pin(async move {
            self.read("read an answer", 5)?;
            self.disk.store.reply(task).await
        })
    }

    fn steps(&self, task: TaskId) -> BoxFuture<'_, Result<Vec<RecordedStep>, StoreError>> {
        Box::pin(async move {
            self.read("read the steps of a task", 5)?;
            self.disk.store.steps(task).await
        })
    }

    fn step_input(&self, task: TaskId, path: StepPath) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.disk.store.step_input(task, path)
    }

    fn list(&self, filter: TaskFilter) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>> {
        Box::pin(async move {
            self.read("list tasks", 5)?;
            self.disk.store.list(filter).await
        })
    }

    fn counts(&self) -> BoxFuture<'_, Result<StatusCounts, StoreError>> {
        self.disk.store.counts()
    }

    fn usage_since(&self, since_unix_ms: u64) -> BoxFuture<'_, Result<UsageByTenant, StoreError>> {
        self.disk.store.usage_since(since_unix_ms)
    }

    fn prune(&self, retention: Retention, limit: usize) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            self.read("remove old tasks", 200)?;
            let before = self.disk.ends();
            let pruned = self.disk.store.prune(retention, limit).await?;
            self.disk.note_pruned(before);
            self.disk.log.line(self.clock.now_ms(), &format!("life {} removed {pruned} tasks", self.life));
            Ok(pruned)
        })
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.disk.store.checkpoint()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(ready(self.read("close the journal", 200)))
    }

    fn bytes_len(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.disk.store.bytes_len()
    }

    fn is_durable(&self) -> bool {
        true
    }
}
