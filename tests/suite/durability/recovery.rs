use std::sync::atomic::Ordering;
use std::time::Duration;

use playhouse_runtime::protocol::task::{Durability, TaskOptions, TaskStatus};
use playhouse_runtime::protocol::{Budget, FailureClass};
use playhouse_runtime::{Agent, AgentContext, AgentError, Runtime};

use super::acting::{Act, Acting, Theatre, call};

fn within(timeout_ms: u64) -> TaskOptions {
    TaskOptions { timeout_ms: Some(timeout_ms), ..TaskOptions::default() }
}

#[tokio::test]
async fn a_task_that_a_shutdown_interrupts_goes_on_from_its_last_step() {
    let theatre = Theatre::new();
    let stage = &theatre.stage;
    let acts = vec![call("one"), Act::Ask(vec![call("two"), Act::Draw]), Act::Wait, call("three")];

    let runtime = theatre.open().await;
    let task = runtime.submit::<Acting>(acts, TaskOptions::default()).await.unwrap();
    stage.waits.notified().await;
    let ended = runtime.shutdown(Duration::ZERO).await;
    assert_eq!((ended.cancelled_len, ended.kept_len), (0, 1));
    let failure = task.result().await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Retryable);
    assert!(failure.message.ends_with("the runtime was shut down"), "{failure}");
    assert!(runtime.accounting().adds_up());
    let id = task.id();
    drop((task, runtime));

    let runtime = theatre.open().await;
    assert_eq!(runtime.accounting().resumed, 1);
    let task = runtime.attach::<Acting>(id).await.unwrap();
    stage.waits.notified().await;
    stage.go.notify_one();
    assert_eq!(task.result().await.unwrap(), ["ONE", "TWO+0", "went", "THREE"]);
    for question in ["one", "two", "three"] {
        assert_eq!(stage.asked(question), 1, "{question} was paid for again");
    }
    assert_eq!(task.usage().model_calls, 3, "what was paid for before counts too");
    assert!(runtime.accounting().adds_up());
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn an_ended_task_is_read_again_after_a_restart_and_stays_as_it_is() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let task = runtime.submit::<Acting>(vec![call("one")], TaskOptions::default()).await.unwrap();
    let (id, answer) = (task.id(), task.result().await.unwrap());
    runtime.shutdown_gracefully().await;
    drop((task, runtime));

    let runtime = theatre.open().await;
    let task = runtime.attach::<Acting>(id).await.unwrap();
    assert_eq!(task.result().await.unwrap(), answer);
    assert!(!runtime.cancel(id).await.unwrap(), "an ended task cannot be taken back");
    assert_eq!(task.summary().attempts, 1, "the end tells, not what this process did");
    let known = runtime.task(id).await.unwrap().unwrap();
    assert_eq!((known.status, known.attempts, known.usage.model_calls), (TaskStatus::Completed, 1, 1));
    assert_eq!(theatre.stage.asked_in_all(), 1);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_task_whose_deadline_passed_while_nobody_ran_ends_without_a_call() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let acts = vec![Act::Wait, call("late")];
    let task = runtime.submit::<Acting>(acts, within(1)).await.unwrap();
    let id = task.id();
    runtime.shutdown(Duration::ZERO).await;
    drop((task, runtime));

    let runtime = theatre.open().await;
    let task = runtime.attach::<Acting>(id).await.unwrap();
    let failure = task.result().await.unwrap_err();
    assert_eq!((failure.class, failure.message.as_str()), (FailureClass::Deadline, "finish within 1 ms"));
    assert_eq!(theatre.stage.asked("late"), 0);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_cancelled_task_stays_cancelled_over_a_restart() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let task = runtime.submit::<Acting>(vec![Act::Wait], TaskOptions::default()).await.unwrap();
    theatre.stage.waits.notified().await;
    let id = task.id();
    assert!(runtime.cancel(id).await.unwrap());
    runtime.shutdown(Duration::ZERO).await;
    drop((task, runtime));

    let runtime = theatre.open().await;
    assert_eq!(runtime.accounting().resumed, 0);
    assert_eq!(runtime.task(id).await.unwrap().unwrap().status, TaskStatus::Cancelled);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_task_that_opted_out_of_the_journal_is_cancelled_by_a_shutdown_and_unknown_afterwards() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let options = TaskOptions { durability: Durability::None, ..TaskOptions::default() };
    let task = runtime.submit::<Acting>(vec![Act::Wait], options).await.unwrap();
    theatre.stage.waits.notified().await;
    let ended = runtime.shutdown(Duration::ZERO).await;
    assert_eq!((ended.cancelled_len, ended.kept_len), (1, 0));
    assert_eq!(task.result().await.unwrap_err().class, FailureClass::Cancelled);
    assert_eq!(runtime.store().counts().await.unwrap().total(), 0);
}

#[tokio::test]
async fn tasks_of_a_kind_that_is_gone_stay_in_the_journal() {
    struct Retired;
    impl Agent for Retired {
        const KIND: &'static str = "retired";
        type Request = u8;
        type Reply = u8;
        async fn run(&self, _: &mut AgentContext, _: u8) -> Result<u8, AgentError> {
            std::future::pending().await
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let start = |with_agent: bool| {
        let path = folder.path().join("journal.db");
        async move {
            let mut config = playhouse_runtime::config::Config::default();
            config.journal.path = Some(path);
            let builder = Runtime::builder().config(config);
            let builder = if with_agent { builder.agent(Retired) } else { builder };
            builder.start().await.unwrap()
        }
    };
    let runtime = start(true).await;
    let id = runtime.submit::<Retired>(1, TaskOptions::default()).await.unwrap().id();
    runtime.submit::<Retired>(2, TaskOptions::default()).await.unwrap();
    assert_eq!(runtime.shutdown(Duration::ZERO).await.kept_len, 2);
    drop(runtime);

    let runtime = start(false).await;
    assert_eq!(runtime.accounting().resumed, 0);
    assert!(runtime.task(id).await.unwrap().unwrap().status.is_open());
    assert_eq!(runtime.wait(id).await.unwrap_err().class, FailureClass::Retryable);
    let other = runtime.store().list(playhouse_runtime::store::TaskFilter::default()).await.unwrap();
    let other = other.iter().find(|task| task.id != id).unwrap().id;
    assert!(runtime.cancel(other).await.unwrap(), "also one that nobody works on is taken back");
    assert!(!runtime.cancel(other).await.unwrap());
    runtime.shutdown_gracefully().await;
    drop(runtime);

    let runtime = start(true).await;
    assert_eq!(runtime.accounting().resumed, 1);
    assert!(runtime.cancel(id).await.unwrap());
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_budget_counts_what_an_earlier_process_paid() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let budget = Budget { model_calls_max: Some(2), ..Budget::default() };
    let options = TaskOptions { budget, ..TaskOptions::default() };
    let acts = vec![call("one"), Act::Wait, call("two"), call("three")];
    let id = runtime.submit::<Acting>(acts, options).await.unwrap().id();
    theatre.stage.waits.notified().await;
    runtime.shutdown(Duration::ZERO).await;
    drop(runtime);

    let runtime = theatre.open().await;
    theatre.stage.waits.notified().await;
    theatre.stage.go.notify_one();
    let failure = runtime.attach::<Acting>(id).await.unwrap().result().await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Denied);
    assert_eq!((theatre.stage.asked("two"), theatre.stage.asked("three")), (1, 0));
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn ten_times_interrupted_is_once_done() {
    let theatre = Theatre::new();
    let acts = vec![call("one"), Act::Wait, call("two")];
    let id = theatre
        .interrupt_after(|runtime| async move {
            runtime.submit::<Acting>(acts, TaskOptions::default()).await.unwrap().id()
        })
        .await;
    for _ in 0..10 {
        theatre
            .interrupt_after(|_| async {
                theatre.stage.waits.notified().await;
            })
            .await;
    }
    let runtime = theatre.open().await;
    theatre.stage.is_broken.store(false, Ordering::SeqCst);
    theatre.stage.go.notify_one();
    let task = runtime.attach::<Acting>(id).await.unwrap();
    assert_eq!(task.result().await.unwrap(), ["ONE", "went", "TWO"]);
    assert_eq!((theatre.stage.asked("one"), theatre.stage.asked("two")), (1, 1));
    assert_eq!(task.summary().attempts, 1, "an interruption is no attempt that failed");
    runtime.shutdown_gracefully().await;
}
