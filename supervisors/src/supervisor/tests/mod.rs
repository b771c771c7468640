//! A supervisor alone: what it does about starts, exits and stops. Time is paused.

mod chaos;
mod escalation;
mod restarts;
mod starts;
mod stops;
mod trees;

use std::time::Duration;

use ractor::{ActorCell, ActorRef};

use crate::supervisor::{RootSupervisor, SupervisorMessage, child};
use crate::testing::{Cue, LONG};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

async fn cell(supervisor: &ActorRef<SupervisorMessage>, name: &str) -> Option<ActorCell> {
    child(supervisor, name, LONG).await.unwrap()
}

/// Gives a running child a cue.
async fn cue(root: &RootSupervisor, name: &str, cue: Cue) {
    let player: ActorRef<Cue> = cell(&root.actor, name).await.unwrap().into();
    player.cast(cue).unwrap();
}

/// Waits until the child's present actor is gone.
async fn gone(cell: &ActorCell) {
    cell.wait(Some(LONG)).await.unwrap();
}
