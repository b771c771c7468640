//! What may be claimed, and what not, one sentence for each comparison.

use playhouse_config::experiments::Direction;

use super::numbers;
use crate::analysis::{Comparison, Finding, Report, StoppingComparison};
use crate::statistics::sequential::Verdict;

/// A finding as a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The finding.
    pub finding: Finding,
    /// Whether it is by the first metric; otherwise it is a hint for the next experiment.
    pub is_deciding: bool,
    /// The sentence, plain text.
    pub text: String,
}

/// A claim for each comparison of the report, in its order.
pub fn claims(report: &Report) -> Vec<Claim> {
    let claim = |comparison: &Comparison| {
        let stopping = report.stopping.as_ref().filter(|_| comparison.is_deciding);
        let ruled = stopping
            .and_then(|stopping| stopping.comparisons.iter().find(|one| one.variant == comparison.variant));
        let text = match ruled {
            _ if comparison.items == 0 => incomparable(report, comparison),
            Some(ruled) => by_rule(report, comparison, ruled),
            None => by_test(report, comparison),
        };
        let prefix = if comparison.is_deciding { "" } else { "Exploratory: " };
        Claim {
            finding: comparison.finding,
            is_deciding: comparison.is_deciding,
            text: format!("{prefix}{text}"),
        }
    };
    report.comparisons.iter().map(claim).collect()
}

fn incomparable(report: &Report, comparison: &Comparison) -> String {
    let Comparison { variant, metric, .. } = comparison;
    format!(
        "{variant} and {} have no item that both answered in full, so nothing is known of them by {metric}.",
        report.baseline
    )
}

fn by_test(report: &Report, comparison: &Comparison) -> String {
    let Comparison { variant, metric, wins, losses, items, .. } = comparison;
    let baseline = &report.baseline;
    let way = way(comparison);
    let result = format!("{variant} won {wins} and lost {losses} of {items} items ({})", p(comparison));
    let difference = difference(report, comparison);
    match comparison.finding {
        Finding::Better => {
            format!("{variant} is better than {baseline} by {metric}{way}: {result}{difference}.")
        }
        Finding::Worse => {
            format!("{variant} is worse than {baseline} by {metric}{way}: {result}{difference}.")
        }
        Finding::NoEvidence => format!(
            "There is no evidence that {variant} differs from {baseline} by {metric}: {result}{difference}. That is not to \
             say that they are equal{}.",
            needed(comparison)
        ),
        Finding::TooFewItems => format!(
            "Nothing can be said of {variant} and {baseline} by {metric}: {result}{difference}. With so few items not even \
             winning all of them would have been evidence{}.",
            needed(comparison)
        ),
    }
}

fn by_rule(report: &Report, comparison: &Comparison, ruled: &StoppingComparison) -> String {
    let Comparison { variant, metric, .. } = comparison;
    let baseline = &report.baseline;
    let way = way(comparison);
    let seen =
        format!("after {} items (evidence E = {})", ruled.items_seen, numbers::fixed(ruled.e_value, 2));
    match ruled.verdict {
        Verdict::SecondIsBetter => {
            format!("{variant} is better than {baseline} by {metric}{way}: the stopping rule decided {seen}.")
        }
        Verdict::FirstIsBetter => {
            format!("{variant} is worse than {baseline} by {metric}{way}: the stopping rule decided {seen}.")
        }
        Verdict::NoDifference => format!(
            "There is no evidence that {variant} differs from {baseline} by {metric}: the stopping rule gave up {seen}. A \
             difference as large as the one it looks for is unlikely; a smaller one may be there."
        ),
        Verdict::GoOn => format!(
            "Nothing can be said of {variant} and {baseline} by {metric}: the stopping rule has not decided {seen}. That is not \
             to say that they are equal."
        ),
    }
}

const fn way(comparison: &Comparison) -> &'static str {
    match comparison.metric.direction() {
        Direction::Higher => "",
        Direction::Lower => " (less is better)",
    }
}

fn p(comparison: &Comparison) -> String {
    let p = numbers::p(comparison.p_corrected);
    let family = comparison.family;
    let corrected = if family > 1 { format!(", corrected for {family} comparisons") } else { String::new() };
    let doubt = if comparison.is_p_valid { "" } else { ", not valid under a stopping rule" };
    format!("p {p}{corrected}{doubt}")
}

fn difference(report: &Report, comparison: &Comparison) -> String {
    let metric = comparison.metric;
    comparison.difference.map_or_else(String::new, |estimate| {
        format!(
            "; the difference is {} ({} interval {})",
            numbers::difference(metric, estimate.estimate),
            numbers::confidence(report.confidence),
            numbers::differences(metric, estimate.interval)
        )
    })
}

fn needed(comparison: &Comparison) -> String {
    comparison.items_needed.map_or_else(String::new, |items| {
        format!("; to find wins and losses like these in four of five runs takes about {items} items")
    })
}
