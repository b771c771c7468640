//! Steps.

use std::sync::Arc;

use playhouse_protocol::Failure;
use playhouse_protocol::journal::{Payload, StepOutcome};
use playhouse_protocol::task::TaskStatus;

use super::super::{Reception, TaskStore};
use super::reading::accepted_then;
use super::samples::{accepted, ended, failure, id, step, task};

async fn places(store: &Arc<dyn TaskStore>) -> Vec<String> {
    store.steps(id(0)).await.unwrap().iter().map(|step| step.path.to_string()).collect()
}

pub(super) async fn order(store: Arc<dyn TaskStore>) {
    accepted_then(&store, 0..2).await;
    let group = ["2.1", "2.10", "1", "2"].map(|path| step(0, path, Some("x"), 1)).to_vec();
    store.commit(group).await.unwrap();
    store.commit(vec![step(1, "1", Some("other task"), 1), step(0, "10", Some("x"), 1)]).await.unwrap();
    assert_eq!(places(&store).await, ["2.1", "2.10", "1", "2", "10"]);
    let asked = store.step_input(id(0), "2.10".parse().unwrap()).await.unwrap();
    assert_eq!(asked, Some(Payload::single(*b"asked at 2.10")));
}

pub(super) async fn replaced(store: Arc<dyn TaskStore>) {
    accepted_then(&store, 0..1).await;
    let group = vec![step(0, "1", None, 1), step(0, "2", Some("two"), 2), step(0, "1", Some("one"), 3)];
    assert_eq!(store.commit(group).await.unwrap(), [Reception::Written; 3]);
    assert_eq!(places(&store).await, ["2", "1"], "a replaced step is written anew");
    let again = vec![step(0, "1", Some("one"), 3), step(0, "1", Some("other"), 4), step(0, "1", None, 5)];
    let receptions = store.commit(again).await.unwrap();
    assert_eq!(receptions[0], Reception::Written);
    assert!(matches!(receptions[1..], [Reception::Settled(_), Reception::Settled(_)]));
    let steps = store.steps(id(0)).await.unwrap();
    let StepOutcome::Answered { output, usage } = &steps[1].outcome else {
        unreachable_outcome(&steps[1].outcome)
    };
    assert_eq!((output, usage.model_calls), (&Payload::single(*b"one"), 1));

    store.commit(vec![step(0, "3", None, 6)]).await.unwrap();
    let steps = store.steps(id(0)).await.unwrap();
    let expected: Failure = failure("step");
    assert_eq!(steps[2].outcome, StepOutcome::Failed(expected));
}

#[expect(clippy::panic, reason = "a check fails by panicking")]
fn unreachable_outcome(outcome: &StepOutcome) -> ! {
    panic!("the step was answered and is {outcome:?}")
}

pub(super) async fn groups(store: Arc<dyn TaskStore>) {
    let group = vec![
        step(0, "1", Some("of nobody"), 1),
        accepted(task(0)),
        step(0, "1", Some("one"), 1),
        ended(1, TaskStatus::Completed, 1),
        ended(0, TaskStatus::Completed, 5_000),
        step(0, "2", Some("too late"), 6_000),
    ];
    let (written, none) = (Reception::Written, Reception::NotApplicable);
    let settled = Reception::Settled(TaskStatus::Completed);
    assert_eq!(store.commit(group).await.unwrap(), [none, written, written, none, written, settled]);
    assert_eq!(places(&store).await, ["1"]);
}
