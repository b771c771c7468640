//! Writing, each within a transaction of its caller.

use playhouse_actors::chat::{Appended, Change, ConversationErrorKind, Turn};
use playhouse_protocol::ConversationId;
use playhouse_protocol::chat::{CondensedView, Conversation, StoredMessage};
use rusqlite::{Connection, OptionalExtension as _, params};

use super::columns::{USAGE, stored};
use super::faults::Fault;

pub(super) fn create(connection: &Connection, conversation: &Conversation) -> Result<(), Fault> {
    let id = conversation.id;
    let usage = conversation.usage;
    let inserted = connection
        .prepare_cached(&format!(
            "INSERT INTO conversations (id, title, model, system, created, updated, messages_len, {USAGE}) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, ?9, ?10, ?11) ON CONFLICT DO NOTHING"
        ))?
        .execute(params![
            id.as_bytes(),
            conversation.title,
            conversation.model,
            conversation.system,
            stored(conversation.created_unix_ms),
            stored(conversation.updated_unix_ms),
            stored(usage.model_calls),
            stored(usage.prompt_tokens),
            stored(usage.cached_prompt_tokens),
            stored(usage.completion_tokens),
            stored(usage.cost_nano_usd),
        ])?;
    if inserted == 0 {
        return Err(Fault::Kind(ConversationErrorKind::Exists { id }));
    }
    add_messages(connection, id, 0, &conversation.messages)?;
    set_condensed(connection, id, conversation.condensed.as_ref())
}

pub(super) fn append(connection: &Connection, id: ConversationId, turn: &Turn) -> Result<Appended, Fault> {
    let first = messages_len(connection, id)?;
    let before: Option<u32> = connection
        .prepare_cached("SELECT first FROM turns WHERE conversation = ?1 AND key = ?2")?
        .query_row(params![id.as_bytes(), turn.key.as_str()], |row| row.get(0))
        .optional()?;
    if let Some(first) = before {
        return Ok(Appended { first, is_new: false });
    }
    let usage = turn.usage();
    connection
        .prepare_cached(
            "UPDATE conversations SET updated = ?2, title = CASE title WHEN '' THEN ?3 ELSE title END, \
             model = COALESCE(?4, model), system = COALESCE(?5, system), \
             model_calls = model_calls + ?6, prompt_tokens = prompt_tokens + ?7, \
             cached_prompt_tokens = cached_prompt_tokens + ?8, \
             completion_tokens = completion_tokens + ?9, cost_nano_usd = cost_nano_usd + ?10 WHERE id = ?1",
        )?
        .execute(params![
            id.as_bytes(),
            stored(turn.unix_ms),
            turn.title,
            turn.model,
            turn.system,
            stored(usage.model_calls),
            stored(usage.prompt_tokens),
            stored(usage.cached_prompt_tokens),
            stored(usage.completion_tokens),
            stored(usage.cost_nano_usd),
        ])?;
    connection
        .prepare_cached("INSERT INTO turns (conversation, key, first) VALUES (?1, ?2, ?3)")?
        .execute(params![id.as_bytes(), turn.key.as_str(), first])?;
    add_messages(connection, id, first, &turn.messages)?;
    Ok(Appended { first, is_new: true })
}

/// How many messages a conversation has, which must be there.
fn messages_len(connection: &Connection, id: ConversationId) -> Result<u32, Fault> {
    connection
        .prepare_cached("SELECT messages_len FROM conversations WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?
        .ok_or(Fault::Kind(ConversationErrorKind::Unknown { id }))
}

fn add_messages(
    connection: &Connection,
    id: ConversationId,
    first: u32,
    messages: &[StoredMessage],
) -> Result<(), Fault> {
    let mut statement = connection.prepare_cached(&format!(
        "INSERT INTO messages (conversation, number, role, content, model, provider, request_id, is_cut, unix_ms, \
         {USAGE}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
    ))?;
    for (number, said) in (u64::from(first)..).zip(messages) {
        let origin = said.origin.as_ref();
        statement.execute(params![
            id.as_bytes(),
            stored(number),
            said.message.role.as_str(),
            said.message.content,
            origin.map(|origin| &origin.model),
            origin.map(|origin| origin.provider.as_str()),
            origin.and_then(|origin| origin.request_id.as_ref()),
            said.is_cut,
            stored(said.unix_ms),
            stored(said.usage.model_calls),
            stored(said.usage.prompt_tokens),
            stored(said.usage.cached_prompt_tokens),
            stored(said.usage.completion_tokens),
            stored(said.usage.cost_nano_usd),
        ])?;
    }
    let len = u64::from(first) + messages.len() as u64;
    connection
        .prepare_cached("UPDATE conversations SET messages_len = ?2 WHERE id = ?1")?
        .execute(params![id.as_bytes(), stored(len)])?;
    Ok(())
}

pub(super) fn set_condensed(
    connection: &Connection,
    id: ConversationId,
    view: Option<&CondensedView>,
) -> Result<(), Fault> {
    let messages_len = messages_len(connection, id)?;
    if let Some(until) = view.map(|view| view.until).filter(|until| *until > messages_len) {
        return Err(Fault::Kind(ConversationErrorKind::ViewTooLong { until, messages_len }));
    }
    connection.prepare_cached("DELETE FROM condensed WHERE conversation = ?1")?.execute([id.as_bytes()])?;
    connection
        .prepare_cached(
            "UPDATE conversations SET condensed_until = ?2, condensed_tokens_before = ?3, \
             condensed_tokens_after = ?4 WHERE id = ?1",
        )?
        .execute(params![
            id.as_bytes(),
            view.map(|view| view.until),
            view.map(|view| stored(view.tokens_before)),
            view.map(|view| stored(view.tokens_after)),
        ])?;
    let mut statement = connection.prepare_cached(
        "INSERT INTO condensed (conversation, number, role, content) VALUES (?1, ?2, ?3, ?4)",
    )?;
    for (number, message) in (0_u64..).zip(view.iter().flat_map(|view| &view.messages)) {
        statement.execute(params![id.as_bytes(), stored(number), message.role.as_str(), message.content])?;
    }
    Ok(())
}

pub(super) fn change(connection: &Connection, id: ConversationId, change: &Change) -> Result<(), Fault> {
    messages_len(connection, id)?;
    let set = |column: &str, value: Option<&String>| {
        connection
            .prepare_cached(&format!("UPDATE conversations SET {column} = ?2 WHERE id = ?1"))?
            .execute(params![id.as_bytes(), value])
    };
    if let Some(title) = &change.title {
        set("title", Some(title))?;
    }
    if let Some(model) = &change.model {
        set("model", model.as_ref())?;
    }
    if let Some(system) = &change.system {
        set("system", system.as_ref())?;
    }
    Ok(())
}

pub(super) fn truncate(connection: &Connection, id: ConversationId, len: u32) -> Result<(), Fault> {
    let len = len.min(messages_len(connection, id)?);
    let until: Option<u32> = connection
        .prepare_cached("SELECT condensed_until FROM conversations WHERE id = ?1")?
        .query_row([id.as_bytes()], |row| row.get(0))?;
    if until.is_some_and(|until| until > len) {
        set_condensed(connection, id, None)?;
    }
    for statement in [
        "DELETE FROM messages WHERE conversation = ?1 AND number >= ?2",
        "DELETE FROM turns WHERE conversation = ?1 AND first >= ?2",
        "UPDATE conversations SET messages_len = ?2 WHERE id = ?1",
    ] {
        connection.prepare_cached(statement)?.execute(params![id.as_bytes(), len])?;
    }
    Ok(())
}

pub(super) fn delete(connection: &Connection, id: ConversationId) -> Result<bool, Fault> {
    for table in ["messages", "condensed", "turns"] {
        connection
            .prepare_cached(&format!("DELETE FROM {table} WHERE conversation = ?1"))?
            .execute([id.as_bytes()])?;
    }
    let removed =
        connection.prepare_cached("DELETE FROM conversations WHERE id = ?1")?.execute([id.as_bytes()])?;
    Ok(removed > 0)
}
