//! How children come up.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use tokio::time::Instant;

use crate::child::{ChildSpec, StartContext, StartError};
use crate::policy::{RestartKind, Strategy};
use crate::supervisor::{AskError, ready, tree};
use crate::testing::{LONG, Stage, Temper, until};
use crate::tree::NodeState;
use crate::{CauseKind, ExitCause};

use super::{cell, millis};

const STRATEGIES: [Strategy; 3] = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne];

#[tokio::test(start_paused = true)]
async fn children_start_one_after_another_in_the_order_of_the_list() {
    let stage = Stage::new();
    let slow = Temper { start_time: millis(500), ..Temper::default() };
    let root = stage
        .open_all(
            stage
                .supervisor("root", Strategy::OneForOne)
                .with_child(stage.child_with("a", RestartKind::Permanent, &slow))
                .with_child(stage.child("b"))
                .with_child(stage.child_with("c", RestartKind::Permanent, &slow)),
        )
        .await;
    assert_eq!(stage.log(), ["start a", "start b", "start c"]);
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn a_child_that_fails_to_start_is_tried_again_after_its_backoff_and_takes_nobody_down() {
    for strategy in STRATEGIES {
        for panics_at_start in [false, true] {
            let stage = Stage::new();
            let bad =
                Temper { bad_starts: Arc::new(AtomicUsize::new(2)), panics_at_start, ..Temper::default() };
            let begun = Instant::now();
            let root = stage
                .open_all(
                    stage
                        .supervisor("root", strategy)
                        .with_child(stage.child("a"))
                        .with_child(stage.child_with("b", RestartKind::Permanent, &bad))
                        .with_child(stage.child("c")),
                )
                .await;
            assert_eq!(begun.elapsed().as_millis(), 300, "100 ms and 200 ms");
            let expected: &[&str] = match strategy {
                Strategy::OneForOne => &["start a", "no b", "start c", "no b", "start b"],
                Strategy::OneForAll | Strategy::RestForOne => {
                    &["start a", "no b", "no b", "start b", "start c"]
                }
            };
            assert_eq!(stage.log(), expected, "{strategy:?}");
            let b = tree(&root.actor, LONG).await.unwrap().child("b").unwrap().clone();
            assert_eq!(b.restarts.get(&CauseKind::StartFailed), Some(&2));
            stage.close(root).await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_temporary_child_that_fails_to_start_keeps_nobody_waiting() {
    for strategy in STRATEGIES {
        let stage = Stage::new();
        let bad = Temper { bad_starts: Arc::new(AtomicUsize::new(1)), ..Temper::default() };
        let root = stage
            .open_all(
                stage
                    .supervisor("root", strategy)
                    .with_child(stage.child_with("a", RestartKind::Temporary, &bad))
                    .with_child(stage.child("b")),
            )
            .await;
        assert_eq!(stage.log(), ["no a", "start b"]);
        let tree = tree(&root.actor, LONG).await.unwrap();
        assert_eq!(tree.child("a").unwrap().state, NodeState::Failed);
        stage.close(root).await;
    }
}

#[tokio::test(start_paused = true)]
async fn the_panic_of_a_start_is_kept_with_text_and_place() {
    let stage = Stage::new();
    let bad =
        Temper { bad_starts: Arc::new(AtomicUsize::new(1)), panics_at_start: true, ..Temper::default() };
    let spec = stage.supervisor("root", Strategy::OneForOne).with_child(stage.child_with(
        "a",
        RestartKind::Permanent,
        &bad,
    ));
    let root = stage.open_all(spec).await;
    let tree = tree(&root.actor, LONG).await.unwrap();
    let failure = tree.child("a").unwrap().last_failure.clone().unwrap();
    match failure.cause {
        ExitCause::StartFailed { message, location } => {
            assert_eq!(message, "panicked at start");
            assert!(location.unwrap().contains("testing.rs"));
        }
        cause => panic!("{cause:?}"),
    }
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn a_start_that_hangs_fails_at_its_limit_and_leaves_nothing_behind() {
    let stage = Stage::new();
    let tries = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&tries);
    // The first start spawns an actor and then never returns; the second one succeeds.
    let (first, second) = (stage.player("first"), stage.player("second"));
    let players = std::sync::Mutex::new(vec![second, first]);
    let child = ChildSpec::new("a", RestartKind::Permanent, move |context: StartContext| {
        let (player, args) = players.lock().unwrap().pop().unwrap();
        let attempt = counter.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async move {
            let player = context.spawn(player, args).await?;
            if attempt == 0 {
                std::future::pending::<()>().await;
            }
            Ok(player.get_cell())
        }
    })
    .with_start_limit(millis(1_000));
    let begun = Instant::now();
    let root = stage.open_all(stage.supervisor("root", Strategy::OneForOne).with_child(child)).await;
    assert_eq!(begun.elapsed().as_millis(), 1_100);
    assert_eq!(stage.log(), ["start first", "stop first", "start second"]);
    assert_eq!(stage.live(), 1);
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn an_actor_that_was_spawned_without_the_context_is_supervised_all_the_same() {
    let stage = Stage::new();
    let players: Vec<_> = (0..2).map(|_| stage.player("a")).collect();
    let players = std::sync::Mutex::new(players);
    let child = ChildSpec::new("a", RestartKind::Permanent, move |_context: StartContext| {
        let (player, args) = players.lock().unwrap().pop().unwrap();
        async move {
            let (player, _join) = ractor::Actor::spawn(None, player, args).await?;
            Ok(player.get_cell())
        }
    });
    let root = stage.open_all(stage.supervisor("root", Strategy::OneForOne).with_child(child)).await;
    let first = cell(&root.actor, "a").await.unwrap();
    first.kill();
    super::gone(&first).await;
    ready(&root.actor, LONG).await.unwrap();
    until("a is back", || stage.live() == 1).await;
    ready(&root.actor, LONG).await.unwrap();
    assert_ne!(cell(&root.actor, "a").await.unwrap(), first);
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn a_child_that_fails_as_soon_as_it_runs_is_restarted_like_any_other() {
    for strategy in STRATEGIES {
        let stage = Stage::new();
        let shy = Temper { bad_entrances: Arc::new(AtomicUsize::new(2)), ..Temper::default() };
        let spec = stage
            .supervisor("root", strategy)
            .with_child(stage.child("a"))
            .with_child(stage.child_with("b", RestartKind::Permanent, &shy))
            .with_child(stage.child("c"));
        let root = stage.open(spec).await;
        tokio::time::sleep(millis(10_000)).await;
        let tree = tree(&root.actor, LONG).await.unwrap();
        assert_eq!(tree.child("b").unwrap().restarts.get(&CauseKind::Panicked), Some(&2), "{strategy:?}");
        assert!(tree.children.iter().all(|child| child.state == NodeState::Running));
        assert_eq!(stage.live(), 3);
        stage.close(root).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_supervisor_without_children_is_ready_at_once() {
    let stage = Stage::new();
    let root = stage.open_all(stage.supervisor("root", Strategy::OneForAll)).await;
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn ready_is_not_answered_while_a_child_waits_for_its_start() {
    let stage = Stage::new();
    let slow = Temper { start_time: millis(5_000), ..Temper::default() };
    let spec = stage.supervisor("root", Strategy::OneForOne).with_child(stage.child_with(
        "a",
        RestartKind::Permanent,
        &slow,
    ));
    let root = stage.open(spec).await;
    assert_eq!(ready(&root.actor, millis(100)).await, Err(AskError::TimedOut { limit_ms: 100 }));
    assert_eq!(tree(&root.actor, LONG).await.unwrap().child("a").unwrap().state, NodeState::Starting);
    assert_eq!(ready(&root.actor, LONG).await, Ok(()));
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn two_children_of_one_name_are_refused() {
    let stage = Stage::new();
    let spec = stage
        .supervisor("root", Strategy::OneForOne)
        .with_child(stage.child("a"))
        .with_child(stage.child("a"));
    let error = spec.spawn().await.unwrap_err();
    assert_eq!(error, StartError::InvalidSpec { problem: "root has two children named a".to_owned() });
}
