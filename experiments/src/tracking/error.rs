//! What can go wrong when a run is tracked.

use std::io;
use std::path::{Path, PathBuf};

use playhouse_config::ConfigError;
use playhouse_protocol::{Failure, FailureClass};

use super::validity::{ARTIFACT_BYTES_MAX, VALUE_BYTES_MAX};

/// Something that could not be tracked. Holds no value of a parameter and no secret.
#[derive(Debug, thiserror::Error)]
pub enum TrackingError {
    /// A file cannot be read or written.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What was tried, as a verb.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file does not hold what it should.
    #[error("read {}: line {line}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Another version wrote a file.
    #[error("read {}: it has version {found}, this program reads {known}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// A run's id cannot be that of a folder.
    #[error("track run {run:?}: an id is 1 to 200 letters, digits, `.`, `-` and `_`, and begins with no `.`")]
    Run {
        /// The id.
        run: String,
    },
    /// An experiment's name is empty or too long.
    #[error("track a run of {experiment:?}: a name is 1 to 500 bytes")]
    Experiment {
        /// The name.
        experiment: String,
    },
    /// A run was not begun.
    #[error("track run {run:?}: it was not begun")]
    NotBegun {
        /// The run.
        run: String,
    },
    /// A key is empty, too long, or holds control characters.
    #[error("track {key:?}: a key is 1 to 500 bytes without control characters")]
    Key {
        /// The key.
        key: String,
    },
    /// A value is too long.
    #[error("track {key:?}: its value has {bytes} bytes, and {VALUE_BYTES_MAX} are allowed")]
    TooLong {
        /// The key.
        key: String,
        /// How long the value is.
        bytes: usize,
    },
    /// A metric is infinite or no number.
    #[error("track metric {key:?}: its value is not finite")]
    NotFinite {
        /// The key.
        key: String,
    },
    /// A parameter or a point has another value than before.
    #[error("track {key:?} of run {run}: it has another value already")]
    Changed {
        /// The run.
        run: String,
        /// The key.
        key: String,
    },
    /// A file's name is not relative and plain.
    #[error(
        "track file {name:?}: its name is not relative, or has other parts than letters, digits, `.`, `-` and `_`"
    )]
    ArtifactName {
        /// The name.
        name: String,
    },
    /// A file is too large.
    #[error("track file {name:?}: it has {bytes} bytes, and {ARTIFACT_BYTES_MAX} are allowed")]
    ArtifactTooLarge {
        /// The name.
        name: String,
        /// How large it is.
        bytes: u64,
    },
    /// A run has too many points.
    #[error("track metrics of run {run}: it has {points} points, and no more are allowed")]
    TooMany {
        /// The run.
        run: String,
        /// How many it has.
        points: usize,
    },
    /// What waits to be sent takes all the room that it may.
    #[error("keep an operation for the tracking server: {} holds {bytes_max} bytes, and no more are allowed", path.display())]
    Full {
        /// The spool.
        path: PathBuf,
        /// What it may hold.
        bytes_max: u64,
    },
    /// Another process sends what is in the spool.
    #[error("send to the tracking server: another process sends what is in {}", path.display())]
    Busy {
        /// The spool.
        path: PathBuf,
    },
    /// The server does not let us in.
    #[error("send to the tracking server: it answered with status {status}")]
    Denied {
        /// The status.
        status: u16,
    },
    /// The token cannot be read.
    #[error("send to the tracking server: its token: {}", .0.line())]
    Token(ConfigError),
    /// The client for the server cannot be made.
    #[error("connect to the tracking server: {0}")]
    Client(String),
    /// The thread that works on files is gone: the process ends.
    #[error("track a run: the thread that works on its files ended")]
    Gone,
}

impl TrackingError {
    pub(super) fn file(what: &'static str, path: &Path, source: io::Error) -> Self {
        Self::File { what, path: path.to_owned(), source }
    }

    pub(super) fn damaged(path: &Path, line: usize, reason: &impl ToString) -> Self {
        Self::Damaged { path: path.to_owned(), line, reason: reason.to_string() }
    }

    /// What to decide on.
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::File { .. } | Self::Busy { .. } => FailureClass::Retryable,
            Self::Full { .. } => FailureClass::Overloaded,
            Self::Denied { .. } | Self::Token(_) => FailureClass::Denied,
            Self::Gone => FailureClass::Internal,
            Self::Damaged { .. }
            | Self::Version { .. }
            | Self::Run { .. }
            | Self::Experiment { .. }
            | Self::NotBegun { .. }
            | Self::Key { .. }
            | Self::TooLong { .. }
            | Self::NotFinite { .. }
            | Self::Changed { .. }
            | Self::ArtifactName { .. }
            | Self::ArtifactTooLarge { .. }
            | Self::TooMany { .. }
            | Self::Client(_) => FailureClass::InvalidInput,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::File { .. } => "Look whether the folder can be written and has room.",
            Self::Damaged { .. } => "Restore the file or move it away; it is not written over.",
            Self::Version { .. } => "Use the program that wrote it, or move the file away.",
            Self::NotBegun { .. } => "Begin the run first; in each process anew.",
            Self::TooLong { .. } => "Track a long text as a file.",
            Self::NotFinite { .. } => "Leave out what could not be measured.",
            Self::Changed { .. } => {
                "Take another key, or another run: what was tracked of a run does not change."
            }
            Self::Full { .. } => {
                "Start the tracking server again, or move the spool away: what was not sent is in the runs' folders too."
            }
            Self::Busy { .. } => "Wait for the other process; it sends what this one has kept, too.",
            Self::Denied { .. } => "Look at `experiments.tracking_token`; everything is kept until then.",
            Self::Token(error) => return error.hint.clone(),
            Self::Run { .. }
            | Self::Experiment { .. }
            | Self::Key { .. }
            | Self::ArtifactName { .. }
            | Self::ArtifactTooLarge { .. }
            | Self::TooMany { .. }
            | Self::Client(_)
            | Self::Gone => return None,
        };
        Some(hint.to_owned())
    }
}

impl From<TrackingError> for Failure {
    fn from(error: TrackingError) -> Self {
        let failure = Self::new(error.class(), error.to_string());
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}

/// Work on files, off the async threads.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, TrackingError> + Send + 'static,
) -> Result<T, TrackingError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| TrackingError::Gone)?
}
