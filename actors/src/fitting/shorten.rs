//! How a single message is made shorter.

use playhouse_models::tokens::TokenCounter;
use playhouse_protocol::compress::{Pin, PinRule, Strategy, Verification};

use crate::compression::verify::verify;
use crate::compression::{Job, compress};

/// Makes texts shorter, and knows how many facts are in them.
pub(super) trait Shorten {
    /// The text in at most `limit_tokens`; `None` when it cannot be said in so few.
    fn shorten(&self, text: &str, limit_tokens: u64) -> Option<Shortened>;

    /// Facts in a text.
    fn facts(&self, text: &str) -> u32;
}

/// A text that was made shorter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shortened {
    pub(super) text: String,
    /// Facts that were in it.
    pub(super) facts_total: u32,
    /// Facts that still are.
    pub(super) facts_kept: u32,
}

/// Shortens by the strategies of compression: the gentlest that fits. Addresses and paths survive where there is room for all
/// of them.
pub(super) struct Compression<'a> {
    pub(super) counter: &'a dyn TokenCounter,
}

impl Shorten for Compression<'_> {
    fn shorten(&self, text: &str, limit_tokens: u64) -> Option<Shortened> {
        let pins = PinRule::DEFAULT.map(Pin::Rule);
        let compressed = [&pins[..], &[]].into_iter().find_map(|pins| {
            let job = Job { text, limit_tokens, strategy: Strategy::Auto, pins, content: None };
            compress(&job, self.counter).ok()
        })?;
        let Verification { facts_total, facts_kept, .. } = compressed.verification;
        let count = |facts: u64| u32::try_from(facts).unwrap_or(u32::MAX);
        Some(Shortened {
            text: compressed.text,
            facts_total: count(facts_total),
            facts_kept: count(facts_kept),
        })
    }

    fn facts(&self, text: &str) -> u32 {
        u32::try_from(verify(text, "").facts_total).unwrap_or(u32::MAX)
    }
}
