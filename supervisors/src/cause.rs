//! Why an actor ended.

use std::fmt;

use playhouse_protocol::FailureClass;
use ractor::{ActorCell, ActorProcessingErr, SupervisionEvent};
use serde::{Deserialize, Serialize};

use crate::panics::{PanicCause, catch_panic_now};
use crate::supervisor::EscalationError;

/// The reasons that ractor gives when an actor did not end by itself.
const REASONS_OF_A_KILL: [&str; 2] = ["killed", "actor_task_cancelled"];

/// Why an actor ended, as its supervisor keeps it and hands it on.
///
/// Texts come from the actor and may quote what it worked on, so they belong into a caller's answer, a
/// dead letter or a `trace` log; anywhere else, use [`kind`](Self::kind) and [`location`](Self::location).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ExitCause {
    /// It stopped by itself or because it was asked to.
    Normal,
    /// It was killed, or its task was aborted.
    Killed,
    /// It panicked.
    Panicked {
        /// The panic's text.
        message: String,
        /// File, line and column, where they are known.
        location: Option<String>,
    },
    /// One of its handlers returned an error.
    Failed {
        /// The error and its sources.
        message: String,
    },
    /// It never ran.
    StartFailed {
        /// What its start failed with.
        message: String,
        /// Where, if the start panicked.
        location: Option<String>,
    },
    /// It is a supervisor that spent its restart budget.
    Escalated {
        /// The child that could not be kept up.
        child: String,
        /// What that child ended with at last.
        cause: Box<ExitCause>,
        /// The budget that was spent.
        restarts_max: u32,
        /// The window of the budget, in milliseconds.
        window_ms: u64,
    },
}

/// [`ExitCause`] without its texts: what restarts are counted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CauseKind {
    /// [`ExitCause::Normal`]
    Normal,
    /// [`ExitCause::Killed`]
    Killed,
    /// [`ExitCause::Panicked`]
    Panicked,
    /// [`ExitCause::Failed`]
    Failed,
    /// [`ExitCause::StartFailed`]
    StartFailed,
    /// [`ExitCause::Escalated`]
    Escalated,
}

impl CauseKind {
    /// The name used in metrics, logs and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Normal => "normal",
            Self::Killed => "killed",
            Self::Panicked => "panicked",
            Self::Failed => "failed",
            Self::StartFailed => "start_failed",
            Self::Escalated => "escalated",
        }
    }
}

impl fmt::Display for CauseKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl ExitCause {
    /// The cause without its texts.
    pub const fn kind(&self) -> CauseKind {
        match self {
            Self::Normal => CauseKind::Normal,
            Self::Killed => CauseKind::Killed,
            Self::Panicked { .. } => CauseKind::Panicked,
            Self::Failed { .. } => CauseKind::Failed,
            Self::StartFailed { .. } => CauseKind::StartFailed,
            Self::Escalated { .. } => CauseKind::Escalated,
        }
    }

    /// Where it panicked, if it did and that is known; names code only, so it may be logged.
    pub fn location(&self) -> Option<&str> {
        match self {
            Self::Panicked { location, .. } | Self::StartFailed { location, .. } => location.as_deref(),
            Self::Escalated { cause, .. } => cause.location(),
            Self::Normal | Self::Killed | Self::Failed { .. } => None,
        }
    }

    /// Whether this end was a failure; a transient child comes back after one.
    pub const fn is_failure(&self) -> bool {
        !matches!(self, Self::Normal)
    }

    /// Whether the actor never ran.
    pub const fn is_failed_start(&self) -> bool {
        matches!(self, Self::StartFailed { .. })
    }

    /// What a request that was with the actor should be told.
    pub const fn class(&self) -> FailureClass {
        match self {
            // Somebody took the actor away; what it worked on is not to blame.
            Self::Normal | Self::Killed => FailureClass::Retryable,
            // The same request may succeed in a fresh actor; whoever retries bounds the attempts.
            Self::Panicked { .. } | Self::Failed { .. } | Self::StartFailed { .. } => FailureClass::Retryable,
            // Restarts were tried and did not help.
            Self::Escalated { .. } => FailureClass::Internal,
        }
    }

    /// The cause behind the reason of a terminated actor.
    fn from_reason(reason: Option<&str>) -> Self {
        match reason {
            Some(reason) if REASONS_OF_A_KILL.contains(&reason) => Self::Killed,
            Some(_) | None => Self::Normal,
        }
    }

    /// The cause behind ractor's news of an actor's end; none for any other news.
    ///
    /// The event may carry the actor's last state or its error, which belong to foreign code: what they do
    /// when they are shown or dropped must not hurt the supervisor that is told.
    pub(crate) fn from_event(event: SupervisionEvent) -> Option<(ActorCell, Self)> {
        match event {
            SupervisionEvent::ActorTerminated(cell, state, reason) => {
                if catch_panic_now(|| drop(state)).is_err() {
                    tracing::warn!(actor = %cell.get_id(), "the state of an actor panicked when dropped");
                }
                Some((cell, Self::from_reason(reason.as_deref())))
            }
            SupervisionEvent::ActorFailed(cell, error) => {
                let cause = catch_panic_now(|| {
                    let cause = Self::from_error(&error);
                    drop(error);
                    cause
                });
                Some((cell, cause.unwrap_or_else(Self::from)))
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => None,
        }
    }

    /// The cause behind the error of a failed actor.
    pub(crate) fn from_error(error: &ActorProcessingErr) -> Self {
        if let Some(panic) = error.downcast_ref::<PanicCause>() {
            return panic.clone().into();
        }
        if let Some(escalation) = error.downcast_ref::<EscalationError>() {
            return escalation.clone().into();
        }
        Self::Failed { message: text_with_sources(error.as_ref()) }
    }
}

impl fmt::Display for ExitCause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |f: &mut fmt::Formatter<'_>, location: &Option<String>| match location {
            Some(location) => write!(f, " at {location}"),
            None => Ok(()),
        };
        match self {
            Self::Normal => f.write_str("ended normally"),
            Self::Killed => f.write_str("killed"),
            Self::Panicked { message, location } => {
                write!(f, "panicked: {message}")?;
                at(f, location)
            }
            Self::Failed { message } => write!(f, "failed: {message}"),
            Self::StartFailed { message, location } => {
                write!(f, "did not start: {message}")?;
                at(f, location)
            }
            Self::Escalated { child, cause, restarts_max, window_ms } => write!(
                f,
                "gave up on child {child} after {restarts_max} restarts in {window_ms} ms; it {cause}"
            ),
        }
    }
}

impl From<PanicCause> for ExitCause {
    fn from(panic: PanicCause) -> Self {
        Self::Panicked { message: panic.message, location: panic.location }
    }
}

impl From<EscalationError> for ExitCause {
    fn from(escalation: EscalationError) -> Self {
        let EscalationError { child, cause, budget } = escalation;
        Self::Escalated {
            child,
            cause: Box::new(cause),
            restarts_max: budget.restarts_max,
            window_ms: crate::millis(budget.window),
        }
    }
}

/// An error and what it came from, `: ` between them, at most [`crate::panics::TEXT_BYTES_MAX`] long.
pub(crate) fn text_with_sources(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        // Many errors repeat their source in their own text.
        if !text.contains(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    crate::panics::clip(text)
}
