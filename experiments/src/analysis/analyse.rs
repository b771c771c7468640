//! From manifest and records to a report.

use playhouse_config::experiments::{ExperimentTask, Metric};
use playhouse_protocol::SeededSource;
use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::comparison::{Comparison, compare};
use super::error::AnalysisError;
use super::judge::{JudgeAgreement, agreement};
use super::measure::Scorer;
use super::stopping::{Stopping, of_table};
use super::table::Table;
use super::warnings::{Warning, warnings};
use crate::run::{Ending, Manifest, Record};
use crate::statistics::StatisticsError;

/// The version of the form of reports.
pub const REPORT_VERSION: u32 = 1;

/// What a run says. Made of manifest, records and ending alone, so that whoever makes it again gets the same, to the byte.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The version of this form.
    pub version: u32,
    /// The run's name.
    pub run: String,
    /// The experiment's name.
    pub experiment: String,
    /// What it is to find out.
    pub description: String,
    /// What was done with each item.
    pub task: ExperimentTask,
    /// What the items are called together.
    pub dataset: String,
    /// The name of the variant that the others are held against.
    pub baseline: String,
    /// What was measured; the first one decides.
    pub metrics: Vec<Metric>,
    /// The confidence of all intervals; 1 less it is the chance of a false winner in each family of comparisons.
    pub confidence: f64,
    /// How much there is of everything.
    pub counts: Counts,
    /// How the run ended.
    pub ending: Ending,
    /// Each variant alone, in the order of the design.
    pub cells: Vec<Cell>,
    /// Each variant held against the baseline: by the first metric, then by the others.
    pub comparisons: Vec<Comparison>,
    /// What the stopping rule says, where there is one.
    pub stopping: Option<Stopping>,
    /// How far the judge agrees with the exact scorer, where one judged.
    pub judge: Option<JudgeAgreement>,
    /// What a reader should know before believing a number.
    pub warnings: Vec<Warning>,
}

/// How much there is of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Items.
    pub items: u64,
    /// How often each was to be answered by each variant.
    pub repeats: u64,
    /// Variants.
    pub variants: u64,
    /// Questions of the design: the three multiplied.
    pub planned: u64,
    /// Questions that were asked.
    pub asked: u64,
    /// Of these, the ones that did not fail.
    pub answered: u64,
}

/// Analyses a run. The order of the records does not matter. Chance is drawn from the seed of the design.
///
/// # Errors
/// When the design contradicts itself, or records are not of it, are there twice, or are scored otherwise than they were
/// recorded: all of it at once.
pub fn analyse(
    manifest: &Manifest,
    records: &[Record],
    ending: Ending,
    scorer: &Scorer<'_>,
) -> Result<Report, AnalysisError> {
    let design = &manifest.design;
    let table = Table::new(design, records, scorer)?;
    let random = SeededSource::from_seed(design.seed).fork("analysis");
    let cells: Result<Vec<_>, StatisticsError> =
        (0..design.variants.len()).map(|variant| Cell::new(&table, variant, &random)).collect();
    let cells = cells?;
    let stopping = of_table(&table)?;
    let comparisons = compare(&table, stopping.as_ref(), &random)?;
    let (items, variants) = (design.items.len() as u64, design.variants.len() as u64);
    let repeats = u64::from(design.repeats);
    let counts = Counts {
        items,
        repeats,
        variants,
        planned: items.saturating_mul(repeats).saturating_mul(variants),
        asked: cells.iter().map(|cell| cell.asked).sum(),
        answered: cells.iter().map(|cell| cell.answered).sum(),
    };
    let warnings = warnings(design, &counts, (&cells, &comparisons), ending);
    Ok(Report {
        version: REPORT_VERSION,
        run: manifest.run.clone(),
        experiment: design.name.clone(),
        description: design.description.clone(),
        task: design.task,
        dataset: design.dataset.clone(),
        baseline: design.variants.get(design.baseline).map(|one| one.name.clone()).unwrap_or_default(),
        metrics: design.metrics.clone(),
        confidence: design.confidence,
        counts,
        ending,
        cells,
        comparisons,
        stopping,
        judge: agreement(&table)?,
        warnings,
    })
}
