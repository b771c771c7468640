//! Request and reply of the compressor.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::completion::Origin;
use crate::failure::Failure;
use crate::usage::Usage;

/// The largest text that is compressed at once, in bytes: about four million tokens of English.
pub const TEXT_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The smallest limit that is taken, in tokens. One character takes at most four tokens of any known encoding, so
/// something of every text fits into this many.
pub const LIMIT_TOKENS_MIN: u64 = 8;

/// The most pins of one request.
pub const PINS_MAX: usize = 1_024;

/// The most lost facts that a reply names; all are counted.
pub const LOST_MAX: usize = 100;

/// The longest excerpt of a dropped part, in characters.
pub const EXCERPT_CHARS_MAX: usize = 80;

/// Make a text fit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompressText {
    /// The text: at most [`TEXT_BYTES_MAX`] bytes, without NUL.
    pub text: String,
    /// The most tokens that the result may have: at least [`LIMIT_TOKENS_MIN`].
    pub limit_tokens: u64,
    /// How to shorten it.
    pub strategy: Strategy,
    /// What must survive word for word; at most [`PINS_MAX`].
    pub pins: Vec<Pin>,
    /// What kind of text it is; `None` finds out.
    pub content: Option<Content>,
    /// The catalog entry whose tokens are counted, and which is asked for a summary; `None` selects by task type.
    pub model: Option<String>,
}

/// A way to shorten a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The gentlest that fits, by the kind of text.
    #[default]
    Auto,
    /// White space and exact repetitions only.
    Normalize,
    /// Rust: bodies, comments and private items are left out; what is left parses.
    Code,
    /// The sentences that say the most, in their order.
    Keyword,
    /// A model writes it anew.
    Summarize,
    /// The beginning.
    Head,
    /// The end.
    Tail,
    /// Beginning and end, without what is between them.
    Middle,
}

impl Strategy {
    /// Every strategy.
    pub const ALL: [Self; 8] = [
        Self::Auto,
        Self::Normalize,
        Self::Code,
        Self::Keyword,
        Self::Summarize,
        Self::Head,
        Self::Tail,
        Self::Middle,
    ];

    /// The name in JSON, in metrics and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Normalize => "normalize",
            Self::Code => "code",
            Self::Keyword => "keyword",
            Self::Summarize => "summarize",
            Self::Head => "head",
            Self::Tail => "tail",
            Self::Middle => "middle",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Strategy {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|strategy| strategy.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|strategy| strategy.as_str()).collect();
            Failure::invalid(format!("read the strategy {text:?}: it is not known"))
                .with_hint(format!("Known strategies: {}.", known.join(", ")))
        })
    }
}

/// A kind of text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Sentences.
    Prose,
    /// Sentences with headings, lists, tables and fenced code.
    Markdown,
    /// Rust source.
    Rust,
    /// Lines that stand for themselves: logs, tables, source in other languages.
    Lines,
}

/// What must survive word for word.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pin {
    /// This text, where it stands first. One that is not in the text asks for nothing.
    Text(String),
    /// Everything of this kind.
    Rule(PinRule),
}

/// Kinds of spans that can be pinned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PinRule {
    /// Fenced blocks, with their fences.
    FencedCode,
    /// Addresses.
    Urls,
    /// Numbers with their units, and dates.
    Numbers,
    /// `snake_case`, `CamelCase`, `a::b`, `f()`, and what stands in backticks.
    Identifiers,
    /// Paths of files.
    Paths,
}

impl PinRule {
    /// Every rule.
    pub const ALL: [Self; 5] = [Self::FencedCode, Self::Urls, Self::Numbers, Self::Identifiers, Self::Paths];

    /// What is pinned where nobody says: what a reader cannot guess again and what takes little room. Fenced code,
    /// numbers and identifiers make up too much of most texts to be pinned unasked; they weigh more in the ranking.
    pub const DEFAULT: [Self; 2] = [Self::Urls, Self::Paths];

    /// The name in JSON and on the command line.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::FencedCode => "fenced_code",
            Self::Urls => "urls",
            Self::Numbers => "numbers",
            Self::Identifiers => "identifiers",
            Self::Paths => "paths",
        }
    }
}

impl fmt::Display for PinRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for PinRule {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|rule| rule.as_str() == text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|rule| rule.as_str()).collect();
            Failure::invalid(format!("read the pin rule {text:?}: it is not known"))
                .with_hint(format!("Known rules: {}.", known.join(", ")))
        })
    }
}

/// A text that fits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compressed {
    /// The result.
    pub text: String,
    /// How it was shortened; `None` where it fitted as it was.
    pub strategy: Option<Strategy>,
    /// What was tried first and why it was not used, in order.
    pub refused: Vec<Refused>,
    /// Tokens of the text that was handed in.
    pub tokens_before: u64,
    /// Tokens of the result, counted as a whole.
    pub tokens_after: u64,
    /// `tokens_after` / `tokens_before`; 1.0 for an empty text.
    pub ratio: f64,
    /// What was left out, in its order. White space between the parts is not listed. For a summary it is the whole
    /// text.
    pub dropped: Vec<Dropped>,
    /// Which facts survived.
    pub verification: Verification,
    /// Who wrote the summary, where one did.
    pub origin: Option<Origin>,
    /// What the models used; nothing where none was asked.
    pub usage: Usage,
}

/// A strategy that was tried and not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// Which.
    pub strategy: Strategy,
    /// Why not, as a fragment.
    pub reason: String,
}

/// A part of the original that is not in the result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dropped {
    /// The SHA-256 of its bytes in hexadecimal.
    pub sha256: String,
    /// Its first byte in the original.
    pub begin: u64,
    /// The byte behind its last one.
    pub end: u64,
    /// Its tokens, counted alone.
    pub tokens: u64,
    /// How it begins: at most [`EXCERPT_CHARS_MAX`] characters on one line.
    pub excerpt: String,
}

/// Which facts of the original are in the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// Different facts of the original.
    pub facts_total: u64,
    /// How many of them are in the result.
    pub facts_kept: u64,
    /// `facts_kept` / `facts_total`: 0.0 to 1.0; 1.0 where there are none.
    pub score: f64,
    /// The first [`LOST_MAX`] that are not, in their order.
    pub lost: Vec<Fact>,
}

/// A fact: a span that tells something that a reader cannot make up again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is.
    pub kind: FactKind,
    /// Its words, with single spaces between them.
    pub text: String,
}

/// Kinds of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// An address.
    Url,
    /// The path or name of a file.
    Path,
    /// A day.
    Date,
    /// A number, with its unit where one follows.
    Number,
    /// A name in code.
    Identifier,
    /// Words in quotation marks.
    Quoted,
    /// A name in prose: words with capitals.
    Name,
    /// "not", "never" and the like, with the next word.
    Negation,
}
