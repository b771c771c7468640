use std::time::Duration;

use playhouse_runtime::Runtime;
use playhouse_runtime::protocol::TaskId;
use playhouse_runtime::protocol::task::TaskOptions;

use super::acting::{Act, Acting, Theatre, call};

async fn ended(runtime: &Runtime, acts: Vec<Act>) -> TaskId {
    let task = runtime.submit::<Acting>(acts, TaskOptions::default()).await.unwrap();
    let _ = task.result().await;
    task.id()
}

/// Waits until the journal has so many tasks; a removal comes each minute.
async fn until_left(runtime: &Runtime, tasks: u64) {
    while runtime.store().counts().await.unwrap().total() != tasks {
        tokio::time::sleep(Duration::from_secs(10)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_latest_of_the_ended_tasks_are_kept_and_every_dead_letter() {
    let theatre = Theatre::new();
    let runtime = theatre.open_with(|config| config.journal.ended_max = Some(2)).await;
    let dead = ended(&runtime, vec![Act::Panic { once: false }]).await;
    let mut completed = Vec::new();
    for _ in 0..5 {
        tokio::time::sleep(Duration::from_millis(5)).await;
        completed.push(ended(&runtime, vec![call("one")]).await);
    }
    until_left(&runtime, 3).await;
    assert!(runtime.dead_letter(dead).await.is_ok());
    for (number, id) in completed.into_iter().enumerate() {
        assert_eq!(runtime.task(id).await.unwrap().is_some(), number >= 3, "task {number}");
    }
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn ended_tasks_go_when_their_time_is_over_and_open_ones_do_not() {
    let theatre = Theatre::new();
    let age = Duration::from_mins(10);
    let runtime = theatre.open_with(|config| config.journal.ended_age_max = Some(age)).await;
    let options = TaskOptions { timeout_ms: Some(86_000_000), ..TaskOptions::default() };
    let open = runtime.submit::<Acting>(vec![Act::Wait], options).await.unwrap();
    let old = ended(&runtime, vec![call("one")]).await;
    tokio::time::sleep(Duration::from_mins(7)).await;
    let young = ended(&runtime, vec![call("two")]).await;
    assert!(runtime.task(old).await.unwrap().is_some());
    until_left(&runtime, 2).await;
    assert!(runtime.task(old).await.unwrap().is_none());
    assert!(runtime.task(young).await.unwrap().is_some());
    until_left(&runtime, 1).await;
    assert!(runtime.task(open.id()).await.unwrap().unwrap().status.is_open());
    assert!(runtime.cancel(open.id()).await.unwrap());
    runtime.shutdown_gracefully().await;
}
