//! A load report for people.

use std::fmt::Write as _;

use super::{Outcomes, Percentiles, Report, Settings, SloOutcome};
use crate::render::SCRIPTED_LABEL;

type Row = (&'static str, String);

/// The rows of the report: a name and what it is.
pub(super) fn rows(report: &Report) -> Vec<Row> {
    let mut rows = vec![("run", run(&report.settings))];
    rows.extend(report.settings.journal.iter().map(|path| ("in the file", path.clone())));
    rows.push(("model", model(report)));
    rows.extend(measured(report));
    rows.extend(reckoned(report));
    rows.extend(report.slos.iter().map(|slo| ("goal", goal(slo))));
    rows
}

/// The report as lines.
pub(crate) fn text(report: &Report) -> String {
    let rows = rows(report);
    let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    rows.iter().fold(String::new(), |mut text, (name, value)| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:width$}  {value}");
        text
    })
}

fn run(settings: &Settings) -> String {
    let mut text = format!(
        "{} tasks, width {}, {} calls each, panic {}, durability {}, tenants {}, seed {}",
        settings.tasks,
        settings.width,
        settings.calls,
        settings.panic,
        settings.durability,
        settings.tenants,
        settings.seed
    );
    if let Some(attempts) = settings.attempts {
        let _ = write!(text, ", at most {attempts} attempts each");
    }
    text
}

fn model(report: &Report) -> String {
    let settings = &report.settings;
    let name = match (&settings.model, settings.latency_ms, settings.fail) {
        (Some(name), ..) => name.clone(),
        (None, latency_ms, fail) => {
            format!("{} ms, fail {}", latency_ms.unwrap_or_default(), fail.unwrap_or_default())
        }
    };
    if report.scripted { format!("{SCRIPTED_LABEL} ({name})") } else { name }
}

fn measured(report: &Report) -> [Row; 5] {
    let memory = report
        .peak_resident_bytes
        .map_or("not known here".to_owned(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6));
    let throughput =
        format!("{:.0} tasks/s in {:.2} s", report.throughput_per_s, report.elapsed_ms as f64 / 1_000.0);
    [
        ("throughput", throughput),
        ("in queue, ms", times(&report.queued)),
        ("running, ms", times(&report.running)),
        ("in all, ms", times(&report.total)),
        ("peak memory", memory),
    ]
}

fn times(times: &Percentiles) -> String {
    format!(
        "p50 {:.1}  p90 {:.1}  p95 {:.1}  p99 {:.1}  p99.9 {:.1}  max {:.1}",
        times.p50_ms, times.p90_ms, times.p95_ms, times.p99_ms, times.p999_ms, times.max_ms
    )
}

fn reckoned(report: &Report) -> Vec<Row> {
    let books = &report.accounting;
    let accounting = format!(
        "{} accepted + {} resumed + {} reopened = {} completed + {} failed + {} cancelled + {} dead-lettered + {} open + {} kept",
        books.accepted,
        books.resumed,
        books.reopened,
        books.completed,
        books.failed,
        books.cancelled,
        books.dead_lettered,
        books.open,
        books.kept
    );
    let mut rows = vec![("outcomes", outcomes(&report.outcomes))];
    if report.outcomes.ended_before > 0 {
        let before = format!("{} had ended before: times leave them out", report.outcomes.ended_before);
        rows.push(("of these", before));
    }
    rows.push(("accounting", accounting));
    if let Some(journal) = &report.journal {
        let counts = format!(
            "{} tasks: {} completed, {} failed, {} cancelled, {} dead-lettered, {} open",
            journal.total(),
            journal.completed,
            journal.failed,
            journal.cancelled,
            journal.dead_lettered,
            journal.open
        );
        rows.push(("journal", counts));
    }
    rows.push(("adds up", if report.adds_up { "yes" } else { "NO" }.to_owned()));
    rows.extend(report.differences.iter().map(|difference| ("because", difference.clone())));
    rows
}

fn outcomes(outcomes: &Outcomes) -> String {
    let failed: u64 = outcomes.failed.values().sum();
    let classes: Vec<_> = outcomes.failed.iter().map(|(class, len)| format!("{len} {class}")).collect();
    let classes = if classes.is_empty() { String::new() } else { format!(" ({})", classes.join(", ")) };
    format!(
        "{} acknowledged: {} completed, {failed} failed{classes}, {} cancelled, {} dead letters, {} kept; {} attempts, \
         {} refusals waited out",
        outcomes.acknowledged,
        outcomes.completed,
        outcomes.cancelled,
        outcomes.dead_lettered,
        outcomes.kept,
        outcomes.attempts,
        outcomes.refused_and_retried
    )
}

fn goal(slo: &SloOutcome) -> String {
    let held = if slo.held { "held" } else { "MISSED" };
    match slo.actual {
        Some(actual) => format!("{} {}: {actual:.3}, {held}", slo.name, slo.bound),
        None => format!("{} {}: not judged, no task ended in this run", slo.name, slo.bound),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::load::sample;

    #[test]
    fn every_fact_has_its_row() {
        let expected = "\
run           10 tasks, width 4, 2 calls each, panic 0.2, durability full, tenants 3, seed 7, at most 5 attempts each
in the file   a<b>.db
model         scripted answers: no model was asked (50 ms, fail 0.1)
throughput    6 tasks/s in 1.25 s
in queue, ms  p50 1.0  p90 2.0  p95 3.0  p99 4.0  p99.9 5.0  max 6.0
running, ms   p50 50.0  p90 51.0  p95 52.0  p99 53.0  p99.9 54.0  max 55.0
in all, ms    p50 51.0  p90 52.0  p95 53.0  p99 54.0  p99.9 55.0  max 56.0
peak memory   12.3 MB
outcomes      10 acknowledged: 7 completed, 2 failed (1 deadline, 1 denied), 0 cancelled, 1 dead letters, 0 kept; 12 attempts, 9 refusals waited out
of these      2 had ended before: times leave them out
accounting    8 accepted + 0 resumed + 0 reopened = 5 completed + 2 failed + 0 cancelled + 1 dead-lettered + 0 open + 0 kept
journal       10 tasks: 7 completed, 2 failed, 0 cancelled, 1 dead-lettered, 0 open
adds up       yes
goal          p95_ms 60: 53.000, held
goal          throughput_min 10: 6.400, MISSED
";
        assert_eq!(text(&sample::report()), expected);
    }

    #[test]
    fn what_does_not_add_up_is_told_and_a_catalogs_model_is_named() {
        let mut report = sample::report();
        report.adds_up = false;
        report.differences = vec!["the journal has 1 open, by the books 0".to_owned()];
        report.settings.model = Some("big".to_owned());
        report.scripted = false;
        report.slos = vec![SloOutcome { name: "max_ms", bound: 1.0, actual: None, held: true }];
        let text = text(&report);
        assert!(text.contains("\nmodel         big\n"), "{text}");
        assert!(text.contains("adds up       NO\nbecause       the journal has 1 open"), "{text}");
        assert!(text.ends_with("goal          max_ms 1: not judged, no task ended in this run\n"), "{text}");
        report.scripted = true;
        assert!(super::text(&report).contains("scripted answers: no model was asked (big)"));
    }
}
