//! A report as rows of plain text.

mod cells;
mod comparisons;

use super::numbers;
use crate::analysis::Report;
use crate::run::Ending;

/// What stands where nothing is known.
const NOTHING: &str = "–";

/// A table of plain text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// What it is about.
    pub title: String,
    /// A sentence that explains it; may be empty.
    pub note: String,
    /// The names of its columns.
    pub header: Vec<String>,
    /// Its rows, each as long as the header.
    pub rows: Vec<Vec<String>>,
}

impl Rows {
    fn new(title: &str, note: impl Into<String>, header: &[&str], rows: Vec<Vec<String>>) -> Self {
        let header = header.iter().map(|name| (*name).to_owned()).collect();
        Self { title: title.to_owned(), note: note.into(), header, rows }
    }
}

/// Every table of a report that has rows, the most important first.
pub fn rows(report: &Report) -> Vec<Rows> {
    let tables = [
        cells::variants(report),
        comparisons::deciding_and_exploratory(report),
        cells::metrics(report),
        cells::outcomes(report),
        cells::pass_at_k(report),
        cells::parts(report, "By difficulty", |cell| &cell.difficulties),
        cells::parts(report, "By group", |cell| &cell.groups),
        comparisons::fourfold(report),
        comparisons::stopping(report),
        cells::judge(report),
        cells::announced(report),
        cells::usage(report),
    ];
    tables.into_iter().filter(|table| !table.rows.is_empty()).collect()
}

/// What was run and how it ended, as sentences.
pub(super) fn summary(report: &Report) -> String {
    let counts = &report.counts;
    let times = if counts.repeats == 1 { "once".to_owned() } else { format!("{} times", counts.repeats) };
    let ending = match report.ending {
        Ending::Complete => "The run ended because every question was asked",
        Ending::Decided => "The run ended because the stopping rule had its verdicts",
        Ending::BudgetSpent => "The run ended because the budget was spent",
        Ending::Open => "The run has not ended",
    };
    format!(
        "Variants: {}. Items: {} of {}, each asked {times} of each variant (task {}). Baseline: {}. {ending}: \
         {} of {} questions were asked and {} answered. Confidence: {}.",
        counts.variants,
        counts.items,
        report.dataset,
        report.task.as_str(),
        report.baseline,
        counts.asked,
        counts.planned,
        counts.answered,
        numbers::confidence(report.confidence)
    )
}
