//! Request and reply of the riddle evaluator: a question in a reasoning mode, and what its answer is worth.

use serde::{Deserialize, Serialize};

use crate::completion::{Origin, Sampling, StopReason};
use crate::compress::Strategy;
use crate::usage::Usage;

/// The longest question, in bytes.
pub const QUESTION_BYTES_MAX: usize = 64 * 1024;

/// The longest text that a question is about, in bytes.
pub const CONTEXT_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The most steps of a reasoning mode; each is a model call.
pub const STEPS_MAX: usize = 16;

/// The longest template of a step, in bytes.
pub const TEMPLATE_BYTES_MAX: usize = 64 * 1024;

/// The most samples that are voted on.
pub const SAMPLES_MAX: u32 = 64;

/// How hard a riddle is held to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Difficulty {
    /// Most people find it at once.
    #[default]
    Easy,
    /// Most people find it with some thought.
    Medium,
    /// Many people go wrong.
    Hard,
}

impl Difficulty {
    /// Every difficulty, the easiest first.
    pub const ALL: [Self; 3] = [Self::Easy, Self::Medium, Self::Hard];

    /// The name used in files and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Easy => "easy",
            Self::Medium => "medium",
            Self::Hard => "hard",
        }
    }
}

/// How an answer is held against the accepted ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerMatch {
    /// As numbers that differ by at most `tolerance`.
    Number {
        /// At least 0.
        tolerance: f64,
    },
    /// As the answer's last word or words; upper and lower case, accents and punctuation aside.
    #[default]
    Word,
    /// One of the accepted texts is somewhere in the answer, as whole words.
    Any,
}

/// What is accepted as an answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct AnswerKey {
    /// How answers are compared.
    pub matching: AnswerMatch,
    /// What is accepted; at least one.
    pub answers: Vec<String>,
    /// Units that may follow a number.
    pub units: Vec<String>,
}

/// A way to have a model think: its steps, and how often all of them are taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReasoningMode {
    /// Its name.
    pub name: String,
    /// What is asked, in this order: 1 to [`STEPS_MAX`]. The answer to the last is the answer.
    pub steps: Vec<ReasoningStep>,
    /// How often all steps are taken, each time from the start: 1 to [`SAMPLES_MAX`]. Of several answers the one that was
    /// given most often counts.
    pub samples: u32,
}

/// A question of a reasoning mode. Its texts are templates (Jinja) that are given `question`, `context` (a text or none) and `answers`,
/// the list of what the steps before were answered.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ReasoningStep {
    /// The system's message, where there is one.
    pub system: Option<String>,
    /// The user's message.
    pub ask: String,
}

/// How the text that a question is about is shortened before anybody is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ContextCompression {
    /// How.
    pub strategy: Strategy,
    /// The most tokens that are left.
    pub limit_tokens: u64,
}

/// Has a model judge the answer beside the exact scorer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Judge {
    /// The catalog entry that judges; `None` selects by task type `judge`.
    pub model: Option<String>,
}

/// Ask a riddle and score the answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluateRiddle {
    /// The riddle's id, for reports.
    pub id: String,
    /// What is asked: at most [`QUESTION_BYTES_MAX`] bytes.
    pub question: String,
    /// A text that the question is about: at most [`CONTEXT_BYTES_MAX`] bytes.
    pub context: Option<String>,
    /// How that text is shortened first; `None` leaves it as it is.
    pub compression: Option<ContextCompression>,
    /// What is accepted.
    pub key: AnswerKey,
    /// How the model is made to think.
    pub mode: ReasoningMode,
    /// The catalog entry that is asked; `None` selects by task type `riddle`.
    pub model: Option<String>,
    /// How tokens are chosen. A seed is that of the first sample; each further one adds 1.
    pub sampling: Sampling,
    /// The longest answer of a step, in tokens; `None` leaves it to the model.
    pub completion_tokens_max: Option<u32>,
    /// Who judges; `None` leaves it to the exact scorer alone.
    pub judge: Option<Judge>,
}

/// Where a final answer was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Behind words that announce it.
    Announced,
    /// In a `\boxed{…}`.
    Boxed,
    /// It is the last line.
    LastLine,
    /// It stands alone in front of its reasons.
    FirstLine,
}

/// A final answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Extracted {
    /// The answer without its announcement and without emphasis; never empty.
    pub text: String,
    /// Where it was found.
    pub source: Source,
}

/// What is to be held of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It is right.
    Right,
    /// It is wrong.
    Wrong,
    /// It refuses to answer, or the provider withheld it.
    Refused,
    /// It was cut before it came to an end.
    Truncated,
    /// There is nothing in it that could be an answer.
    Empty,
}

/// How a right answer was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Match {
    /// It is what is accepted.
    Exact,
    /// It is as good as what is accepted, misspelled.
    Fuzzy {
        /// How alike they are, up to 1.0.
        alike: f64,
    },
}

/// A verdict, and how it came about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Score {
    /// What is to be held of the answer.
    pub verdict: Verdict,
    /// What the answer was taken to be.
    pub extracted: Option<Extracted>,
    /// The accepted answer that it matches, and how.
    pub matched: Option<(String, Match)>,
}

/// What can be seen of the reasoning in an answer; it says nothing about right or wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signals {
    /// Its length in words.
    pub words: u32,
    /// Places where it leaves itself open.
    pub hedges: u32,
    /// Places where it takes itself back.
    pub reversals: u32,
    /// Whether it announces a final answer.
    pub is_announced: bool,
}

/// The answer to one step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepAnswer {
    /// The text.
    pub text: String,
    /// Why it ended.
    pub stop_reason: StopReason,
    /// What it used.
    pub usage: Usage,
    /// Who answered.
    pub origin: Origin,
    /// Whether it was taken from a cache: nothing was asked and nothing paid.
    pub cached: bool,
}

/// All steps once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// The answers to its steps, in order. One that was refused or withheld ends it.
    pub steps: Vec<StepAnswer>,
    /// What its last answer comes down to, so that samples can be held against each other; `None` where it comes to nothing.
    pub vote: Option<String>,
}

/// What a model makes of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Judgement {
    /// Whether it holds the answer for right; `None` when it said neither.
    pub is_right: Option<bool>,
    /// What it said.
    pub answer: StepAnswer,
}

/// What became of the text that the question is about.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CompressedContext {
    /// Its tokens.
    pub tokens_before: u64,
    /// The tokens of what was asked about.
    pub tokens_after: u64,
    /// Facts (numbers, names, paths and the like) in it.
    pub facts_total: u64,
    /// Of these, the ones that are still there word for word.
    pub facts_kept: u64,
}

/// An answered riddle.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluatedRiddle {
    /// The riddle's id.
    pub id: String,
    /// The verdict on the answer that counts.
    pub score: Score,
    /// All samples, in order; at least one.
    pub samples: Vec<Sample>,
    /// The place in `samples` of the answer that counts.
    pub chosen: u32,
    /// What a model makes of it, where one was asked.
    pub judgement: Option<Judgement>,
    /// What can be seen of the reasoning in it.
    pub signals: Signals,
    /// What became of the text that it is about, where that was shortened.
    pub compressed: Option<CompressedContext>,
    /// What answering used, without the judge.
    pub usage: Usage,
    /// How long answering took, without the judge, in milliseconds; `None` where a part of it was taken from what an earlier attempt or
    /// process wrote down, which tells no time.
    pub elapsed_ms: Option<u64>,
}

impl EvaluatedRiddle {
    /// The answer that counts: the last step's of the sample that was chosen.
    pub fn answer(&self) -> Option<&StepAnswer> {
        self.samples.get(self.chosen as usize)?.steps.last()
    }

    /// Whether any answer came from a script and not from a model.
    pub fn is_scripted(&self) -> bool {
        let mut answers = self.samples.iter().flat_map(|sample| &sample.steps);
        answers.any(|answer| answer.origin.provider.is_scripted())
    }
}
