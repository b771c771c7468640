//! Opening a file: looked at before it is touched.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::faults::{Fault, failed};
use super::lock::{OwnerLock, io};
use super::schema::{self, APPLICATION_ID, MIGRATIONS, VERSION};
use crate::store::{StoreError, StoreErrorKind};

const DOING: &str = "open the journal";

/// How long a call waits for another connection of this process, or for a reader that checkpoints.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// Statements that a connection keeps prepared: there are about thirty.
const STATEMENTS_MAX: usize = 64;

/// Files up to this size are read through before they are used: about a second. Damage in larger ones is told
/// by the call that meets it.
const CHECKED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// Pages of 4 KiB that the write-ahead log keeps at rest: 16 MiB.
const WAL_BYTES_KEPT: u64 = 16 * 1024 * 1024;

/// The head of every SQLite file. Source: sqlite.org, "Database File Format", 1.3.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER_BYTES: usize = 100;

/// Makes the folder, takes the lock and looks at the file.
pub(super) fn prepare(path: &Path) -> Result<OwnerLock, StoreError> {
    let told = |fault| failed(DOING, path, fault);
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(|error| io(&error)).map_err(told)?;
    }
    if path.is_dir() {
        let message = "it is a folder".to_owned();
        return Err(told(Fault::Kind(StoreErrorKind::NotAJournal { message })));
    }
    let lock = OwnerLock::take(path).map_err(told)?;
    if path.metadata().is_ok_and(|file| file.len() > 0) {
        check_existing(path)?;
    }
    Ok(lock)
}

/// Looks at a file without writing to it.
pub(super) fn check_existing(path: &Path) -> Result<(), StoreError> {
    check_header(path).and_then(|()| check_pages(path)).map_err(|fault| failed(DOING, path, fault))
}

fn check_header(path: &Path) -> Result<(), Fault> {
    let mut file = File::open(path).map_err(|error| io(&error))?;
    let bytes_len = file.metadata().map_err(|error| io(&error))?.len();
    let mut header = [0_u8; HEADER_BYTES];
    let not_ours =
        |message: &str| Err(Fault::Kind(StoreErrorKind::NotAJournal { message: message.to_owned() }));
    if file.read_exact(&mut header).is_err() || !header.starts_with(MAGIC) {
        return not_ours("it does not begin as an SQLite file does");
    }
    let number = |at: usize| {
        header.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes)
    };
    if number(68) != APPLICATION_ID {
        return not_ours("it is an SQLite file of another program");
    }
    let found = number(60);
    if found > VERSION {
        return Err(Fault::Kind(StoreErrorKind::Newer { found, supported: VERSION }));
    }
    // The size of a page stands in two bytes, where 1 means 65,536.
    let page_bytes = match u64::from(number(16) >> 16) {
        1 => 65_536,
        bytes => bytes,
    };
    let expected = u64::from(number(28)) * page_bytes;
    if bytes_len < expected {
        let message = format!("it has {bytes_len} bytes and should have {expected}: it was cut off");
        return Err(Fault::Kind(StoreErrorKind::Corrupt { message }));
    }
    Ok(())
}

fn check_pages(path: &Path) -> Result<(), Fault> {
    if path.metadata().map_err(|error| io(&error))?.len() > CHECKED_BYTES_MAX {
        return Ok(());
    }
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // The last connection that closes would write the log into the file.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(BUSY_LIMIT)?;
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Fault::Kind(StoreErrorKind::Corrupt { message: found })) }
}

/// The connection that writes.
pub(super) fn writer(path: &Path) -> Result<Connection, StoreError> {
    let open = || {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_LIMIT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        // Before WAL, so that the marks are in the file's header from the beginning.
        schema::migrate(&mut connection, MIGRATIONS)?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update_and_check(None, "journal_size_limit", WAL_BYTES_KEPT, |_| Ok(()))?;
        Ok(connection)
    };
    open().map_err(|fault| failed(DOING, path, fault))
}

/// A connection that reads.
pub(super) fn reader(path: &Path) -> Result<Connection, StoreError> {
    let open = || {
        let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        connection.busy_timeout(BUSY_LIMIT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        Ok(connection)
    };
    open().map_err(|fault: Fault| failed(DOING, path, fault))
}
