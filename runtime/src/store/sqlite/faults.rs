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

impl Fault {
    /// Whether SQLite found bytes that are not what was written.
    pub(super) fn is_damage(&self) -> bool {
        matches!(self, Self::Sqlite(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt))
            || matches!(self, Self::Kind(StoreErrorKind::Corrupt { .. }))
    }

    /// What a caller is told.
    pub(super) fn into_kind(self) -> StoreErrorKind {
        match self {
            Self::Sqlite(error) => kind_of(&error),
            Self::Unwritable(error) => StoreErrorKind::Unwritable { message: error.to_string() },
            Self::Unreadable(message) => StoreErrorKind::Corrupt { message },
            Self::Kind(kind) => kind,
        }
    }

    /// Whether it is about one row, so that the others can be read.
    pub(super) fn is_about_a_row(&self) -> bool {
        match self {
            // What SQLite itself does not mind: a column that holds something else than was written.
            Self::Sqlite(error) => error.sqlite_error_code().is_none(),
            Self::Unreadable(_) | Self::Kind(StoreErrorKind::OtherVersion { .. }) => true,
            Self::Unwritable(_) | Self::Kind(_) => false,
        }
    }
}

impl From<rusqlite::Error> for Fault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

pub(super) fn failed(doing: &'static str, path: &Path, fault: Fault) -> StoreError {
    StoreError { doing, path: Some(path.to_owned()), kind: fault.into_kind() }
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
