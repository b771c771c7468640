//! Plans: what they leave to their parts, and what a loss of their runner costs.

use std::sync::atomic::Ordering;
use std::time::Duration;

use playhouse_protocol::plan::Policy;
use playhouse_protocol::task::{Durability, TaskOptions, TaskStatus};
use playhouse_protocol::{Failure, FailureClass};

use super::stage::{Act, Player, Theatre, Told, until};
use crate::store::TaskFilter;
use crate::{PlanPart, Runtime};

/// Longer than any plan here takes; a plan that stands still ends in it.
const LIMIT: Duration = Duration::from_mins(10);

fn answers(outcomes: Vec<Result<Told, Failure>>) -> Vec<Vec<u32>> {
    outcomes.into_iter().map(|outcome| outcome.unwrap().0).collect()
}

fn part(acts: impl Into<Vec<Act>>) -> PlanPart {
    PlanPart::task::<Player>(&acts.into()).unwrap()
}

async fn parts_of(runtime: &Runtime, plan: playhouse_protocol::TaskId) -> Vec<TaskStatus> {
    let parts = TaskFilter { parent: Some(plan), ..TaskFilter::default() };
    let mut parts = runtime.tasks(parts).await.unwrap();
    parts.reverse();
    parts.into_iter().map(|part| part.status).collect()
}

#[tokio::test(start_paused = true)]
async fn the_time_limit_of_an_attempt_is_for_each_item_and_not_for_the_plan() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let options = TaskOptions { attempt_timeout_ms: Some(50), ..TaskOptions::default() };
    let items = (0..20).map(|n| vec![Act::Sleep(30), Act::Say(n)]).collect();
    let map = runtime.map::<Player>(items).width(1).options(options.clone());
    let outcomes = tokio::time::timeout(LIMIT, map.run()).await.unwrap().unwrap();
    assert_eq!(answers(outcomes), (0..20).map(|n| vec![n]).collect::<Vec<_>>());
    let slow = runtime.map::<Player>(vec![vec![Act::Sleep(80)]]).options(options).run().await.unwrap();
    assert_eq!(slow[0].as_ref().unwrap_err().message, "answer within 50 ms: the attempt was stopped");
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_takes_no_room_from_its_parts() {
    for tenant_only in [false, true] {
        let theatre = Theatre::default();
        let runtime = theatre
            .open_with(|config| {
                if tenant_only {
                    config.limits.tenant_tasks_open_max = Some(1);
                } else {
                    config.limits.tasks_open_max = 1;
                }
            })
            .await;
        let items = (0..5).map(|n| vec![Act::Sleep(10), Act::Say(n)]).collect();
        let outcomes = tokio::time::timeout(LIMIT, runtime.map::<Player>(items).width(3).run()).await;
        assert_eq!(answers(outcomes.unwrap().unwrap()).len(), 5);
        runtime.shutdown_gracefully().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_part_that_waits_for_room_is_no_refusal() {
    let theatre = Theatre::default();
    let runtime = theatre.open_with(|config| config.limits.tasks_open_max = 1).await;
    let items = (0..3).map(|n| vec![Act::Sleep(10_000), Act::Say(n)]).collect();
    assert_eq!(answers(runtime.map::<Player>(items).run().await.unwrap()).len(), 3);
    assert_eq!(runtime.accounting().refused, 0);
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn plans_are_bounded_among_themselves() {
    let theatre = Theatre::default();
    let runtime = theatre.open_with(|config| config.limits.tasks_open_max = 1).await;
    let plan = || PlanPart::sequence(vec![part(vec![Act::Wait])]);
    let first = runtime.submit_plan(plan(), TaskOptions::default()).await.unwrap();
    let refused = runtime.submit_plan(plan(), TaskOptions::default()).await.unwrap_err();
    assert_eq!(
        (refused.class, refused.message.as_str()),
        (FailureClass::Overloaded, "accept a plan: 1 plans are open already")
    );
    assert!(runtime.cancel(first.id()).await.unwrap());
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_restart_of_the_orchestrator_costs_a_plan_nothing_of_its_parts() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let mut items: Vec<_> = (0..40).map(|n| vec![Act::Sleep(1_000), Act::Say(n)]).collect();
    items.push(vec![Act::Wait, Act::Say(99)]);
    let plan = PlanPart::parallel(items.into_iter().map(part).collect(), 41, Policy::All);
    let handle = runtime.submit_plan(plan, TaskOptions::default()).await.unwrap();
    theatre.stage.waits.notified().await;
    for _ in 0..2 {
        runtime.engine().parts.orchestrator.get().unwrap().kill();
        until(|| runtime.engine().parts.orchestrator.get().is_none()).await;
        until(|| runtime.engine().parts.orchestrator.get().is_some()).await;
        until(|| runtime.engine().find(handle.id()).unwrap().attempts() > 1).await;
    }
    theatre.stage.go.notify_one();
    let result = tokio::time::timeout(LIMIT, handle.result()).await.unwrap().unwrap();
    assert_eq!(result.failure, None);
    assert_eq!(result.reply::<Player>(40).unwrap(), Told(vec![99]));
    for said in (0..40).chain([99]) {
        assert_eq!(theatre.stage.said(said), 1, "{said}");
    }
    assert_eq!(parts_of(&runtime, handle.id()).await, [TaskStatus::Completed; 41]);
    let books = runtime.accounting();
    assert!(books.adds_up() && books.cancelled == 0, "{books:?}");
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_plan_that_lost_its_runner_and_is_cancelled_takes_its_parts_back() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let plan = PlanPart::parallel(vec![part(vec![Act::Wait]), part(vec![Act::Wait])], 2, Policy::All);
    let handle = runtime.submit_plan(plan, TaskOptions::default()).await.unwrap();
    until(|| theatre.stage.live.load(Ordering::SeqCst) == 2).await;
    let orchestrator = runtime.engine().parts.orchestrator.get().unwrap();
    orchestrator.kill();
    until(|| runtime.engine().parts.orchestrator.get().is_none()).await;
    assert!(runtime.cancel(handle.id()).await.unwrap());
    until(|| runtime.accounting().open == 0).await;
    assert_eq!(parts_of(&runtime, handle.id()).await, [TaskStatus::Cancelled; 2]);
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_leaves_a_plan_open_whatever_its_parts_came_to() {
    for policy in [Policy::All, Policy::Collect] {
        let theatre = Theatre::default();
        let runtime = theatre.open_with(|config| config.limits.tasks_open_max = 1).await;
        let items = vec![vec![Act::Say(0), Act::Wait], vec![Act::Say(1)]];
        let plan = PlanPart::parallel(items.into_iter().map(part).collect(), 2, policy);
        let handle = runtime.submit_plan(plan, TaskOptions::default()).await.unwrap();
        theatre.stage.waits.notified().await;
        runtime.shutdown(Duration::ZERO).await;
        assert_eq!(handle.result().await.unwrap_err().class, FailureClass::Retryable);
        assert!(runtime.accounting().adds_up());

        let again = theatre.open().await;
        theatre.stage.waits.notified().await;
        theatre.stage.go.notify_one();
        let result = again.attach_plan(handle.id()).await.unwrap().result().await.unwrap();
        assert_eq!(result.reply::<Player>(0).unwrap(), Told(vec![0]));
        assert_eq!(result.reply::<Player>(1).unwrap(), Told(vec![1]));
        again.shutdown_gracefully().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_plan_whose_parts_can_no_longer_be_accepted_does_not_use_up_the_grace_of_a_shutdown() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let items = (0..4).map(|n| vec![Act::Sleep(1_000), Act::Say(n)]).collect::<Vec<_>>();
    let plan = PlanPart::parallel(items.into_iter().map(part).collect(), 1, Policy::All);
    let handle = runtime.submit_plan(plan, TaskOptions::default()).await.unwrap();
    until(|| theatre.stage.live.load(Ordering::SeqCst) == 1).await;
    let begun = tokio::time::Instant::now();
    let ended = runtime.shutdown(Duration::from_hours(1)).await;
    assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
    assert_eq!((ended.kept_len, theatre.stage.said(0)), (1, 1), "the part that ran was waited for");
    assert_eq!(parts_of(&runtime, handle.id()).await, [TaskStatus::Completed]);

    let again = theatre.open().await;
    let result = again.attach_plan(handle.id()).await.unwrap().result().await.unwrap();
    assert_eq!(result.failure, None);
    for said in 0..4 {
        assert_eq!(theatre.stage.said(said), 1, "{said}");
    }
    again.shutdown_gracefully().await;
}

fn in_memory() -> TaskOptions {
    TaskOptions { durability: Durability::None, ..TaskOptions::default() }
}

#[tokio::test(start_paused = true)]
async fn items_in_memory_wait_for_room_and_keep_their_policies() {
    let theatre = Theatre::default();
    let runtime = theatre.open_with(|config| config.limits.tasks_open_max = 2).await;
    let items = (0..10).map(|n| vec![Act::Sleep(10), Act::Say(n)]).collect();
    let map = runtime.map::<Player>(items).width(5).options(in_memory());
    let outcomes = tokio::time::timeout(LIMIT, map.run()).await.unwrap().unwrap();
    assert_eq!(answers(outcomes), (0..10).map(|n| vec![n]).collect::<Vec<_>>());
    assert_eq!(runtime.accounting().refused, 0);

    let no = || vec![Act::Fail(FailureClass::Denied)];
    let all = runtime.map::<Player>(vec![vec![Act::Wait], no()]).policy(Policy::All).options(in_memory());
    assert_eq!(all.run().await.unwrap_err().class, FailureClass::Denied);
    let first = runtime
        .map::<Player>(vec![vec![Act::Wait], vec![Act::Say(7)]])
        .policy(Policy::FirstN(1))
        .options(in_memory());
    let outcomes = first.run().await.unwrap();
    assert_eq!(outcomes[0].as_ref().unwrap_err().class, FailureClass::Cancelled);
    assert_eq!(outcomes[1], Ok(Told(vec![7])));
    until(|| runtime.accounting().open == 0).await;
    assert_eq!(runtime.store().counts().await.unwrap().total(), 0);
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn one_wrong_item_in_memory_is_refused_before_any_is_run() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let items = vec![vec![Act::Say(1)], Vec::new()];
    let refused = runtime.map::<Player>(items).options(in_memory()).run().await.unwrap_err();
    assert_eq!((refused.class, theatre.stage.said(1)), (FailureClass::InvalidInput, 0));
    let absurd = TaskOptions { timeout_ms: Some(0), ..in_memory() };
    let refused = runtime.map::<Player>(vec![vec![Act::Say(1)]]).options(absurd).run().await.unwrap_err();
    assert!(refused.message.contains("timeout_ms"), "{refused}");
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn dropping_a_map_in_memory_cancels_its_items() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let mut map =
        Box::pin(runtime.map::<Player>(vec![vec![Act::Wait], vec![Act::Wait]]).options(in_memory()).run());
    tokio::select! {
        _ = &mut map => panic!("it cannot end"),
        () = until(|| theatre.stage.live.load(Ordering::SeqCst) == 2) => {}
    }
    drop(map);
    until(|| theatre.stage.live.load(Ordering::SeqCst) == 0).await;
    until(|| runtime.accounting().open == 0).await;
    assert_eq!(runtime.accounting().cancelled, 2);
    runtime.shutdown_gracefully().await;
}
