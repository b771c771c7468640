//! What happens when restarting does not help.

use std::time::Duration;

use ractor::ActorRef;

use crate::policy::{RestartBudget, RestartKind, Strategy};
use crate::supervisor::{ready, tree};
use crate::testing::{Cue, LONG, Stage, Temper, until};
use crate::tree::NodeState;
use crate::{CauseKind, ExitCause};

use super::{cell, cue, gone};

fn crash_loop() -> Temper {
    Temper { bad_entrances: std::sync::Arc::new(usize::MAX.into()), ..Temper::default() }
}

#[tokio::test(start_paused = true)]
async fn a_crash_loop_exhausts_the_budget_and_escalates_with_its_cause() {
    let stage = Stage::new();
    let spec = stage
        .supervisor("root", Strategy::OneForOne)
        .with_child(stage.child("a"))
        .with_child(stage.child_with("b", RestartKind::Permanent, &crash_loop()))
        .with_child(stage.child("c"));
    let root = stage.open(spec).await;
    match root.ended().await {
        ExitCause::Escalated { child, cause, restarts_max, window_ms } => {
            assert_eq!((child.as_str(), restarts_max, window_ms), ("b", 3, 60_000));
            assert_eq!(cause.kind(), CauseKind::Panicked);
            assert!(cause.location().is_some());
        }
        cause => panic!("{cause:?}"),
    }
    let log = stage.log();
    assert_eq!(log.iter().filter(|line| *line == "start b").count(), 4, "the first start and three restarts");
    assert_eq!(log[log.len() - 3..], ["root gives up on b", "stop c", "stop a"]);
    until("the root has ended", || stage.live() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn failed_starts_are_paid_from_the_same_budget() {
    let stage = Stage::new();
    let bad = Temper { bad_starts: std::sync::Arc::new(usize::MAX.into()), ..Temper::default() };
    let spec = stage
        .supervisor("root", Strategy::RestForOne)
        .with_child(stage.child("a"))
        .with_child(stage.child_with("b", RestartKind::Permanent, &bad))
        .with_child(stage.child("c"));
    let root = stage.open(spec).await;
    let actor = root.actor.clone();
    assert_eq!(root.ended().await.kind(), CauseKind::Escalated);
    assert_eq!(stage.log(), ["start a", "no b", "no b", "no b", "no b", "root gives up on b", "stop a"]);
    gone(&actor.get_cell()).await;
    assert!(ready(&actor, LONG).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn who_waits_for_ready_is_told_when_the_supervisor_gives_up() {
    let stage = Stage::new();
    let child = stage.child_with(
        "a",
        RestartKind::Permanent,
        &Temper { bad_starts: std::sync::Arc::new(usize::MAX.into()), ..Temper::default() },
    );
    let root = stage.open(stage.supervisor("root", Strategy::OneForOne).with_child(child)).await;
    let begun = tokio::time::Instant::now();
    assert!(ready(&root.actor, LONG).await.is_err());
    assert!(begun.elapsed() < Duration::from_secs(2), "not at the end of the limit");
    root.ended().await;
}

#[tokio::test(start_paused = true)]
async fn an_escalation_is_a_failure_of_the_supervisor_that_its_own_one_repairs() {
    let stage = Stage::new();
    let inner = stage
        .supervisor("inner", Strategy::OneForOne)
        .with_budget(RestartBudget { restarts_max: 0, window: Duration::from_mins(1) })
        .with_child(stage.child("x"))
        .with_child(stage.child("y"));
    let spec = stage
        .supervisor("root", Strategy::RestForOne)
        .with_child(stage.child("a"))
        .with_child(inner.into_child(RestartKind::Permanent))
        .with_child(stage.child("z"));
    let root = stage.open_all(spec).await;
    assert_eq!(stage.log(), ["start a", "start x", "start y", "start z"]);

    let inner = cell(&root.actor, "inner").await.unwrap();
    let x: ActorRef<Cue> = cell(&inner.clone().into(), "x").await.unwrap().into();
    x.cast(Cue::Panic("deep down")).unwrap();
    gone(&inner).await;
    ready(&root.actor, LONG).await.unwrap();
    assert_eq!(stage.log(), ["inner gives up on x", "stop y", "stop z", "start x", "start y", "start z"]);
    let tree = tree(&root.actor, LONG).await.unwrap();
    let inner = tree.child("inner").unwrap();
    assert_eq!(inner.restarts.get(&CauseKind::Escalated), Some(&1));
    assert!(inner.children.iter().all(|child| child.state == NodeState::Running));
    match &inner.last_failure.as_ref().unwrap().cause {
        ExitCause::Escalated { child, cause, .. } => {
            assert_eq!(child, "x");
            assert!(matches!(&**cause, ExitCause::Panicked { message, .. } if message == "deep down"));
        }
        cause => panic!("{cause:?}"),
    }
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn a_crash_loop_at_the_bottom_reaches_the_root_through_every_level() {
    let stage = Stage::new();
    let bottom = stage.supervisor("bottom", Strategy::OneForOne).with_child(stage.child_with(
        "x",
        RestartKind::Permanent,
        &crash_loop(),
    ));
    let middle =
        stage.supervisor("middle", Strategy::OneForAll).with_child(bottom.into_child(RestartKind::Permanent));
    let root = stage
        .open(
            stage
                .supervisor("root", Strategy::OneForOne)
                .with_child(middle.into_child(RestartKind::Permanent)),
        )
        .await;
    let cause = root.ended().await;
    let mut path = Vec::new();
    let mut at = &cause;
    while let ExitCause::Escalated { child, cause, .. } = at {
        path.push(child.as_str());
        at = cause;
    }
    assert_eq!(path, ["middle", "bottom", "x"]);
    assert_eq!(at.kind(), CauseKind::Panicked);
    // Four tries at each of three levels.
    assert_eq!(stage.log().iter().filter(|line| *line == "start x").count(), 64);
    until("all have left", || stage.live() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn restarts_spread_over_more_than_the_window_are_not_too_many() {
    let stage = Stage::new();
    let root =
        stage.open_all(stage.supervisor("root", Strategy::OneForOne).with_child(stage.child("a"))).await;
    for _ in 0..20 {
        let before = cell(&root.actor, "a").await.unwrap();
        cue(&root, "a", Cue::Panic("now and then")).await;
        gone(&before).await;
        ready(&root.actor, LONG).await.unwrap();
        tokio::time::sleep(Duration::from_secs(21)).await;
    }
    assert_eq!(tree(&root.actor, LONG).await.unwrap().child("a").unwrap().restarts_total(), 20);
    stage.close(root).await;
}
