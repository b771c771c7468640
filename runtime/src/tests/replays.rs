//! Dead letters that are opened again.

use std::sync::atomic::Ordering;
use std::time::Duration;

use playhouse_protocol::plan::Policy;
use playhouse_protocol::task::{TaskOptions, TaskStatus};
use playhouse_protocol::{FailureClass, TaskId};

use super::stage::{Act, Player, Theatre, Told, until};
use crate::store::TaskFilter;
use crate::{PlanPart, Runtime};

async fn dead_letter(runtime: &Runtime, acts: Vec<Act>, options: TaskOptions) -> TaskId {
    let task = runtime.submit::<Player>(acts, options).await.unwrap();
    assert!(task.result().await.is_err());
    assert_eq!(task.summary().status, TaskStatus::DeadLettered);
    task.id()
}

fn attempts(attempts_max: u32) -> TaskOptions {
    TaskOptions { attempts_max: Some(attempts_max), ..TaskOptions::default() }
}

async fn status(runtime: &Runtime, id: TaskId) -> TaskStatus {
    runtime.store().task(id).await.unwrap().unwrap().status
}

#[tokio::test(start_paused = true)]
async fn cancelling_a_task_while_it_is_being_opened_again_ends_it_everywhere() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let acts = vec![Act::FailOften(1, FailureClass::Retryable), Act::Sleep(1_000), Act::Say(1)];
    let id = dead_letter(&runtime, acts, attempts(1)).await;
    theatre.shelf.holds_reopening.store(true, Ordering::SeqCst);
    let replayed = runtime.replay(id);
    let cancelled = async {
        theatre.shelf.held.notified().await;
        let mut cancel = Box::pin(runtime.cancel(id));
        assert!(futures::poll!(&mut cancel).is_pending());
        theatre.shelf.go.notify_one();
        cancel.await.unwrap()
    };
    let (replayed, cancelled) = tokio::join!(replayed, cancelled);
    replayed.unwrap();
    assert!(cancelled);
    assert_eq!(status(&runtime, id).await, TaskStatus::Cancelled);
    tokio::time::sleep(Duration::from_secs(10)).await;
    assert_eq!(theatre.stage.said(1), 0, "nobody works on it");
    let books = runtime.accounting();
    assert!(books.adds_up() && (books.reopened, books.cancelled) == (1, 1), "{books:?}");
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_is_opened_again_also_when_nobody_waits_for_that() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let acts = vec![Act::FailOften(1, FailureClass::Retryable), Act::Say(1)];
    let id = dead_letter(&runtime, acts, attempts(1)).await;
    theatre.shelf.holds_reopening.store(true, Ordering::SeqCst);
    let mut replayed = Box::pin(runtime.replay(id));
    tokio::select! {
        _ = &mut replayed => panic!("it is held"),
        () = theatre.shelf.held.notified() => {}
    }
    drop(replayed);
    theatre.shelf.go.notify_one();
    until(|| theatre.stage.said(1) == 1).await;
    until(|| runtime.accounting().open == 0).await;
    assert_eq!(status(&runtime, id).await, TaskStatus::Completed);
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn two_who_open_a_task_again_at_once_open_it_once() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let acts = vec![Act::FailOften(1, FailureClass::Retryable), Act::Say(1)];
    let id = dead_letter(&runtime, acts, attempts(1)).await;
    let (one, two) = tokio::join!(runtime.replay(id), runtime.replay(id));
    assert_eq!([one.is_ok(), two.is_ok()].iter().filter(|ok| **ok).count(), 1);
    until(|| runtime.accounting().open == 0).await;
    assert_eq!((theatre.stage.said(1), runtime.accounting().reopened), (1, 1));
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_that_is_opened_again_takes_a_slot_as_any_other() {
    let theatre = Theatre::default();
    let runtime = theatre.open_with(|config| config.limits.tasks_open_max = 1).await;
    let id = dead_letter(&runtime, vec![Act::Fail(FailureClass::Internal)], attempts(1)).await;
    let open = runtime.submit::<Player>(vec![Act::Wait], TaskOptions::default()).await.unwrap();
    let refused = runtime.replay(id).await.unwrap_err();
    assert_eq!(refused.class, FailureClass::Overloaded);
    assert!(refused.retry_after_ms.is_some());
    assert_eq!(status(&runtime, id).await, TaskStatus::DeadLettered);
    assert!(runtime.cancel(open.id()).await.unwrap());
    runtime.replay(id).await.unwrap();
    until(|| runtime.accounting().open == 0).await;
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn each_replay_gets_the_time_and_the_attempts_that_the_task_had_at_first() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let options = TaskOptions { timeout_ms: Some(60_000), ..attempts(2) };
    let id = dead_letter(&runtime, vec![Act::Sleep(10), Act::FailAnew], options).await;
    for replays in 1..=3 {
        tokio::time::sleep(Duration::from_hours(1)).await;
        let begun = runtime.engine().parts.clock.unix_ms();
        runtime.replay(id).await.unwrap();
        let open = runtime.store().task(id).await.unwrap().unwrap();
        let time = open.deadline_unix_ms - begun;
        assert!((60_000..61_000).contains(&time), "replay {replays}: {time} ms");
        until(|| runtime.accounting().open == 0).await;
        let ended = runtime.store().task(id).await.unwrap().unwrap();
        assert_eq!((ended.status, ended.attempts), (TaskStatus::DeadLettered, 2 + 2 * replays));
    }
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_is_opened_again_does_what_failed_again_and_nothing_else() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let part = |acts: Vec<Act>| PlanPart::task::<Player>(&acts).unwrap();
    let plan = PlanPart::parallel(
        vec![
            part(vec![Act::Say(1)]),
            part(vec![Act::Step(2), Act::FailOften(3, FailureClass::Denied), Act::Say(3)]),
            part(vec![Act::Step(4), Act::FailOften(3, FailureClass::Retryable), Act::Say(5)]),
            part(vec![Act::FailOften(3, FailureClass::Internal), Act::Wait, Act::Say(6)]),
            part(vec![Act::Wait, Act::Say(7)]),
        ],
        5,
        Policy::Collect,
    );
    let handle = runtime.submit_plan(plan, attempts(1)).await.unwrap();
    let id = handle.id();
    until(|| runtime.accounting().failed == 1 && runtime.accounting().dead_lettered == 2).await;
    theatre.stage.waits.notified().await;
    // The only attempt of the plan loses its runner.
    runtime.engine().parts.orchestrator.get().unwrap().kill();
    assert!(handle.result().await.is_err());
    assert_eq!(status(&runtime, id).await, TaskStatus::DeadLettered);
    until(|| runtime.accounting().open == 0).await;
    assert_eq!(theatre.stage.said(1), 1);

    runtime.replay(id).await.unwrap();
    for _ in 0..2 {
        theatre.stage.waits.notified().await;
        theatre.stage.go.notify_one();
    }
    let result = runtime.attach_plan(id).await.unwrap().result().await.unwrap();
    let told: Vec<_> = (0..5).map(|at| result.reply::<Player>(at).unwrap()).collect();
    assert_eq!(told, [vec![1], vec![2, 3], vec![4, 5], vec![6], vec![7]].map(Told));
    assert_eq!(
        (theatre.stage.said(1), theatre.stage.said(4)),
        (1, 1),
        "what is written down is not done again"
    );
    let parts = TaskFilter { parent: Some(id), ..TaskFilter::default() };
    let parts = runtime.tasks(parts).await.unwrap();
    assert!(parts.iter().all(|part| part.status == TaskStatus::Completed), "{parts:?}");
    assert!(runtime.accounting().adds_up());
    runtime.shutdown_gracefully().await;
}
