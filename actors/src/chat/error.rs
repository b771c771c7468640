//! Why a store of conversations could not be opened, read or written.

use std::path::PathBuf;

use playhouse_protocol::{ConversationId, Failure, FailureClass};

/// A store of conversations failed. Nothing was written by the call that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{doing}{}: {kind}", at(.path.as_ref()))]
pub struct ConversationError {
    /// What was tried, as a fragment: "append to a conversation".
    pub doing: &'static str,
    /// The file, where there is one.
    pub path: Option<PathBuf>,
    /// What went wrong.
    pub kind: ConversationErrorKind,
}

/// What went wrong with a store of conversations.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConversationErrorKind {
    /// There is no such conversation.
    #[error("there is no conversation {id}")]
    Unknown {
        /// Its id.
        id: ConversationId,
    },
    /// There is a conversation of this id already.
    #[error("there is a conversation {id} already")]
    Exists {
        /// Its id.
        id: ConversationId,
    },
    /// A condensed view stands for more messages than there are.
    #[error("a view of {until} messages does not fit to {messages_len}")]
    ViewTooLong {
        /// How many messages the view stands for.
        until: u32,
        /// How many there are.
        messages_len: u32,
    },
    /// No space is left.
    #[error("the disk is full")]
    Full,
    /// Another process writes it, and did so for as long as was waited.
    #[error("another process writes to it")]
    Busy,
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
    /// It is something else than a file of conversations.
    #[error("it is no file of Playhouse's conversations: {message}")]
    Foreign {
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
    /// The thread that worked on it ended; whether something was written is not known.
    #[error("the work was interrupted")]
    Interrupted,
}

fn at(path: Option<&PathBuf>) -> String {
    path.map(|path| format!(" {}", path.display())).unwrap_or_default()
}

impl ConversationError {
    /// An error of a store without a file.
    pub const fn new(doing: &'static str, kind: ConversationErrorKind) -> Self {
        Self { doing, path: None, kind }
    }

    /// What to decide on.
    pub const fn class(&self) -> FailureClass {
        match self.kind {
            ConversationErrorKind::Full => FailureClass::Overloaded,
            ConversationErrorKind::Busy
            | ConversationErrorKind::Io { .. }
            | ConversationErrorKind::Interrupted => FailureClass::Retryable,
            ConversationErrorKind::Unknown { .. }
            | ConversationErrorKind::Exists { .. }
            | ConversationErrorKind::ViewTooLong { .. }
            | ConversationErrorKind::Foreign { .. }
            | ConversationErrorKind::Newer { .. } => FailureClass::InvalidInput,
            ConversationErrorKind::Corrupt { .. } => FailureClass::Internal,
        }
    }

    /// What to do about it.
    pub const fn hint(&self) -> Option<&'static str> {
        match self.kind {
            ConversationErrorKind::Unknown { .. } => {
                Some("List them, for example with `playhouse chat list`, or begin a new one.")
            }
            ConversationErrorKind::Full => Some("Make room on the disk."),
            ConversationErrorKind::Busy => Some("Try again when the other process has finished."),
            ConversationErrorKind::Corrupt { .. } => {
                Some("The file was left as it is. Restore a copy of it, or move it away to begin a new one.")
            }
            ConversationErrorKind::Foreign { .. } => {
                Some("The file was left as it is. Name another one, or move it away.")
            }
            ConversationErrorKind::Newer { .. } => {
                Some("Use the newer program; an older one would damage the conversations.")
            }
            ConversationErrorKind::Exists { .. }
            | ConversationErrorKind::ViewTooLong { .. }
            | ConversationErrorKind::Io { .. }
            | ConversationErrorKind::Interrupted => None,
        }
    }
}

impl From<ConversationError> for Failure {
    fn from(error: ConversationError) -> Self {
        let failure = Self::new(error.class(), error.to_string());
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}
