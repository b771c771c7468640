//! Making a conversation shorter for models. The original stays.

use std::sync::Arc;

use playhouse_models::ModelInfo;
use playhouse_models::tokens::{TokenCounter, prompt_tokens_at_most};
use playhouse_protocol::Failure;
use playhouse_protocol::chat::{CondensedView, Conversation};
use playhouse_protocol::completion::{ChatMessage, Condensed, Role};

use super::ConversationStore;
use crate::fitting::{Fitted, fit};

/// The share of the room for a prompt, in percent, past which a conversation is made shorter: before the model's limit, so
/// that a long question still fits.
const NEAR_PERCENT: u64 = 80;

/// The share of the room that it takes afterwards, in percent: what is then said fits for many turns, and a prompt that stays
/// the same at its beginning is cheaper with most providers.
const TARGET_PERCENT: u64 = 50;

/// How much of a model's context a conversation may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitTokens {
    /// The room for prompts: the context without the longest answer.
    pub room: u64,
    /// What is made shorter when it is longer than this.
    pub near: u64,
    /// How long it is afterwards, at most.
    pub target: u64,
}

impl LimitTokens {
    /// The limits for a model.
    pub fn of(info: &ModelInfo) -> Self {
        let room = u64::from(info.context_tokens.saturating_sub(info.completion_tokens_default));
        Self { room, near: room * NEAR_PERCENT / 100, target: room * TARGET_PERCENT / 100 }
    }
}

/// Makes what models are sent of a conversation at most `limit_tokens` long, and keeps that as its condensed view. `None` when
/// it is as short already, or cannot be made shorter. Counts and computes off the async threads.
///
/// # Errors
/// The store's failure; when the computing thread is gone because the runtime shuts down.
pub async fn condense(
    store: &dyn ConversationStore,
    conversation: &mut Conversation,
    limit_tokens: u64,
    counter: Arc<dyn TokenCounter>,
) -> Result<Option<Condensed>, Failure> {
    let sent = conversation.sent();
    // What is never shortened may take more: then the call decides what becomes of the question.
    let Ok(fitted) = off_threads(move || fit(&sent, limit_tokens, &*counter)).await? else { return Ok(None) };
    let Fitted { mut messages, condensed: Some(condensed) } = fitted else { return Ok(None) };
    if conversation.system.is_some() && messages.first().is_some_and(|first| first.role == Role::System) {
        messages.remove(0);
    }
    let until = u32::try_from(conversation.messages.len()).unwrap_or(u32::MAX);
    let Condensed { tokens_before, tokens_after, .. } = condensed;
    let view = CondensedView { until, messages, tokens_before, tokens_after };
    store.set_condensed(conversation.id, Some(view.clone())).await?;
    conversation.condensed = Some(view);
    Ok(Some(condensed))
}

/// [`condense`]s a conversation that nears the limit of a model together with what is said next.
pub(super) async fn condense_near_limit(
    store: &dyn ConversationStore,
    conversation: &mut Conversation,
    next: &str,
    limits: LimitTokens,
    counter: Arc<dyn TokenCounter>,
) -> Result<Option<Condensed>, Failure> {
    let mut messages = conversation.sent();
    messages.push(ChatMessage::user(next));
    // Most conversations need no counting.
    if prompt_tokens_at_most(&messages) <= limits.near {
        return Ok(None);
    }
    let (counting, next) = (Arc::clone(&counter), next.to_owned());
    let count = move || (counting.count_chat(&messages), counting.count(&next));
    let (all_tokens, next_tokens) = off_threads(count).await?;
    if all_tokens <= limits.near {
        return Ok(None);
    }
    condense(store, conversation, limits.target.saturating_sub(next_tokens), counter).await
}

async fn off_threads<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| Failure::internal("condense a conversation: the computing thread is gone"))
}
