//! The tables, and how an older file comes by them.

use rusqlite::{Connection, TransactionBehavior};

use super::faults::Fault;
use crate::store::StoreErrorKind;

/// Marks a file as a journal of Playhouse: the letters `PHjl`, in the database header at byte 68.
pub(super) const APPLICATION_ID: u32 = u32::from_be_bytes(*b"PHjl");

/// Each brings a file from the version before to the next one. A step that was released never changes.
pub(super) const MIGRATIONS: &[&str] = &[VERSION_1];

/// The version that this program writes.
pub(super) const VERSION: u32 = 1;

/// Times are in milliseconds since 1970; `options`, `usage` and failures are envelopes of `playhouse_protocol`.
/// A payload is the number of its last link in `chains`: 0 for an empty one. `refs` counts the rows that name
/// a link or a piece, which goes with the last of them. Tables have row ids: from any other table SQLite moves what is
/// longer than a quarter of a page to a page of its own.
const VERSION_1: &str = "
CREATE TABLE tasks (
    id BLOB NOT NULL PRIMARY KEY,
    kind TEXT NOT NULL,
    tenant TEXT NOT NULL,
    key TEXT,
    parent BLOB,
    options BLOB NOT NULL,
    submitted INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    request INTEGER NOT NULL,
    status INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    ended INTEGER,
    reply INTEGER,
    failure BLOB,
    usage BLOB
);
CREATE UNIQUE INDEX tasks_by_key ON tasks (tenant, key) WHERE key IS NOT NULL;
CREATE INDEX tasks_by_status ON tasks (status, id);
CREATE INDEX tasks_by_end ON tasks (ended, id) WHERE ended IS NOT NULL;
CREATE INDEX tasks_by_parent ON tasks (parent, id) WHERE parent IS NOT NULL;
CREATE TABLE failed_attempts (
    task BLOB NOT NULL,
    attempt INTEGER NOT NULL,
    failed BLOB NOT NULL,
    PRIMARY KEY (task, attempt)
);
CREATE TABLE steps (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    task BLOB NOT NULL,
    path TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    kind BLOB NOT NULL,
    label TEXT NOT NULL,
    fingerprint BLOB NOT NULL,
    input INTEGER NOT NULL,
    output INTEGER,
    usage BLOB,
    failure BLOB,
    unix_ms INTEGER NOT NULL,
    UNIQUE (task, path)
);
CREATE TABLE pieces (
    id INTEGER PRIMARY KEY,
    hash BLOB NOT NULL UNIQUE,
    refs INTEGER NOT NULL,
    bytes BLOB NOT NULL
);
CREATE TABLE chains (
    id INTEGER PRIMARY KEY,
    parent INTEGER NOT NULL,
    tag INTEGER NOT NULL,
    piece INTEGER NOT NULL,
    refs INTEGER NOT NULL,
    UNIQUE (parent, piece, tag)
);
";

/// Brings the file to `migrations.len()`, in one transaction: an interrupted one has changed nothing.
pub(super) fn migrate(connection: &mut Connection, migrations: &[&str]) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = version(&transaction)?;
    let supported = u32::try_from(migrations.len()).unwrap_or(u32::MAX);
    if found > supported {
        return Err(Fault::Kind(StoreErrorKind::Newer { found, supported }));
    }
    if found == supported {
        return Ok(());
    }
    for migration in migrations.iter().skip(found as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", migrations.len())?;
    Ok(transaction.commit()?)
}

/// The version of the file, as of what a connection sees of it.
pub(super) fn version(connection: &Connection) -> Result<u32, Fault> {
    Ok(connection.pragma_query_value(None, "user_version", |row| row.get(0))?)
}
