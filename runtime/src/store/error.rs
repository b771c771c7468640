//! Why a store could not be opened, read or written.

use std::path::PathBuf;

use playhouse_protocol::{Failure, FailureClass};

/// A store failed. Nothing was written by the call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{doing}{}: {kind}", at(.path.as_ref()))]
pub struct StoreError {
    /// What was tried, as a fragment: "open the journal".
    pub doing: &'static str,
    /// The file, where there is one.
    pub path: Option<PathBuf>,
    /// What went wrong.
    pub kind: StoreErrorKind,
}

/// What went wrong with a store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreErrorKind {
    /// No space is left.
    #[error("the disk is full")]
    Full,
    /// Another process has it open for writing.
    #[error("another process uses it")]
    InUse,
    /// It cannot be reached or read or written.
    #[error("{message}")]
    Io {
        /// What the system said.
        message: String,
    },
    /// Its bytes are not what was written.
    #[error("it is damaged: {message}")]
    Corrupt {
        /// Where and how.
        message: String,
    },
    /// It is something else than a journal.
    #[error("it is no journal of Playhouse: {message}")]
    NotAJournal {
        /// What it is instead.
        message: String,
    },
    /// A newer program wrote it.
    #[error("it has schema version {found}, this program reads up to {supported}")]
    Newer {
        /// Its version.
        found: u32,
        /// What can be read.
        supported: u32,
    },
    /// A value in it was written by a program that knows another version of it.
    #[error("a {value} in it was written as version {found}, this program reads version {supported}")]
    OtherVersion {
        /// What it is.
        value: &'static str,
        /// Its version.
        found: u8,
        /// What can be read.
        supported: u8,
    },
    /// A value is too large, or has a form that cannot be written.
    #[error("{message}")]
    Unwritable {
        /// What is wrong with it.
        message: String,
    },
    /// The writer ended before it answered; whether the entries were written is not known.
    #[error("its writer was restarted")]
    Interrupted,
    /// It was opened to be read.
    #[error("it is open for reading only")]
    ReadOnly,
    /// The store was closed.
    #[error("it is closed")]
    Closed,
}

fn at(path: Option<&PathBuf>) -> String {
    path.map(|path| format!(" {}", path.display())).unwrap_or_default()
}

impl StoreError {
    /// What to decide on.
    pub const fn class(&self) -> FailureClass {
        match self.kind {
            StoreErrorKind::Full => FailureClass::Overloaded,
            StoreErrorKind::Io { .. } | StoreErrorKind::Interrupted | StoreErrorKind::Closed => {
                FailureClass::Retryable
            }
            StoreErrorKind::InUse | StoreErrorKind::ReadOnly => FailureClass::Denied,
            StoreErrorKind::NotAJournal { .. }
            | StoreErrorKind::Newer { .. }
            | StoreErrorKind::OtherVersion { .. }
            | StoreErrorKind::Unwritable { .. } => FailureClass::InvalidInput,
            StoreErrorKind::Corrupt { .. } => FailureClass::Internal,
        }
    }

    /// Whether the same call may succeed later, when somebody has made room or mended the disk.
    pub const fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            StoreErrorKind::Full
                | StoreErrorKind::Io { .. }
                | StoreErrorKind::InUse
                | StoreErrorKind::Interrupted
        )
    }

    /// Whether the store was closed.
    pub const fn is_closed(&self) -> bool {
        matches!(self.kind, StoreErrorKind::Closed)
    }

    /// What to do about it.
    pub const fn hint(&self) -> Option<&'static str> {
        match self.kind {
            StoreErrorKind::Full => Some("Make room on the disk. Open tasks wait, and none is lost."),
            StoreErrorKind::InUse => {
                Some("End the other process, or give this one a journal of its own with `journal.path`.")
            }
            StoreErrorKind::Corrupt { .. } => Some(
                "The file was left as it is. Restore a copy of it, or name another file with `journal.path`.",
            ),
            StoreErrorKind::NotAJournal { .. } => {
                Some("The file was left as it is. Name another one with `journal.path`.")
            }
            StoreErrorKind::Newer { .. } => {
                Some("Use the newer program; an older one would damage the journal.")
            }
            StoreErrorKind::OtherVersion { .. } => {
                Some("Use a program of the version that wrote it; what it wrote stays as it is.")
            }
            StoreErrorKind::Io { .. }
            | StoreErrorKind::Unwritable { .. }
            | StoreErrorKind::Interrupted
            | StoreErrorKind::ReadOnly
            | StoreErrorKind::Closed => None,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = Self::new(error.class(), error.to_string());
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}
