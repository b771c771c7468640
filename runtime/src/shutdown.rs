//! The end of a runtime.

use std::sync::Arc;
use std::time::Duration;

use playhouse_supervisors::SupervisorMessage;
use ractor::ActorRef;

use crate::tasks::Engine;

/// How long cancelled tasks may take to notice, and to write that down.
const CANCEL_LIMIT: Duration = Duration::from_secs(2);

/// How long the journal may take to bring what was written to its final place. What is not there then is brought
/// there by the next start.
const CLOSE_LIMIT: Duration = Duration::from_secs(10);

/// How long the tree may take to stop once no task runs.
const TREE_LIMIT: Duration = Duration::from_secs(5);

/// How a shutdown went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShutdownSummary {
    /// Tasks that were open when the grace was over, and were cancelled: those that are not in a journal that
    /// outlives the process.
    pub cancelled_len: usize,
    /// Tasks that were left open in the journal, for the next process.
    pub kept_len: usize,
    /// Parts of the tree that had to be killed, by name.
    pub killed: Vec<String>,
}

pub(crate) async fn shutdown(
    engine: &Arc<Engine>,
    root: &ActorRef<SupervisorMessage>,
    grace: Duration,
) -> ShutdownSummary {
    let kept_before = engine.parts.ledger.read().kept;
    engine.close();
    engine.tracker.close();
    let drained = tokio::time::timeout(grace, engine.tracker.wait()).await.is_ok();
    let before = engine.parts.ledger.read();
    engine.stop.cancel();
    if !drained {
        // Whoever does not notice in time is stopped with the tree.
        let _ = tokio::time::timeout(CANCEL_LIMIT, engine.tracker.wait()).await;
    }
    let after = engine.parts.ledger.read();
    engine.parts.journal.close();
    match tokio::time::timeout(CLOSE_LIMIT, engine.parts.journal.store().close()).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "the journal could not be closed"),
        Err(_elapsed) => tracing::warn!("the journal was not closed in time"),
    }
    let killed = match playhouse_supervisors::shutdown(root, TREE_LIMIT).await {
        Ok(report) => report.forced(),
        // The tree had ended before, or was killed as a whole.
        Err(_) => Vec::new(),
    };
    let len = |after: u64, before: u64| usize::try_from(after.saturating_sub(before)).unwrap_or(usize::MAX);
    ShutdownSummary {
        cancelled_len: len(after.cancelled, before.cancelled),
        kept_len: len(after.kept, kept_before),
        killed,
    }
}

/// Waits for a request to end: SIGTERM or SIGINT, or Ctrl-C where there are no signals.
///
/// # Errors
/// When the system does not let this process listen.
pub async fn termination() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            biased;
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        Ok(())
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}
