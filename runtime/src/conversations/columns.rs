//! How values stand in columns.

use playhouse_protocol::completion::{Origin, ProviderKind, Role};
use playhouse_protocol::{ConversationId, Usage};
use rusqlite::Row;

use super::faults::Fault;

/// The columns of a use, in the order in which [`usage`] takes them.
pub(super) const USAGE: &str =
    "model_calls, prompt_tokens, cached_prompt_tokens, completion_tokens, cost_nano_usd";

/// Every provider, to be found by its name.
const PROVIDERS: [ProviderKind; 5] = [
    ProviderKind::Local,
    ProviderKind::OpenAi,
    ProviderKind::Anthropic,
    ProviderKind::Scripted,
    ProviderKind::Ollama,
];

/// A number as SQLite keeps it; what is larger than it can hold is held at the largest.
pub(super) fn stored(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A number as it was kept.
pub(super) fn number(row: &Row<'_>, column: usize) -> Result<u64, Fault> {
    let kept: i64 = row.get(column)?;
    u64::try_from(kept).map_err(|_| Fault::unreadable(format!("a count of {kept}")))
}

/// A short number as it was kept.
pub(super) fn short(row: &Row<'_>, column: usize) -> Result<u32, Fault> {
    let kept = number(row, column)?;
    u32::try_from(kept).map_err(|_| Fault::unreadable(format!("a count of {kept}")))
}

pub(super) fn id(row: &Row<'_>, column: usize) -> Result<ConversationId, Fault> {
    Ok(ConversationId::from_bytes(row.get(column)?))
}

/// A use whose columns begin at `first`.
pub(super) fn usage(row: &Row<'_>, first: usize) -> Result<Usage, Fault> {
    Ok(Usage {
        model_calls: number(row, first)?,
        prompt_tokens: number(row, first + 1)?,
        cached_prompt_tokens: number(row, first + 2)?,
        completion_tokens: number(row, first + 3)?,
        cost_nano_usd: number(row, first + 4)?,
    })
}

pub(super) fn role(row: &Row<'_>, column: usize) -> Result<Role, Fault> {
    let name: String = row.get(column)?;
    [Role::System, Role::User, Role::Assistant]
        .into_iter()
        .find(|role| role.as_str() == name)
        .ok_or_else(|| Fault::unreadable(format!("a message of the role {name:?}")))
}

/// An origin whose columns begin at `first`: model, provider, id of the request.
pub(super) fn origin(row: &Row<'_>, first: usize) -> Result<Option<Origin>, Fault> {
    let (Some(model), Some(name)) = (row.get(first)?, row.get::<_, Option<String>>(first + 1)?) else {
        return Ok(None);
    };
    let provider = PROVIDERS
        .into_iter()
        .find(|provider| provider.as_str() == name)
        .ok_or_else(|| Fault::unreadable(format!("an answer of the provider {name:?}")))?;
    Ok(Some(Origin { model, provider, request_id: row.get(first + 2)? }))
}
