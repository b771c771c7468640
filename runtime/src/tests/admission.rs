//! Who comes in and who comes first, from submit to the agent.

use std::time::Duration;

use playhouse_protocol::plan::Policy;
use playhouse_protocol::task::{Priority, TaskOptions};
use playhouse_protocol::{FailureClass, SeededSource, TaskId, TenantId};

use super::stage::{Act, Player, Theatre, Told};
use crate::{PlanPart, Runtime, TaskHandle};

fn of(tenant: &str, priority: Priority) -> TaskOptions {
    let tenant = TenantId::try_from(tenant.to_owned()).unwrap();
    TaskOptions { tenant, priority, ..TaskOptions::default() }
}

async fn submit(runtime: &Runtime, acts: Vec<Act>, options: TaskOptions) -> TaskHandle<Player> {
    runtime.submit::<Player>(acts, options).await.unwrap()
}

/// The order in which the tasks that wait behind a first one are run, one at a time.
async fn order_of(tasks: impl IntoIterator<Item = (u32, TaskOptions)>) -> Vec<u32> {
    let theatre = Theatre::default();
    let runtime = theatre.open_with(|config| config.limits.agents_live_max = 1).await;
    let first = submit(&runtime, vec![Act::Wait], TaskOptions::default()).await;
    theatre.stage.waits.notified().await;
    let mut handles = Vec::new();
    for (says, options) in tasks {
        handles.push(submit(&runtime, vec![Act::Say(says)], options).await);
    }
    // All of them are in the queue.
    tokio::time::sleep(Duration::from_secs(1)).await;
    theatre.stage.go.notify_one();
    first.result().await.unwrap();
    for handle in handles {
        handle.result().await.unwrap();
    }
    runtime.shutdown_gracefully().await;
    let order = theatre.stage.order.lock().unwrap();
    order.clone()
}

#[tokio::test(start_paused = true)]
async fn of_thirteen_places_eight_go_to_high_four_to_normal_and_one_to_low() {
    let all: Vec<_> = (0..).zip(Priority::ALL).map(|(says, priority)| (says, of("a", priority))).collect();
    let tasks = all.into_iter().cycle().take(39);
    let order = order_of(tasks).await;
    let served = |priority: u32| order[..13].iter().filter(|one| **one == priority).count();
    assert_eq!([served(0), served(1), served(2)], [8, 4, 1], "{order:?}");
    assert_eq!(order.len(), 39);
}

#[tokio::test(start_paused = true)]
async fn a_flood_of_one_tenant_delays_another_by_one_turn() {
    let mut tasks: Vec<_> = (0..20).map(|number| (number, of("a", Priority::Normal))).collect();
    tasks.extend((100..103).map(|number| (number, of("b", Priority::Normal))));
    let order = order_of(tasks).await;
    assert_eq!(order[..7], [0, 100, 1, 101, 2, 102, 3], "{order:?}");
    assert_eq!(order[7..], (4..20).collect::<Vec<_>>());
}

#[tokio::test(start_paused = true)]
async fn the_bound_of_a_tenant_is_its_own_and_reaches_its_plans() {
    let theatre = Theatre::default();
    let runtime = theatre.open_with(|config| config.limits.tenant_tasks_open_max = Some(2)).await;
    let normal = |tenant| of(tenant, Priority::Normal);
    let mut open = Vec::new();
    for tenant in ["a", "a", "b"] {
        open.push(submit(&runtime, vec![Act::Wait], normal(tenant)).await);
    }
    let refused = runtime.submit::<Player>(vec![Act::Say(1)], normal("a")).await.unwrap_err();
    assert_eq!(
        (refused.class, refused.message.as_str()),
        (FailureClass::Overloaded, "accept a task: 2 tasks of tenant a are open already")
    );
    assert!(
        refused.retry_after_ms.is_some() && refused.hint.unwrap().contains("limits.tenant_tasks_open_max")
    );
    assert_eq!(runtime.store().counts().await.unwrap().total(), 3, "nothing is written for it");
    submit(&runtime, vec![Act::Say(2)], normal("b")).await.result().await.unwrap();

    // Parts of a plan wait for the tenant's room.
    let parts = (10..15).map(|says| PlanPart::task::<Player>(&vec![Act::Say(says)]).unwrap()).collect();
    let plan = runtime.submit_plan(PlanPart::parallel(parts, 5, Policy::All), normal("a")).await.unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(theatre.stage.said(10), 0);
    assert!(runtime.cancel(open[0].id()).await.unwrap());
    assert_eq!(plan.result().await.unwrap().reply::<Player>(4).unwrap(), Told(vec![14]));
    for task in open {
        runtime.cancel(task.id()).await.unwrap();
    }
    runtime.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_waits_for_what_ends_within_its_grace() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let quick = submit(&runtime, vec![Act::Sleep(5_000), Act::Say(1)], TaskOptions::default()).await;
    let slow = submit(&runtime, vec![Act::Sleep(60_000), Act::Say(2)], TaskOptions::default()).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    let ended = runtime.shutdown(Duration::from_secs(10)).await;
    assert_eq!((ended.kept_len, ended.cancelled_len), (1, 0));
    assert_eq!(quick.result().await.unwrap(), Told(vec![1]));
    assert_eq!(slow.result().await.unwrap_err().class, FailureClass::Retryable);
    assert_eq!(theatre.stage.said(2), 0);
    let again = theatre.open().await;
    assert_eq!(again.attach::<Player>(slow.id()).await.unwrap().result().await.unwrap(), Told(vec![2]));
    again.shutdown_gracefully().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_unknown_is_named() {
    let theatre = Theatre::default();
    let runtime = theatre.open().await;
    let unknown = TaskId::new(1, &SeededSource::from_seed(99));
    for failure in [runtime.attach_plan(unknown).await.unwrap_err(), runtime.wait(unknown).await.unwrap_err()]
    {
        assert_eq!(failure.class, FailureClass::InvalidInput);
        assert!(failure.message.contains(&unknown.to_string()), "{failure}");
    }
    let ended = submit(&runtime, vec![Act::Say(1)], TaskOptions::default()).await;
    ended.result().await.unwrap();
    let no_plan = runtime.attach_plan(ended.id()).await.unwrap_err();
    assert!(no_plan.message.ends_with("it is a task of agent player"), "{no_plan}");
    let open = submit(&runtime, vec![Act::Wait], TaskOptions::default()).await;
    theatre.stage.waits.notified().await;
    runtime.shutdown(Duration::ZERO).await;

    // A program that does not know the agent.
    let other = theatre.open_without_player().await;
    let plan = PlanPart::task::<Player>(&vec![Act::Say(2)]).unwrap();
    let refused = other.submit_plan(plan, TaskOptions::default()).await.unwrap_err();
    assert_eq!(
        (refused.class, refused.message.as_str()),
        (FailureClass::InvalidInput, "run a plan: no agent of kind player")
    );
    let refused = other.attach::<Player>(ended.id()).await.unwrap_err();
    assert!(refused.message.ends_with("this program knows no agent of kind player"), "{refused}");
    let waited = other.wait(open.id()).await.unwrap_err();
    assert_eq!(waited.class, FailureClass::Retryable);
    assert!(waited.message.ends_with("this process does not work on it"), "{waited}");
    assert!(other.cancel(open.id()).await.unwrap(), "it can be taken back all the same");
    assert!(!other.cancel(open.id()).await.unwrap());
    other.shutdown_gracefully().await;
}
