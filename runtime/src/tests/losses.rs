//! What a part of the runtime that is lost costs the tasks.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use playhouse_protocol::FailureClass;
use playhouse_protocol::task::{TaskOptions, TaskStatus};
use ractor::{ActorCell, ActorStatus};
use tokio::time::Instant;

use super::stage::{Act, Player, Theatre, Told, UNWRITABLE, until};
use crate::Runtime;
use crate::store::TaskStore;

const LIMIT: Duration = Duration::from_secs(5);

async fn agents_supervisor(runtime: &Runtime) -> ActorCell {
    playhouse_supervisors::child(runtime.root(), "agents", LIMIT).await.unwrap().unwrap()
}

/// The actors of agents that live now.
async fn agents(runtime: &Runtime) -> Vec<ActorCell> {
    agents_supervisor(runtime).await.get_children().iter().flat_map(ActorCell::get_children).collect()
}

#[tokio::test(start_paused = true)]
async fn an_agent_whose_actor_is_killed_gives_its_request_back() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let acts = vec![Act::Step(1), Act::Wait, Act::Say(2)];
    let task = runtime.submit::<Player>(acts, TaskOptions::default()).await.unwrap();
    for _ in 0..2 {
        theatre.stage.waits.notified().await;
        // Twice the same way: that says nothing about the task.
        agents(&runtime).await.iter().for_each(ActorCell::kill);
    }
    theatre.stage.waits.notified().await;
    theatre.stage.go.notify_one();
    assert_eq!(task.result().await.unwrap(), Told(vec![1, 2]));
    assert_eq!((task.summary().attempts, theatre.stage.said(1)), (3, 1));
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn the_tree_tells_of_every_actor_how_much_waits_for_it() {
    fn check(node: &playhouse_supervisors::TreeNode) {
        let is_counted = node.mailbox_len.is_some();
        let is_static = matches!(node.kind, playhouse_supervisors::NodeKind::Supervisor { .. });
        assert!(is_counted || is_static, "{} has no depth", node.name);
        assert_eq!(node.mailbox_len.unwrap_or_default(), 0, "{}", node.name);
        node.children.iter().for_each(check);
    }
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    for said in 0..100 {
        assert_eq!(runtime.run::<Player>(vec![Act::Say(said)]).await.unwrap(), Told(vec![said]));
        assert!(runtime.metrics_text().await.is_ok());
    }
    // The last ends are seen a moment later.
    tokio::time::sleep(Duration::from_secs(1)).await;
    check(&runtime.tree().await.unwrap());
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_task_waits_for_agent_supervisors_that_are_being_restarted() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let lost = agents_supervisor(&runtime).await;
    lost.kill();
    until(|| lost.get_status() == ActorStatus::Stopped).await;
    let task = runtime.submit::<Player>(vec![Act::Say(1)], TaskOptions::default()).await.unwrap();
    assert_eq!(task.result().await.unwrap(), Told(vec![1]));
    assert_eq!(task.summary().attempts, 1);
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_journal_is_over_soon_and_costs_no_agent() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let submit = |acts| runtime.submit::<Player>(acts, TaskOptions::default());
    let mut tasks = Vec::new();
    for _ in 0..600 {
        tasks.push(submit(vec![Act::Wait]).await.unwrap());
    }
    until(|| theatre.stage.live.load(Ordering::SeqCst) == 600).await;
    theatre.shelf.panics_on_commit.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    let task = submit(vec![Act::Say(1)]).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    assert_eq!(task.result().await.unwrap(), Told(vec![1]));
    until(|| theatre.stage.live.load(Ordering::SeqCst) == 600).await;
    theatre.stage.go.notify_waiters();
    for task in tasks {
        assert_eq!(task.result().await.unwrap(), Told(Vec::new()));
        assert_eq!(task.summary().attempts, 1);
    }
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn everybody_is_told_when_the_supervision_tree_has_ended() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let submit = |acts| runtime.submit::<Player>(acts, TaskOptions::default());
    let task = submit(vec![Act::Wait]).await.unwrap();
    theatre.stage.waits.notified().await;
    assert_eq!(runtime.failure(), None);
    runtime.root().kill();
    until(|| runtime.failure().is_some()).await;
    assert_eq!(runtime.failure().unwrap().class, FailureClass::Internal);
    assert_eq!(task.result().await.unwrap_err().class, FailureClass::Retryable);
    let refused = submit(vec![Act::Say(1)]).await.unwrap_err();
    assert!(refused.message.contains("supervision tree"), "{refused}");
    assert!(runtime.cancel(task.id()).await.is_err());
    let books = runtime.accounting();
    assert!(books.adds_up() && books.kept == 1, "{books:?}");
    runtime.shutdown(Duration::from_secs(1)).await;

    let again = theatre.open().await;
    theatre.stage.waits.notified().await;
    theatre.stage.go.notify_one();
    assert_eq!(again.attach::<Player>(task.id()).await.unwrap().result().await.unwrap(), Told(Vec::new()));
    assert_eq!(again.failure(), None);
    again.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_start_that_is_dropped_half_way_leaves_nothing_running() {
    let mut turns = 0;
    loop {
        turns += 1;
        let theatre = Theatre::default();
        let store = Arc::downgrade(&theatre.shelf);
        let start = Runtime::builder().store(Arc::clone(&theatre.shelf) as Arc<dyn TaskStore>).start();
        drop(theatre);
        let mut start = Box::pin(start);
        let mut started = None;
        for _ in 0..turns {
            if let std::task::Poll::Ready(runtime) = futures::poll!(&mut start) {
                started = Some(runtime.unwrap());
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(start);
        let is_over = started.is_some();
        drop(started);
        tokio::time::timeout(LIMIT, until(|| store.strong_count() == 0)).await.unwrap();
        if is_over {
            break;
        }
    }
    assert!(turns > 1, "it was dropped half way at least once");
}

#[tokio::test(start_paused = true)]
async fn a_panic_outside_the_agents_actor_is_a_failure_inside() {
    let theatre = Theatre::default();
    let runtime = theatre.open_with(|config| config.limits.tasks_open_max = 1).await;
    let task = runtime.submit::<Player>(vec![Act::Say(UNWRITABLE)], TaskOptions::default()).await.unwrap();
    let failure = tokio::time::timeout(LIMIT, task.result()).await.unwrap().unwrap_err();
    assert_eq!(failure.class, FailureClass::Internal);
    assert!(failure.message.contains("this cannot be written"), "{failure}");
    assert_eq!(task.summary().status, TaskStatus::DeadLettered);
    // The slot was given back.
    let waits = runtime.submit::<Player>(vec![Act::Wait], TaskOptions::default()).await.unwrap();
    theatre.stage.waits.notified().await;
    runtime.shutdown(Duration::ZERO).await;

    theatre.shelf.panics_on_request.store(true, Ordering::SeqCst);
    let again = theatre.open().await;
    let failure = again.wait(waits.id()).await.unwrap().failure.unwrap();
    assert!(failure.message.contains("the page is torn"), "{failure}");
    assert!(again.accounting().adds_up());
    again.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_read_that_fails_for_now_costs_no_attempt() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let acts = vec![Act::Step(1), Act::Wait, Act::Say(2)];
    let task = runtime.submit::<Player>(acts, TaskOptions::default()).await.unwrap();
    theatre.stage.waits.notified().await;
    runtime.shutdown(Duration::ZERO).await;

    theatre.shelf.failing_reads.store(7, Ordering::SeqCst);
    let again = theatre.open().await;
    theatre.stage.waits.notified().await;
    theatre.stage.go.notify_one();
    let again_task = again.attach::<Player>(task.id()).await.unwrap();
    assert_eq!(again_task.result().await.unwrap(), Told(vec![1, 2]));
    assert_eq!((again_task.summary().attempts, theatre.stage.said(1)), (1, 1));
    again.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_read_that_goes_on_failing_ends_with_the_tasks_time() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let options = TaskOptions { timeout_ms: Some(10_000), ..TaskOptions::default() };
    let task = runtime.submit::<Player>(vec![Act::Wait], options).await.unwrap();
    theatre.stage.waits.notified().await;
    runtime.shutdown(Duration::ZERO).await;
    theatre.shelf.failing_reads.store(usize::MAX, Ordering::SeqCst);
    let again = theatre.open().await;
    let failure = again.wait(task.id()).await.unwrap().failure.unwrap();
    assert_eq!(failure.class, FailureClass::Deadline);
    again.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn an_overloaded_model_uses_up_no_attempts() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let options = TaskOptions { attempts_max: Some(2), ..TaskOptions::default() };
    let acts = vec![Act::FailOften(6, FailureClass::Overloaded), Act::Say(1)];
    let task = runtime.submit::<Player>(acts, options).await.unwrap();
    assert_eq!(task.result().await.unwrap(), Told(vec![1]));
    assert_eq!(task.summary().attempts, 7);
    let acts = vec![Act::Fail(FailureClass::Overloaded)];
    let options = TaskOptions { timeout_ms: Some(60_000), ..TaskOptions::default() };
    let begun = Instant::now();
    let task = runtime.submit::<Player>(acts, options).await.unwrap();
    assert_eq!(task.result().await.unwrap_err().class, FailureClass::Overloaded);
    assert_eq!(task.summary().status, TaskStatus::DeadLettered);
    assert!(begun.elapsed() > Duration::from_secs(20), "{:?}", begun.elapsed());
    runtime.shutdown_gracefully().await;
}
