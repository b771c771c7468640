//! Counting as OpenAI's models do: the one door to tiktoken-rs. The encodings of today's models are counted by
//! `fast`, which counts the same; the old ones by tiktoken-rs, in `pieces`.
//!
//! Special tokens have no meaning here: a text that spells `<|endoftext|>` is counted as the characters it is, as a
//! provider reads it when it stands in a message.

use std::str::FromStr;

use playhouse_protocol::completion::ChatMessage;
use tiktoken_rs::CoreBPE;
use tiktoken_rs::tokenizer::Tokenizer;

use super::TokenCounter;
use super::fast::FastEncoding;
use super::pieces::pieces;

/// Tokens around each message, its role not included.
///
/// Source: OpenAI Cookbook, "How to count tokens with tiktoken", `tokens_per_message` of the gpt-3.5-turbo, gpt-4
/// and gpt-4o models.
const MESSAGE_TOKENS: u64 = 3;

/// Tokens with which every answer is begun.
///
/// Source: as [`MESSAGE_TOKENS`]: "every reply is primed with <|start|>assistant<|message|>".
const REPLY_TOKENS: u64 = 3;

/// The most characters of an unknown name that are compared and shown.
const NAME_LEN_MAX: usize = 60;

/// How alike a name must be to be offered, 0 to 1.
const SIMILARITY_MIN: f64 = 0.8;

/// An encoding of tiktoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// GPT-2, GPT-3.
    R50k,
    /// Codex, text-davinci-002 and -003.
    P50k,
    /// GPT-3.5, GPT-4.
    Cl100k,
    /// GPT-4o, GPT-4.1, GPT-5 and the o series.
    O200k,
    /// The open-weight gpt-oss models.
    O200kHarmony,
}

impl Encoding {
    /// Every encoding, oldest first.
    pub const ALL: [Self; 5] = [Self::R50k, Self::P50k, Self::Cl100k, Self::O200k, Self::O200kHarmony];

    /// The name that settings use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::R50k => "r50k_base",
            Self::P50k => "p50k_base",
            Self::Cl100k => "cl100k_base",
            Self::O200k => "o200k_base",
            Self::O200kHarmony => "o200k_harmony",
        }
    }

    /// The encoding of this name, where there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        // Differs from its base in special tokens alone.
        if name == "p50k_edit" {
            return Some(Self::P50k);
        }
        Self::ALL.into_iter().find(|encoding| encoding.as_str() == name)
    }

    /// The encoding that a model is known to use. Names as routers write them (`openai/gpt-4o`) are understood.
    pub fn of_model(model: &str) -> Option<Self> {
        let encoding = match tiktoken_rs::tokenizer::get_tokenizer(bare_name(model))? {
            Tokenizer::R50kBase | Tokenizer::Gpt2 => Self::R50k,
            // The edit models count ordinary text as their base does: the encodings differ in special tokens.
            Tokenizer::P50kBase | Tokenizer::P50kEdit => Self::P50k,
            Tokenizer::Cl100kBase => Self::Cl100k,
            Tokenizer::O200kBase => Self::O200k,
            Tokenizer::O200kHarmony => Self::O200kHarmony,
        };
        Some(encoding)
    }

    /// What counts by it.
    const fn encoder(self) -> Encoder {
        match self {
            Self::R50k => Encoder::Tiktoken(tiktoken_rs::r50k_base_singleton),
            Self::P50k => Encoder::Tiktoken(tiktoken_rs::p50k_base_singleton),
            Self::Cl100k => Encoder::Fast(FastEncoding::Cl100k),
            Self::O200k | Self::O200kHarmony => Encoder::Fast(FastEncoding::O200k),
        }
    }

    /// Tokens of a text.
    pub(super) fn count(self, text: &str) -> u64 {
        match self.encoder() {
            Encoder::Fast(encoding) => encoding.count(text),
            Encoder::Tiktoken(singleton) => {
                let encoder = singleton();
                pieces(text).map(|piece| encoder.count_ordinary(piece) as u64).sum()
            }
        }
    }
}

/// A name that no encoding has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("find the encoding {name:?}: it is not known")]
pub struct UnknownEncoding {
    name: String,
    nearest: Option<Encoding>,
}

impl UnknownEncoding {
    /// What to do about it: the nearest name, where one is near, and every name.
    pub fn hint(&self) -> String {
        let known = Encoding::ALL.map(Encoding::as_str).join(", ");
        match self.nearest {
            Some(nearest) => format!("Did you mean {}? Known encodings: {known}.", nearest.as_str()),
            None => format!("Known encodings: {known}."),
        }
    }
}

impl FromStr for Encoding {
    type Err = UnknownEncoding;

    fn from_str(name: &str) -> Result<Self, UnknownEncoding> {
        if let Some(encoding) = Self::from_name(name) {
            return Ok(encoding);
        }
        let name: String = name.chars().take(NAME_LEN_MAX).collect();
        let similarity = |encoding: &Self| strsim::jaro_winkler(&name.to_lowercase(), encoding.as_str());
        let nearest = Self::ALL.into_iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
        let nearest = nearest.filter(|encoding| similarity(encoding) >= SIMILARITY_MIN);
        Err(UnknownEncoding { name, nearest })
    }
}

/// Counts by an encoding. Built at the first use in this process (up to a second of work), shared and kept.
enum Encoder {
    Fast(FastEncoding),
    Tiktoken(fn() -> &'static CoreBPE),
}

/// Builds an encoder, so that the first count is not the one that waits for it. Takes up to a second of computing:
/// call it off the async threads.
pub fn warm_up(encoding: Encoding) {
    match encoding.encoder() {
        Encoder::Fast(encoding) => encoding.warm_up(),
        Encoder::Tiktoken(singleton) => drop(singleton()),
    }
}

/// Tokens of prompt and answer together that a model is known to hold.
pub fn context_tokens(model: &str) -> Option<u32> {
    tiktoken_rs::model::get_context_size(bare_name(model)).and_then(|tokens| u32::try_from(tokens).ok())
}

/// The model's own name behind a router's prefix.
pub(super) fn bare_name(model: &str) -> &str {
    model.rsplit('/').next().unwrap_or(model)
}

/// Counts by an encoding of tiktoken.
#[derive(Debug, Clone, Copy)]
pub struct TiktokenCounter {
    encoding: Encoding,
    exact: bool,
}

impl TiktokenCounter {
    /// The counter for a model. Models that tiktoken does not know (Qwen, Mistral, Claude, …) are estimated by the
    /// newest encoding, and the counter says so.
    pub fn for_model(model: &str) -> Self {
        match Encoding::of_model(model) {
            Some(encoding) => Self { encoding, exact: true },
            None => Self { encoding: Encoding::O200k, exact: false },
        }
    }

    /// A counter by the encoding that the settings name. Exact only for a model that is known to use it.
    pub fn with_encoding(encoding: Encoding, model: &str) -> Self {
        Self { encoding, exact: Encoding::of_model(model) == Some(encoding) }
    }
}

impl TokenCounter for TiktokenCounter {
    fn encoding(&self) -> &str {
        self.encoding.as_str()
    }

    fn is_exact(&self) -> bool {
        self.exact
    }

    fn count(&self, text: &str) -> u64 {
        self.encoding.count(text)
    }

    fn count_chat(&self, messages: &[ChatMessage]) -> u64 {
        texts(self.encoding, messages) + framing(messages)
    }
}

/// Tokens of what stands in a conversation: roles and contents.
pub(super) fn texts(encoding: Encoding, messages: &[ChatMessage]) -> u64 {
    let of = |message: &ChatMessage| encoding.count(message.role.as_str()) + encoding.count(&message.content);
    messages.iter().map(of).sum()
}

/// Tokens of what stands around it.
pub(super) fn framing(messages: &[ChatMessage]) -> u64 {
    MESSAGE_TOKENS * messages.len() as u64 + REPLY_TOKENS
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tokens::pieces::PIECE_BYTES_MAX;

    fn count(encoding: Encoding, text: &str) -> u64 {
        TiktokenCounter::with_encoding(encoding, "").count(text)
    }

    #[test]
    fn known_texts_have_their_published_counts() {
        // Source: OpenAI Cookbook, "How to count tokens with tiktoken", comparing encodings.
        for (text, r50k, p50k, cl100k, o200k) in [
            ("antidisestablishmentarianism", 5, 5, 6, 6),
            ("2 + 2 = 4", 5, 5, 7, 7),
            ("お誕生日おめでとう", 14, 14, 9, 8),
        ] {
            let counts = Encoding::ALL.map(|encoding| count(encoding, text));
            assert_eq!(counts, [r50k, p50k, cl100k, o200k, o200k], "{text}");
        }
    }

    #[test]
    fn a_conversation_has_its_published_framing() {
        // Source: as above, the example conversation: 129 tokens by gpt-4 without the names of its messages. Here a
        // shorter one by hand: 3 + role 1 + 2, 3 + role 1 + 1, 3.
        let counter = TiktokenCounter::for_model("gpt-4");
        let messages = [ChatMessage::system("hello world"), ChatMessage::user("hello")];
        assert_eq!(counter.count_chat(&messages), 3 + 1 + 2 + 3 + 1 + 1 + 3);
        assert_eq!(counter.count_chat(&[]), 3);
    }

    #[test]
    fn special_tokens_in_a_text_are_ordinary_characters() {
        assert_eq!(count(Encoding::Cl100k, "<|endoftext|>"), 7);
    }

    #[test]
    fn models_find_their_encoding_by_name() {
        for (model, encoding, exact) in [
            ("gpt-4o-mini", "o200k_base", true),
            ("openai/gpt-4o", "o200k_base", true),
            ("gpt-5.4", "o200k_base", true),
            ("gpt-4-turbo", "cl100k_base", true),
            ("gpt-oss-20b", "o200k_harmony", true),
            ("gpt2", "r50k_base", true),
            ("qwen2.5-coder-0.5b", "o200k_base", false),
            ("mistral-large", "o200k_base", false),
            ("claude-sonnet-4-5", "o200k_base", false),
        ] {
            let counter = TiktokenCounter::for_model(model);
            assert_eq!((counter.encoding(), counter.is_exact()), (encoding, exact), "{model}");
        }
    }

    #[test]
    fn a_configured_encoding_is_exact_only_for_a_model_that_uses_it() {
        let exact = |model| TiktokenCounter::with_encoding(Encoding::Cl100k, model).is_exact();
        assert!(exact("gpt-4"));
        assert!(!exact("gpt-4o"));
        assert!(!exact("qwen3"));
    }

    #[test]
    fn an_unknown_encoding_is_told_with_the_nearest_and_all_known_names() {
        let error = "cl200k_base".parse::<Encoding>().unwrap_err();
        assert_eq!(error.to_string(), "find the encoding \"cl200k_base\": it is not known");
        assert!(error.hint().starts_with("Did you mean cl100k_base? Known encodings: r50k_base, "));
        assert!("klingon".parse::<Encoding>().unwrap_err().hint().starts_with("Known encodings: "));
        assert_eq!("o200k_base".parse(), Ok(Encoding::O200k));
    }

    #[test]
    fn an_edit_encoding_counts_as_its_base() {
        assert_eq!(Encoding::from_name("p50k_edit"), Some(Encoding::P50k));
        assert_eq!(Encoding::from_name("p60k_base"), None);
    }

    #[test]
    fn counting_in_pieces_equals_counting_at_once() {
        let prose = "The quick brown fox isn't over 12,345 lazy dogs!  Indented\n\n    let x = a[1] + b; // ok?\r\n\t";
        let code = include_str!("tiktoken.rs");
        let cyrillic = "Съешь же ещё этих мягких французских булок, да выпей чаю. ";
        for text in [prose, code, cyrillic] {
            let text = text.repeat(3 * PIECE_BYTES_MAX / text.len() + 1);
            for (encoding, peer) in [
                (Encoding::R50k, tiktoken_rs::r50k_base_singleton()),
                (Encoding::P50k, tiktoken_rs::p50k_base_singleton()),
            ] {
                let at_once = peer.count_ordinary(&text) as u64;
                assert_eq!(count(encoding, &text), at_once, "{encoding:?} {:?}", &text[..30]);
            }
        }
    }

    #[test]
    fn a_megabyte_without_a_gap_is_counted() {
        for encoding in Encoding::ALL {
            for (text, at_least) in [("a".repeat(1 << 20), 1 << 16), (" ".repeat(1 << 20), 1 << 12)] {
                assert!(count(encoding, &text) >= at_least, "{}", count(encoding, &text));
            }
        }
    }

    #[test]
    fn a_long_run_counts_as_many_times_as_it_is_long() {
        // Runs are not cut: eight letters are one token wherever they stand.
        let count = |len: usize| count(Encoding::O200k, &"a".repeat(len));
        assert_eq!((count(8), count(1 << 10), count(1 << 20)), (1, 1 << 7, 1 << 17));
    }
}
