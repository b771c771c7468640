//! What an agent is, and how it fails.

use std::future::Future;

use playhouse_models::{BudgetExceeded, ModelError};
use playhouse_protocol::{Failure, FailureClass};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::context::AgentContext;

/// Answers one typed request, usually by asking a model.
///
/// The value holds settings only; it is shared by all requests. Each request gets an actor of its own that
/// lives until the answer, so a panic in [`run`](Self::run) fails that request alone. Everything that costs
/// or takes time goes through the [`AgentContext`], which meters it and stops it when the task is cancelled
/// or past its deadline.
pub trait Agent: Send + Sync + 'static {
    /// The name of the kind: the task type in settings, the label in metrics. One agent a kind and runtime.
    const KIND: &'static str;

    /// The version of the request's and the reply's fields. Raise it with every change of them: a task that an
    /// older program wrote down is then given up with that reason, instead of being misread.
    const VERSION: u8 = 1;

    /// What is asked. Written down with bincode, so no `untagged` or `flatten` and no skipped fields.
    type Request: Serialize + DeserializeOwned + Send + 'static;

    /// What is answered.
    type Reply: Serialize + DeserializeOwned + Send + 'static;

    /// Checks a request before it is accepted; nothing is started for one that fails here.
    ///
    /// # Errors
    /// A [`Failure`] of class `InvalidInput` that names the field and what it may hold.
    fn validate(&self, request: &Self::Request) -> Result<(), Failure> {
        let _ = request;
        Ok(())
    }

    /// Answers. Dropping the future (on cancel or deadline) must leave nothing half done.
    fn run(
        &self,
        ctx: &mut AgentContext,
        request: Self::Request,
    ) -> impl Future<Output = Result<Self::Reply, AgentError>> + Send;
}

/// Why an agent gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgentError {
    /// A model call failed.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A model call would have exceeded the budget of the task, the day or the tenant; it was not made.
    #[error(transparent)]
    BudgetExceeded(#[from] BudgetExceeded),
    /// The task's time is over.
    #[error("finish within {limit_ms} ms")]
    DeadlineExceeded {
        /// The time that the task had, in milliseconds.
        limit_ms: u64,
    },
    /// The task was taken back.
    #[error("finish: the task was cancelled")]
    Cancelled,
    /// The agent panicked.
    #[error("run agent {kind}: it panicked: {message}{}", at(.location.as_deref()))]
    Panicked {
        /// The agent's kind.
        kind: &'static str,
        /// The panic's text.
        message: String,
        /// File, line and column, where known.
        location: Option<String>,
    },
    /// The agent asked something else than the last time: a step that is written down does not fit.
    #[error("go on at step {step}: it was asked {recorded} before, and is asked {asked} now")]
    NonDeterministic {
        /// The place of the step within the task, as in `2.3`.
        step: String,
        /// What is written down, with its fingerprint.
        recorded: String,
        /// What is asked now, with its fingerprint.
        asked: String,
    },
    /// A step that is written down cannot be read.
    #[error("go on at step {step}: {reason}")]
    Unreadable {
        /// The place of the step within the task.
        step: String,
        /// Why.
        reason: String,
    },
    /// A value has a form that cannot be written down and read back.
    #[error("write down {what} of agent {kind}: {reason}")]
    Unwritable {
        /// The agent's kind.
        kind: &'static str,
        /// "the request" or "the reply".
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// The agent's actor ended without an answer.
    #[error("run agent {kind}: its actor ended without an answer")]
    Lost {
        /// The agent's kind.
        kind: &'static str,
    },
    /// No such agent in this runtime.
    #[error("ask agent {kind}: it is not registered with this runtime")]
    NotRegistered {
        /// The agent's kind.
        kind: &'static str,
    },
    /// Agents ask agents deeper than allowed.
    #[error("ask agent {kind}: agents already ask each other {depth} deep")]
    TooDeep {
        /// The agent's kind.
        kind: &'static str,
        /// The bound.
        depth: u32,
    },
    /// Whatever else the agent says.
    #[error(transparent)]
    Failed(#[from] Failure),
}

fn at(location: Option<&str>) -> String {
    location.map(|location| format!(" at {location}")).unwrap_or_default()
}

impl AgentError {
    /// What to decide on.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Model(error) => error.class(),
            Self::BudgetExceeded(_) => FailureClass::Denied,
            Self::DeadlineExceeded { .. } => FailureClass::Deadline,
            Self::Cancelled => FailureClass::Cancelled,
            Self::Panicked { .. } | Self::Lost { .. } => FailureClass::Retryable,
            Self::NotRegistered { .. }
            | Self::TooDeep { .. }
            | Self::NonDeterministic { .. }
            | Self::Unreadable { .. }
            | Self::Unwritable { .. } => FailureClass::Internal,
            Self::Failed(failure) => failure.class,
        }
    }
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        let hint = match &error {
            AgentError::DeadlineExceeded { .. } => {
                Some("Allow more time with the task's timeout, or choose a faster model.")
            }
            AgentError::NotRegistered { .. } => Some("Register it: Runtime::builder().agent(…)."),
            AgentError::NonDeterministic { .. } => Some(
                "An agent must ask the same in the same order when it runs again: draw times, random numbers \
                 and the like through AgentContext::step.",
            ),
            AgentError::Unwritable { .. } => {
                Some("Use plain fields: no serde untagged, flatten, internally tagged or skipped ones.")
            }
            AgentError::Model(_)
            | AgentError::Failed(_)
            | AgentError::BudgetExceeded(_)
            | AgentError::Cancelled
            | AgentError::Unreadable { .. }
            | AgentError::Panicked { .. }
            | AgentError::Lost { .. }
            | AgentError::TooDeep { .. } => None,
        };
        match error {
            AgentError::Model(error) => error.into(),
            AgentError::Failed(failure) => failure,
            AgentError::BudgetExceeded(error) => {
                let failure = Self::new(FailureClass::Denied, error.to_string()).with_hint(error.hint());
                match error.ends_in {
                    Some(wait) => {
                        failure.with_retry_after_ms(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX))
                    }
                    None => failure,
                }
            }
            other => {
                let failure = Self::new(other.class(), other.to_string());
                match hint {
                    Some(hint) => failure.with_hint(hint),
                    None => failure,
                }
            }
        }
    }
}
