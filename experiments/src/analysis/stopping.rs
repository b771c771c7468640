//! When an experiment may stop before everything is answered.
//!
//! Each comparison looks at the items in the order of the design, and only while variant and baseline have answered all
//! repeats of them: what is decided rests on the design alone and never on who answered first. A variant that is decided need not
//! be asked any more; it holds up nobody. The chance of a false winner is shared among the comparisons.

use std::collections::BTreeMap;

use playhouse_config::experiments::{ExperimentTemplate, Metric};
use serde::{Deserialize, Serialize};

use super::comparison::winner;
use super::error::{AnalysisError, Fault, Place};
use super::measure::Scorer;
use super::table::{Key, Places, Table};
use crate::run::Record;
use crate::statistics::sequential::{Sequential, SequentialPlan, Verdict};
use crate::statistics::{StatisticsError, summary};

/// What the stopping rule says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stopping {
    /// Each variant held against the baseline, in the order of the design.
    pub comparisons: Vec<StoppingComparison>,
    /// Whether every comparison has its verdict, so that nothing more need be asked.
    pub is_decided: bool,
}

/// What the stopping rule says of one variant.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StoppingComparison {
    /// The variant.
    pub variant: String,
    /// The verdict; the first is the baseline, the second the variant. A verdict stays.
    pub verdict: Verdict,
    /// The evidence that one of them is better: chance alone brings it to E with a probability of at most 1 / E.
    pub e_value: f64,
    /// Whole items that were looked at until the verdict.
    pub items_seen: u64,
}

/// What the stopping rule says of the records; `None` without a rule. Their order does not matter.
///
/// # Errors
/// When the design contradicts itself, or a record is not of it, is there twice, or is scored otherwise than it was recorded.
pub fn stopping(
    design: &ExperimentTemplate,
    records: &[Record],
    scorer: &Scorer<'_>,
) -> Result<Option<Stopping>, AnalysisError> {
    let Some(mut watch) = Watch::new(design)? else { return Ok(None) };
    let mut faults = Vec::new();
    for record in records {
        faults.extend(watch.add(record, scorer).err().unwrap_or_default());
    }
    match AnalysisError::from_list(faults) {
        Some(error) => Err(error),
        None => Ok(Some(watch.stopping())),
    }
}

/// The same of a table.
pub(super) fn of_table(table: &Table<'_>) -> Result<Option<Stopping>, AnalysisError> {
    let Some(mut watch) = Watch::new(table.design)? else { return Ok(None) };
    for (key, answer) in table.all() {
        watch.place(*key, answer.measured.values.get(&watch.metric).copied());
    }
    Ok(Some(watch.stopping()))
}

/// The stopping rule of an experiment that goes on: takes one record after the other, in any order, and looks at each only
/// once. Owned by who runs the experiment; holds one number for each record.
#[derive(Debug)]
pub struct Watch<'a> {
    design: &'a ExperimentTemplate,
    places: Places<'a>,
    metric: Metric,
    comparisons: Vec<Watched>,
    answers: BTreeMap<Key, Option<f64>>,
}

#[derive(Debug)]
struct Watched {
    variant: usize,
    sequential: Sequential,
    /// The items that were looked at: all before this place.
    next: usize,
}

impl<'a> Watch<'a> {
    /// A rule of which nothing has been seen; `None` where the design has none.
    ///
    /// # Errors
    /// When the design contradicts itself, or a number of the rule is outside its range.
    pub fn new(design: &'a ExperimentTemplate) -> Result<Option<Self>, AnalysisError> {
        let places = Places::new(design)?;
        let (Some(rule), Some(metric)) = (design.stopping, design.metrics.first()) else { return Ok(None) };
        let variants: Vec<_> =
            (0..design.variants.len()).filter(|variant| *variant != design.baseline).collect();
        let plan = SequentialPlan {
            wins: rule.wins,
            false_winners: rule.false_winners / variants.len().max(1) as f64,
            missed_winners: rule.missed_winners,
        };
        let watched = |variant| Ok(Watched { variant, sequential: Sequential::new(plan)?, next: 0 });
        let comparisons: Result<Vec<_>, StatisticsError> = variants.into_iter().map(watched).collect();
        let comparisons =
            comparisons.map_err(|error| Fault::Design(format!("a wrong stopping rule: {error}")))?;
        Ok(Some(Self { design, places, metric: *metric, comparisons, answers: BTreeMap::new() }))
    }

    /// Sees one more record.
    ///
    /// # Errors
    /// When the record is not of the design, was seen before, or is scored otherwise than it was recorded.
    pub fn see(&mut self, record: &Record, scorer: &Scorer<'_>) -> Result<(), AnalysisError> {
        let added = self.add(record, scorer);
        match added.err().and_then(AnalysisError::from_list) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    /// What the rule says now.
    pub fn stopping(&self) -> Stopping {
        let comparison = |watched: &Watched| StoppingComparison {
            variant: self.design.variants[watched.variant].name.clone(),
            verdict: watched.sequential.verdict(),
            e_value: watched.sequential.e_value(),
            items_seen: watched.next as u64,
        };
        let mut verdicts = self.comparisons.iter().map(|watched| watched.sequential.verdict());
        // Where nothing is compared nothing is decided: everything is asked.
        let is_decided = !self.comparisons.is_empty() && verdicts.all(|verdict| verdict != Verdict::GoOn);
        Stopping { comparisons: self.comparisons.iter().map(comparison).collect(), is_decided }
    }

    fn add(&mut self, record: &Record, scorer: &Scorer<'_>) -> Result<(), Vec<Fault>> {
        let (key, measured) = self.places.read(record, scorer)?;
        if self.answers.contains_key(&key) {
            return Err(vec![Fault::Duplicate(Place::from(record))]);
        }
        self.place(key, measured.values.get(&self.metric).copied());
        Ok(())
    }

    /// Takes the value of an answer, and looks at all items that have become whole.
    pub(super) fn place(&mut self, key: Key, value: Option<f64>) {
        self.answers.insert(key, value);
        let Self { design, metric, comparisons, answers, .. } = self;
        let whole = |variant: usize, item: usize| {
            let there: Vec<_> = answers
                .range((variant, item, 0)..=(variant, item, u32::MAX))
                .map(|(_, value)| *value)
                .collect();
            (there.len() == design.repeats as usize).then_some(there)
        };
        let concerned = comparisons.iter_mut().filter(|one| one.variant == key.0 || key.0 == design.baseline);
        for watched in concerned {
            while watched.sequential.verdict() == Verdict::GoOn {
                let both = whole(design.baseline, watched.next).zip(whole(watched.variant, watched.next));
                let Some((baseline, variant)) = both else { break };
                watched.next += 1;
                if let Some(is_won) =
                    means(&baseline, &variant).and_then(|pair| winner(pair, metric.direction()))
                {
                    watched.sequential.see(!is_won, is_won);
                }
            }
        }
    }
}

/// The means of both; where a repeat has no value there is none that could be held against another one.
fn means(baseline: &[Option<f64>], variant: &[Option<f64>]) -> Option<(f64, f64)> {
    let mean = |values: &[Option<f64>]| {
        let values: Option<Vec<_>> = values.iter().copied().collect();
        summary::mean(&values?)
    };
    Some((mean(baseline)?, mean(variant)?))
}
