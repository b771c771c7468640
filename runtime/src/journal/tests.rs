use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex};

use futures::FutureExt as _;
use futures::future::{BoxFuture, pending};
use playhouse_actors::metrics_actor::Meter;
use playhouse_actors::task::StepJournal as _;
use playhouse_protocol::journal::{Payload, RecordedStep, StepOutcome, StepPath};
use playhouse_protocol::task::TaskStatus;
use playhouse_protocol::{FailureClass, SeededSource, TaskId};
use playhouse_supervisors::{ChildSpec, RestartKind, RootSupervisor, Strategy, SupervisorSpec};
use ractor::Actor as _;
use tokio::sync::Notify;

use super::{Journal, JournalActor, JournalArgs};
use crate::clock::SystemWallClock;
use crate::store::conformance::samples::{accepted, ended, id, step, task};
use crate::store::{
    Entry, MemoryStore, Reception, Retention, StatusCounts, StoreError, StoreErrorKind, StoredTask,
    TaskFilter, TaskStore, UsageByTenant,
};

/// What the next commit comes to.
#[derive(Debug, Clone)]
enum Fate {
    Panics,
    Hangs,
    Fails(StoreErrorKind),
}

/// A store in memory that does as it is told, and refuses all groups with a certain task.
#[derive(Debug, Default)]
struct Wayward {
    store: MemoryStore,
    fates: Mutex<VecDeque<Fate>>,
    /// Told with each commit that begins.
    begun: Notify,
    damaged: Option<TaskId>,
}

fn is_about(entry: &Entry, wanted: TaskId) -> bool {
    matches!(entry, Entry::StepEnded { task, .. } | Entry::Ended { task, .. } if *task == wanted)
}

impl TaskStore for Wayward {
    fn commit(&self, group: Vec<Entry>) -> BoxFuture<'_, Result<Vec<Reception>, StoreError>> {
        let fate = self.fates.lock().unwrap().pop_front();
        self.begun.notify_one();
        let failed = |kind| Err(StoreError { doing: "write to the test", path: None, kind });
        async move {
            match fate {
                Some(Fate::Panics) => panic!("the disk fell over"),
                Some(Fate::Hangs) => pending().await,
                Some(Fate::Fails(kind)) => failed(kind),
                None if self.damaged.is_some_and(|task| group.iter().any(|entry| is_about(entry, task))) => {
                    failed(StoreErrorKind::Corrupt { message: "a row".to_owned() })
                }
                None => self.store.commit(group).await,
            }
        }
        .boxed()
    }

    fn open_tasks(
        &self,
        after: Option<TaskId>,
        limit: usize,
    ) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>> {
        self.store.open_tasks(after, limit)
    }

    fn task(&self, task: TaskId) -> BoxFuture<'_, Result<Option<StoredTask>, StoreError>> {
        self.store.task(task)
    }

    fn request(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> {
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

fn journal(store: &Arc<Wayward>) -> (Journal, JournalArgs) {
    let journal = Journal::new(Arc::clone(store) as Arc<dyn TaskStore>, Meter::new().unwrap());
    let clock = Arc::new(SystemWallClock::now());
    (journal.clone(), JournalArgs { journal, ended_age_max: None, ended_max: None, clock })
}

async fn supervised(args: JournalArgs) -> RootSupervisor {
    let child = ChildSpec::actor("journal", RestartKind::Permanent, move || (JournalActor, args.clone()));
    let random = Arc::new(SeededSource::from_seed(1));
    SupervisorSpec::new("test", Strategy::OneForOne, random).with_child(child).spawn().await.unwrap()
}

fn wayward(fates: impl IntoIterator<Item = Fate>) -> Arc<Wayward> {
    Arc::new(Wayward { fates: Mutex::new(fates.into_iter().collect()), ..Wayward::default() })
}

fn acceptance(number: u64) -> Vec<Entry> {
    vec![accepted(task(number))]
}

#[tokio::test(start_paused = true)]
async fn a_writer_that_dies_is_followed_by_one_that_writes_what_waits() {
    let store = wayward([Fate::Panics, Fate::Panics]);
    let (journal, args) = journal(&store);
    // It waits before anybody writes; the second writer dies too, and the third has written it.
    let (root, written) = tokio::join!(supervised(args), journal.commit(acceptance(0)));
    assert_eq!(written.unwrap(), [Reception::Written]);
    let (again, other) = tokio::join!(journal.commit(acceptance(0)), journal.commit(acceptance(1)));
    assert_eq!((again.unwrap(), other.unwrap()), (vec![Reception::Written], vec![Reception::Written]));
    assert_eq!(store.store.counts().await.unwrap().open, 2);

    // A failure behind a writer's death says nothing of what that one has written.
    let broken = || Fate::Fails(StoreErrorKind::Io { message: "no".to_owned() });
    store.fates.lock().unwrap().extend([Fate::Panics, broken(), broken()]);
    assert_eq!(journal.commit(acceptance(4)).await.unwrap(), [Reception::Written]);
    store.fates.lock().unwrap().extend([broken()]);
    assert!(matches!(journal.commit(acceptance(5)).await.unwrap_err().kind, StoreErrorKind::Io { .. }));

    store.fates.lock().unwrap().extend([Fate::Panics, Fate::Panics, Fate::Panics, Fate::Panics]);
    let deadly = journal.commit(acceptance(2)).await.unwrap_err();
    assert_eq!(deadly.kind, StoreErrorKind::Interrupted);
    assert_eq!(journal.commit(acceptance(3)).await.unwrap(), [Reception::Written]);
    root.actor.kill();
}

#[tokio::test(start_paused = true)]
async fn what_comes_while_no_writer_is_known_is_written_by_the_next_one() {
    let store = wayward([]);
    let (journal, args) = journal(&store);
    // Two writers one after the other, without a supervisor that tells anybody.
    for number in 0..2 {
        let waiting = journal.commit(acceptance(number));
        let start = JournalActor::spawn(None, JournalActor, args.clone());
        let (written, started) = tokio::join!(waiting, start);
        assert_eq!(written.unwrap(), [Reception::Written]);
        let (actor, ended) = started.unwrap();
        actor.kill();
        ended.await.unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_journal_that_is_closed_answers_whoever_waits() {
    let store = wayward([Fate::Hangs]);
    let (journal, args) = journal(&store);
    let root = supervised(args).await;
    let first = journal.commit(acceptance(0));
    let second = async {
        store.begun.notified().await;
        let mut second = pin!(journal.commit(acceptance(1)));
        assert!(second.as_mut().now_or_never().is_none(), "it waits behind the first one");
        journal.close();
        root.actor.kill();
        second.await
    };
    let (first, second) = tokio::join!(first, second);
    assert_eq!(first.unwrap_err().kind, StoreErrorKind::Closed);
    assert_eq!(second.unwrap_err().kind, StoreErrorKind::Closed);
    assert_eq!(journal.commit_surely(acceptance(2)).await.unwrap_err().kind, StoreErrorKind::Closed);
    drop((journal, root));
    // The last one to hold it is the test.
    while Arc::strong_count(&store) > 1 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_with_one_task_is_told_to_it_alone() {
    for kind in [
        StoreErrorKind::Corrupt { message: "a row".to_owned() },
        StoreErrorKind::Unwritable { message: "too large".to_owned() },
    ] {
        let store = Arc::new(Wayward {
            fates: Mutex::new([Fate::Fails(kind)].into()),
            damaged: Some(id(1)),
            ..Wayward::default()
        });
        let (journal, args) = journal(&store);
        // All three wait when the writer comes, and are one group.
        let group = async {
            tokio::join!(
                journal.commit(vec![accepted(task(0)), ended(0, TaskStatus::Completed, 5)]),
                journal.commit(vec![accepted(task(1)), ended(1, TaskStatus::Completed, 5)]),
                journal.commit(vec![accepted(task(2))]),
            )
        };
        let ((first, damaged, third), root) = tokio::join!(group, supervised(args));
        assert_eq!((first.unwrap().len(), third.unwrap().len()), (2, 1));
        assert!(matches!(damaged.unwrap_err().kind, StoreErrorKind::Corrupt { .. }));
        let counts = store.store.counts().await.unwrap();
        assert_eq!((counts.completed, counts.open), (1, 1));
        root.actor.kill();
    }
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_the_recorded_one_is_not_gone_on_with() {
    let store = wayward([]);
    let (journal, args) = journal(&store);
    let root = supervised(args).await;
    journal.commit(acceptance(0)).await.unwrap();
    let record = async |answer: &str, unix_ms| {
        let Entry::StepEnded { task, step, input } = step(0, "1", Some(answer), unix_ms) else {
            unreachable!()
        };
        journal.record(task, *step, input).await
    };
    record("heads", 1).await.unwrap();
    record("heads", 1).await.unwrap();
    let other = record("tails", 2).await.unwrap_err();
    assert_eq!(other.class, FailureClass::Retryable);
    assert!(other.message.starts_with("write down step 1: "), "{other}");
    let steps = store.store.steps(id(0)).await.unwrap();
    let StepOutcome::Answered { output, .. } = &steps[0].outcome else { panic!("{steps:?}") };
    assert_eq!(*output, Payload::single(*b"heads"));
    // Behind its end nothing of a task counts any more.
    journal.commit(vec![ended(0, TaskStatus::Cancelled, 3)]).await.unwrap();
    record("tails", 4).await.unwrap();
    root.actor.kill();
}
