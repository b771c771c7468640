//! Agents for tests, and a runtime that is ended properly.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use playhouse_runtime::config::Config;
use playhouse_runtime::protocol::{Failure, FailureClass};
use playhouse_runtime::supervisors::{NodeKind, TreeNode};
use playhouse_runtime::{Agent, AgentContext, AgentError, Runtime, RuntimeBuilder};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;

/// What [`Actor`] is told to do.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Act {
    Answer(u64),
    Fail(String),
    Panic(String),
    /// Until it is dropped.
    Hang,
    /// Asks itself this often, one inside the other.
    AskDeeper(u32),
    /// Waits until the test lets it go, then answers.
    WaitAndAnswer(u64),
}

/// Does as it is told.
#[derive(Debug, Default)]
pub(crate) struct Obedient {
    pub(crate) watch: Arc<Watch>,
}

/// What a test sees of [`Obedient`].
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) live: AtomicUsize,
    pub(crate) live_max: AtomicUsize,
    pub(crate) begun: Notify,
    pub(crate) go: Notify,
}

struct Alive(Arc<Watch>);

impl Alive {
    fn begin(watch: &Arc<Watch>) -> Self {
        let live = watch.live.fetch_add(1, Ordering::SeqCst) + 1;
        watch.live_max.fetch_max(live, Ordering::SeqCst);
        watch.begun.notify_one();
        Self(Arc::clone(watch))
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.live.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Agent for Obedient {
    const KIND: &'static str = "obedient";
    type Request = Act;
    type Reply = u64;

    fn validate(&self, request: &Act) -> Result<(), Failure> {
        match request {
            Act::Fail(why) if why.is_empty() => Err(Failure::invalid("act: the reason is empty")),
            _ => Ok(()),
        }
    }

    async fn run(&self, ctx: &mut AgentContext, request: Act) -> Result<u64, AgentError> {
        let _alive = Alive::begin(&self.watch);
        match request {
            Act::Answer(answer) => Ok(answer),
            Act::Fail(why) => Err(Failure::new(FailureClass::Denied, why).into()),
            Act::Panic(text) => panic!("{text}"),
            Act::Hang => std::future::pending().await,
            Act::AskDeeper(0) => Ok(0),
            Act::AskDeeper(left) => Ok(ctx.ask::<Self>(Act::AskDeeper(left - 1)).await? + 1),
            Act::WaitAndAnswer(answer) => {
                self.watch.go.notified().await;
                Ok(answer)
            }
        }
    }
}

/// A runtime with [`Obedient`], and the settings that `change` makes.
pub(crate) fn builder(change: impl FnOnce(&mut Config)) -> (RuntimeBuilder, Arc<Watch>) {
    let mut config = Config::default();
    change(&mut config);
    let agent = Obedient::default();
    let watch = Arc::clone(&agent.watch);
    (Runtime::builder().config(config).seed(1).agent(agent), watch)
}

/// Runs a test in a runtime, and fails it when it leaves an agent running or a part that must be killed.
pub(crate) async fn with_runtime<F: Future<Output = ()>>(
    change: impl FnOnce(&mut Config),
    test: impl FnOnce(Runtime, Arc<Watch>) -> F,
) {
    let (builder, watch) = builder(change);
    let runtime = builder.start().await.unwrap();
    test(runtime.clone(), Arc::clone(&watch)).await;
    let ended = runtime.shutdown(Duration::from_secs(5)).await;
    assert_eq!(ended.cancelled_len, 0, "the test left tasks open");
    assert!(ended.killed.is_empty(), "had to be killed: {:?}", ended.killed);
    assert_eq!(watch.live.load(Ordering::SeqCst), 0, "the test left agents running");
}

/// The agents' children under a tree: started, live, failed.
pub(crate) fn agent_counts(tree: &TreeNode) -> (u64, u64, u64) {
    let shards = &tree.child("agents").unwrap().children;
    let counts = shards.iter().map(|shard| match &shard.kind {
        NodeKind::DynamicSupervisor { counts, .. } => (counts.started, counts.live, counts.failed),
        other => panic!("{} is {other:?}", shard.name),
    });
    counts.fold((0, 0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1, sum.2 + one.2))
}
