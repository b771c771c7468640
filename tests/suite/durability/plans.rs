use std::time::Duration;

use playhouse_runtime::PlanPart;
use playhouse_runtime::protocol::plan::Policy;
use playhouse_runtime::protocol::task::{TaskOptions, TaskStatus};
use playhouse_runtime::protocol::{Failure, FailureClass, IdempotencyKey};
use playhouse_runtime::store::TaskFilter;

use super::acting::{Act, Acting, Theatre, call};

fn no() -> Vec<Act> {
    vec![Act::Fail(FailureClass::Denied, "no".to_owned())]
}

fn classes(outcomes: &[Result<Vec<String>, Failure>]) -> Vec<Option<FailureClass>> {
    outcomes.iter().map(|outcome| outcome.as_ref().err().map(|failure| failure.class)).collect()
}

#[tokio::test]
async fn items_of_a_map_are_tasks_of_a_plan_with_their_outcomes_in_input_order() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let seen = std::sync::Arc::new(std::sync::Mutex::new(Vec::new()));
    let observed = std::sync::Arc::clone(&seen);
    let outcomes = runtime
        .map::<Acting>(vec![vec![call("one")], no(), vec![call("two")]])
        .width(1)
        .observe(move |index, outcome| observed.lock().unwrap().push((index, outcome.is_ok())))
        .run()
        .await
        .unwrap();
    assert_eq!(classes(&outcomes), [None, Some(FailureClass::Denied), None]);
    assert_eq!(outcomes[2].as_deref().unwrap(), ["TWO"]);
    assert_eq!(*seen.lock().unwrap(), [(0, true), (1, false), (2, true)]);
    let books = runtime.accounting();
    assert_eq!((books.accepted, books.completed, books.failed), (4, 3, 1));
    let plans = TaskFilter { kind: Some("plan".to_owned()), ..TaskFilter::default() };
    let plan = runtime.tasks(plans).await.unwrap().remove(0);
    let parts = TaskFilter { parent: Some(plan.id), ..TaskFilter::default() };
    assert_eq!(runtime.tasks(parts).await.unwrap().len(), 3);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_policy_that_does_not_hold_fails_the_map_and_one_that_holds_cuts_the_rest_off() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let all = runtime.map::<Acting>(vec![vec![Act::Wait], no()]).policy(Policy::All).run().await;
    assert_eq!(all.unwrap_err().message, "no");
    let first = runtime.map::<Acting>(vec![vec![Act::Wait], vec![call("one")]]).policy(Policy::FirstN(1));
    let outcomes = first.run().await.unwrap();
    assert_eq!(classes(&outcomes), [Some(FailureClass::Cancelled), None]);
    let quorum =
        runtime.map::<Acting>(vec![vec![call("two")], no(), no()]).policy(Policy::Quorum(2)).run().await;
    assert_eq!(quorum.unwrap_err().message, "get 2 answers of 3: 2 failed, first: no");
    // What was cut off is taken back.
    while runtime.accounting().open > 0 {
        tokio::task::yield_now().await;
    }
    let books = runtime.accounting();
    assert!(books.adds_up());
    assert!((2..=3).contains(&books.cancelled), "the slow ones, and the quorum's own answer if it was late");
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn a_plan_goes_on_in_another_process_and_no_part_is_done_twice() {
    let theatre = Theatre::new();
    let branch = |name: &str, wait: bool| {
        let mut acts = vec![call(name)];
        acts.extend(wait.then_some(Act::Wait));
        PlanPart::sequence(vec![
            PlanPart::task::<Acting>(&vec![call(&format!("{name} first"))]).unwrap(),
            PlanPart::task::<Acting>(&acts).unwrap(),
        ])
    };
    let plan = PlanPart::parallel(vec![branch("slow", true), branch("fast", false)], 2, Policy::All);
    let idempotency_key = Some(IdempotencyKey::try_from("plan-1".to_owned()).unwrap());
    let options = TaskOptions { idempotency_key, ..TaskOptions::default() };

    let runtime = theatre.open().await;
    let handle = runtime.submit_plan(plan.clone(), options.clone()).await.unwrap();
    let id = handle.id();
    theatre.stage.waits.notified().await;
    while theatre.stage.asked("fast") == 0 {
        tokio::task::yield_now().await;
    }
    let ended = runtime.shutdown(Duration::ZERO).await;
    assert!(ended.kept_len >= 2, "{ended:?}");
    assert_eq!(handle.result().await.unwrap_err().class, FailureClass::Retryable);
    drop((handle, runtime));

    let runtime = theatre.open().await;
    let again = runtime.submit_plan(plan, options).await.unwrap();
    assert_eq!(again.id(), id);
    theatre.stage.waits.notified().await;
    theatre.stage.go.notify_one();
    let result = runtime.attach_plan(id).await.unwrap().result().await.unwrap();
    assert_eq!(result.failure, None);
    let replies: Vec<_> = (0..4).map(|at| result.reply::<Acting>(at).unwrap().join(" ")).collect();
    assert_eq!(replies, ["SLOW FIRST", "SLOW went", "FAST FIRST", "FAST"]);
    for question in ["slow first", "slow", "fast first", "fast"] {
        assert_eq!(theatre.stage.asked(question), 1, "{question}");
    }
    assert!(runtime.accounting().adds_up());
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn cancelling_a_plan_cancels_its_parts() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let part = || PlanPart::task::<Acting>(&vec![Act::Wait]).unwrap();
    let plan = PlanPart::parallel(vec![part(), part()], 1, Policy::Collect);
    let handle = runtime.submit_plan(plan, TaskOptions::default()).await.unwrap();
    theatre.stage.waits.notified().await;
    assert!(runtime.cancel(handle.id()).await.unwrap());
    assert_eq!(handle.result().await.unwrap_err().class, FailureClass::Cancelled);
    while runtime.accounting().open > 0 {
        tokio::task::yield_now().await;
    }
    let parts = TaskFilter { parent: Some(handle.id()), ..TaskFilter::default() };
    let parts = runtime.tasks(parts).await.unwrap();
    assert_eq!(parts.iter().map(|part| part.status).collect::<Vec<_>>(), [TaskStatus::Cancelled]);
    runtime.shutdown_gracefully().await;
}

#[tokio::test]
async fn wrong_plans_are_refused_and_not_written_down() {
    let theatre = Theatre::new();
    let runtime = theatre.open().await;
    let part = || PlanPart::task::<Acting>(&vec![call("one")]).unwrap();
    for (plan, text) in [
        (PlanPart::sequence(Vec::new()), "plan has no items"),
        (PlanPart::parallel(vec![part()], 0, Policy::All), "plan.width is 0"),
        (PlanPart::parallel(vec![part()], 1, Policy::Quorum(2)), "plan.policy asks for 2 answers of 1"),
        (PlanPart::on_reply::<Acting>(), "task 0 takes the reply"),
        (
            PlanPart::parallel(vec![part(), PlanPart::on_reply::<Acting>()], 2, Policy::All),
            "task 1 takes the reply",
        ),
        (
            PlanPart::sequence(vec![
                PlanPart::parallel(vec![part(), part()], 2, Policy::All),
                PlanPart::on_reply::<Acting>(),
            ]),
            "task 2 takes the reply",
        ),
    ] {
        let refused = runtime.submit_plan(plan, TaskOptions::default()).await.unwrap_err();
        assert_eq!(refused.class, FailureClass::InvalidInput);
        assert!(refused.message.contains(text), "{refused}");
    }
    assert_eq!(runtime.store().counts().await.unwrap().total(), 0);

    let result =
        runtime.submit_plan(PlanPart::parallel(vec![part()], 1, Policy::All), TaskOptions::default());
    let result = result.await.unwrap().result().await.unwrap();
    assert_eq!(result.reply::<Acting>(0).unwrap(), ["ONE"]);
    assert_eq!(result.reply::<Acting>(1).unwrap_err().class, FailureClass::InvalidInput);
    runtime.shutdown_gracefully().await;
}
