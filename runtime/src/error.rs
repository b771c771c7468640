//! Why a runtime did not start, or did not answer a question about itself.

use std::time::Duration;

use playhouse_actors::context::DuplicateAgent;
use playhouse_protocol::{Failure, FailureClass};
use playhouse_supervisors::{AskError, StartError as TreeError};

use crate::store::StoreError;

/// Why a runtime did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Two agents of one kind.
    #[error(transparent)]
    DuplicateAgent(#[from] DuplicateAgent),
    /// The metrics recorder could not be made.
    #[error("make the metrics recorder: {0}")]
    Metrics(String),
    /// The catalog of models could not be made.
    #[error(transparent)]
    Catalog(Failure),
    /// The journal could not be opened or read.
    #[error(transparent)]
    Journal(#[from] StoreError),
    /// The journal that the settings name cannot be had in this program.
    #[error("open the journal: {problem}")]
    JournalUnsupported {
        /// Why.
        problem: String,
    },
    /// A model that was named is none of the embedder's own.
    #[error("start with default model {name:?}: no such model was added")]
    UnknownModel {
        /// The name.
        name: String,
    },
    /// The prompt templates could not be used.
    #[error(transparent)]
    Prompts(Failure),
    /// The supervision tree did not start.
    #[error("start the supervision tree: {0}")]
    Tree(#[from] TreeError),
    /// The supervision tree started and did not become ready.
    #[error("start the supervision tree: {0}")]
    NotReady(#[from] AskError),
    /// The pool of agent supervisors could not be made.
    #[error("start the agent supervisors: {0}")]
    Pool(String),
}

impl StartError {
    /// What to decide on.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::DuplicateAgent(_) | Self::UnknownModel { .. } | Self::JournalUnsupported { .. } => {
                FailureClass::InvalidInput
            }
            Self::Journal(error) => error.class(),
            Self::Catalog(failure) | Self::Prompts(failure) => failure.class,
            Self::Metrics(_) | Self::Tree(_) | Self::NotReady(_) | Self::Pool(_) => FailureClass::Internal,
        }
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Catalog(failure) | StartError::Prompts(failure) => failure,
            StartError::Journal(error) => error.into(),
            other => Self::new(other.class(), other.to_string()),
        }
    }
}

/// A part of the runtime did not answer a question about its state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ask {part} for its state: no answer within {} ms", .limit.as_millis())]
pub struct StateError {
    /// Which part.
    pub part: &'static str,
    /// How long it was waited for.
    pub limit: Duration,
}
