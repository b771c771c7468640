//! Counting tokens. The one door to tiktoken-rs is [`tiktoken`].

use std::fmt;

use playhouse_protocol::completion::ChatMessage;

pub(crate) mod estimate;
pub mod pieces;
pub mod tiktoken;

pub use tiktoken::{Encoding, TiktokenCounter, warm_up};

/// Tokens that a message may take beside its text, in any model's framing.
const FRAMING_TOKENS_MAX: u64 = 16;

/// A bound of a conversation's tokens that needs no counting: no text has more tokens than bytes.
pub fn prompt_tokens_at_most(messages: &[ChatMessage]) -> u64 {
    messages.iter().map(|message| message.content.len() as u64 + FRAMING_TOKENS_MAX).sum()
}

/// Counts tokens as one model does.
pub trait TokenCounter: Send + Sync + fmt::Debug {
    /// The name of the encoding, for reports: `o200k_base`, `gguf:qwen2`.
    fn encoding(&self) -> &str;

    /// Whether counts are exact for the model; otherwise they are an estimate by a related encoding.
    fn is_exact(&self) -> bool;

    /// Tokens of a text. May take long for a large text: call it off the async threads past 64 KiB.
    fn count(&self, text: &str) -> u64;

    /// Tokens of a conversation with the model's framing around each message and the start of the answer.
    fn count_chat(&self, messages: &[ChatMessage]) -> u64;
}
