//! What SQLite says → what a store says.

use std::path::Path;

use playhouse_actors::chat::{ConversationError, ConversationErrorKind};
use rusqlite::ErrorCode;

/// What can go wrong inside a call.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    Kind(ConversationErrorKind),
}

impl Fault {
    /// A value that is stored and cannot be understood.
    pub(super) fn unreadable(message: impl Into<String>) -> Self {
        Self::Kind(ConversationErrorKind::Corrupt { message: message.into() })
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<std::io::Error> for Fault {
    fn from(error: std::io::Error) -> Self {
        Self::Kind(ConversationErrorKind::Io { message: error.to_string() })
    }
}

pub(super) fn failed(doing: &'static str, path: &Path, fault: Fault) -> ConversationError {
    let kind = match fault {
        Fault::Kind(kind) => kind,
        Fault::Sqlite(error) => kind_of(&error),
    };
    ConversationError { doing, path: Some(path.to_owned()), kind }
}

fn kind_of(error: &rusqlite::Error) -> ConversationErrorKind {
    let message = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => ConversationErrorKind::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => ConversationErrorKind::Busy,
        Some(ErrorCode::DatabaseCorrupt) => ConversationErrorKind::Corrupt { message },
        Some(ErrorCode::NotADatabase) => ConversationErrorKind::Foreign { message },
        Some(_) => ConversationErrorKind::Io { message },
        // A column that holds something else than was written.
        None => ConversationErrorKind::Corrupt { message },
    }
}
