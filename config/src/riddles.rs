//! Sets of riddles with the answers that are accepted.
//!
//! ```yaml
//! version: 1
//! name: mine
//! language: en
//! riddles:
//!   - id: sheep
//!     form: arithmetic
//!     difficulty: easy
//!     question: All but 9 of 17 sheep run away. How many are left?
//!     match: number
//!     answers: ["9"]
//! ```
//!
//! Sets of one's own live in a folder, a file each: [`RiddleRepository`].

mod parse;
mod repository;
mod write;

pub(crate) use parse::{RawRiddle, checked};
pub use parse::{parse_jsonl, parse_riddles};
pub use repository::{Added, RiddleRepository, SetContents, SetSummary};

use playhouse_protocol::riddle::{AnswerKey, Difficulty};
use serde::{Deserialize, Serialize};

use crate::error::ConfigErrors;

/// The names of the sets that come with Playhouse: [`classic`] and [`documents`].
pub const SHIPPED_NAMES: [&str; 2] = ["classic", "documents"];

/// The most riddles of one set: each is asked of every model, in every mode, several times.
pub const RIDDLES_MAX: usize = 10_000;

/// The sets that come with Playhouse, as they are written.
const CLASSIC: &str = include_str!("../riddles/classic.yaml");
const DOCUMENTS: &str = include_str!("../riddles/documents.yaml");

/// A riddle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Riddle {
    /// Its id, different for each riddle of the set: letters, digits, `-`, `_` and `.`.
    pub id: String,
    /// Its form: logic, counting and the like.
    pub form: String,
    /// How hard it is held to be.
    pub difficulty: Difficulty,
    /// Further words to find it by.
    pub tags: Vec<String>,
    /// What is asked.
    pub question: String,
    /// A text that the question is about, where there is one.
    pub context: Option<String>,
    /// What is accepted.
    pub key: AnswerKey,
    /// Why the answer is right.
    pub rationale: String,
}

/// Riddles under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RiddleSet {
    /// Its name.
    pub name: String,
    /// The language of its questions, as in `en`.
    pub language: String,
    /// At least one, in the order of the file.
    pub riddles: Vec<Riddle>,
}

/// The set that comes with Playhouse: 60 riddles in six classic forms and three difficulties.
///
/// # Errors
/// Never, as its tests hold.
pub fn classic() -> Result<RiddleSet, ConfigErrors> {
    parse_riddles("classic.yaml", CLASSIC)
}

/// The set of questions about texts that comes with Playhouse, for experiments with compression: 16 about four texts.
///
/// # Errors
/// Never, as its tests hold.
pub fn documents() -> Result<RiddleSet, ConfigErrors> {
    parse_riddles("documents.yaml", DOCUMENTS)
}

/// The set of this name that comes with Playhouse; `None` for another name.
pub(crate) fn shipped(name: &str) -> Option<Result<RiddleSet, ConfigErrors>> {
    match name {
        "classic" => Some(classic()),
        "documents" => Some(documents()),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
