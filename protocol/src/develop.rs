//! Request and reply of the flagship job: generate, review, revise.

use serde::{Deserialize, Serialize};

use crate::code::Language;
use crate::completion::Sampling;
use crate::generate::GeneratedCode;
use crate::review::Review;
use crate::usage::Usage;

/// The most rounds that can be asked for; each is at least two model calls.
pub const ROUNDS_MAX: u32 = 20;

/// Develop code for a spec.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Develop {
    /// What the code must do; the same limits as for a generator's spec.
    pub spec: String,
    /// The language to write.
    pub language: Language,
    /// Rules beyond the spec, one sentence each.
    pub constraints: Vec<String>,
    /// Code or text that the answer has to fit to.
    pub context: Option<String>,
    /// Whether tests are asked for.
    pub tests: bool,
    /// Rounds of generation and review: 1 to [`ROUNDS_MAX`].
    pub rounds: u32,
    /// The catalog entry that writes; `None` selects by task type.
    pub model: Option<String>,
    /// The catalog entry that reviews; `None` selects by task type.
    pub reviewer_model: Option<String>,
    /// How tokens are chosen; unset fields take the agents' settings.
    pub sampling: Sampling,
}

impl Default for Develop {
    fn default() -> Self {
        Self {
            spec: String::new(),
            language: Language::default(),
            constraints: Vec::new(),
            context: None,
            tests: true,
            rounds: 2,
            model: None,
            reviewer_model: None,
            sampling: Sampling::default(),
        }
    }
}

/// One round: an attempt and its review.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Round {
    /// Counted from 1.
    pub number: u32,
    /// The attempt.
    pub generated: GeneratedCode,
    /// Its review; `None` when the review failed, as `review_failure` tells.
    pub review: Option<Review>,
    /// Why there is no review.
    pub review_failure: Option<String>,
}

/// Why no further round was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DevelopStop {
    /// The reviewer approved.
    Approved,
    /// All rounds were used.
    RoundsUsed,
    /// A revision was the same as the attempt before it.
    NoChange,
    /// A later round could not be made; what was there is kept. The text of the failure is in `warnings`.
    Failed,
}

/// What was developed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Developed {
    /// The language asked for.
    pub language: Language,
    /// The best round's code.
    pub code: String,
    /// The best round's tests; may be empty.
    pub tests: String,
    /// Whether the best round was approved.
    pub approved: bool,
    /// The number of the best round, counted from 1.
    pub best_round: u32,
    /// Why that round is the best.
    pub best_because: String,
    /// Every round, in order.
    pub rounds: Vec<Round>,
    /// Why it ended.
    pub stop: DevelopStop,
    /// What a user should know.
    pub warnings: Vec<String>,
    /// Whether any answer came from a script and not from a model.
    pub scripted: bool,
    /// What all rounds used.
    pub usage: Usage,
    /// Time from request to reply, in milliseconds.
    pub elapsed_ms: u64,
}

impl Developed {
    /// Code and tests as one file.
    pub fn source(&self) -> String {
        crate::generate::join_source(&self.code, &self.tests)
    }
}
