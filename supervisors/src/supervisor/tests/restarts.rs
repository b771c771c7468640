//! Who comes back after whose exit, when and in which order.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::policy::{RestartKind, Strategy};
use crate::supervisor::{RootSupervisor, ready, tree};
use crate::testing::{Cue, LONG, Stage, Temper};
use crate::tree::{NodeState, TreeNode};
use crate::{CauseKind, ExitCause};

use super::{cell, cue, gone, millis};

async fn three(stage: &Stage, strategy: Strategy) -> RootSupervisor {
    let root = stage
        .open_all(
            stage
                .supervisor("root", strategy)
                .with_child(stage.child("a"))
                .with_child(stage.child("b"))
                .with_child(stage.child("c")),
        )
        .await;
    stage.log();
    root
}

/// Has a child end, and waits until all are up again.
async fn fall(root: &RootSupervisor, name: &str, how: Cue) {
    let before = cell(&root.actor, name).await.unwrap();
    cue(root, name, how).await;
    gone(&before).await;
    // The question comes after the event: ractor handles those first.
    ready(&root.actor, LONG).await.unwrap();
}

async fn node(root: &RootSupervisor, name: &str) -> TreeNode {
    tree(&root.actor, LONG).await.unwrap().child(name).unwrap().clone()
}

async fn check_restart(strategy: Strategy, expected: &[&str]) {
    let stage = Stage::new();
    let root = three(&stage, strategy).await;
    fall(&root, "b", Cue::Panic("boom")).await;
    assert_eq!(stage.log(), expected);
    assert_eq!(node(&root, "b").await.restarts_total(), 1);
    assert_eq!(stage.live(), 3);
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn one_for_one_restarts_the_failed_child_alone() {
    check_restart(Strategy::OneForOne, &["start b"]).await;
}

#[tokio::test(start_paused = true)]
async fn rest_for_one_stops_those_after_it_in_reverse_and_starts_them_in_order() {
    check_restart(Strategy::RestForOne, &["stop c", "start b", "start c"]).await;
}

#[tokio::test(start_paused = true)]
async fn one_for_all_stops_all_in_reverse_and_starts_them_in_order() {
    check_restart(Strategy::OneForAll, &["stop c", "stop a", "start a", "start b", "start c"]).await;
}

#[tokio::test(start_paused = true)]
async fn text_and_place_of_a_panic_reach_the_cause() {
    let stage = Stage::new();
    let root = three(&stage, Strategy::OneForOne).await;
    fall(&root, "b", Cue::Panic("the wrong line")).await;
    match node(&root, "b").await.last_failure.unwrap().cause {
        ExitCause::Panicked { message, location } => {
            assert_eq!(message, "the wrong line");
            assert!(location.unwrap().contains("testing.rs:"));
        }
        cause => panic!("{cause:?}"),
    }
    fall(&root, "b", Cue::Fail("the wrong exit")).await;
    let cause = node(&root, "b").await.last_failure.unwrap().cause;
    assert_eq!(cause, ExitCause::Failed { message: "the wrong exit".to_owned() });
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn restarts_are_counted_by_cause_and_siblings_apart() {
    let stage = Stage::new();
    let root = three(&stage, Strategy::RestForOne).await;
    fall(&root, "b", Cue::Panic("boom")).await;
    fall(&root, "b", Cue::Fail("bad")).await;
    fall(&root, "b", Cue::Leave).await;
    let (b, c) = (node(&root, "b").await, node(&root, "c").await);
    let counted: Vec<_> = b.restarts.into_iter().collect();
    assert_eq!(counted, [(CauseKind::Normal, 1), (CauseKind::Panicked, 1), (CauseKind::Failed, 1)]);
    assert_eq!((b.restarts_with_sibling, c.restarts_with_sibling, c.restarts.len()), (0, 3, 0));
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn a_failed_child_is_replaced_after_its_backoff_which_grows() {
    let stage = Stage::new();
    let root = three(&stage, Strategy::OneForOne).await;
    for backoff in [100, 200, 400] {
        let begun = Instant::now();
        fall(&root, "b", Cue::Panic("boom")).await;
        assert_eq!(begun.elapsed().as_millis(), backoff);
    }
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn a_child_that_stayed_healthy_waits_as_briefly_as_at_first() {
    let stage = Stage::new();
    let root = three(&stage, Strategy::OneForOne).await;
    for _ in 0..5 {
        let begun = Instant::now();
        fall(&root, "b", Cue::Panic("boom")).await;
        assert_eq!(begun.elapsed().as_millis(), 100);
        sleep(Duration::from_secs(61)).await;
    }
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn the_mailbox_is_answered_while_a_child_waits_for_its_restart() {
    let stage = Stage::new();
    let root = three(&stage, Strategy::OneForOne).await;
    let before = cell(&root.actor, "b").await.unwrap();
    before.kill();
    gone(&before).await;
    let node = node(&root, "b").await;
    assert_eq!(node.state, NodeState::Backoff { remaining_ms: 100 });
    assert_eq!(node.last_failure.unwrap().cause, ExitCause::Killed);
    assert_eq!(cell(&root.actor, "b").await, None);
    ready(&root.actor, LONG).await.unwrap();
    assert!(cell(&root.actor, "b").await.is_some());
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn a_transient_child_comes_back_after_a_failure_and_not_after_it_is_done() {
    let stage = Stage::new();
    let job = stage.child_with("job", RestartKind::Transient, &Temper::default());
    let root = stage.open_all(stage.supervisor("root", Strategy::OneForOne).with_child(job)).await;
    fall(&root, "job", Cue::Panic("boom")).await;
    fall(&root, "job", Cue::Leave).await;
    sleep(LONG).await;
    assert_eq!(stage.log(), ["start job", "start job", "stop job"]);
    assert_eq!(node(&root, "job").await.state, NodeState::Stopped);
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn a_temporary_child_never_comes_back_not_even_with_its_siblings() {
    let stage = Stage::new();
    let extra = stage.child_with("extra", RestartKind::Temporary, &Temper::default());
    let spec = stage.supervisor("root", Strategy::OneForAll).with_child(extra).with_child(stage.child("b"));
    let root = stage.open_all(spec).await;
    fall(&root, "b", Cue::Panic("boom")).await;
    assert_eq!(stage.log(), ["start extra", "start b", "stop extra", "start b"]);
    assert_eq!(node(&root, "extra").await.state, NodeState::Stopped);
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn a_failure_while_siblings_are_being_restarted_joins_both_repairs() {
    let stage = Stage::new();
    let slow = Temper { start_time: millis(1_000), ..Temper::default() };
    let root = stage
        .open_all(
            stage
                .supervisor("root", Strategy::RestForOne)
                .with_child(stage.child("a"))
                .with_child(stage.child("b"))
                .with_child(stage.child_with("c", RestartKind::Permanent, &slow))
                .with_child(stage.child_with("d", RestartKind::Temporary, &slow)),
        )
        .await;
    stage.log();
    cue(&root, "b", Cue::Panic("first")).await;
    // In the middle of the slow start of c.
    sleep(millis(600)).await;
    assert_eq!(stage.log(), ["stop d", "stop c", "start b"]);
    fall(&root, "a", Cue::Panic("second")).await;
    // The start of c that was under way has come to nothing; nobody runs twice.
    assert_eq!(stage.log(), ["stop b", "start a", "start b", "start c"]);
    assert_eq!(stage.live(), 3);
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn children_that_were_still_to_be_started_are_not_forgotten() {
    let stage = Stage::new();
    let slow = Temper { start_time: millis(1_000), ..Temper::default() };
    let spec = stage
        .supervisor("root", Strategy::RestForOne)
        .with_child(stage.child("a"))
        .with_child(stage.child_with("b", RestartKind::Permanent, &slow))
        .with_child(stage.child_with("c", RestartKind::Temporary, &slow));
    let root = stage.open(spec).await;
    sleep(millis(500)).await;
    fall(&root, "a", Cue::Panic("early")).await;
    assert_eq!(stage.log(), ["start a", "start a", "start b", "start c"]);
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn a_sibling_that_does_not_stop_is_killed_and_the_restart_goes_on() {
    let stage = Stage::new();
    let stubborn = Temper { stop_time: LONG, ..Temper::default() };
    let spec = stage
        .supervisor("root", Strategy::OneForAll)
        .with_child(stage.child("a"))
        .with_child(stage.child_with("b", RestartKind::Permanent, &stubborn).with_grace(millis(700)));
    let root = stage.open_all(spec).await;
    let begun = Instant::now();
    fall(&root, "a", Cue::Panic("boom")).await;
    assert_eq!(begun.elapsed().as_millis(), 700, "the backoff of 100 ms passes meanwhile");
    assert_eq!(stage.log(), ["start a", "start b", "start a", "start b"]);
    assert_eq!(stage.live(), 2);
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn an_address_leads_to_the_actor_of_the_moment() {
    let stage = Stage::new();
    let child = stage.child("a");
    let address = child.address::<Cue>();
    let wrong = child.address::<String>();
    assert!(address.get().is_none());
    let root = stage.open_all(stage.supervisor("root", Strategy::OneForOne).with_child(child)).await;
    let first = address.wait(LONG).await.unwrap();
    assert!(wrong.get().is_none(), "an actor that takes other messages");
    fall(&root, "a", Cue::Panic("boom")).await;
    let second = address.get().unwrap();
    assert_ne!(first, second);
    assert_eq!(ractor::call_t!(second, Cue::Answer, 1_000).unwrap(), "here");
    stage.close(root).await;
    assert!(address.wait(millis(10)).await.is_err());
}
