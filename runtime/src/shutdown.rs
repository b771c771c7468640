//! The end of a runtime.

use std::time::Duration;

use playhouse_supervisors::SupervisorMessage;
use ractor::ActorRef;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::admission::Admission;

/// How long cancelled tasks may take to notice.
const CANCEL_LIMIT: Duration = Duration::from_secs(2);

/// How long the tree may take to stop once no task runs.
const TREE_LIMIT: Duration = Duration::from_secs(5);

/// How long to wait between two looks at tasks that run inside their callers' futures.
const LOOK_INTERVAL: Duration = Duration::from_millis(10);

/// How a shutdown went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShutdownSummary {
    /// Tasks that were open when the grace was over, and were cancelled.
    pub cancelled_len: usize,
    /// Parts of the tree that had to be killed, by name.
    pub killed: Vec<String>,
}

pub(crate) async fn shutdown(
    admission: &Admission,
    tracker: &TaskTracker,
    stop: &CancellationToken,
    root: &ActorRef<SupervisorMessage>,
    grace: Duration,
) -> ShutdownSummary {
    admission.close();
    tracker.close();
    let drained = async {
        tracker.wait().await;
        while admission.open() > 0 {
            tokio::time::sleep(LOOK_INTERVAL).await;
        }
    };
    let cancelled_len = match tokio::time::timeout(grace, drained).await {
        Ok(()) => 0,
        Err(_elapsed) => admission.open(),
    };
    stop.cancel();
    // Whoever does not notice in time is stopped with the tree.
    let _ = tokio::time::timeout(CANCEL_LIMIT, tracker.wait()).await;
    let killed = match playhouse_supervisors::shutdown(root, TREE_LIMIT).await {
        Ok(report) => report.forced(),
        // The tree had ended before, or was killed as a whole.
        Err(_) => Vec::new(),
    };
    ShutdownSummary { cancelled_len, killed }
}
