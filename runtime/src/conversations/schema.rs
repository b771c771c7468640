//! The tables, and how an older file comes by them.

use playhouse_actors::chat::ConversationErrorKind;
use rusqlite::{Connection, TransactionBehavior};

use super::faults::Fault;

/// Marks a file as conversations of Playhouse: the letters `PHcv`, in the database header at byte 68.
pub(super) const APPLICATION_ID: u32 = u32::from_be_bytes(*b"PHcv");

/// Each brings a file from the version before to the next one. A step that was released never changes.
const MIGRATIONS: &[&str] = &[VERSION_1];

/// The version that this program writes.
pub(super) const VERSION: u32 = 1;

/// Times are in milliseconds since 1970. Messages are numbered from 0 within their conversation; `condensed` are the messages
/// of its condensed view. `messages_len` spares a list the counting.
const VERSION_1: &str = "
CREATE TABLE conversations (
    id BLOB NOT NULL PRIMARY KEY,
    title TEXT NOT NULL,
    model TEXT,
    system TEXT,
    created INTEGER NOT NULL,
    updated INTEGER NOT NULL,
    messages_len INTEGER NOT NULL,
    model_calls INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    cached_prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    condensed_until INTEGER,
    condensed_tokens_before INTEGER,
    condensed_tokens_after INTEGER
);
CREATE INDEX conversations_by_change ON conversations (updated, id);
CREATE TABLE messages (
    conversation BLOB NOT NULL,
    number INTEGER NOT NULL,
    role TEXT NOT NULL,
    content TEXT NOT NULL,
    model TEXT,
    provider TEXT,
    request_id TEXT,
    model_calls INTEGER NOT NULL,
    prompt_tokens INTEGER NOT NULL,
    cached_prompt_tokens INTEGER NOT NULL,
    completion_tokens INTEGER NOT NULL,
    cost_nano_usd INTEGER NOT NULL,
    is_cut INTEGER NOT NULL,
    unix_ms INTEGER NOT NULL,
    PRIMARY KEY (conversation, number)
);
CREATE TABLE condensed (
    conversation BLOB NOT NULL,
    number INTEGER NOT NULL,
    role TEXT NOT NULL,
    content TEXT NOT NULL,
    PRIMARY KEY (conversation, number)
);
CREATE TABLE turns (
    conversation BLOB NOT NULL,
    key TEXT NOT NULL,
    first INTEGER NOT NULL,
    PRIMARY KEY (conversation, key)
);
";

/// Brings the file to the newest version, in one transaction: an interrupted one has changed nothing, and of two processes
/// that begin at once the second finds it done.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Fault> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let found = check_version(&transaction)?;
    if found == VERSION {
        return Ok(());
    }
    for migration in MIGRATIONS.iter().skip(found as usize) {
        transaction.execute_batch(migration)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

/// The version of the file, when this program can read it.
pub(super) fn check_version(connection: &Connection) -> Result<u32, Fault> {
    let found: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if found > VERSION {
        return Err(Fault::Kind(ConversationErrorKind::Newer { found, supported: VERSION }));
    }
    Ok(found)
}
