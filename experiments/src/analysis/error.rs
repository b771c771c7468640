//! What keeps a run from being analysed.

use std::fmt;

use playhouse_config::experiments::{ExperimentTask, Metric};
use playhouse_protocol::riddle::Verdict;
use playhouse_protocol::{Failure, FailureClass};

use crate::run::Record;
use crate::statistics::StatisticsError;

/// The most faults that are named: nobody reads more, and a damaged file could hold a million.
const FAULTS_MAX: usize = 100;

/// Everything that is wrong with a run, at once.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("analyse the run:{}", Lines(self))]
pub struct AnalysisError {
    /// What is wrong; at least one, at most 100.
    pub faults: Vec<Fault>,
    /// How many more there are.
    pub more: usize,
}

impl AnalysisError {
    /// `None` when nothing is wrong.
    pub(super) fn from_list(mut faults: Vec<Fault>) -> Option<Self> {
        let more = faults.len().saturating_sub(FAULTS_MAX);
        faults.truncate(FAULTS_MAX);
        (!faults.is_empty()).then_some(Self { faults, more })
    }
}

impl From<Fault> for AnalysisError {
    fn from(fault: Fault) -> Self {
        Self { faults: vec![fault], more: 0 }
    }
}

impl From<StatisticsError> for AnalysisError {
    fn from(error: StatisticsError) -> Self {
        Fault::Statistics(error).into()
    }
}

impl From<AnalysisError> for Failure {
    fn from(error: AnalysisError) -> Self {
        let is_ours = error.faults.iter().any(|fault| matches!(fault, Fault::Statistics(_)));
        let class = if is_ours { FailureClass::Internal } else { FailureClass::InvalidInput };
        let hint = if error.faults.iter().any(|fault| matches!(fault, Fault::Rescored { .. })) {
            "The records were changed, or the scorer is another one than that of the run: run the experiment again."
        } else {
            "Manifest and records of a run belong together and are never edited: take both from the same run."
        };
        Self::new(class, error.to_string()).with_hint(hint)
    }
}

/// One thing that is wrong with a run.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Fault {
    /// The design contradicts itself.
    #[error("the design has {0}")]
    Design(String),
    /// No metric of the task.
    #[error("the design measures {} by {metric}, which is not for it", .task.as_str())]
    Metric {
        /// The task.
        task: ExperimentTask,
        /// The metric.
        metric: Metric,
    },
    /// A variant that is not in the design.
    #[error("the record of {0} is of an unknown variant")]
    UnknownVariant(Place),
    /// An item that is not in the design.
    #[error("the record of {0} is of an unknown item")]
    UnknownItem(Place),
    /// A repeat that is not in the design.
    #[error("the record of {place} is of an unknown repeat: there are {repeats}, counted from 0")]
    UnknownRepeat {
        /// Whose.
        place: Place,
        /// Repeats of the design.
        repeats: u32,
    },
    /// A second record of the same question.
    #[error("the record of {0} is there more than once")]
    Duplicate(Place),
    /// Evidence of another task.
    #[error("the record of {place} holds no evidence of task {}", .task.as_str())]
    WrongTask {
        /// Whose.
        place: Place,
        /// The task of the design.
        task: ExperimentTask,
    },
    /// The answer that counts is not there.
    #[error("the record of {0} does not hold the answer that it says counts")]
    NoAnswer(Place),
    /// The exact scorer says something else now.
    #[error("the record of {place} says {recorded:?}, and scored again its answer is {rescored:?}")]
    Rescored {
        /// Whose.
        place: Place,
        /// What was written down.
        recorded: Verdict,
        /// What the scorer says.
        rescored: Verdict,
    },
    /// A number that a formula could not take.
    #[error("failed to {0}")]
    Statistics(StatisticsError),
}

/// Which record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The variant's name.
    pub variant: String,
    /// The item's id.
    pub item: String,
    /// The repeat, counted from 0.
    pub repeat: u32,
}

impl From<&Record> for Place {
    fn from(record: &Record) -> Self {
        Self { variant: record.variant.clone(), item: record.item.clone(), repeat: record.repeat }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "variant {:?}, item {:?}, repeat {}", self.variant, self.item, self.repeat)
    }
}

/// Each fault on its own line where there are several.
struct Lines<'a>(&'a AnalysisError);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let AnalysisError { faults, more } = self.0;
        let separator = if faults.len() > 1 { "\n  " } else { " " };
        faults.iter().try_for_each(|fault| write!(f, "{separator}{fault}"))?;
        if *more > 0 { write!(f, "{separator}and {more} more") } else { Ok(()) }
    }
}
