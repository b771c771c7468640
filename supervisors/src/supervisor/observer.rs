//! What happens in a tree, told to whoever counts or shows it.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::cause::{CauseKind, ExitCause};
use crate::panics::catch_panic_now;
use crate::stop::StopOutcome;

/// Something that happened to a child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum SupervisorEvent {
    /// A child runs.
    ChildStarted {
        /// The supervisor's name.
        supervisor: String,
        /// The child's name.
        child: String,
    },
    /// A child ended without being told to by its supervisor, or did not start. A dynamic supervisor tells of failures only,
    /// and names the child by its actor id.
    ChildEnded {
        /// The supervisor's name.
        supervisor: String,
        /// The child's name.
        child: String,
        /// Why it ended.
        cause: ExitCause,
    },
    /// A child will be started again.
    RestartScheduled {
        /// The supervisor's name.
        supervisor: String,
        /// The child's name.
        child: String,
        /// What it ended with.
        cause: CauseKind,
        /// How long from now, in milliseconds.
        after_ms: u64,
        /// The siblings that are started again with it, in order.
        siblings: Vec<String>,
    },
    /// A child was stopped by its supervisor.
    ChildStopped {
        /// The supervisor's name.
        supervisor: String,
        /// The child's name.
        child: String,
        /// How it ended.
        outcome: StopOutcome,
    },
    /// The restart budget is spent; the supervisor stops its children and fails.
    Escalated {
        /// The supervisor's name.
        supervisor: String,
        /// The child whose failure was one too many.
        child: String,
        /// What it ended with.
        cause: ExitCause,
    },
}

/// Is told of every [`SupervisorEvent`], by the supervisor itself: it must not block. A panic in it is
/// caught and changes nothing.
pub trait Observer: Send + Sync {
    /// Takes note of `event`.
    fn observe(&self, event: &SupervisorEvent);
}

impl<F: Fn(&SupervisorEvent) + Send + Sync> Observer for F {
    fn observe(&self, event: &SupervisorEvent) {
        self(event);
    }
}

/// Logs an event and tells the observer of it.
pub(crate) fn notify(observer: Option<&Arc<dyn Observer>>, event: &SupervisorEvent) {
    log(event);
    if let Some(observer) = observer
        && let Err(panic) = catch_panic_now(|| observer.observe(event))
    {
        tracing::error!(location = panic.location, "an observer of a supervisor panicked");
    }
}

/// A cause's text may quote what the child worked on, so it is logged at `trace` only.
fn log(event: &SupervisorEvent) {
    match event {
        SupervisorEvent::ChildStarted { supervisor, child } => {
            tracing::debug!(supervisor, child, "child started");
        }
        SupervisorEvent::ChildEnded { supervisor, child, cause } => {
            tracing::trace!(supervisor, child, %cause, "child ended");
            // A kill is somebody's decision: a cancelled or overdue request takes its agent along.
            if cause.is_failure() && cause.kind() != CauseKind::Killed {
                let (kind, location) = (cause.kind().as_str(), cause.location());
                tracing::warn!(supervisor, child, cause = kind, location, "child failed");
            } else {
                tracing::debug!(supervisor, child, "child ended");
            }
        }
        SupervisorEvent::RestartScheduled { supervisor, child, cause, after_ms, siblings } => {
            let cause = cause.as_str();
            tracing::info!(supervisor, child, cause, after_ms, ?siblings, "child will be restarted");
        }
        SupervisorEvent::ChildStopped { supervisor, child, outcome } => match outcome {
            StopOutcome::WasDown | StopOutcome::Stopped => {
                tracing::debug!(supervisor, child, "child stopped");
            }
            StopOutcome::Killed | StopOutcome::Abandoned => {
                tracing::warn!(supervisor, child, ?outcome, "child did not stop in time");
            }
        },
        SupervisorEvent::Escalated { supervisor, child, cause } => {
            let (kind, location) = (cause.kind().as_str(), cause.location());
            tracing::error!(supervisor, child, cause = kind, location, "restart budget spent, escalating");
        }
    }
}
