//! An agent that does what it is told, and a store that breaks when it is told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use playhouse_actors::{Agent, AgentContext, AgentError};
use playhouse_config::Config;
use playhouse_protocol::journal::{Payload, RecordedStep, StepPath};
use playhouse_protocol::{Failure, FailureClass, TaskId};
use serde::{Deserialize, Serialize, Serializer};
use tokio::sync::Notify;

use crate::Runtime;
use crate::store::{
    Entry, MemoryStore, Reception, Retention, StatusCounts, StoreError, StoreErrorKind, StoredTask,
    TaskFilter, TaskStore, UsageByTenant,
};

/// One thing that [`Player`] does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Act {
    /// Says this.
    Say(u32),
    /// Says this, as a step that is done once.
    Step(u32),
    Sleep(u64),
    Fail(FailureClass),
    /// Fails the first so many times, in the life of the stage.
    FailOften(usize, FailureClass),
    /// Fails with another text each time.
    FailAnew,
    /// Waits until the test lets it go.
    Wait,
}

/// What a reply is made of. One that holds [`UNWRITABLE`] panics when it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Told(pub(super) Vec<u32>);

pub(super) const UNWRITABLE: u32 = 666;

impl Serialize for Told {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        assert!(!self.0.contains(&UNWRITABLE), "this cannot be written");
        serializer.serialize_newtype_struct("Told", &self.0)
    }
}

/// What a test sees of [`Player`], and tells it.
#[derive(Debug, Default)]
pub(super) struct Stage {
    failed: AtomicUsize,
    /// How often each thing was said, and done as a step.
    said: Mutex<BTreeMap<u32, usize>>,
    /// In the order of saying.
    pub(super) order: Mutex<Vec<u32>>,
    pub(super) live: AtomicUsize,
    pub(super) waits: Notify,
    pub(super) go: Notify,
}

impl Stage {
    pub(super) fn said(&self, what: u32) -> usize {
        self.said.lock().unwrap().get(&what).copied().unwrap_or_default()
    }

    fn say(&self, what: u32) -> u32 {
        *self.said.lock().unwrap().entry(what).or_default() += 1;
        self.order.lock().unwrap().push(what);
        what
    }
}

pub(super) struct Player(Arc<Stage>);

struct Alive<'a>(&'a Stage);

impl Drop for Alive<'_> {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Agent for Player {
    const KIND: &'static str = "player";
    type Request = Vec<Act>;
    type Reply = Told;

    fn validate(&self, acts: &Vec<Act>) -> Result<(), Failure> {
        if acts.is_empty() { Err(Failure::invalid("play: there is nothing to do")) } else { Ok(()) }
    }

    async fn run(&self, ctx: &mut AgentContext, acts: Vec<Act>) -> Result<Told, AgentError> {
        self.0.live.fetch_add(1, Ordering::SeqCst);
        let _alive = Alive(&self.0);
        let mut told = Vec::new();
        for act in acts {
            match act {
                Act::Say(what) => told.push(self.0.say(what)),
                Act::Step(what) => told.push(ctx.step("say", async { Ok(self.0.say(what)) }).await?),
                Act::Sleep(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
                Act::Fail(class) => return Err(Failure::new(class, "play: told to fail").into()),
                Act::FailOften(times, class) => {
                    if self.0.failed.fetch_add(1, Ordering::SeqCst) < times {
                        return Err(Failure::new(class, "play: told to fail").into());
                    }
                }
                Act::FailAnew => {
                    let number = self.0.failed.fetch_add(1, Ordering::SeqCst);
                    let text = format!("play: fail for the {number}th time");
                    return Err(Failure::new(FailureClass::Retryable, text).into());
                }
                Act::Wait => {
                    self.0.waits.notify_one();
                    self.0.go.notified().await;
                }
            }
        }
        Ok(Told(told))
    }
}

/// A store in memory that outlives the runtime, and breaks as it is told.
#[derive(Debug, Default)]
pub(super) struct Shelf {
    inner: MemoryStore,
    /// Reads of requests and steps that fail before one succeeds.
    pub(super) failing_reads: AtomicUsize,
    /// Whether the next read of a request panics.
    pub(super) panics_on_request: AtomicBool,
    /// Whether the next commit panics.
    pub(super) panics_on_commit: AtomicBool,
    /// Whether commits of reopened tasks wait for `go`.
    pub(super) holds_reopening: AtomicBool,
    pub(super) held: Notify,
    pub(super) go: Notify,
}

impl Shelf {
    fn read(&self) -> Result<(), StoreError> {
        let broken =
            self.failing_reads.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1));
        match broken {
            Ok(_) => Err(StoreError {
                doing: "read the journal",
                path: None,
                kind: StoreErrorKind::Io { message: "the cable is loose".to_owned() },
            }),
            Err(_) => Ok(()),
        }
    }
}

impl TaskStore for Shelf {
    fn commit(&self, group: Vec<Entry>) -> BoxFuture<'_, Result<Vec<Reception>, StoreError>> {
        async move {
            assert!(!self.panics_on_commit.swap(false, Ordering::SeqCst), "the shelf fell down");
            let reopens = group.iter().any(|entry| matches!(entry, Entry::Reopened { .. }));
            if reopens && self.holds_reopening.load(Ordering::SeqCst) {
                self.held.notify_one();
                self.go.notified().await;
            }
            self.inner.commit(group).await
        }
        .boxed()
    }

    fn open_tasks(
        &self,
        after: Option<TaskId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>> {
        self.inner.open_tasks(after, limit)
    }

    fn task(&self, task: TaskId) -> BoxFuture<'_, Result<Option<StoredTask>, StoreError>> {
        self.inner.task(task)
    }

    fn request(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        async move {
            assert!(!self.panics_on_request.swap(false, Ordering::SeqCst), "the page is torn");
            self.read()?;
            self.inner.request(task).await
        }
        .boxed()
    }

    fn reply(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.inner.reply(task)
    }

    fn steps(&self, task: TaskId) -> BoxFuture<'_, Result<Vec<RecordedStep>, StoreError>> {
        async move {
            self.read()?;
            self.inner.steps(task).await
        }
        .boxed()
    }

    fn step_input(&self, task: TaskId, path: StepPath) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.inner.step_input(task, path)
    }

    fn list(&self, filter: TaskFilter) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>> {
        self.inner.list(filter)
    }

    fn counts(&self) -> BoxFuture<'_, Result<StatusCounts, StoreError>> {
        self.inner.counts()
    }

    fn usage_since(&self, since_unix_ms: u64) -> BoxFuture<'_, Result<UsageByTenant, StoreError>> {
        self.inner.usage_since(since_unix_ms)
    }

    fn prune(&self, retention: Retention, limit: usize) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.inner.prune(retention, limit)
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.inner.checkpoint()
    }

    /// Stays open: another runtime of the same test goes on with it.
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        futures::future::ready(Ok(())).boxed()
    }

    fn bytes_len(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.inner.bytes_len()
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// The shelf and the stage. Runtimes come and go on them.
#[derive(Debug, Default)]
pub(super) struct Theatre {
    pub(super) shelf: Arc<Shelf>,
    pub(super) stage: Arc<Stage>,
    seeds: AtomicUsize,
}

impl Theatre {
    pub(super) async fn open(&self) -> Runtime {
        self.open_with(|_| {}).await
    }

    pub(super) async fn open_with(&self, change: impl FnOnce(&mut Config)) -> Runtime {
        let mut config = Config::default();
        config.attempts.backoff_initial = Duration::from_millis(1);
        change(&mut config);
        Runtime::builder()
            .config(config)
            .seed(self.seeds.fetch_add(1, Ordering::SeqCst) as u64)
            .store(Arc::clone(&self.shelf) as Arc<dyn TaskStore>)
            .agent(Player(Arc::clone(&self.stage)))
            .start()
            .await
            .unwrap()
    }

    /// A runtime that does not know [`Player`].
    pub(super) async fn open_without_player(&self) -> Runtime {
        let store = Arc::clone(&self.shelf) as Arc<dyn TaskStore>;
        Runtime::builder().seed(1_000).store(store).start().await.unwrap()
    }
}

/// Waits until something is so. Bounded by the runtime's own work alone.
pub(super) async fn until(is_so: impl Fn() -> bool) {
    while !is_so() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}
