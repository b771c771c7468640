//! How a supervisor fails, and how a question to one fails.

use playhouse_protocol::FailureClass;

use crate::cause::ExitCause;
use crate::policy::RestartBudget;

/// The error with which a supervisor ends when its restart budget is spent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "keep child {child} up: {} restarts in {} ms are spent",
    budget.restarts_max,
    crate::millis(budget.window)
)]
pub struct EscalationError {
    /// The child whose failure was one too many.
    pub child: String,
    /// What it ended with.
    pub cause: ExitCause,
    /// The budget that was spent.
    pub budget: RestartBudget,
}

/// Why a supervisor did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AskError {
    /// It did not answer in time.
    #[error("get an answer from the supervisor within {limit_ms} ms")]
    TimedOut {
        /// How long it was waited for, in milliseconds.
        limit_ms: u64,
    },
    /// It has ended, or refused the question because too many are open.
    #[error("get an answer from the supervisor: it has ended or refused")]
    Gone,
}

impl AskError {
    /// What to decide on.
    pub const fn class(self) -> FailureClass {
        match self {
            Self::TimedOut { .. } => FailureClass::Deadline,
            Self::Gone => FailureClass::Retryable,
        }
    }
}
