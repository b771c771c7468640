//! A checked template.

use playhouse_protocol::code::Language;
use playhouse_protocol::completion::Sampling;
use playhouse_protocol::compress::Strategy;
use playhouse_protocol::riddle::{AnswerKey, ContextCompression, Difficulty, Judge, ReasoningMode};
use serde::{Deserialize, Serialize};

use super::metric::Metric;

/// What is done with each item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExperimentTask {
    /// A question is answered, and the answer scored.
    Riddle,
    /// Code is developed for a spec, and reviewed.
    Develop,
}

impl ExperimentTask {
    /// The name used in templates and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Riddle => "riddle",
            Self::Develop => "develop",
        }
    }
}

/// A comparison: every variant answers every item, `repeats` times. Plain data that is written down with each run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ExperimentTemplate {
    /// Its name: letters, digits, `-`, `_` and `.`.
    pub name: String,
    /// What it is to find out.
    pub description: String,
    /// What is done with each item.
    pub task: ExperimentTask,
    /// What the items are called together.
    pub dataset: String,
    /// The items; at least one, each with its own id.
    pub items: Vec<Item>,
    /// What is compared; at least one, each with its own name.
    pub variants: Vec<Variant>,
    /// The place in `variants` of the one that the others are held against.
    pub baseline: usize,
    /// What is measured; at least one. The first one decides.
    pub metrics: Vec<Metric>,
    /// How often each variant answers each item; at least 1.
    pub repeats: u32,
    /// How many answers are waited for at once; at least 1.
    pub width: u32,
    /// What chance is drawn from: which items are taken, seeds of samplers, resampling.
    pub seed: u64,
    /// The confidence of intervals, and 1 less the chance of a false winner: above 0, below 1.
    pub confidence: f64,
    /// Who judges answers beside the exact scorer.
    pub judge: Option<Judge>,
    /// What all answers together may use.
    pub budget: ExperimentBudget,
    /// When it may stop before all items are answered; `None` never.
    pub stopping: Option<SequentialRule>,
}

/// What is asked of each variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Item {
    /// Its id.
    pub id: String,
    /// The group that it is reported with: a riddle's form, for example. May be empty.
    pub group: String,
    /// How hard it is held to be, where that is known.
    pub difficulty: Option<Difficulty>,
    /// What is asked.
    pub body: ItemBody,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemBody {
    /// A question with the answers that are accepted.
    Question {
        /// The question.
        question: String,
        /// A text that it is about.
        context: Option<String>,
        /// What is accepted.
        key: AnswerKey,
    },
    /// A spec for code.
    Spec {
        /// What the code must do.
        spec: String,
        /// The language to write.
        language: Language,
    },
}

/// One of the things that are compared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// The catalog entry that is asked; `None` selects by task type.
    pub model: Option<String>,
    /// How the model is made to think: of riddles.
    pub mode: ReasoningMode,
    /// The prompt that the mode was made of, where one was named.
    pub prompt: Option<PromptLabel>,
    /// How the text of an item is shortened first.
    pub compression: Option<ContextCompression>,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// The longest answer, in tokens.
    pub completion_tokens_max: Option<u32>,
    /// Rounds of generation and review: of code.
    pub rounds: u32,
}

impl Variant {
    /// The model calls that one answer takes at least, a judge included.
    pub fn calls_min(&self, design: &ExperimentTemplate) -> u64 {
        match design.task {
            ExperimentTask::Riddle => {
                let judge = u64::from(design.judge.is_some());
                self.mode.steps.len() as u64 * u64::from(self.mode.samples) + judge
            }
            ExperimentTask::Develop => 2,
        }
    }

    /// The model calls that one answer takes at most, a judge included.
    pub fn calls_max(&self, design: &ExperimentTemplate) -> u64 {
        match design.task {
            ExperimentTask::Riddle => {
                let summary = self.compression.is_some_and(|one| one.strategy == Strategy::Summarize);
                self.calls_min(design) + u64::from(summary)
            }
            ExperimentTask::Develop => 2 * u64::from(self.rounds),
        }
    }
}

/// Which prompt a variant asks with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromptLabel {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: u32,
}

/// What all answers of an experiment may use; `None` is without a limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExperimentBudget {
    /// Tokens of prompts and answers.
    pub tokens_max: Option<u64>,
    /// Money in billionths of a US dollar.
    pub cost_nano_usd_max: Option<u64>,
    /// Model calls.
    pub model_calls_max: Option<u64>,
}

/// When a comparison may stop early. Each variant is held against the baseline on whole items, in the order of the
/// items; the chance of a false winner is shared among the comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SequentialRule {
    /// The share of the items on which the two differ that the better one wins, where it is better by what one cares about:
    /// above 0.5, below 1.
    pub wins: f64,
    /// The chance of a winner where there is none.
    pub false_winners: f64,
    /// The chance of giving up where one is better by as much.
    pub missed_winners: f64,
}
