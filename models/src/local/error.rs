//! What can be wrong with a model file.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::ModelErrorKind;

/// A model file that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("use model file {}: {reason}", path.display())]
pub struct LocalError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: LocalErrorReason,
}

/// What is wrong with a model file.
#[derive(Debug, thiserror::Error)]
pub enum LocalErrorReason {
    /// There is no such file.
    #[error("it is not there")]
    Missing,
    /// The system cannot read it.
    #[error("it cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// It is something else.
    #[error("it is not a GGUF file")]
    NotGguf,
    /// Its head contradicts itself or the file's length.
    #[error("it is damaged or cut short: {0}")]
    Damaged(String),
    /// A network that is not built in.
    #[error("architecture {0} is not supported (supported: llama, qwen2)")]
    UnsupportedArchitecture(String),
    /// A variant that is not built in.
    #[error("{0} is not supported")]
    Unsupported(String),
    /// A setting that the file must have.
    #[error("it has no {0}")]
    NoMetadata(String),
    /// Without it a conversation cannot be framed as the model expects.
    #[error("it has no chat template (tokenizer.chat_template): an instruction-tuned model is needed")]
    NoTemplate,
    /// The template is not valid, or it refuses the conversation.
    #[error("its chat template fails: {0}")]
    Template(String),
    /// The vocabulary cannot be used.
    #[error("its tokenizer cannot be used: {0}")]
    Tokenizer(String),
    /// The system gives no more threads.
    #[error("no threads can be started: {0}")]
    Threads(String),
}

impl LocalErrorReason {
    pub(super) fn at(self, path: &Path) -> LocalError {
        LocalError { path: path.to_owned(), reason: self }
    }
}

impl From<LocalError> for ModelErrorKind {
    fn from(error: LocalError) -> Self {
        let path = error.path.display().to_string();
        match error.reason {
            LocalErrorReason::Missing => Self::ModelFileMissing { path },
            LocalErrorReason::Threads(reason) => Self::Internal { reason },
            reason => Self::ModelFile { path, reason: reason.to_string() },
        }
    }
}
