//! Reading.

use playhouse_actors::chat::ConversationPage;
use playhouse_protocol::ConversationId;
use playhouse_protocol::chat::{CondensedView, Conversation, ConversationSummary, StoredMessage};
use playhouse_protocol::completion::ChatMessage;
use rusqlite::{Connection, Row, params};

use super::columns::{USAGE, id as id_of, number, origin, role, short, stored, usage};
use super::faults::Fault;

/// A conversation with its messages.
pub(super) fn conversation(
    connection: &Connection,
    id: ConversationId,
) -> Result<Option<Conversation>, Fault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT title, model, system, created, updated, condensed_until, condensed_tokens_before, \
         condensed_tokens_after, {USAGE} FROM conversations WHERE id = ?1"
    ))?;
    let mut rows = statement.query([id.as_bytes()])?;
    let Some(row) = rows.next()? else { return Ok(None) };
    Ok(Some(Conversation {
        id,
        title: row.get(0)?,
        model: row.get(1)?,
        system: row.get(2)?,
        created_unix_ms: number(row, 3)?,
        updated_unix_ms: number(row, 4)?,
        condensed: view(connection, id, row)?,
        usage: usage(row, 8)?,
        messages: messages(connection, id)?,
    }))
}

/// The condensed view whose columns begin at 5.
fn view(connection: &Connection, id: ConversationId, row: &Row<'_>) -> Result<Option<CondensedView>, Fault> {
    if row.get::<_, Option<i64>>(5)?.is_none() {
        return Ok(None);
    }
    let mut statement = connection
        .prepare_cached("SELECT role, content FROM condensed WHERE conversation = ?1 ORDER BY number")?;
    let mut rows = statement.query([id.as_bytes()])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        messages.push(ChatMessage { role: role(row, 0)?, content: row.get(1)? });
    }
    Ok(Some(CondensedView {
        until: short(row, 5)?,
        messages,
        tokens_before: number(row, 6)?,
        tokens_after: number(row, 7)?,
    }))
}

fn messages(connection: &Connection, id: ConversationId) -> Result<Vec<StoredMessage>, Fault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT role, content, model, provider, request_id, is_cut, unix_ms, {USAGE} FROM messages \
         WHERE conversation = ?1 ORDER BY number"
    ))?;
    let mut rows = statement.query([id.as_bytes()])?;
    let mut messages = Vec::new();
    while let Some(row) = rows.next()? {
        messages.push(StoredMessage {
            message: ChatMessage { role: role(row, 0)?, content: row.get(1)? },
            origin: origin(row, 2)?,
            is_cut: row.get(5)?,
            unix_ms: number(row, 6)?,
            usage: usage(row, 7)?,
        });
    }
    Ok(messages)
}

/// A page of the conversations, the latest change first.
pub(super) fn list(
    connection: &Connection,
    page: ConversationPage,
) -> Result<Vec<ConversationSummary>, Fault> {
    let mut statement = connection.prepare_cached(&format!(
        "SELECT id, title, model, created, updated, messages_len, condensed_until IS NOT NULL, {USAGE} \
         FROM conversations WHERE (updated, id) < (?1, ?2) ORDER BY updated DESC, id DESC LIMIT ?3"
    ))?;
    // Behind every conversation that there can be.
    let (updated, id) = match page.after {
        Some((updated, id)) => (stored(updated), id.as_bytes().to_vec()),
        None => (i64::MAX, vec![0xff; 17]),
    };
    let limit = i64::try_from(page.limit).unwrap_or(i64::MAX);
    let mut rows = statement.query(params![updated, id, limit])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(ConversationSummary {
            id: id_of(row, 0)?,
            title: row.get(1)?,
            model: row.get(2)?,
            created_unix_ms: number(row, 3)?,
            updated_unix_ms: number(row, 4)?,
            messages_len: short(row, 5)?,
            is_condensed: row.get(6)?,
            usage: usage(row, 7)?,
        });
    }
    Ok(found)
}
