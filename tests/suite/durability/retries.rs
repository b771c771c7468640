use std::sync::atomic::Ordering;

use playhouse_runtime::protocol::event::TaskEventKind;
use playhouse_runtime::protocol::task::{TaskOptions, TaskStatus};
use playhouse_runtime::protocol::{Budget, FailureClass};

use super::acting::{Act, Acting, Theatre, call};

#[tokio::test]
async fn a_panic_is_tried_again_from_the_last_recorded_step() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let acts = vec![call("one"), Act::Panic { once: true }, call("two")];
    let task = runtime.submit::<Acting>(acts, TaskOptions::default()).await.unwrap();
    assert_eq!(task.result().await.unwrap(), ["ONE", "stood", "TWO"]);
    assert_eq!((theatre.stage.asked("one"), theatre.stage.asked("two")), (1, 1));
    assert_eq!(task.summary().attempts, 2);
    let mut events = task.watch();
    let mut told = Vec::new();
    while let Some(event) = events.next().await {
        match event.kind {
            TaskEventKind::Started { attempt } => told.push(format!("attempt {attempt}")),
            TaskEventKind::AttemptFailed { failure, .. } => told.push(failure.message),
            TaskEventKind::StepReplayed { path, .. } => told.push(format!("step {path} taken")),
            _ => {}
        }
    }
    assert_eq!(told.len(), 4, "{told:?}");
    assert_eq!(
        (told[0].as_str(), told[2].as_str(), told[3].as_str()),
        ("attempt 1", "attempt 2", "step 1 taken")
    );
    assert!(told[1].contains("the stage collapsed") && told[1].contains("acting.rs:"), "{}", told[1]);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn the_same_failure_twice_is_a_dead_letter_with_its_history() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let acts = vec![call("one"), Act::Panic { once: false }];
    let options = TaskOptions { attempts_max: Some(50), ..TaskOptions::default() };
    let task = runtime.submit::<Acting>(acts, options).await.unwrap();
    let failure = task.result().await.unwrap_err();
    assert_eq!(failure.class, FailureClass::Retryable);

    let letter = runtime.dead_letter(task.id()).await.unwrap();
    assert_eq!((letter.task.status, letter.task.attempts), (TaskStatus::DeadLettered, 2));
    assert_eq!(letter.failed_attempts.len(), 1);
    assert_eq!(letter.failed_attempts[0].failure, failure);
    assert_eq!(letter.steps.len(), 1, "the answered step is kept for a replay");
    assert_eq!(theatre.stage.asked("one"), 1);
    let text = runtime.metrics_text().await.unwrap();
    assert!(text.contains("playhouse_tasks_ended_total{status=\"dead_lettered\"} 1"), "{text}");
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn failures_that_differ_are_tried_as_often_as_allowed() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let options = TaskOptions { attempts_max: Some(4), ..TaskOptions::default() };
    let task = runtime.submit::<Acting>(vec![Act::FailAnew], options).await.unwrap();
    assert_eq!(task.result().await.unwrap_err().message, "fail for the 3th time");
    let letter = runtime.dead_letter(task.id()).await.unwrap();
    let history: Vec<_> = letter.failed_attempts.iter().map(|one| one.failure.message.as_str()).collect();
    assert_eq!(history, ["fail for the 0th time", "fail for the 1th time", "fail for the 2th time"]);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_wrong_request_and_a_denial_are_not_tried_again() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    for class in [FailureClass::InvalidInput, FailureClass::Denied] {
        let acts = vec![Act::Fail(class, "no".to_owned())];
        let task = runtime.submit::<Acting>(acts, TaskOptions::default()).await.unwrap();
        assert_eq!(task.result().await.unwrap_err().class, class);
        let ended = runtime.task(task.id()).await.unwrap().unwrap();
        assert_eq!((ended.status, ended.attempts), (TaskStatus::Failed, 1));
        let no_letter = runtime.replay(task.id()).await.unwrap_err();
        assert!(no_letter.message.ends_with("the task is failed"), "{no_letter}");
    }
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_dead_letter_is_replayed_from_its_last_answered_step_also_by_another_process() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    theatre.stage.is_broken.store(false, Ordering::SeqCst);
    let acts = vec![call("one"), Act::Draw, call("two")];
    let task = runtime.submit::<Acting>(acts, TaskOptions::default()).await.unwrap();
    assert_eq!(task.result().await.unwrap(), ["ONE", "0", "TWO"]);

    theatre.stage.is_broken.store(true, Ordering::SeqCst);
    let acts = vec![Act::Draw, call("three")];
    let task = runtime.submit::<Acting>(acts, TaskOptions::default()).await.unwrap();
    let id = task.id();
    assert!(task.result().await.is_err());
    assert_eq!(theatre.stage.asked("three"), 2, "two attempts that failed alike");
    runtime.shutdown_gracefully().await;
    drop((task, runtime));

    let runtime = theatre.open().await;
    assert_eq!(runtime.accounting().resumed, 0, "a dead letter is not open");
    theatre.stage.is_broken.store(false, Ordering::SeqCst);
    runtime.replay(id).await.unwrap();
    let task = runtime.attach::<Acting>(id).await.unwrap();
    assert_eq!(task.result().await.unwrap(), ["1", "THREE"], "the number that was drawn is kept");
    let ended = runtime.task(id).await.unwrap().unwrap();
    assert_eq!((ended.status, ended.attempts), (TaskStatus::Completed, 3));
    let books = runtime.accounting();
    assert_eq!((books.reopened, books.completed), (1, 1));
    assert!(books.adds_up());
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn what_was_done_behind_a_failure_is_not_done_again_by_a_replay() {
    let theatre = Theatre::new();
    theatre.stage.is_broken.store(true, Ordering::SeqCst);
    let runtime = theatre.open().await;
    let inner = vec![Act::TryCall("two".to_owned()), Act::Draw, call("three")];
    let acts = vec![Act::TryCall("one".to_owned()), Act::Draw, Act::Ask(inner)];
    let task = runtime.submit::<Acting>(acts, TaskOptions::default()).await.unwrap();
    assert!(task.result().await.is_err());
    theatre.stage.is_broken.store(false, Ordering::SeqCst);
    runtime.replay(task.id()).await.unwrap();
    let told = runtime.attach::<Acting>(task.id()).await.unwrap().result().await.unwrap();
    assert!(told[0].starts_with("failed to "), "what followed may rest on it: {told:?}");
    assert_eq!(told[1], "0", "the number was drawn a second time");
    assert!(told[2].starts_with("failed to ") && told[2].ends_with("+1+THREE"), "{told:?}");
    assert_eq!((theatre.stage.asked("one"), theatre.stage.asked("two")), (1, 1));
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_failed_step_that_the_agent_went_on_behind_stays_in_its_history() {
    let theatre = Theatre::new();
    theatre.stage.is_broken.store(true, Ordering::SeqCst);
    let runtime = theatre.open().await;
    let acts = vec![Act::TryCall("one".to_owned()), Act::Draw, Act::Wait, Act::Panic { once: true }];
    let task = runtime.submit::<Acting>(acts, TaskOptions::default()).await.unwrap();
    theatre.stage.waits.notified().await;
    theatre.stage.is_broken.store(false, Ordering::SeqCst);
    theatre.stage.go.notify_one();
    theatre.stage.waits.notified().await;
    theatre.stage.go.notify_one();
    let told = task.result().await.unwrap();
    assert!(told[0].starts_with("failed to "), "the second attempt was told what the first was: {told:?}");
    assert_eq!((told[1].as_str(), theatre.stage.asked("one")), ("0", 1));
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_discarded_dead_letter_is_gone_and_an_open_task_cannot_be_discarded() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let task =
        runtime.submit::<Acting>(vec![Act::Panic { once: false }], TaskOptions::default()).await.unwrap();
    assert!(task.result().await.is_err());
    runtime.discard(task.id()).await.unwrap();
    assert_eq!(runtime.task(task.id()).await.unwrap(), None);
    assert_eq!(runtime.discard(task.id()).await.unwrap_err().class, FailureClass::InvalidInput);

    let task = runtime.submit::<Acting>(vec![Act::Wait], TaskOptions::default()).await.unwrap();
    let refused = runtime.discard(task.id()).await.unwrap_err();
    assert!(refused.message.contains("it is queued"), "{refused}");
    assert!(runtime.cancel(task.id()).await.unwrap());
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn an_agent_that_hangs_past_its_time_gives_its_request_back() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let options = TaskOptions { attempt_timeout_ms: Some(50), ..TaskOptions::default() };
    // The first attempt hangs, the second one is let go.
    let task = runtime.submit::<Acting>(vec![call("one"), Act::Wait], options.clone()).await.unwrap();
    theatre.stage.waits.notified().await;
    theatre.stage.waits.notified().await;
    theatre.stage.go.notify_one();
    assert_eq!(task.result().await.unwrap(), ["ONE", "went"]);
    assert_eq!((task.summary().attempts, theatre.stage.asked("one")), (2, 1));

    let task = runtime.submit::<Acting>(vec![Act::Wait], options).await.unwrap();
    let failure = task.result().await.unwrap_err();
    assert_eq!(failure.message, "answer within 50 ms: the attempt was stopped");
    let letter = runtime.dead_letter(task.id()).await.unwrap();
    assert_eq!((letter.task.attempts, letter.failed_attempts.len()), (2, 1));
    let wrong = TaskOptions { attempt_timeout_ms: Some(0), ..TaskOptions::default() };
    let refused = runtime.submit::<Acting>(vec![Act::Wait], wrong).await.unwrap_err();
    assert!(refused.message.contains("attempt_timeout_ms"), "{refused}");
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn what_a_failed_question_used_is_counted_in_every_attempt() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let asked =
        vec![call("one"), Act::Ask(vec![call("two")]), Act::Fail(FailureClass::Denied, "no".to_owned())];
    let acts = vec![Act::TryAsk(asked), Act::Draw, Act::Panic { once: true }, call("three")];
    let budget = Budget { model_calls_max: Some(3), ..Budget::default() };
    let options = TaskOptions { budget, ..TaskOptions::default() };
    let task = runtime.submit::<Acting>(acts, options.clone()).await.unwrap();
    assert_eq!(task.result().await.unwrap(), ["failed to no", "0", "stood", "THREE"]);
    assert_eq!((task.summary().attempts, task.usage().model_calls), (2, 3));
    for question in ["one", "two", "three"] {
        assert_eq!(theatre.stage.asked(question), 1, "{question}");
    }
    runtime.shutdown_gracefully().await;
}
