//! In which order an earlier process's tasks are taken up.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use playhouse_runtime::config::Config;
use playhouse_runtime::protocol::TaskId;
use playhouse_runtime::protocol::envelope::encode_agent_value;
use playhouse_runtime::protocol::journal::{Payload, RecordedStep, StepPath};
use playhouse_runtime::protocol::task::TaskOptions;
use playhouse_runtime::store::{
    AcceptedTask, Entry, MemoryStore, Reception, Retention, StatusCounts, StoreError, StoredTask, TaskFilter,
    TaskStore, UsageByTenant,
};
use playhouse_runtime::{Agent, AgentContext, AgentError, Runtime};

/// What is read of a journal, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    Page { tasks_len: usize },
    Request(TaskId),
}

/// A journal that notes how it is read.
#[derive(Debug, Default)]
struct Watched {
    store: MemoryStore,
    seen: Mutex<Vec<Seen>>,
}

impl TaskStore for Watched {
    fn commit(&self, group: Vec<Entry>) -> BoxFuture<'_, Result<Vec<Reception>, StoreError>> {
        self.store.commit(group)
    }

    fn open_tasks(
        &self,
        after: Option<TaskId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>> {
        Box::pin(async move {
            let page = self.store.open_tasks(after, limit).await?;
            // What runs already gets its turn.
            tokio::task::yield_now().await;
            self.seen.lock().unwrap().push(Seen::Page { tasks_len: page.len() });
            Ok(page)
        })
    }

    fn task(&self, task: TaskId) -> BoxFuture<'_, Result<Option<StoredTask>, StoreError>> {
        self.store.task(task)
    }

    fn request(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.seen.lock().unwrap().push(Seen::Request(task));
        self.store.request(task)
    }

    fn reply(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.store.reply(task)
    }

    fn steps(&self, task: TaskId) -> BoxFuture<'_, Result<Vec<RecordedStep>, StoreError>> {
        self.store.steps(task)
    }

    fn step_input(&self, task: TaskId, path: StepPath) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
        self.store.step_input(task, path)
    }

    fn list(&self, filter: TaskFilter) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>> {
        self.store.list(filter)
    }

    fn counts(&self) -> BoxFuture<'_, Result<StatusCounts, StoreError>> {
        self.store.counts()
    }

    fn usage_since(&self, since_unix_ms: u64) -> BoxFuture<'_, Result<UsageByTenant, StoreError>> {
        self.store.usage_since(since_unix_ms)
    }

    fn prune(&self, retention: Retention, limit: usize) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.store.prune(retention, limit)
    }

    fn checkpoint(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.store.checkpoint()
    }

    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        self.store.close()
    }

    fn bytes_len(&self) -> BoxFuture<'_, Result<u64, StoreError>> {
        self.store.bytes_len()
    }

    fn is_durable(&self) -> bool {
        true
    }
}

/// Says what it was asked.
struct Echo;

impl Agent for Echo {
    const KIND: &'static str = "echo";
    type Request = u64;
    type Reply = u64;

    async fn run(&self, _: &mut AgentContext, number: u64) -> Result<u64, AgentError> {
        Ok(number)
    }
}

/// The id of the `number`th task.
fn id(number: u64) -> TaskId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    TaskId::from_bytes(bytes)
}

async fn resumed(tasks: u64, agents_live_max: usize) -> (Runtime, Arc<Watched>) {
    let store = Arc::new(Watched::default());
    let accepted = |number| {
        Entry::Accepted(Box::new(AcceptedTask {
            id: id(number),
            kind: Echo::KIND.to_owned(),
            options: TaskOptions::default(),
            parent: None,
            submitted_unix_ms: 1,
            deadline_unix_ms: u64::MAX,
            request: Payload::single(encode_agent_value(Echo::VERSION, &number).unwrap()),
        }))
    };
    // Not in their order.
    store.commit((0..tasks).rev().map(accepted).collect()).await.unwrap();
    let mut config = Config::default();
    config.limits.agents_live_max = agents_live_max;
    let shared: Arc<dyn TaskStore> = Arc::<Watched>::clone(&store);
    let runtime = Runtime::builder().config(config).seed(1).store(shared).agent(Echo).start().await.unwrap();
    (runtime, store)
}

#[tokio::test]
async fn all_of_ten_thousand_tasks_are_in_the_table_before_the_first_one_goes_on() {
    let (runtime, store) = resumed(10_000, 64).await;
    assert_eq!((runtime.open_tasks().len(), runtime.accounting().resumed), (10_000, 10_000));
    runtime.wait(id(9_999)).await.unwrap();
    let seen = store.seen.lock().unwrap().clone();
    let first_turn = seen.iter().position(|seen| matches!(seen, Seen::Request(_))).unwrap();
    let read: usize = seen[..first_turn]
        .iter()
        .map(|seen| match seen {
            Seen::Page { tasks_len } => *tasks_len,
            Seen::Request(_) => 0,
        })
        .sum();
    assert_eq!((read, seen[first_turn - 1]), (10_000, Seen::Page { tasks_len: 0 }));
    assert!(
        seen[first_turn..].iter().all(|seen| matches!(seen, Seen::Request(_))),
        "read on behind the first"
    );
    runtime.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn tasks_go_on_in_the_order_in_which_they_were_accepted() {
    let (runtime, store) = resumed(40, 1).await;
    for number in 0..40 {
        runtime.wait(id(number)).await.unwrap();
    }
    let turns: Vec<_> =
        store.seen.lock().unwrap().iter().copied().filter(|seen| matches!(seen, Seen::Request(_))).collect();
    assert_eq!(turns, (0..40).map(|number| Seen::Request(id(number))).collect::<Vec<_>>());
    runtime.shutdown_gracefully().await;
}
