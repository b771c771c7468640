//! How a supervisor goes down, and how long that may take.

use std::time::Duration;

use ractor::ActorRef;
use tokio::time::{Instant, sleep, timeout};

use crate::policy::{RestartKind, Strategy};
use crate::supervisor::{AskError, SupervisorSpec, shutdown, tree};
use crate::testing::{Cue, LONG, Stage, Temper, until};
use crate::tree::NodeState;
use crate::{ExitCause, StopOutcome};

use super::{cell, cue, millis};

fn stubborn() -> Temper {
    Temper { stop_time: LONG * 24, ..Temper::default() }
}

fn nested(stage: &Stage, temper: &Temper) -> SupervisorSpec {
    let inner = stage
        .supervisor("inner", Strategy::OneForOne)
        .with_child(stage.child("x"))
        .with_child(stage.child_with("y", RestartKind::Permanent, temper));
    stage
        .supervisor("root", Strategy::OneForOne)
        .with_child(stage.child("a"))
        .with_child(inner.into_child(RestartKind::Permanent))
        .with_child(stage.child("b"))
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_stops_children_in_reverse_order_through_all_levels() {
    let stage = Stage::new();
    let root = stage.open_all(nested(&stage, &Temper::default())).await;
    stage.log();
    let report = stage.close(root).await;
    assert_eq!(stage.log(), ["stop b", "stop y", "stop x", "stop a"]);
    assert_eq!((report.stopped, report.killed, report.abandoned), (5, 0, 0));
    let names: Vec<_> = report.children.iter().map(|child| child.name.as_str()).collect();
    assert_eq!(names, ["b", "inner", "a"]);
    assert_eq!(report.children[1].nested.as_ref().unwrap().children.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_plain_stop_does_the_same() {
    let stage = Stage::new();
    let root = stage.open_all(nested(&stage, &Temper::default())).await;
    stage.log();
    root.actor.stop(None);
    assert_eq!(root.ended().await, ExitCause::Normal);
    assert_eq!(stage.log(), ["stop b", "stop y", "stop x", "stop a"]);
    until("all have left", || stage.live() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn a_child_that_outlasts_its_grace_is_killed_and_reported() {
    let stage = Stage::new();
    let slow = stage.child_with("slow", RestartKind::Permanent, &stubborn()).with_grace(millis(300));
    let spec = stage.supervisor("root", Strategy::OneForOne).with_child(stage.child("a")).with_child(slow);
    let root = stage.open_all(spec).await;
    let begun = Instant::now();
    let report = stage.close(root).await;
    assert_eq!(begun.elapsed().as_millis(), 300);
    assert_eq!(report.forced(), ["root/slow"]);
    assert_eq!(report.children[0].outcome, StopOutcome::Killed);
    assert_eq!(report.children[1].outcome, StopOutcome::Stopped);
}

#[tokio::test(start_paused = true)]
async fn a_child_in_the_middle_of_a_message_has_its_grace_to_finish_it() {
    let stage = Stage::new();
    let spec = stage
        .supervisor("root", Strategy::OneForOne)
        .with_child(stage.child("a").with_grace(millis(1_000)))
        .with_child(stage.child("b").with_grace(millis(1_000)));
    let root = stage.open_all(spec).await;
    cue(&root, "a", Cue::Hang(millis(900))).await;
    cue(&root, "b", Cue::Hang(millis(3_000))).await;
    let report = stage.close(root).await;
    assert_eq!(report.forced(), ["root/b"]);
}

#[tokio::test(start_paused = true)]
async fn a_grace_of_zero_kills_at_once() {
    let stage = Stage::new();
    let child = stage.child("a").with_grace(Duration::ZERO);
    let root = stage.open_all(stage.supervisor("root", Strategy::OneForOne).with_child(child)).await;
    let report = stage.close(root).await;
    assert_eq!(report.children[0].outcome, StopOutcome::Killed);
    assert_eq!(stage.log(), ["start a"]);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_is_over_within_its_grace_however_many_are_stubborn() {
    let stage = Stage::new();
    let mut spec = stage.supervisor("root", Strategy::OneForOne);
    for name in ["a", "b", "c", "d", "e", "f"] {
        spec = spec.with_child(
            stage.child_with(name, RestartKind::Permanent, &stubborn()).with_grace(millis(1_000)),
        );
    }
    let root = stage.open_all(spec).await;
    let begun = Instant::now();
    let report = shutdown(&root.actor, millis(2_500)).await.unwrap();
    assert_eq!(begun.elapsed().as_millis(), 2_500, "two graces of a second and a half one");
    assert_eq!((report.stopped, report.killed, report.abandoned), (0, 6, 0));
    assert_eq!(report.elapsed_ms, 2_500);
}

#[tokio::test(start_paused = true)]
async fn a_stubborn_grandchild_is_reported_with_its_path() {
    let stage = Stage::new();
    let root = stage.open_all(nested(&stage, &stubborn())).await;
    let begun = Instant::now();
    let report = shutdown(&root.actor, millis(2_000)).await.unwrap();
    assert!(begun.elapsed() < millis(3_000));
    // By the time it is its turn, nothing is left for a.
    assert_eq!(report.forced(), ["root/inner/y", "root/inner/x", "root/a"]);
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_during_a_start_and_a_backoff_leaves_nobody() {
    for pause in [0, 50, 150, 250, 1_000] {
        let stage = Stage::new();
        let slow = Temper { start_time: millis(200), ..Temper::default() };
        let bad = Temper { bad_starts: std::sync::Arc::new(2.into()), ..slow.clone() };
        let inner = stage
            .supervisor("inner", Strategy::RestForOne)
            .with_child(stage.child_with("x", RestartKind::Permanent, &bad))
            .with_child(stage.child_with("y", RestartKind::Permanent, &slow));
        let spec = stage
            .supervisor("root", Strategy::OneForOne)
            .with_child(stage.child_with("a", RestartKind::Permanent, &slow))
            .with_child(inner.into_child(RestartKind::Permanent));
        let root = stage.open(spec).await;
        sleep(millis(pause)).await;
        let report = stage.close(root).await;
        assert_eq!(report.forced(), Vec::<String>::new(), "after {pause} ms");
        assert_eq!(stage.live(), 0, "after {pause} ms");
    }
}

#[tokio::test(start_paused = true)]
async fn two_who_ask_for_a_shutdown_get_the_same_report() {
    let stage = Stage::new();
    let slow = Temper { stop_time: millis(500), ..Temper::default() };
    let child = stage.child_with("a", RestartKind::Permanent, &slow);
    let root = stage.open_all(stage.supervisor("root", Strategy::OneForOne).with_child(child)).await;
    let (one, other) = tokio::join!(shutdown(&root.actor, LONG), shutdown(&root.actor, LONG));
    assert_eq!(one.as_ref().unwrap().stopped, 1);
    assert_eq!(one, other);
    assert_eq!(shutdown(&root.actor, LONG).await, Err(AskError::Gone));
}

#[tokio::test(start_paused = true)]
async fn the_tree_is_shown_while_a_supervisor_goes_down() {
    let stage = Stage::new();
    let slow = Temper { stop_time: millis(500), ..Temper::default() };
    let child = stage.child_with("a", RestartKind::Permanent, &slow);
    let root = stage.open_all(stage.supervisor("root", Strategy::OneForOne).with_child(child)).await;
    let look = async {
        sleep(millis(100)).await;
        tree(&root.actor, LONG).await.unwrap()
    };
    let (report, tree) = tokio::join!(shutdown(&root.actor, LONG), look);
    assert!(report.is_ok());
    assert_eq!((tree.state, tree.children[0].state), (NodeState::Stopping, NodeState::Stopping));
}

#[tokio::test(start_paused = true)]
async fn a_failure_during_a_shutdown_restarts_nobody() {
    let stage = Stage::new();
    let slow = Temper { stop_time: millis(500), ..Temper::default() };
    let spec = stage
        .supervisor("root", Strategy::OneForAll)
        .with_child(stage.child("a"))
        .with_child(stage.child_with("b", RestartKind::Permanent, &slow));
    let root = stage.open_all(spec).await;
    stage.log();
    let a: ActorRef<Cue> = cell(&root.actor, "a").await.unwrap().into();
    let fail = async {
        sleep(millis(100)).await;
        a.cast(Cue::Panic("too late")).unwrap();
    };
    let (report, ()) = tokio::join!(shutdown(&root.actor, LONG), fail);
    assert_eq!(report.unwrap().children[1].outcome, StopOutcome::WasDown);
    assert_eq!(stage.log(), ["stop b"]);
}

#[tokio::test(start_paused = true)]
async fn a_killed_root_takes_everybody_along() {
    let stage = Stage::new();
    let root = stage.open_all(nested(&stage, &Temper::default())).await;
    root.actor.kill();
    assert_eq!(timeout(LONG, root.ended()).await.unwrap(), ExitCause::Killed);
    until("all have left", || stage.live() == 0).await;
}

#[tokio::test]
async fn a_child_that_blocks_its_thread_is_abandoned_in_bounded_time() {
    // The one test in real time: a blocked thread knows no other.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let report = std::thread::spawn(move || {
        runtime.block_on(async {
            let stage = Stage::new();
            let (release, blocked) = std::sync::mpsc::sync_channel::<()>(1);
            let blocked = std::sync::Mutex::new(blocked);
            let child = crate::ChildSpec::actor("mule", RestartKind::Permanent, || (Mule, ()));
            let root = stage.open_all(stage.supervisor("root", Strategy::OneForOne).with_child(child)).await;
            let mule: ActorRef<Block> = cell(&root.actor, "mule").await.unwrap().into();
            mule.cast(Block(blocked)).unwrap();
            sleep(millis(20)).await;
            let report = shutdown(&root.actor, millis(50)).await.unwrap();
            release.send(()).unwrap();
            mule.wait(Some(LONG)).await.unwrap();
            report
        })
    })
    .join()
    .unwrap();
    assert_eq!(report.children[0].outcome, StopOutcome::Abandoned);
    assert!(report.elapsed_ms < 1_500);
}

/// Blocks its thread until it is released.
struct Mule;
struct Block(std::sync::Mutex<std::sync::mpsc::Receiver<()>>);

impl ractor::Actor for Mule {
    type Msg = Block;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Block>, (): ()) -> Result<(), ractor::ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Block>,
        Block(blocked): Block,
        (): &mut (),
    ) -> Result<(), ractor::ActorProcessingErr> {
        blocked.lock().unwrap().recv().unwrap();
        Ok(())
    }
}
