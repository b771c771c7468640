//! What can be wrong with templates.

use playhouse_protocol::{Failure, FailureClass};

/// Why templates could not be loaded or a prompt not rendered. The text holds no value that was rendered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    /// The folder or a file in it could not be read.
    #[error("read the prompt templates: {path}: {cause}")]
    Unreadable {
        /// The folder or file.
        path: String,
        /// What the system said.
        cause: String,
    },
    /// A file in the folder that is no template of a known name and version.
    #[error("read the prompt templates: {path}: not the name of a template")]
    UnknownTemplate {
        /// The file.
        path: String,
        /// The names there are.
        known: String,
    },
    /// A template that is not well formed, lacks a block, or uses what it is not given.
    #[error("{file}:{line}: {message}")]
    Template {
        /// The template's file.
        file: String,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
        /// What to do about it.
        hint: Option<String>,
    },
}

impl PromptError {
    /// What supervisors and exit codes decide on.
    pub const fn class(&self) -> FailureClass {
        FailureClass::InvalidInput
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreadable { .. } => None,
            Self::UnknownTemplate { known, .. } => Some(format!("known templates: {known}")),
            Self::Template { hint, .. } => hint.clone(),
        }
    }
}

impl From<PromptError> for Failure {
    fn from(error: PromptError) -> Self {
        let failure = Self::new(error.class(), error.to_string());
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}
