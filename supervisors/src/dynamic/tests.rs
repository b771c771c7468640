//! A pool alone: thousands of children, each of them nobody else's trouble.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ractor::{Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use crate::policy::{RestartKind, Strategy};
use crate::supervisor::{RootSupervisor, SupervisorEvent, ready, shutdown, tree};
use crate::testing::{Cue, LONG, Stage, until};
use crate::tree::{DynamicCounts, LastFailure, NodeKind, TreeNode};
use crate::{CauseKind, ExitCause, StartError};

use super::{AdmitError, PoolConfig, PoolError, SupervisorPool};

fn config(shards: usize) -> PoolConfig {
    PoolConfig { shards: NonZeroUsize::new(shards).unwrap(), ..PoolConfig::new("agents") }
}

async fn open(stage: &Stage, config: PoolConfig) -> (SupervisorPool, RootSupervisor) {
    let (pool, spec) = SupervisorPool::new(&config, Stage::random());
    let root = stage.open_all(spec).await;
    (pool, root)
}

/// An agent for one request: answers a number with the next one, panics at a multiple of ten.
struct Adder;

struct Add {
    number: u32,
    reply: RpcReplyPort<u32>,
}

impl Actor for Adder {
    type Msg = Add;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Add>, (): ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(&self, myself: ActorRef<Add>, add: Add, (): &mut ()) -> Result<(), ActorProcessingErr> {
        tokio::task::yield_now().await;
        assert!(!add.number.is_multiple_of(10), "cannot add to {}", add.number);
        add.reply.send(add.number + 1)?;
        myself.stop(None);
        Ok(())
    }
}

/// One request as a caller makes it: admitted, spawned in its own task, answered or told why not.
async fn request(pool: SupervisorPool, number: u32) -> Result<u32, ExitCause> {
    let _permit = pool.admit().await.unwrap();
    let (adder, join, ending) = pool.spawn(Adder, ()).await.unwrap();
    let answer = ractor::call!(adder, |reply| Add { number, reply });
    join.await.unwrap();
    match answer {
        Ok(answer) => Ok(answer),
        Err(_) => Err(ending.cause().await),
    }
}

async fn check_one_in_ten(requests: u32) {
    let stage = Stage::new();
    let (pool, root) = open(&stage, config(2)).await;
    let mut tasks = JoinSet::new();
    for number in 0..requests {
        let pool = pool.clone();
        tasks.spawn(async move { (number, request(pool, number).await) });
    }
    let (mut answers, mut panics) = (0, 0);
    for (number, outcome) in tasks.join_all().await {
        match outcome {
            Ok(answer) => {
                assert_eq!(answer, number + 1);
                answers += 1;
            }
            Err(ExitCause::Panicked { message, location }) => {
                assert_eq!(message, format!("cannot add to {number}"));
                assert!(location.unwrap().contains("dynamic/tests.rs"));
                panics += 1;
            }
            Err(cause) => panic!("{cause:?}"),
        }
    }
    assert_eq!((answers, panics), (requests / 10 * 9, requests / 10));
    let expected = DynamicCounts {
        live: 0,
        started: u64::from(requests),
        ended: u64::from(requests / 10 * 9),
        failed: u64::from(requests / 10),
    };
    until("all are counted", || pool.counts() == expected).await;
    let tree = tree(&root.actor, LONG).await.unwrap();
    assert!(tree.children.iter().all(|shard| shard.restarts.is_empty()));
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn of_a_thousand_requests_one_in_ten_panics_and_harms_no_other() {
    check_one_in_ten(1_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn so_it_is_on_many_threads() {
    check_one_in_ten(10_000).await;
}

#[tokio::test(start_paused = true)]
async fn one_panicking_child_of_a_thousand_that_run_at_once_harms_none() {
    let stage = Stage::new();
    let (pool, root) = open(&stage, config(4)).await;
    let mut players = Vec::new();
    for _ in 0..1_000 {
        let (player, args) = stage.player("extra");
        players.push(pool.spawn(player, args).await.unwrap());
    }
    let (unlucky, join, ending) = players.swap_remove(500);
    unlucky.cast(Cue::Panic("alone")).unwrap();
    join.await.unwrap();
    assert!(matches!(ending.cause().await, ExitCause::Panicked { message, .. } if message == "alone"));
    for (player, ..) in &players {
        assert_eq!(ractor::call_t!(player, Cue::Answer, 1_000).unwrap(), "here");
    }
    until("the failure is counted", || pool.counts().failed == 1).await;
    assert_eq!(pool.counts(), DynamicCounts { live: 999, started: 1_000, ended: 0, failed: 1 });
    let report = stage.close(root).await;
    assert_eq!((report.stopped, report.killed), (999 + 4, 0));
}

fn failures(shard: &TreeNode) -> &[LastFailure] {
    match &shard.kind {
        NodeKind::DynamicSupervisor { recent_failures, .. } => recent_failures,
        kind @ (NodeKind::Actor | NodeKind::Supervisor { .. }) => panic!("{kind:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn the_latest_failures_are_kept_and_no_more() {
    let stage = Stage::new();
    let told = Arc::new(Mutex::new(0));
    let count = Arc::clone(&told);
    let observer = move |event: &SupervisorEvent| {
        if let SupervisorEvent::ChildEnded { .. } = event {
            *count.lock().unwrap() += 1;
        }
    };
    let config = PoolConfig { failures_kept: 3, observer: Some(Arc::new(observer)), ..config(1) };
    let (pool, root) = open(&stage, config).await;
    for text in ["one", "two", "three", "four", "five"] {
        let (player, args) = stage.player("extra");
        let (player, join, _ending) = pool.spawn(player, args).await.unwrap();
        player.cast(Cue::Fail(text)).unwrap();
        join.await.unwrap();
    }
    sleep(Duration::from_secs(1)).await;
    let tree = tree(&root.actor, LONG).await.unwrap();
    let kept: Vec<_> = failures(&tree.children[0]).iter().map(|failure| failure.cause.to_string()).collect();
    assert_eq!(kept, ["failed: three", "failed: four", "failed: five"]);
    assert_eq!(failures(&tree.children[0])[0].ago_ms, 1_000);
    assert_eq!(*told.lock().unwrap(), 5);
    stage.close(root).await;
}

/// Whatever it leaves behind panics: its state when dropped, its error when shown.
struct Booby;

struct Trap;

impl Drop for Trap {
    fn drop(&mut self) {
        assert!(std::thread::panicking(), "a state that panics when dropped");
    }
}

#[derive(Debug)]
struct Unspeakable;

impl std::fmt::Display for Unspeakable {
    fn fmt(&self, _: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        panic!("an error that panics when shown");
    }
}

impl std::error::Error for Unspeakable {}

impl Actor for Booby {
    type Msg = Cue;
    type State = Trap;
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Cue>, (): ()) -> Result<Trap, ActorProcessingErr> {
        Ok(Trap)
    }

    async fn handle(&self, myself: ActorRef<Cue>, cue: Cue, _: &mut Trap) -> Result<(), ActorProcessingErr> {
        match cue {
            Cue::Leave => {
                myself.stop(None);
                Ok(())
            }
            Cue::Panic(_) | Cue::Fail(_) | Cue::Hang(_) | Cue::Answer(_) => Err(Box::new(Unspeakable)),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_child_leaves_behind_cannot_hurt_its_supervisor() {
    let stage = Stage::new();
    let (pool, root) = open(&stage, config(1)).await;
    let shard = pool.next().unwrap();
    for cue in [Cue::Leave, Cue::Fail("unheard")] {
        // Spawned as somebody would who does not know the pool's own way.
        let (booby, join) = Actor::spawn_linked(None, Booby, (), shard.clone()).await.unwrap();
        booby.cast(cue).unwrap();
        let _ = join.await;
    }
    let killed = Actor::spawn_linked(None, Booby, (), shard.clone()).await.unwrap().0;
    killed.kill();
    until("all three are counted", || pool.counts().ended + pool.counts().failed == 3).await;
    assert_eq!(pool.next().unwrap(), shard, "it was never replaced");
    let tree = tree(&root.actor, LONG).await.unwrap();
    let kept: Vec<_> = failures(&tree.children[0]).iter().map(|failure| failure.cause.kind()).collect();
    assert_eq!(kept, [CauseKind::Panicked, CauseKind::Killed]);
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn children_are_spread_over_the_shards_in_turn() {
    let stage = Stage::new();
    let (pool, root) = open(&stage, config(3)).await;
    for _ in 0..9 {
        let (player, args) = stage.player("extra");
        drop(pool.spawn(player, args).await.unwrap());
    }
    sleep(Duration::from_millis(1)).await;
    let tree = tree(&root.actor, LONG).await.unwrap();
    let live: Vec<_> = tree
        .children
        .iter()
        .map(|shard| match &shard.kind {
            NodeKind::DynamicSupervisor { counts, .. } => counts.live,
            NodeKind::Actor | NodeKind::Supervisor { .. } => 0,
        })
        .collect();
    assert_eq!(live, [3, 3, 3]);
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn no_more_are_admitted_than_may_be_and_a_dropped_permit_comes_back() {
    let stage = Stage::new();
    let (pool, root) = open(&stage, PoolConfig { children_max: 2, ..config(1) }).await;
    let first = pool.try_admit().unwrap();
    let second = pool.admit().await.unwrap();
    assert_eq!(pool.try_admit().unwrap_err(), AdmitError::Full);
    assert_eq!(pool.permits_available(), 0);
    let waiting = async {
        let begun = Instant::now();
        let _third = pool.admit().await.unwrap();
        begun.elapsed()
    };
    let release = async {
        sleep(Duration::from_millis(70)).await;
        drop(first);
    };
    let (waited, ()) = tokio::join!(waiting, release);
    assert_eq!(waited.as_millis(), 70);
    assert_eq!(pool.permits_available(), 1);
    pool.close();
    assert_eq!(pool.try_admit().unwrap_err(), AdmitError::Closed);
    assert_eq!(pool.admit().await.unwrap_err(), AdmitError::Closed);
    drop(second);
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn a_pool_without_its_supervisor_has_nobody_to_give() {
    let stage = Stage::new();
    let (pool, spec) = SupervisorPool::new(&config(2), Stage::random());
    assert_eq!(pool.next().unwrap_err(), PoolError::Down);
    let root = stage.open_all(spec).await;
    assert!(pool.next().is_ok());
    stage.close(root).await;
    assert_eq!(pool.next().unwrap_err(), PoolError::Down);
    assert!(matches!(pool.spawn(Adder, ()).await.unwrap_err(), StartError::Failed { .. }));
}

#[tokio::test(start_paused = true)]
async fn a_killed_shard_is_replaced_and_its_children_are_counted_as_failed() {
    let stage = Stage::new();
    let (pool, root) = open(&stage, config(2)).await;
    let mut endings = Vec::new();
    for _ in 0..10 {
        let (player, args) = stage.player("extra");
        let (_player, _join, ending) = pool.spawn(player, args).await.unwrap();
        endings.push(ending);
    }
    until("all are counted", || pool.counts().live == 10).await;
    let shard = pool.next().unwrap();
    shard.kill();
    shard.wait(Some(LONG)).await.unwrap();
    // Meanwhile the other one takes all.
    for _ in 0..4 {
        assert_ne!(pool.next().unwrap(), shard);
    }
    ready(&root.actor, LONG).await.unwrap();
    until("half of them are gone", || stage.live() == 5).await;
    assert_eq!(pool.counts(), DynamicCounts { live: 5, started: 10, ended: 0, failed: 5 });
    assert_eq!(endings.swap_remove(0).cause().await, ExitCause::Killed);
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn stubborn_children_are_killed_when_the_grace_is_over() {
    let stage = Stage::new();
    let config = PoolConfig { grace: Duration::from_secs(2), ..config(2) };
    let (pool, root) = open(&stage, config).await;
    for number in 0..100 {
        let (player, args) = stage.player("extra");
        let (player, ..) = pool.spawn(player, args).await.unwrap();
        if number % 5 == 0 {
            player.cast(Cue::Hang(LONG)).unwrap();
        }
    }
    sleep(Duration::from_millis(1)).await;
    let begun = Instant::now();
    let report = shutdown(&root.actor, LONG).await.unwrap();
    assert_eq!(begun.elapsed().as_secs(), 4, "two shards, one after the other");
    assert_eq!((report.stopped, report.killed, report.abandoned), (80 + 2, 20, 0));
    assert_eq!(stage.live(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_plain_stop_of_the_supervisor_above_stops_the_children_too() {
    let stage = Stage::new();
    let (pool, spec) = SupervisorPool::new(&config(2), Stage::random());
    let above = stage
        .supervisor("root", Strategy::RestForOne)
        .with_child(stage.child("journal"))
        .with_child(spec.into_child(RestartKind::Permanent));
    let root = stage.open_all(above).await;
    for _ in 0..10 {
        let (player, args) = stage.player("extra");
        drop(pool.spawn(player, args).await.unwrap());
    }
    stage.log();
    root.actor.stop(None);
    assert_eq!(root.ended().await, ExitCause::Normal);
    let mut expected = vec!["stop extra"; 10];
    expected.push("stop journal");
    assert_eq!(stage.log(), expected);
    until("all have left", || stage.live() == 0).await;
}

#[tokio::test(start_paused = true)]
async fn the_tree_tells_how_many_events_wait_and_a_restart_begins_anew() {
    let stage = Stage::new();
    let (pool, root) = open(&stage, config(1)).await;
    let waiting = async || tree(&root.actor, LONG).await.unwrap().children[0].mailbox_len;
    let shard = pool.next_within(LONG).await.unwrap();
    assert_eq!(waiting().await, Some(0));
    shard.events.sent();
    shard.events.sent();
    assert_eq!(waiting().await, Some(2));
    // One that counts itself in, as its own start and end are counted out.
    assert_eq!(request(pool.clone(), 1).await, Ok(2));
    until("the end was seen", || pool.counts().ended == 1).await;
    assert_eq!(waiting().await, Some(0));
    shard.events.sent();
    shard.actor.kill();
    until("it was replaced", || pool.next().is_ok_and(|next| next != shard.actor)).await;
    shard.events.sent();
    assert_eq!(waiting().await, Some(0));
    stage.close(root).await;
}

#[tokio::test(start_paused = true)]
async fn whoever_needs_a_supervisor_waits_for_its_restart_but_not_for_ever() {
    let stage = Stage::new();
    let (pool, root) = open(&stage, config(2)).await;
    for _ in 0..2 {
        pool.next().unwrap().kill();
        tokio::task::yield_now().await;
    }
    until("all are down", || pool.next().is_err()).await;
    assert!(pool.next_within(LONG).await.is_ok());
    stage.close(root).await;
    let begun = Instant::now();
    assert_eq!(pool.next_within(Duration::from_secs(5)).await.unwrap_err(), PoolError::Down);
    assert_eq!(begun.elapsed(), Duration::from_secs(5));
}
