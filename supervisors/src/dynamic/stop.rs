//! Stopping thousands of children that do not depend on each other: all at once.

use std::time::Duration;

use ractor::{ActorCell, ActorStatus};
use tokio::time::Instant;

use crate::stop::{ShutdownReport, StopOutcome, left_until};

/// How often children that were spawned meanwhile are stopped too, before the rest is left to ractor, which
/// kills them with their supervisor.
const ROUNDS_MAX: usize = 8;

/// Stops all children of `supervisor`, the latest asked first; all within `grace + kill_limit`.
pub(super) async fn stop_children(
    supervisor: &ActorCell,
    name: &str,
    grace: Duration,
    kill_limit: Duration,
) -> ShutdownReport {
    let begun = Instant::now();
    let (kill_at, end_at) = (begun + grace, begun + grace + kill_limit);
    let mut report = ShutdownReport::new(name);
    for _ in 0..ROUNDS_MAX {
        let children = living_children(supervisor);
        if children.is_empty() {
            break;
        }
        stop_these(supervisor, &children, kill_at, end_at, &mut report).await;
    }
    report.elapsed_ms = crate::millis(begun.elapsed());
    report
}

async fn stop_these(
    supervisor: &ActorCell,
    children: &[ActorCell],
    kill_at: Instant,
    end_at: Instant,
    report: &mut ShutdownReport,
) {
    let mut unwilling = Vec::new();
    if left_until(kill_at).is_zero() {
        unwilling.extend(children);
    } else {
        for child in children {
            child.stop(None);
        }
        for child in children {
            match child.wait(Some(left_until(kill_at))).await {
                Ok(()) => report.count(StopOutcome::Stopped),
                Err(_timeout) => unwilling.push(child),
            }
        }
    }
    for child in &unwilling {
        child.kill();
    }
    for child in &unwilling {
        match child.wait(Some(left_until(end_at))).await {
            Ok(()) => report.count(StopOutcome::Killed),
            Err(_timeout) => {
                report.count(StopOutcome::Abandoned);
                // Seen once is enough: the next round looks for new ones.
                child.unlink(supervisor.clone());
            }
        }
    }
}

/// The children that have not ended, the latest first.
fn living_children(supervisor: &ActorCell) -> Vec<ActorCell> {
    let mut children = supervisor.get_children();
    children.retain(|child| child.get_status() != ActorStatus::Stopped);
    // ractor keeps them by hash.
    children.sort_by_key(|child| std::cmp::Reverse(child.get_id()));
    children
}
