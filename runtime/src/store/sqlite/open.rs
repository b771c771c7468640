//! Opening a file: looked at before it is touched.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::faults::{Fault, failed};
use super::lock::{OwnerLock, io};
use super::schema::{self, APPLICATION_ID, MIGRATIONS, VERSION};
use super::wal::{self, number};
use crate::store::{StoreError, StoreErrorKind};

const DOING: &str = "open the journal";

/// How long a call waits for another connection of this process, or for a reader that checkpoints.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// Statements that a connection keeps prepared: there are about thirty.
const STATEMENTS_MAX: usize = 64;

/// Files up to this size are read through before they are used: about a second. Damage in larger ones is told
/// by the call that meets it.
const CHECKED_BYTES_MAX: u64 = 256 * 1024 * 1024;

/// What the write-ahead log keeps at rest, in bytes.
const WAL_BYTES_KEPT: u64 = 16 * 1024 * 1024;

/// Pages of a new file, in bytes. A message has some kilobytes, and what is left of the last page of each is lost: of a long
/// conversation up to a sixth with these, and up to four tenths with SQLite's own 4,096.
pub(super) const PAGE_BYTES: u32 = 1_024;

/// Pages in the write-ahead log behind which it is brought into the file: 4 MiB, as SQLite has it for its own pages.
const WAL_PAGES: u32 = 4_000;

/// The head of every SQLite file. Source: sqlite.org, "Database File Format", 1.3.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
const HEADER_BYTES: usize = 100;

/// The head of what a writing needs to be taken back.
const ROLLBACK_MAGIC: &[u8; 8] = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";
const ROLLBACK_HEADER_BYTES: usize = 28;

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
    finish_interrupted(path).map_err(told)?;
    if path.metadata().is_ok_and(|file| file.len() > 0) {
        check_existing(path)?;
    } else if wal::bytes_len(path) > 0 {
        let message = "it is empty or missing, and its write-ahead log is not".to_owned();
        return Err(told(Fault::Kind(StoreErrorKind::Corrupt { message })));
    }
    Ok(lock)
}

/// Looks at a file without writing to it, also while another process writes it.
pub(super) fn check_existing(path: &Path) -> Result<(), StoreError> {
    let check = || {
        let header = Header::read(path)?;
        if header.version > VERSION {
            return Err(newer(header.version));
        }
        if pages_before_interruption(path)?.is_some() {
            let message = "a writing was interrupted, which whoever opens it to write sets right".to_owned();
            return Err(Fault::Kind(StoreErrorKind::Io { message }));
        }
        wal::check(path)?;
        check_pages(path).map_err(|fault| header.told_of_missing_pages(path, fault))
    };
    check().map_err(|fault| failed(DOING, path, fault))
}

/// What the head of a file says.
struct Header {
    version: u32,
    /// The bytes that the file has when nothing of its write-ahead log is missing in it.
    bytes_len: u64,
}

impl Header {
    fn read(path: &Path) -> Result<Self, Fault> {
        let mut file = File::open(path).map_err(|error| io(&error))?;
        let mut header = [0_u8; HEADER_BYTES];
        let not_ours =
            |message: &str| Err(Fault::Kind(StoreErrorKind::NotAJournal { message: message.to_owned() }));
        if file.read_exact(&mut header).is_err() || !header.starts_with(MAGIC) {
            return not_ours("it does not begin as an SQLite file does");
        }
        if number(&header, 68) != APPLICATION_ID {
            return not_ours("it is an SQLite file of another program");
        }
        // The size of a page stands in two bytes, where 1 means 65,536.
        let page_bytes = match u64::from(number(&header, 16) >> 16) {
            1 => 65_536,
            bytes => bytes,
        };
        let bytes_len = u64::from(number(&header, 28)) * page_bytes;
        Ok(Self { version: number(&header, 60), bytes_len })
    }

    /// Says what SQLite found in words that help, when the file ends too early.
    fn told_of_missing_pages(&self, path: &Path, fault: Fault) -> Fault {
        let expected = self.bytes_len;
        match path.metadata().map(|file| file.len()) {
            Ok(found) if found < expected && fault.is_damage() => {
                let message = format!("it has {found} bytes and should have {expected}: it was cut off");
                Fault::Kind(StoreErrorKind::Corrupt { message })
            }
            Ok(_) | Err(_) => fault,
        }
    }
}

/// Looks through a connection, which sees the write-ahead log and the file as one: a crash within a checkpoint leaves the
/// file shorter than its head says, and all that is missing in the log.
fn check_pages(path: &Path) -> Result<(), Fault> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // The last connection that closes would write the log into the file.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(BUSY_LIMIT)?;
    let version = schema::version(&connection)?;
    if version > VERSION {
        return Err(newer(version));
    }
    if path.metadata().map_err(|error| io(&error))?.len() > CHECKED_BYTES_MAX {
        return Ok(());
    }
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Fault::Kind(StoreErrorKind::Corrupt { message: found })) }
}

/// Brings a file back to what it was before a migration that a process died in. SQLite does so for whoever reads it first
/// and may write it; a file of another program is left alone.
fn finish_interrupted(path: &Path) -> Result<(), Fault> {
    let Some(pages_before) = pages_before_interruption(path)? else { return Ok(()) };
    if pages_before > 0 {
        Header::read(path)?;
    }
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_LIMIT)?;
    schema::version(&connection)?;
    Ok(())
}

/// How many pages the file had before a writing that did not come to its end; `None` when there is no such thing.
/// Source: sqlite.org, "Database File Format", section 3, "The Rollback Journal".
fn pages_before_interruption(path: &Path) -> Result<Option<u32>, Fault> {
    let mut file = match File::open(wal::beside(path, "-journal")) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io(&error)),
    };
    let mut header = [0; ROLLBACK_HEADER_BYTES];
    let is_whole = file.read_exact(&mut header).is_ok() && header.starts_with(ROLLBACK_MAGIC);
    Ok(is_whole.then(|| number(&header, 16)))
}

fn newer(found: u32) -> Fault {
    Fault::Kind(StoreErrorKind::Newer { found, supported: VERSION })
}

/// The connection that writes.
pub(super) fn writer(path: &Path) -> Result<Connection, StoreError> {
    let open = || {
        let mut connection = Connection::open(path)?;
        connection.busy_timeout(BUSY_LIMIT)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
        connection.pragma_update(None, "page_size", PAGE_BYTES)?;
        // Before WAL, so that the marks are in the file's header from the beginning.
        schema::migrate(&mut connection, MIGRATIONS)?;
        connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update_and_check(None, "wal_autocheckpoint", WAL_PAGES, |_| Ok(()))?;
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
