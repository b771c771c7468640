//! What a metric says of one variant.

use playhouse_config::experiments::Metric;
use playhouse_protocol::RandomSource;
use serde::{Deserialize, Serialize};

use super::table::Table;
use crate::statistics::{Interval, StatisticsError, bootstrap, cluster, proportion, summary};

/// How often chance is drawn from for an interval: the ends of one of 95 % rest on 50 draws each.
pub(super) const RESAMPLES: usize = 2_000;

/// A metric and what it says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricSummary {
    /// What is measured.
    pub metric: Metric,
    /// Whether the template asks for it. What it does not ask for is there for whoever wonders, and never compared.
    pub is_compared: bool,
    /// What it says.
    pub summary: Summary,
}

/// What a metric says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Summary {
    /// How often.
    Share(ShareSummary),
    /// How much.
    Number(NumberSummary),
    /// No answer has a value of it.
    Nothing,
}

/// How often answers have something.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ShareSummary {
    /// Answers that have it.
    pub rights: u64,
    /// All that were asked, failed ones included.
    pub asked: u64,
    /// The one by the other.
    pub share: f64,
    /// The independent answers that all of them are worth: fewer where items were answered several times. See
    /// [`cluster::effective_trials`].
    pub effective: f64,
    /// Where the true share lies: Wilson's interval with that number.
    pub interval: Interval,
}

/// How much there is of something.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NumberSummary {
    /// Answers that have a value.
    pub answers: u64,
    /// Items with such an answer.
    pub items: u64,
    /// The mean of the items' means.
    pub mean: f64,
    /// Of all answers.
    pub median: f64,
    /// The value that one in twenty answers is above.
    pub p95: f64,
    /// Where the true mean lies, by resampling of items.
    pub interval: Interval,
}

/// Sums up shares by (rights, asked) of each item; `None` when nothing was asked.
pub(super) fn share(items: &[(u64, u64)], confidence: f64) -> Result<Option<ShareSummary>, StatisticsError> {
    let (rights, asked) = items.iter().fold((0, 0), |sum, item| (sum.0 + item.0, sum.1 + item.1));
    if asked == 0 {
        return Ok(None);
    }
    let effective = cluster::effective_trials(items)?;
    let share = rights as f64 / asked as f64;
    let interval = proportion::wilson_of_share(share, effective, confidence)?;
    Ok(Some(ShareSummary { rights, asked, share, effective, interval }))
}

/// Sums up numbers by the values of each item; `None` when there are none.
pub(super) fn number(
    items: &[Vec<f64>],
    confidence: f64,
    random: &dyn RandomSource,
) -> Result<Option<NumberSummary>, StatisticsError> {
    let means: Vec<_> = items.iter().filter_map(|values| summary::mean(values)).collect();
    let mut sorted: Vec<_> = items.iter().flatten().copied().collect();
    sorted.sort_by(f64::total_cmp);
    let (Some(median), Some(p95)) = (summary::quantile(&sorted, 0.5), summary::quantile(&sorted, 0.95))
    else {
        return Ok(None);
    };
    let estimate = bootstrap::mean(&means, RESAMPLES, confidence, random)?;
    Ok(Some(NumberSummary {
        answers: sorted.len() as u64,
        items: means.len() as u64,
        mean: estimate.estimate,
        median,
        p95,
        interval: estimate.interval,
    }))
}

/// What a metric says of a variant.
pub(super) fn of_metric(
    table: &Table<'_>,
    variant: usize,
    metric: Metric,
    random: &dyn RandomSource,
) -> Result<Summary, StatisticsError> {
    let confidence = table.design.confidence;
    let items = (0..table.design.items.len()).map(|item| table.values(variant, item, metric));
    let summary = if metric.is_share() {
        let counted = items
            .map(|values| (values.iter().filter(|value| **value > 0.5).count() as u64, values.len() as u64));
        share(&counted.collect::<Vec<_>>(), confidence)?.map(Summary::Share)
    } else {
        number(&items.collect::<Vec<_>>(), confidence, random)?.map(Summary::Number)
    };
    Ok(summary.unwrap_or(Summary::Nothing))
}
