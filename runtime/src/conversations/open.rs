//! Opening a file: looked at before it is touched.

use std::path::Path;
use std::time::Duration;

use playhouse_actors::chat::ConversationErrorKind;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::faults::Fault;
use super::schema::{self, APPLICATION_ID};

/// How long a call waits for another process that writes. A turn takes milliseconds.
const BUSY_LIMIT: Duration = Duration::from_secs(5);

/// Statements that a connection keeps prepared: there are about twenty.
const STATEMENTS_MAX: usize = 32;

/// Files up to this size are read through before they are used: about a fifth of a second. Damage in larger ones is told by
/// the call that meets it.
const CHECKED_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Opens the file to read and write.
pub(super) fn open(path: &Path) -> Result<Connection, Fault> {
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    if path.is_dir() {
        return Err(foreign("it is a folder"));
    }
    if path.metadata().is_ok_and(|file| file.len() > 0) {
        check_existing(path)?;
    } else {
        make_private(path)?;
    }
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_LIMIT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    connection.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "full")?;
    schema::migrate(&mut connection)?;
    Ok(connection)
}

/// Looks at a file without writing to it, also while another process writes it.
fn check_existing(path: &Path) -> Result<(), Fault> {
    let connection = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    // The last connection that closes would write the log into the file.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.busy_timeout(BUSY_LIMIT)?;
    let application: u32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: u32 = connection.query_row("SELECT COUNT(*) FROM sqlite_schema", [], |row| row.get(0))?;
    // Without tables it is what another process has just begun.
    if application != APPLICATION_ID && tables > 0 {
        return Err(foreign("it is an SQLite file of another program"));
    }
    schema::check_version(&connection)?;
    if path.metadata()?.len() > CHECKED_BYTES_MAX {
        return Ok(());
    }
    let found: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(Fault::unreadable(found)) }
}

/// Makes an empty file that only its owner can read: conversations are private. SQLite gives the files beside it the same
/// rights.
fn make_private(path: &Path) -> Result<(), Fault> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?;
    Ok(())
}

fn foreign(message: &str) -> Fault {
    Fault::Kind(ConversationErrorKind::Foreign { message: message.to_owned() })
}
