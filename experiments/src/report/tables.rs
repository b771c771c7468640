//! A report as rows of plain text.

use playhouse_config::experiments::Metric;

use super::numbers;
use crate::analysis::{Cell, Comparison, Finding, Part, Report, ShareSummary, Summary};
use crate::run::Ending;
use crate::statistics::sequential::Verdict;

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
        variants(report),
        comparisons(report),
        metrics(report),
        outcomes(report),
        pass_at_k(report),
        parts(report, "By difficulty", |cell| &cell.difficulties),
        parts(report, "By group", |cell| &cell.groups),
        fourfold(report),
        stopping(report),
        judge(report),
        announced(report),
        usage(report),
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

fn variants(report: &Report) -> Rows {
    let row = |cell: &Cell| {
        let name =
            if cell.is_baseline { format!("{} (baseline)", cell.variant) } else { cell.variant.clone() };
        let prompt = cell.prompt.as_ref().map(|prompt| format!("{} v{}", prompt.name, prompt.version));
        let [right, share, interval, effective] = share(cell.right);
        let model = cell.model.clone().unwrap_or_else(|| "selected".to_owned());
        vec![
            name,
            model,
            cell.mode.clone(),
            prompt.unwrap_or_else(|| NOTHING.to_owned()),
            right,
            share,
            interval,
            effective,
        ]
    };
    let note = format!(
        "Failed answers count as not right. {} intervals by Wilson; where items are answered several times, with the number of \
         independent answers that all are worth.",
        numbers::confidence(report.confidence)
    );
    let header = ["variant", "model", "mode", "prompt", "right", "share", "interval", "worth"];
    Rows::new("Variants", note, &header, report.cells.iter().map(row).collect())
}

fn share(share: Option<ShareSummary>) -> [String; 4] {
    share.map_or_else(
        || [(); 4].map(|()| NOTHING.to_owned()),
        |share| {
            [
                format!("{} of {}", share.rights, share.asked),
                numbers::percent(share.share),
                numbers::percents(share.interval),
                numbers::fixed(share.effective, 1),
            ]
        },
    )
}

fn comparisons(report: &Report) -> Rows {
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
pub(super) const fn finding(finding: Finding) -> &'static str {
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

fn metrics(report: &Report) -> Rows {
    let all = report
        .metrics
        .iter()
        .copied()
        .chain(Metric::ALL.into_iter().filter(|one| !report.metrics.contains(one)));
    let mut rows = Vec::new();
    for metric in all {
        for cell in &report.cells {
            let Some(one) = cell.metrics.iter().find(|one| one.metric == metric) else { continue };
            let Summary::Number(number) = &one.summary else { continue };
            let value = |value| numbers::value(one.metric, value);
            rows.push(vec![
                one.metric.to_string(),
                cell.variant.clone(),
                number.answers.to_string(),
                value(number.mean),
                numbers::values(one.metric, number.interval),
                value(number.median),
                value(number.p95),
            ]);
        }
    }
    let note = "Of answers that have a value: failed ones have none, and those out of a cache have no latency. Words, hedges and \
                reversals say something of the reasoning, and nothing of right or wrong.";
    let header = ["metric", "variant", "answers", "mean", "interval", "median", "p95"];
    Rows::new("Numbers", note, &header, rows)
}

fn outcomes(report: &Report) -> Rows {
    let row = |cell: &Cell| {
        let outcomes = &cell.outcomes;
        let classes: Vec<_> =
            outcomes.failed.iter().map(|(class, count)| format!("{count} {class}")).collect();
        let failed = if classes.is_empty() { "0".to_owned() } else { classes.join(", ") };
        let counts = [outcomes.right, outcomes.wrong, outcomes.refused, outcomes.truncated, outcomes.empty];
        let mut row = vec![cell.variant.clone(), cell.asked.to_string()];
        row.extend(counts.map(|count| count.to_string()));
        row.push(failed);
        row
    };
    let header = ["variant", "asked", "right", "wrong", "refused", "cut", "empty", "failed"];
    Rows::new("Outcomes", "", &header, report.cells.iter().map(row).collect())
}

fn pass_at_k(report: &Report) -> Rows {
    let cells = report.cells.iter().filter(|_| report.counts.repeats > 1);
    let rows = cells.flat_map(|cell| {
        let row = |k: u64, chance| vec![cell.variant.clone(), k.to_string(), numbers::percent(chance)];
        cell.pass_at_k.iter().map(move |one| row(one.k, one.chance))
    });
    let note = "The chance that at least one of k answers is right, over the items that have all repeats.";
    Rows::new("Several answers", note, &["variant", "k", "chance"], rows.collect())
}

fn parts(report: &Report, title: &str, of: impl Fn(&Cell) -> &[Part]) -> Rows {
    let mut rows = Vec::new();
    let count = report.cells.first().map_or(0, |cell| of(cell).len());
    for place in 0..count {
        for cell in &report.cells {
            let Some(part) = of(cell).get(place) else { continue };
            let [right, percent, interval, _] = share(part.right);
            let name = if part.name.is_empty() { NOTHING.to_owned() } else { part.name.clone() };
            rows.push(vec![name, cell.variant.clone(), part.items.to_string(), right, percent, interval]);
        }
    }
    let note = "Parts are not compared: look here for what to ask next.";
    Rows::new(title, note, &["part", "variant", "items", "right", "share", "interval"], rows)
}

fn fourfold(report: &Report) -> Rows {
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

fn stopping(report: &Report) -> Rows {
    let comparisons = report.stopping.iter().flat_map(|stopping| &stopping.comparisons);
    let row = |one: &crate::analysis::StoppingComparison| {
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

fn judge(report: &Report) -> Rows {
    let row = |judge: &crate::analysis::JudgeAgreement| {
        let table = judge.table;
        let [agreed, percent, interval, _] = share(judge.agreement);
        let counts = [table.both, table.only_first, table.only_second, table.neither, judge.undecided];
        let mut row = counts.map(|count| count.to_string()).to_vec();
        let kappa = judge.kappa.map_or_else(|| NOTHING.to_owned(), |kappa| numbers::fixed(kappa, 2));
        row.extend([agreed, percent, interval, kappa]);
        row
    };
    let header = [
        "both right",
        "only the scorer",
        "only the judge",
        "both not right",
        "judge undecided",
        "agree",
        "share",
        "interval",
        "kappa",
    ];
    let note =
        "The judge held against the exact scorer, over all variants. Kappa is the agreement beyond chance.";
    Rows::new("Judge", note, &header, report.judge.iter().map(row).collect())
}

fn announced(report: &Report) -> Rows {
    let row = |cell: &Cell| {
        let [announced, percent, interval, _] = share(Some(cell.announced?));
        Some(vec![cell.variant.clone(), announced, percent, interval])
    };
    let note = "Answers that announce a final one, right or wrong.";
    let header = ["variant", "announced", "share", "interval"];
    Rows::new("Announced answers", note, &header, report.cells.iter().filter_map(row).collect())
}

fn usage(report: &Report) -> Rows {
    let row = |cell: &Cell| {
        let usage = &cell.usage;
        vec![
            cell.variant.clone(),
            usage.model_calls.to_string(),
            usage.prompt_tokens.to_string(),
            usage.cached_prompt_tokens.to_string(),
            usage.completion_tokens.to_string(),
            numbers::nano_usd(usage.cost_nano_usd),
            cell.judge_usage.total_tokens().to_string(),
            numbers::nano_usd(cell.judge_usage.cost_nano_usd),
            cell.cached_answers.to_string(),
            cell.scripted_answers.to_string(),
        ]
    };
    let header = [
        "variant",
        "calls",
        "prompt tokens",
        "of these cached",
        "completion tokens",
        "cost",
        "judge's tokens",
        "judge's cost",
        "cached answers",
        "scripted answers",
    ];
    Rows::new("Usage", "Of all answers that did not fail.", &header, report.cells.iter().map(row).collect())
}
