//! What SQLite says → what a store says.

use std::path::Path;

use playhouse_protocol::envelope::EnvelopeError;
use rusqlite::ErrorCode;

use crate::store::{StoreError, StoreErrorKind};

/// What can go wrong inside a call.
#[derive(Debug)]
pub(super) enum Fault {
    Sqlite(rusqlite::Error),
    /// A value of ours could not be written.
    Unwritable(EnvelopeError),
    /// A value that is stored cannot be read.
    Unreadable(String),
    Kind(StoreErrorKind),
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

pub(super) fn failed(doing: &'static str, path: &Path, fault: Fault) -> StoreError {
    let kind = match fault {
        Fault::Sqlite(error) => kind_of(&error),
        Fault::Unwritable(error) => StoreErrorKind::Unwritable { message: error.to_string() },
        Fault::Unreadable(message) => StoreErrorKind::Corrupt { message },
        Fault::Kind(kind) => kind,
    };
    StoreError { doing, path: Some(path.to_owned()), kind }
}

fn kind_of(error: &rusqlite::Error) -> StoreErrorKind {
    let message = error.to_string();
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => StoreErrorKind::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreErrorKind::InUse,
        Some(ErrorCode::DatabaseCorrupt) => StoreErrorKind::Corrupt { message },
        Some(ErrorCode::NotADatabase) => StoreErrorKind::NotAJournal { message },
        Some(ErrorCode::TooBig) => StoreErrorKind::Unwritable { message },
        Some(_) => StoreErrorKind::Io { message },
        // A column that holds something else than was written.
        None => StoreErrorKind::Corrupt { message },
    }
}
