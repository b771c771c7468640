use playhouse_runtime::protocol::task::{TaskOptions, TaskStatus};
use playhouse_runtime::protocol::{FailureClass, SeededSource, TaskId};
use playhouse_runtime::store::TaskFilter;

use super::acting::{Act, Acting, Theatre, call};

#[tokio::test]
async fn what_came_in_is_what_ended_and_what_is_open_here_in_the_metrics_and_in_the_journal() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let options = TaskOptions::default;
    let submit = |acts| runtime.submit::<Acting>(acts, options());
    let completed = submit(vec![call("one")]).await.unwrap();
    let failed = submit(vec![Act::Fail(FailureClass::Denied, "no".to_owned())]).await.unwrap();
    let dead = submit(vec![Act::Panic { once: false }]).await.unwrap();
    let cancelled = submit(vec![Act::Wait]).await.unwrap();
    let open = submit(vec![Act::Wait]).await.unwrap();
    for task in [&completed, &failed, &dead] {
        let _ = task.result().await;
    }
    assert!(runtime.cancel(cancelled.id()).await.unwrap());
    assert!(submit(Vec::new()).await.is_err());

    let books = runtime.accounting();
    assert_eq!((books.accepted, books.completed, books.failed), (5, 1, 1));
    assert_eq!((books.cancelled, books.dead_lettered, books.open, books.refused), (1, 1, 1, 1));
    assert!(books.adds_up());
    let stored = runtime.store().counts().await.unwrap();
    assert_eq!((stored.completed, stored.failed, stored.cancelled), (1, 1, 1));
    assert_eq!((stored.dead_lettered, stored.open, stored.total()), (1, 1, 5));
    let text = runtime.metrics_text().await.unwrap();
    for line in [
        "playhouse_tasks_accepted_total 5",
        "playhouse_tasks_ended_total{status=\"completed\"} 1",
        "playhouse_tasks_ended_total{status=\"failed\"} 1",
        "playhouse_tasks_ended_total{status=\"cancelled\"} 1",
        "playhouse_tasks_ended_total{status=\"dead_lettered\"} 1",
        "playhouse_tasks_open 1",
        "playhouse_tasks_refused_total{class=\"invalid_input\"} 1",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
    let dead_letters = TaskFilter { statuses: vec![TaskStatus::DeadLettered], ..TaskFilter::default() };
    let listed = runtime.tasks(dead_letters).await.unwrap();
    assert_eq!(listed.iter().map(|task| task.id).collect::<Vec<_>>(), [dead.id()]);
    assert!(runtime.cancel(open.id()).await.unwrap());
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn an_unknown_task_is_named() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let id = TaskId::new(1, &SeededSource::from_seed(99));
    let failures = [
        runtime.cancel(id).await.unwrap_err(),
        runtime.attach::<Acting>(id).await.unwrap_err(),
        runtime.dead_letter(id).await.unwrap_err(),
        runtime.replay(id).await.unwrap_err(),
        runtime.discard(id).await.unwrap_err(),
    ];
    for failure in failures {
        assert_eq!(failure.class, FailureClass::InvalidInput);
        assert!(failure.message.contains(&id.to_string()), "{failure}");
    }
    assert_eq!(runtime.task(id).await.unwrap(), None);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn nothing_is_written_down_for_what_is_refused() {
    let theatre = Theatre::new();
    let runtime = theatre.open_with(|config| config.limits.tasks_open_max = 1).await;
    let wrong = [
        TaskOptions { timeout_ms: Some(0), ..TaskOptions::default() },
        TaskOptions { timeout_ms: Some(u64::MAX), ..TaskOptions::default() },
        TaskOptions { attempts_max: Some(0), ..TaskOptions::default() },
        TaskOptions { attempts_max: Some(101), ..TaskOptions::default() },
    ];
    for (options, field) in
        wrong.into_iter().zip(["timeout_ms", "timeout_ms", "attempts_max", "attempts_max"])
    {
        let refused = runtime.submit::<Acting>(vec![call("one")], options).await.unwrap_err();
        assert!(refused.message.contains(field), "{refused}");
    }
    let huge = vec![call(&"x".repeat(17 * 1024 * 1024))];
    let refused = runtime.submit::<Acting>(huge, TaskOptions::default()).await.unwrap_err();
    assert_eq!(refused.class, FailureClass::InvalidInput);
    assert!(refused.message.starts_with("accept a task: the request of agent acting takes 178"), "{refused}");
    assert!(refused.hint.unwrap().contains("At most 16777216 bytes"));
    let open = runtime.submit::<Acting>(vec![Act::Wait], TaskOptions::default()).await.unwrap();
    let full = runtime.submit::<Acting>(vec![call("one")], TaskOptions::default()).await.unwrap_err();
    assert_eq!(full.class, FailureClass::Overloaded);
    assert!(full.retry_after_ms.is_some());
    assert_eq!(runtime.store().counts().await.unwrap().total(), 1);
    assert!(runtime.cancel(open.id()).await.unwrap());
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_runtime_without_a_file_keeps_no_long_history_in_memory() {
    use crate::agents::{Act, Obedient, with_runtime};
    with_runtime(
        |_| {},
        |runtime, _| async move {
            for number in 0..2_500 {
                assert_eq!(runtime.run::<Obedient>(Act::Answer(number)).await.unwrap(), number);
            }
            // The last removal may still be under way.
            while runtime.store().counts().await.unwrap().completed > 1_500 {
                tokio::task::yield_now().await;
            }
            assert_eq!(runtime.accounting().completed, 2_500);
        },
    )
    .await;
}
