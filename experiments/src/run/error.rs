//! What can go wrong with the folders of runs.

use std::io;
use std::path::{Path, PathBuf};

use playhouse_protocol::{Failure, FailureClass};

/// Why a run's folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RunStoreError {
    /// A file or folder cannot be read or written.
    #[error("{action} {path}: {source}", path = .path.display())]
    Io {
        /// What was tried: "read", "write".
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// There is no such run.
    #[error("find run {run:?}: it is not among the runs in {folder}", folder = .folder.display())]
    Unknown {
        /// The name.
        run: String,
        /// The folder of all runs.
        folder: PathBuf,
        /// The run that was hardly meant otherwise.
        nearest: Option<String>,
    },
    /// Another process works on the run.
    #[error("take up run {run}: another process works on it")]
    Busy {
        /// The run.
        run: String,
    },
    /// The run has ended.
    #[error("take up run {run}: it has ended")]
    Ended {
        /// The run.
        run: String,
    },
    /// A file is not what was written.
    #[error("read {path}{at}: {reason}", path = .path.display(), at = at(*.line))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1, in a file of lines.
        line: Option<usize>,
        /// What is wrong.
        reason: String,
    },
}

fn at(line: Option<usize>) -> String {
    line.map(|line| format!(" line {line}")).unwrap_or_default()
}

impl RunStoreError {
    pub(super) fn io<'a>(action: &'static str, path: &'a Path) -> impl FnOnce(io::Error) -> Self + use<'a> {
        move |source| Self::Io { action, path: path.to_owned(), source }
    }

    /// What supervisors and exit codes decide on.
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::Io { .. } => FailureClass::Internal,
            Self::Damaged { .. } | Self::Unknown { .. } | Self::Ended { .. } => FailureClass::InvalidInput,
            Self::Busy { .. } => FailureClass::Overloaded,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::Io { .. } => "Check that the folder is there, may be written, and has room.".to_owned(),
            Self::Unknown { nearest: Some(near), .. } => format!("Did you mean {near}?"),
            Self::Unknown { nearest: None, .. } => "`playhouse experiment list` tells the runs.".to_owned(),
            Self::Busy { .. } => "Wait until it ends, or end it there.".to_owned(),
            Self::Ended { .. } => "Run the template again: that begins a new run.".to_owned(),
            Self::Damaged { .. } => {
                "The file was changed after it was written; take it from a copy, or run again.".to_owned()
            }
        }
    }
}

impl From<RunStoreError> for Failure {
    fn from(error: RunStoreError) -> Self {
        Self::new(error.class(), error.to_string()).with_hint(error.hint())
    }
}
