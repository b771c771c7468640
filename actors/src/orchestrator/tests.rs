use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use playhouse_protocol::FailureClass;
use ractor::Actor;
use tokio::sync::oneshot;

use super::{ItemOutcome, OrchestratorActor, OrchestratorMessage, Plan, PlanId};

fn answers(outcomes: Vec<ItemOutcome>) -> Vec<Result<usize, FailureClass>> {
    let read = |outcome: ItemOutcome| match outcome {
        Ok(reply) => Ok(*reply.downcast::<usize>().unwrap()),
        Err(failure) => Err(failure.class),
    };
    outcomes.into_iter().map(read).collect()
}

#[tokio::test]
async fn an_item_that_panics_is_one_failure_and_the_others_answer() {
    let (actor, join) = Actor::spawn(None, OrchestratorActor, ()).await.unwrap();
    let plan = Plan::new(PlanId(1), "test", 3, 2, |index| {
        Box::pin(async move {
            assert_ne!(index, 1, "told to");
            Ok(Box::new(index) as Box<dyn std::any::Any + Send>)
        })
    });
    let (reply, outcomes) = oneshot::channel();
    actor.cast(OrchestratorMessage::RunPlan { plan: plan.unwrap(), reply }).unwrap();
    assert_eq!(answers(outcomes.await.unwrap()), [Ok(0), Err(FailureClass::Internal), Ok(2)]);
    actor.stop(None);
    join.await.unwrap();
}

#[tokio::test]
async fn a_cancelled_plan_drops_what_runs_and_marks_what_is_left() {
    let (actor, join) = Actor::spawn(None, OrchestratorActor, ()).await.unwrap();
    let begun = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&begun);
    let plan = Plan::new(PlanId(1), "test", 4, 2, move |index| {
        seen.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            if index > 0 {
                std::future::pending::<()>().await;
            }
            Ok(Box::new(index) as Box<dyn std::any::Any + Send>)
        })
    });
    let plan = plan.unwrap();
    let cancel = plan.cancel_token();
    let (reply, outcomes) = oneshot::channel();
    actor.cast(OrchestratorMessage::RunPlan { plan, reply }).unwrap();
    while begun.load(Ordering::SeqCst) < 3 {
        tokio::task::yield_now().await;
    }
    let open = actor.call(OrchestratorMessage::GetPlans, None).await.unwrap().unwrap();
    assert_eq!((open.len(), open[0].ended_len, open[0].items_len), (1, 1, 4));
    cancel.cancel();
    let cancelled = Err(FailureClass::Cancelled);
    assert_eq!(answers(outcomes.await.unwrap()), [Ok(0), cancelled, cancelled, cancelled]);
    let open = actor.call(OrchestratorMessage::GetPlans, None).await.unwrap().unwrap();
    assert!(open.is_empty());
    assert_eq!(begun.load(Ordering::SeqCst), 3, "the fourth item was never begun");
    actor.stop(None);
    join.await.unwrap();
}

#[tokio::test]
async fn plans_end_with_their_actor_and_with_their_asker() {
    let (actor, join) = Actor::spawn(None, OrchestratorActor, ()).await.unwrap();
    let hang = || Plan::new(PlanId(1), "test", 1, 1, |_| Box::pin(std::future::pending())).unwrap();
    let (reply, gone) = oneshot::channel();
    actor.cast(OrchestratorMessage::RunPlan { plan: hang(), reply }).unwrap();
    drop(gone);
    while !actor.call(OrchestratorMessage::GetPlans, None).await.unwrap().unwrap().is_empty() {
        tokio::task::yield_now().await;
    }
    let (reply, outcomes) = oneshot::channel();
    actor.cast(OrchestratorMessage::RunPlan { plan: hang(), reply }).unwrap();
    actor.stop(None);
    join.await.unwrap();
    assert!(outcomes.await.is_err(), "the asker is told");
}
