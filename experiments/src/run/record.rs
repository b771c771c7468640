//! What was answered.

use playhouse_protocol::develop::Developed;
use playhouse_protocol::riddle::EvaluatedRiddle;
use playhouse_protocol::{Failure, TaskId, Usage};
use serde::{Deserialize, Serialize};

/// One answer of one variant to one item, as it came. Numbers are made of it, and never kept beside it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The variant's name.
    pub variant: String,
    /// The item's id.
    pub item: String,
    /// Which of its repeats, counted from 0.
    pub repeat: u32,
    /// The plan that it was a part of, in the journal of the runtime that ran it.
    pub task: Option<TaskId>,
    /// When it ended, in milliseconds since 1970.
    pub ended_unix_ms: u64,
    /// What came of it.
    pub evidence: Evidence,
}

/// What came of a question.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// An answered riddle.
    Riddle(Box<EvaluatedRiddle>),
    /// Developed code.
    Developed(Box<Developed>),
    /// No answer.
    Failed {
        /// Why.
        failure: Failure,
        /// What was used all the same.
        usage: Usage,
    },
}

impl Evidence {
    /// All that was used, a judge included.
    pub fn usage(&self) -> Usage {
        match self {
            Self::Riddle(riddle) => {
                let mut usage = riddle.usage;
                usage +=
                    riddle.judgement.as_ref().map(|judgement| judgement.answer.usage).unwrap_or_default();
                usage
            }
            Self::Developed(developed) => developed.usage,
            Self::Failed { usage, .. } => *usage,
        }
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Every question was asked.
    Complete,
    /// The stopping rule had its verdicts.
    Decided,
    /// The next questions might have used more than the budget.
    BudgetSpent,
    /// It has not ended: it was interrupted, or runs. Never written down.
    Open,
}
