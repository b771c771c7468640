//! What the tree shows, and that trees do not meet.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::sleep;

use crate::policy::{RestartKind, Strategy};
use crate::supervisor::{SupervisorEvent, ready, tree};
use crate::testing::{Cue, LONG, Stage, Temper};
use crate::tree::{NodeKind, NodeState};

use super::{cell, cue, gone, millis};

#[tokio::test(start_paused = true)]
async fn two_identical_trees_run_side_by_side() {
    let stages = [Stage::new(), Stage::new()];
    let mut roots = Vec::new();
    for stage in &stages {
        let inner = stage.supervisor("inner", Strategy::OneForOne).with_child(stage.child("x"));
        let spec = stage
            .supervisor("root", Strategy::OneForOne)
            .with_child(stage.child("a"))
            .with_child(inner.into_child(RestartKind::Permanent));
        roots.push(stage.open_all(spec).await);
    }
    assert!(ractor::registry::registered().is_empty(), "no name is global");
    let before = cell(&roots[0].actor, "a").await.unwrap();
    cue(&roots[0], "a", Cue::Panic("only here")).await;
    gone(&before).await;
    ready(&roots[0].actor, LONG).await.unwrap();
    let mut restarts = Vec::new();
    for root in &roots {
        restarts.push(tree(&root.actor, LONG).await.unwrap().child("a").unwrap().restarts_total());
    }
    assert_eq!(restarts, [1, 0]);
    for (stage, root) in stages.iter().zip(roots) {
        stage.close(root).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_tree_shows_every_level_with_kind_state_and_uptime() {
    let stage = Stage::new();
    let inner =
        stage.supervisor("inner", Strategy::OneForAll).with_child(stage.child("x").with_mailbox_probe(|| 42));
    let spec = stage
        .supervisor("root", Strategy::RestForOne)
        .with_child(stage.child("a"))
        .with_child(inner.into_child(RestartKind::Transient));
    let root = stage.open_all(spec).await;
    sleep(millis(1_234)).await;
    let tree = tree(&root.actor, LONG).await.unwrap();
    assert_eq!(tree.kind, NodeKind::Supervisor { strategy: Strategy::RestForOne });
    assert_eq!(tree.uptime_ms, Some(1_234));
    let inner = tree.child("inner").unwrap();
    assert_eq!(inner.kind, NodeKind::Supervisor { strategy: Strategy::OneForAll });
    assert_eq!(inner.restart, Some(RestartKind::Transient));
    let x = inner.child("x").unwrap();
    assert_eq!((x.kind.clone(), x.state, x.uptime_ms), (NodeKind::Actor, NodeState::Running, Some(1_234)));
    assert_eq!((x.mailbox_len, tree.child("a").unwrap().mailbox_len), (Some(42), None));
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_that_does_not_answer_is_shown_as_such() {
    let stage = Stage::new();
    let deaf = crate::ChildSpec::actor("deaf", RestartKind::Permanent, || (Deaf, ())).with_grace(millis(100));
    let root = stage
        .open_all(stage.supervisor("root", Strategy::OneForOne).with_child(deaf).with_child(stage.child("a")))
        .await;
    let tree = tree(&root.actor, millis(1_000)).await.unwrap();
    assert_eq!(tree.child("deaf").unwrap().state, NodeState::Unresponsive);
    assert_eq!(tree.child("a").unwrap().state, NodeState::Running);
    let report = stage.close(root).await;
    assert_eq!(report.forced(), ["root/deaf"]);
}

/// Takes a supervisor's messages and keeps them.
struct Deaf;

impl ractor::Actor for Deaf {
    type Msg = crate::SupervisorMessage;
    type State = Vec<Self::Msg>;
    type Arguments = ();

    async fn pre_start(
        &self,
        _: ractor::ActorRef<Self::Msg>,
        (): (),
    ) -> Result<Self::State, ractor::ActorProcessingErr> {
        Ok(Vec::new())
    }

    async fn handle(
        &self,
        _: ractor::ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ractor::ActorProcessingErr> {
        state.push(message);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_nested_child_that_is_slow_to_start_holds_up_those_after_it() {
    let stage = Stage::new();
    let slow = Temper { start_time: millis(2_000), ..Temper::default() };
    let inner = stage.supervisor("inner", Strategy::OneForOne).with_child(stage.child_with(
        "x",
        RestartKind::Permanent,
        &slow,
    ));
    let spec = stage
        .supervisor("root", Strategy::OneForOne)
        .with_child(inner.into_child(RestartKind::Permanent))
        .with_child(stage.child("a"));
    let root = stage.open(spec).await;
    sleep(millis(1_000)).await;
    let seen = tree(&root.actor, LONG).await.unwrap();
    assert_eq!(seen.child("inner").unwrap().state, NodeState::Starting);
    assert_eq!(seen.child("inner").unwrap().child("x").unwrap().state, NodeState::Starting);
    ready(&root.actor, LONG).await.unwrap();
    assert_eq!(stage.log(), ["start x", "start a"]);
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn an_observer_is_told_of_everything_and_may_panic() {
    let stage = Stage::new();
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let spec =
        stage.supervisor("root", Strategy::RestForOne).with_observer(move |event: &SupervisorEvent| {
            notes.lock().unwrap().push(match event {
                SupervisorEvent::ChildStarted { child, .. } => format!("started {child}"),
                SupervisorEvent::ChildEnded { child, cause, .. } => {
                    format!("ended {child}: {}", cause.kind())
                }
                SupervisorEvent::RestartScheduled { child, after_ms, siblings, .. } => {
                    format!("restart {child} and {siblings:?} after {after_ms}")
                }
                SupervisorEvent::ChildStopped { child, outcome, .. } => {
                    format!("stopped {child}: {outcome:?}")
                }
                SupervisorEvent::Escalated { child, .. } => format!("escalated {child}"),
            });
            panic!("an observer that cannot bear it");
        });
    let spec = spec.with_child(stage.child("a")).with_child(stage.child("b"));
    let root = stage.open_all(spec).await;
    let before = cell(&root.actor, "a").await.unwrap();
    cue(&root, "a", Cue::Panic("boom")).await;
    gone(&before).await;
    ready(&root.actor, LONG).await.unwrap();
    stage.close(root).await;
    assert_eq!(
        *seen.lock().unwrap(),
        [
            "started a",
            "started b",
            "ended a: panicked",
            "restart a and [\"b\"] after 100",
            "stopped b: Stopped",
            "started a",
            "started b",
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_restarts() {
    let mut runs = Vec::new();
    for _ in 0..2 {
        let stage = Stage::new();
        let delays = Arc::new(Mutex::new(Vec::new()));
        let notes = Arc::clone(&delays);
        let spec = stage
            .supervisor("root", Strategy::OneForOne)
            .with_backoff(crate::Backoff { jitter: crate::Jitter::Full, ..crate::Backoff::default() })
            .with_budget(crate::RestartBudget { restarts_max: 10, window: Duration::from_mins(1) })
            .with_observer(move |event: &SupervisorEvent| {
                if let SupervisorEvent::RestartScheduled { after_ms, .. } = event {
                    notes.lock().unwrap().push(*after_ms);
                }
            })
            .with_child(stage.child("a"));
        let root = stage.open_all(spec).await;
        for _ in 0..6 {
            let before = cell(&root.actor, "a").await.unwrap();
            cue(&root, "a", Cue::Fail("again")).await;
            gone(&before).await;
            ready(&root.actor, LONG).await.unwrap();
        }
        stage.close(root).await;
        runs.push(delays.lock().unwrap().clone());
    }
    assert_eq!(runs[0], runs[1]);
    assert_eq!(runs[0].len(), 6);
}
