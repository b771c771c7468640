//! What a reader should know before believing a number.

use playhouse_config::experiments::{ExperimentTemplate, Metric};
use serde::{Deserialize, Serialize};

use super::analyse::Counts;
use super::cell::Cell;
use super::comparison::Comparison;
use crate::run::Ending;

/// With fewer items hardly any difference can be found, and intervals by resampling are too narrow.
const ITEMS_MIN: u64 = 20;

/// The share of cut answers past which they say more about the limit than about the variant.
const TRUNCATED_SHARE_MAX: f64 = 0.05;

/// Something that a reader should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Warning {
    /// What it is about.
    pub about: WarningAbout,
    /// A sentence, with its reason.
    pub text: String,
}

/// What a warning is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WarningAbout {
    /// Answers from a script.
    Scripted,
    /// Answers of another model than the variant's.
    OtherModel,
    /// Answers that failed.
    Failed,
    /// Answers that were cut.
    Truncated,
    /// Answers out of a cache.
    Cached,
    /// Repeats that are all the same.
    SameRepeats,
    /// Few items.
    FewItems,
    /// Items that a comparison leaves out.
    LeftOut,
    /// A run that ended by its budget.
    Budget,
    /// Questions that were not asked though nothing ended the run.
    Missing,
    /// p-values under a stopping rule.
    Stopping,
    /// Times of answers that were waited for at once.
    Latency,
}

/// All warnings, those that weigh most first.
pub(super) fn warnings(
    design: &ExperimentTemplate,
    counts: &Counts,
    (cells, comparisons): (&[Cell], &[Comparison]),
    ending: Ending,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    let mut warn = |about, text: Option<String>| warnings.extend(text.map(|text| Warning { about, text }));
    for cell in cells {
        warn(WarningAbout::Scripted, scripted(cell));
        warn(WarningAbout::OtherModel, other_model(cell));
    }
    warn(WarningAbout::FewItems, few_items(counts));
    warn(WarningAbout::Budget, budget(counts, ending));
    warn(WarningAbout::Missing, missing(design, counts, ending));
    warn(WarningAbout::Stopping, stopping(design, ending));
    for cell in cells {
        warn(WarningAbout::Failed, failed(cell));
        warn(WarningAbout::Truncated, truncated(cell));
        warn(WarningAbout::Cached, cached(cell));
        warn(WarningAbout::SameRepeats, same_repeats(design, counts, cell));
    }
    for comparison in comparisons {
        warn(WarningAbout::LeftOut, left_out(counts, comparison));
    }
    warn(WarningAbout::Latency, latency(design));
    warnings
}

fn scripted(cell: &Cell) -> Option<String> {
    (cell.scripted_answers > 0).then(|| {
        format!(
            "{}: {} of {} answers come from a script and not from a model, so nothing here says how good a model is.",
            cell.variant, cell.scripted_answers, cell.answered
        )
    })
}

fn other_model(cell: &Cell) -> Option<String> {
    (cell.other_model_answers > 0).then(|| {
        format!(
            "{}: {} of {} answers come from another model than the one that it names, such as a fallback, so its numbers are not \
             that model's.",
            cell.variant, cell.other_model_answers, cell.answered
        )
    })
}

fn few_items(counts: &Counts) -> Option<String> {
    (counts.items < ITEMS_MIN).then(|| {
        format!(
            "There are {} items, fewer than {ITEMS_MIN}: only very large differences can be found, and intervals of means \
             are narrower than they should be.",
            counts.items
        )
    })
}

fn budget(counts: &Counts, ending: Ending) -> Option<String> {
    (ending == Ending::BudgetSpent).then(|| {
        format!(
            "The budget ended the run after {} of {} questions: what is missing is missing from every number here.",
            counts.asked, counts.planned
        )
    })
}

fn missing(design: &ExperimentTemplate, counts: &Counts, ending: Ending) -> Option<String> {
    if ending == Ending::Open {
        let Counts { asked, planned, .. } = counts;
        return Some(format!("The run has not ended: {asked} of {planned} questions were asked so far."));
    }
    // A stopping rule leaves out variants of which it has seen enough.
    (ending == Ending::Complete && design.stopping.is_none() && counts.asked < counts.planned).then(|| {
        format!(
            "The run says that it is complete, but only {} of {} questions have a record: records may have been lost.",
            counts.asked, counts.planned
        )
    })
}

fn stopping(design: &ExperimentTemplate, ending: Ending) -> Option<String> {
    let stopped = if ending == Ending::Decided { "was" } else { "could have been" };
    design.stopping.map(|_| {
        format!(
            "The run {stopped} stopped in view of its answers: p-values and intervals of a fixed size do not hold then. Findings \
             by the first metric are those of the stopping rule, which may be looked at at any time; all others are hints."
        )
    })
}

fn failed(cell: &Cell) -> Option<String> {
    let total = cell.outcomes.failed_total();
    (total > 0).then(|| {
        let classes: Vec<_> =
            cell.outcomes.failed.iter().map(|(class, count)| format!("{count} {class}")).collect();
        format!(
            "{}: {total} of {} answers failed ({}). They count as not right, since who needs the answer does not have it; they \
             have no value of other metrics.",
            cell.variant,
            cell.asked,
            classes.join(", ")
        )
    })
}

fn truncated(cell: &Cell) -> Option<String> {
    let count = cell.outcomes.truncated;
    (count as f64 > TRUNCATED_SHARE_MAX * cell.asked as f64).then(|| {
        format!(
            "{}: {count} of {} answers were cut before they came to an end and count as not right: raise its \
             completion_tokens_max.",
            cell.variant, cell.asked
        )
    })
}

fn cached(cell: &Cell) -> Option<String> {
    (cell.cached_answers > 0).then(|| {
        format!(
            "{}: {} of {} answers were taken from a cache at least in part. They have no latency, since a cache says nothing \
             about the time that a model takes, and their repeats may be one answer.",
            cell.variant, cell.cached_answers, cell.answered
        )
    })
}

fn same_repeats(design: &ExperimentTemplate, counts: &Counts, cell: &Cell) -> Option<String> {
    let variant = design.variants.iter().find(|variant| variant.name == cell.variant)?;
    let temperature = variant.sampling.temperature;
    let is_greedy = temperature.is_none_or(|temperature| temperature <= 0.0);
    let setting = if temperature.is_none() { "unset" } else { "0" };
    (is_greedy && cell.same_repeats > 0).then(|| {
        format!(
            "{}: {} of {} items were answered word for word the same in all {} repeats (temperature {setting}): such repeats \
             say nothing new.",
            cell.variant, cell.same_repeats, counts.items, counts.repeats
        )
    })
}

fn left_out(counts: &Counts, comparison: &Comparison) -> Option<String> {
    (comparison.left_out > 0).then(|| {
        format!(
            "{} of {} items are left out where {} is held against the baseline by {}: not all of their answers have a value.",
            comparison.left_out, counts.items, comparison.variant, comparison.metric
        )
    })
}

fn latency(design: &ExperimentTemplate) -> Option<String> {
    (design.width > 1 && design.metrics.contains(&Metric::LatencyMs)).then(|| {
        format!(
            "Latency was measured with up to {} answers waited for at once: they share the machine or the provider, so it is \
             longer than that of an answer alone.",
            design.width
        )
    })
}
