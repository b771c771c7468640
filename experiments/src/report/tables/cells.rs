//! Each variant alone, and the judge.

use playhouse_config::experiments::Metric;

use super::{NOTHING, Rows};
use crate::analysis::{Cell, JudgeAgreement, Part, Report, ShareSummary, Summary};
use crate::report::numbers;

pub(super) fn variants(report: &Report) -> Rows {
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

pub(super) fn metrics(report: &Report) -> Rows {
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

pub(super) fn outcomes(report: &Report) -> Rows {
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

pub(super) fn pass_at_k(report: &Report) -> Rows {
    let cells = report.cells.iter().filter(|_| report.counts.repeats > 1);
    let rows = cells.flat_map(|cell| {
        let row = |k: u64, chance| vec![cell.variant.clone(), k.to_string(), numbers::percent(chance)];
        cell.pass_at_k.iter().map(move |one| row(one.k, one.chance))
    });
    let note = "The chance that at least one of k answers is right, over the items that have all repeats.";
    Rows::new("Several answers", note, &["variant", "k", "chance"], rows.collect())
}

pub(super) fn parts(report: &Report, title: &str, of: impl Fn(&Cell) -> &[Part]) -> Rows {
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

pub(super) fn judge(report: &Report) -> Rows {
    let row = |judge: &JudgeAgreement| {
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

pub(super) fn announced(report: &Report) -> Rows {
    let row = |cell: &Cell| {
        let [announced, percent, interval, _] = share(Some(cell.announced?));
        Some(vec![cell.variant.clone(), announced, percent, interval])
    };
    let note = "Answers that announce a final one, right or wrong.";
    let header = ["variant", "announced", "share", "interval"];
    Rows::new("Announced answers", note, &header, report.cells.iter().filter_map(row).collect())
}

pub(super) fn usage(report: &Report) -> Rows {
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
