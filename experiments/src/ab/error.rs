//! What can go wrong with A/B tests.

use std::io;
use std::path::PathBuf;

use playhouse_protocol::{Failure, FailureClass};

use super::file::FILE_BYTES_MAX;

/// Something that cannot be done with A/B tests.
#[derive(Debug, thiserror::Error)]
pub enum AbError {
    /// A file cannot be read or written.
    #[error("{what} the outcomes of an A/B test in {}: {source}", path.display())]
    File {
        /// What was tried, as a verb.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file holds something else.
    #[error("read the outcomes of an A/B test in {}, line {line}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A file is larger than such files are.
    #[error("read the outcomes of an A/B test in {}: it is larger than {FILE_BYTES_MAX} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// There is no such test.
    #[error("find the A/B test of task type {task_type:?}: {}", tests_text(known))]
    UnknownTest {
        /// What was asked for.
        task_type: String,
        /// The task types that have one.
        known: Vec<String>,
    },
    /// There is no such arm.
    #[error("find arm {arm:?} in the A/B test of {task_type}: its arms are {}", known.join(", "))]
    UnknownArm {
        /// The type of task.
        task_type: String,
        /// What was asked for.
        arm: String,
        /// The arms of the test.
        known: Vec<String>,
    },
    /// The arm takes tasks.
    #[error("put arm {arm} of {task_type} back: it is not stopped")]
    NotStopped {
        /// The type of task.
        task_type: String,
        /// The arm.
        arm: String,
    },
}

impl AbError {
    /// How callers should react.
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::File { .. } => FailureClass::Internal,
            Self::Damaged { .. }
            | Self::TooLarge { .. }
            | Self::UnknownTest { .. }
            | Self::UnknownArm { .. }
            | Self::NotStopped { .. } => FailureClass::InvalidInput,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> String {
        match self {
            Self::File { .. } => {
                "Make the folder writable, or name another one with `experiments.dir`.".to_owned()
            }
            Self::Damaged { path, .. } | Self::TooLarge { path } => {
                format!("Move {} away: the test begins anew without it.", path.display())
            }
            Self::UnknownTest { .. } => "Tests are in the settings: selection.ab.TASK_TYPE.".to_owned(),
            Self::UnknownArm { .. } | Self::NotStopped { .. } => {
                "See how each arm stands: playhouse experiment status".to_owned()
            }
        }
    }
}

impl From<AbError> for Failure {
    fn from(error: AbError) -> Self {
        Self::new(error.class(), error.to_string()).with_hint(error.hint())
    }
}

fn tests_text(known: &[String]) -> String {
    if known.is_empty() {
        return "the settings name none".to_owned();
    }
    format!("the settings name {}", known.join(", "))
}
