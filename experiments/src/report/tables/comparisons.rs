//! Variants held against the baseline.

use super::{NOTHING, Rows};
use crate::analysis::{Comparison, Finding, Report, StoppingComparison};
use crate::report::numbers;
use crate::statistics::sequential::Verdict;

pub(super) fn deciding_and_exploratory(report: &Report) -> Rows {
    let row = |one: &Comparison| {
        let difference = one.difference.map(|found| numbers::difference(one.metric, found.estimate));
        let interval = one.difference.map(|found| numbers::differences(one.metric, found.interval));
        let nothing = || NOTHING.to_owned();
        vec![
            one.variant.clone(),
            one.metric.to_string(),
            if one.is_deciding { "deciding" } else { "exploratory" }.to_owned(),
            finding(one.finding).to_owned(),
            one.items.to_string(),
            format!("{} / {} / {}", one.wins, one.losses, one.ties),
            difference.unwrap_or_else(nothing),
            interval.unwrap_or_else(nothing),
            effect(one),
            p(one.p, one.is_p_valid),
            p(one.p_corrected, one.is_p_valid),
            one.items_needed.map_or_else(nothing, |items| items.to_string()),
        ]
    };
    let note = format!(
        "Each variant is held against {}, and no two others against each other, on items that both answered in full. p is that of \
         the exact sign test of items won and lost; it is corrected by Holm over the deciding comparisons, and apart from them over \
         the exploratory ones, which are hints and no results. Intervals by resampling of items. \"needed\" are the items that it \
         takes to find wins and losses like these in four of five runs.",
        report.baseline
    );
    let header = [
        "variant",
        "by",
        "kind",
        "finding",
        "items",
        "won / lost / tied",
        "difference",
        "interval",
        "effect",
        "p",
        "p corrected",
        "needed",
    ];
    Rows::new("Comparisons", note, &header, report.comparisons.iter().map(row).collect())
}

/// The name of a finding in tables.
const fn finding(finding: Finding) -> &'static str {
    match finding {
        Finding::Better => "better",
        Finding::Worse => "worse",
        Finding::NoEvidence => "no evidence",
        Finding::TooFewItems => "too few items",
    }
}

fn p(value: f64, is_valid: bool) -> String {
    let text = numbers::p(value);
    let text = text.trim_start_matches("= ");
    if is_valid { text.to_owned() } else { format!("({text})") }
}

fn effect(one: &Comparison) -> String {
    let sizes = [("h", one.effect.cohens_h), ("g", one.effect.cohens_g), ("d_z", one.effect.cohens_d_z)];
    let known =
        sizes.into_iter().filter_map(|(name, size)| Some(format!("{name} {}", numbers::fixed(size?, 2))));
    let known: Vec<_> = known.collect();
    if known.is_empty() { NOTHING.to_owned() } else { known.join(", ") }
}

pub(super) fn fourfold(report: &Report) -> Rows {
    let row = |one: &Comparison| {
        let table = one.table?;
        let counts = [table.both, table.only_second, table.only_first, table.neither];
        let mut row = vec![one.variant.clone(), one.metric.to_string()];
        row.extend(counts.map(|count| count.to_string()));
        Some(row)
    };
    let header = ["variant", "by", "both", "only the variant", "only the baseline", "neither"];
    let rows = report.comparisons.iter().filter_map(row).collect();
    Rows::new("On the same items", "McNemar's table.", &header, rows)
}

pub(super) fn stopping(report: &Report) -> Rows {
    let comparisons = report.stopping.iter().flat_map(|stopping| &stopping.comparisons);
    let row = |one: &StoppingComparison| {
        let verdict = match one.verdict {
            Verdict::GoOn => "not decided",
            Verdict::FirstIsBetter => "baseline is better",
            Verdict::SecondIsBetter => "variant is better",
            Verdict::NoDifference => "gave up",
        };
        let e_value = numbers::fixed(one.e_value, 2);
        vec![one.variant.clone(), verdict.to_owned(), e_value, one.items_seen.to_string()]
    };
    let note =
        "Chance alone brings the evidence to E with a probability of at most 1 / E, however often one looks.";
    let header = ["variant", "verdict", "evidence E", "items"];
    Rows::new("Stopping rule", note, &header, comparisons.map(row).collect())
}
