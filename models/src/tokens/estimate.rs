//! What an answer used, when the provider does not say.

use std::sync::Arc;

use playhouse_protocol::Usage;
use playhouse_protocol::completion::ChatMessage;

use super::TokenCounter;

/// Counts prompt and answer. Works off the async threads, since an encoder is built at its first use and a text
/// may be long. Gives zero tokens when the runtime is shutting down and takes no more work.
pub(crate) async fn usage(
    counter: Arc<dyn TokenCounter>,
    messages: Arc<[ChatMessage]>,
    answer: String,
) -> Usage {
    let counted =
        tokio::task::spawn_blocking(move || (counter.count_chat(&messages), counter.count(&answer)));
    let (prompt_tokens, completion_tokens) = counted.await.unwrap_or_default();
    Usage { model_calls: 1, prompt_tokens, completion_tokens, ..Usage::default() }
}
