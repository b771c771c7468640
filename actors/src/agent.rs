//! What an agent is, and how it fails.

use std::future::Future;

use playhouse_models::ModelError;
use playhouse_protocol::usage::BudgetLimit;
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

    /// What is asked.
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
    /// A model call would have exceeded the task's budget; it was not made.
    #[error("stay within the budget: {} would be exceeded ({used} used, {planned} planned, {limit} allowed)", limit_name(*.which))]
    BudgetExceeded {
        /// Which limit.
        which: BudgetLimit,
        /// What was used before, in the limit's unit.
        used: u64,
        /// What the call was planned with.
        planned: u64,
        /// What is allowed.
        limit: u64,
    },
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

fn limit_name(which: BudgetLimit) -> &'static str {
    match which {
        BudgetLimit::ModelCalls => "the number of model calls",
        BudgetLimit::Tokens => "the number of tokens",
        BudgetLimit::Cost => "the cost in billionths of a US dollar",
    }
}

fn at(location: Option<&str>) -> String {
    location.map(|location| format!(" at {location}")).unwrap_or_default()
}

impl AgentError {
    /// What to decide on.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Model(error) => error.class(),
            Self::BudgetExceeded { .. } => FailureClass::Denied,
            Self::DeadlineExceeded { .. } => FailureClass::Deadline,
            Self::Cancelled => FailureClass::Cancelled,
            Self::Panicked { .. } | Self::Lost { .. } => FailureClass::Retryable,
            Self::NotRegistered { .. } | Self::TooDeep { .. } => FailureClass::Internal,
            Self::Failed(failure) => failure.class,
        }
    }
}

impl From<AgentError> for Failure {
    fn from(error: AgentError) -> Self {
        let hint = match &error {
            AgentError::BudgetExceeded { .. } => {
                Some("Allow more with the task's budget, or ask for less: a shorter input, fewer rounds.")
            }
            AgentError::DeadlineExceeded { .. } => {
                Some("Allow more time with the task's timeout, or choose a faster model.")
            }
            AgentError::NotRegistered { .. } => Some("Register it: Runtime::builder().agent(…)."),
            AgentError::Model(_)
            | AgentError::Failed(_)
            | AgentError::Cancelled
            | AgentError::Panicked { .. }
            | AgentError::Lost { .. }
            | AgentError::TooDeep { .. } => None,
        };
        match error {
            AgentError::Model(error) => error.into(),
            AgentError::Failed(failure) => failure,
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
