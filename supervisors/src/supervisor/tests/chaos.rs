//! Trees at random, hurt at random: whatever happens, nobody runs twice and nobody is left behind.

use std::sync::Arc;
use std::time::Duration;

use playhouse_protocol::{RandomSource, SeededSource};
use ractor::ActorCell;
use tokio::time::{sleep, timeout};

use crate::CauseKind;
use crate::policy::{RestartBudget, RestartKind, Strategy};
use crate::supervisor::{RootSupervisor, SupervisorMessage, SupervisorSpec, ready, shutdown, tree};
use crate::testing::{Cue, DOUBLE, LONG, Stage, Temper, until};
use crate::tree::NodeState;

use super::millis;

/// One source of chance for a whole run.
struct Chance(SeededSource);

impl Chance {
    fn below(&self, bound: u64) -> u64 {
        self.0.next_u64() % bound
    }

    fn temper(&self) -> Temper {
        Temper {
            bad_starts: Arc::new(usize::try_from(self.below(6).saturating_sub(3)).unwrap().into()),
            panics_at_start: self.below(2) == 0,
            start_time: millis(self.below(3) * self.below(40)),
            stop_time: millis(self.below(3) * self.below(60)),
            bad_entrances: Arc::new(usize::try_from(self.below(8).saturating_sub(6)).unwrap().into()),
        }
    }

    fn supervisor(&self, stage: &Stage, name: &str, depth: u64) -> SupervisorSpec {
        let strategy = [Strategy::OneForOne, Strategy::OneForAll, Strategy::RestForOne]
            [usize::try_from(self.below(3)).unwrap()];
        let restarts_max = if self.below(4) == 0 { 3 } else { 1_000 };
        let mut spec = stage
            .supervisor(name, strategy)
            .with_budget(RestartBudget { restarts_max, window: Duration::from_mins(1) });
        for child in 0..=self.below(4) {
            let name = format!("{name}.{child}");
            spec = spec.with_child(if depth > 0 && self.below(3) == 0 {
                self.supervisor(stage, &name, depth - 1).into_child(RestartKind::Permanent)
            } else {
                let kind = [RestartKind::Permanent, RestartKind::Permanent, RestartKind::Transient]
                    [usize::try_from(self.below(3)).unwrap()];
                stage.child_with(&name, kind, &self.temper()).with_grace(millis(self.below(100)))
            });
        }
        spec
    }

    /// Hurts a random actor of the tree.
    async fn hurt(&self, root: &RootSupervisor) {
        let all = below(&root.actor);
        let Some(victim) = all.get(usize::try_from(self.below(all.len().max(1) as u64)).unwrap()) else {
            return;
        };
        match self.below(5) {
            0 => victim.kill(),
            1 => victim.stop(None),
            2 => drop(victim.send_message(Cue::Panic("chaos"))),
            3 => drop(victim.send_message(Cue::Fail("chaos"))),
            _ => drop(victim.send_message(Cue::Hang(millis(self.below(300))))),
        }
        sleep(millis(self.below(4) * self.below(100))).await;
    }
}

/// All actors below a supervisor, in the order of their ids.
fn below(cell: &ActorCell) -> Vec<ActorCell> {
    let mut all: Vec<ActorCell> = cell.get_children();
    all.sort_by_key(ActorCell::get_id);
    let deeper: Vec<_> = all.iter().flat_map(below).collect();
    all.extend(deeper);
    all
}

/// Whether all children of the root come up, in time; if not, it has given up.
async fn comes_up(root: &RootSupervisor, seed: u64) -> bool {
    for _ in 0..1_000 {
        if ready(&root.actor, LONG).await.is_err() {
            return false;
        }
        // A child may have failed since: some do as soon as they run.
        let Ok(tree) = tree(&root.actor, LONG).await else { continue };
        if tree.children.iter().all(|child| matches!(child.state, NodeState::Running | NodeState::Stopped)) {
            return true;
        }
        sleep(millis(10)).await;
    }
    panic!("seed {seed}: neither up nor given up: {:#?}", tree(&root.actor, LONG).await);
}

async fn run(seed: u64) {
    let chance = Chance(SeededSource::from_seed(seed));
    let stage = Stage::new();
    let root = stage.open(chance.supervisor(&stage, "root", 2)).await;
    for _ in 0..chance.below(40) {
        chance.hurt(&root).await;
    }
    let gave_up = if chance.below(2) == 0 {
        // Left in peace, it either comes up or has given up.
        !comes_up(&root, seed).await
    } else {
        false
    };
    let report = shutdown(&root.actor, LONG).await;
    let ended = timeout(LONG, root.ended()).await.unwrap();
    if gave_up {
        assert_ne!(ended.kind(), CauseKind::Normal, "seed {seed}");
    } else if let Ok(report) = report {
        assert_eq!(report.abandoned, 0, "seed {seed}");
    }
    until("all have left", || stage.live() == 0).await;
    let log = stage.log();
    assert!(!log.iter().any(|line| line.starts_with(DOUBLE)), "seed {seed}: {log:#?}");
}

#[tokio::test(start_paused = true)]
async fn whatever_happens_nobody_runs_twice_and_nobody_is_left_behind() {
    for seed in 0..1_000 {
        run(seed).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nor_on_many_threads() {
    let mut runs = tokio::task::JoinSet::new();
    for seed in 0..64 {
        runs.spawn(run(seed));
    }
    runs.join_all().await;
}

/// The supervisor of a tree takes its own messages only; this is what the test above relies on.
#[tokio::test(start_paused = true)]
async fn a_cue_for_a_supervisor_is_refused() {
    let stage = Stage::new();
    let root = stage.open_all(stage.supervisor("root", Strategy::OneForOne)).await;
    assert!(root.actor.get_cell().send_message(Cue::Leave).is_err());
    assert_eq!(root.actor.is_message_type_of::<SupervisorMessage>(), Some(true));
    stage.close(root).await;
}
