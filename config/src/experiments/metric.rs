//! What answers are measured by.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::template::ExperimentTask;

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// More is better.
    Higher,
    /// Less is better.
    Lower,
}

/// What answers are measured by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Metric {
    /// The share of right answers, by the exact scorer. A share.
    Accuracy,
    /// The share of answers that the judge holds for right. A share.
    JudgedAccuracy,
    /// The share of developed code that the reviewer approved. A share.
    Approved,
    /// The share of developed code that a parser reads. A share.
    Parses,
    /// The reviewer's score, 0 to 10.
    ReviewScore,
    /// Rounds of generation and review.
    Rounds,
    /// Time of an answer in milliseconds.
    LatencyMs,
    /// Tokens of prompts.
    PromptTokens,
    /// Tokens of answers.
    CompletionTokens,
    /// Tokens of prompts and answers.
    TotalTokens,
    /// US dollars.
    CostUsd,
    /// Model calls.
    ModelCalls,
    /// Words of the answer.
    Words,
    /// Places where the answer leaves itself open.
    Hedges,
    /// Places where the answer takes itself back.
    Reversals,
    /// Tokens of a compressed text by those of the text.
    CompressionRatio,
    /// The share of a text's facts that a compressed text still holds word for word, 0.0 to 1.0.
    FactsKept,
}

impl Metric {
    /// Every metric.
    pub const ALL: [Self; 17] = [
        Self::Accuracy,
        Self::JudgedAccuracy,
        Self::Approved,
        Self::Parses,
        Self::ReviewScore,
        Self::Rounds,
        Self::LatencyMs,
        Self::PromptTokens,
        Self::CompletionTokens,
        Self::TotalTokens,
        Self::CostUsd,
        Self::ModelCalls,
        Self::Words,
        Self::Hedges,
        Self::Reversals,
        Self::CompressionRatio,
        Self::FactsKept,
    ];

    /// The name used in templates, records and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::JudgedAccuracy => "judged_accuracy",
            Self::Approved => "approved",
            Self::Parses => "parses",
            Self::ReviewScore => "review_score",
            Self::Rounds => "rounds",
            Self::LatencyMs => "latency_ms",
            Self::PromptTokens => "prompt_tokens",
            Self::CompletionTokens => "completion_tokens",
            Self::TotalTokens => "total_tokens",
            Self::CostUsd => "cost_usd",
            Self::ModelCalls => "model_calls",
            Self::Words => "words",
            Self::Hedges => "hedges",
            Self::Reversals => "reversals",
            Self::CompressionRatio => "compression_ratio",
            Self::FactsKept => "facts_kept",
        }
    }

    /// Which way is better.
    pub const fn direction(self) -> Direction {
        match self {
            Self::Accuracy
            | Self::JudgedAccuracy
            | Self::Approved
            | Self::Parses
            | Self::ReviewScore
            | Self::FactsKept => Direction::Higher,
            Self::Rounds
            | Self::LatencyMs
            | Self::PromptTokens
            | Self::CompletionTokens
            | Self::TotalTokens
            | Self::CostUsd
            | Self::ModelCalls
            | Self::Words
            | Self::Hedges
            | Self::Reversals
            | Self::CompressionRatio => Direction::Lower,
        }
    }

    /// Whether each answer either has it or not, so that its mean is a share. An answer that failed does not have it.
    pub const fn is_share(self) -> bool {
        matches!(self, Self::Accuracy | Self::JudgedAccuracy | Self::Approved | Self::Parses)
    }

    /// Whether answers to a task of this type can be measured by it.
    pub const fn is_of(self, task: ExperimentTask) -> bool {
        match self {
            Self::Accuracy
            | Self::JudgedAccuracy
            | Self::Words
            | Self::Hedges
            | Self::Reversals
            | Self::CompressionRatio
            | Self::FactsKept => matches!(task, ExperimentTask::Riddle),
            Self::Approved | Self::Parses | Self::ReviewScore | Self::Rounds => {
                matches!(task, ExperimentTask::Develop)
            }
            Self::LatencyMs
            | Self::PromptTokens
            | Self::CompletionTokens
            | Self::TotalTokens
            | Self::CostUsd
            | Self::ModelCalls => true,
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
