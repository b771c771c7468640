//! Counting tokens, as exactly as a model allows.
//!
//! [`TokenCounter`] is the face. [`tiktoken`] counts as OpenAI's models do (it is the door to tiktoken-rs, `fast` the one
//! to bpe-openai, which counts the same faster); the embedded models bring their own vocabulary; [`Calibrated`] estimates
//! everybody else and learns from what providers report. [`count_many`] uses all cores; [`analysis`] says what a text or
//! conversation means for a model: parts, window, room, cost.

use std::fmt;
use std::sync::Arc;

use playhouse_protocol::completion::ChatMessage;
use serde::Serialize;

pub mod analysis;
mod calibrated;
pub(crate) mod estimate;
mod family;
mod fast;
mod many;
pub mod pieces;
pub mod tiktoken;

pub use analysis::{Document, ModelFacts, TokenAnalysis, parts_of};
pub use calibrated::Calibrated;
pub use many::count_many;
pub use tiktoken::{Encoding, TiktokenCounter, UnknownEncoding, warm_up};

/// Tokens that a message may take beside its text, in any model's framing.
const FRAMING_TOKENS_MAX: u64 = 16;

/// A bound of a conversation's tokens that needs no counting: no text has more tokens than bytes.
pub fn prompt_tokens_at_most(messages: &[ChatMessage]) -> u64 {
    messages.iter().map(|message| message.content.len() as u64 + FRAMING_TOKENS_MAX).sum()
}

/// How close a count is to the model's own.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "accuracy", rename_all = "snake_case")]
pub enum Accuracy {
    /// It is the model's own count.
    Exact,
    /// It is a related encoding's count, times a factor that was measured, configured or learned.
    Calibrated {
        /// The factor in force.
        factor: f64,
    },
    /// It is a related encoding's count; how far the model's own is from it, nobody has measured.
    Estimated,
}

impl Accuracy {
    /// The name used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Calibrated { .. } => "calibrated",
            Self::Estimated => "estimated",
        }
    }

    /// The factor by which a related encoding's count was multiplied, where one was.
    pub const fn factor(self) -> Option<f64> {
        match self {
            Self::Calibrated { factor } => Some(factor),
            Self::Exact | Self::Estimated => None,
        }
    }
}

/// Counts tokens as one model does.
pub trait TokenCounter: Send + Sync + fmt::Debug {
    /// The name of the encoding, for reports: `o200k_base`, `gguf:qwen2`.
    fn encoding(&self) -> &str;

    /// Whether counts are exact for the model; otherwise they are an estimate by a related encoding.
    fn is_exact(&self) -> bool;

    /// How close counts are to the model's own. May change as the counter learns.
    fn accuracy(&self) -> Accuracy {
        if self.is_exact() { Accuracy::Exact } else { Accuracy::Estimated }
    }

    /// Tokens of a text. May take long for a large text: call it off the async threads past 64 KiB.
    fn count(&self, text: &str) -> u64;

    /// Tokens of a conversation with the model's framing around each message and the start of the answer.
    fn count_chat(&self, messages: &[ChatMessage]) -> u64;

    /// Tells the counter that the provider counted `reported` tokens where it counted `counted`. A counter that
    /// estimates corrects itself; others do nothing.
    fn learn(&self, counted: u64, reported: u64) {
        let _ = (counted, reported);
    }
}

/// The counter for a model of this name. `encoding` and `factor` are what the settings say, where they do: without
/// them tiktoken's knowledge of the name decides, and models that it does not know (Qwen, Mistral, Claude, …) are
/// estimated by the newest encoding.
pub fn counter_for(model: &str, encoding: Option<Encoding>, factor: Option<f64>) -> Arc<dyn TokenCounter> {
    let known = Encoding::of_model(model);
    match (known, factor) {
        (Some(known), None) if encoding.is_none_or(|encoding| encoding == known) => {
            Arc::new(TiktokenCounter::with_encoding(known, model))
        }
        _ => Arc::new(Calibrated::new(encoding.or(known).unwrap_or(Encoding::O200k), factor, model)),
    }
}
