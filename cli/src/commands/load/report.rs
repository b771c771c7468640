//! What a load run came to.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use playhouse_runtime::Accounting;
use playhouse_runtime::store::StatusCounts;
use serde::Serialize;

use super::drive::{Driven, Plan};
use super::tally::Percentiles;
use crate::args::{LoadArgs, Slo};

/// Bars of the picture.
const BARS_LEN: u32 = 60;

/// What a load run came to.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    settings: Settings,
    /// Whether the answers came from a script.
    pub(super) scripted: bool,
    elapsed_ms: u64,
    throughput_per_s: f64,
    queued: Percentiles,
    running: Percentiles,
    total: Percentiles,
    /// The most memory that the process had resident, where the system tells.
    peak_resident_bytes: Option<u64>,
    outcomes: Outcomes,
    accounting: Accounting,
    /// What the journal counts, runs before this one included.
    journal: Option<StatusCounts>,
    /// Whether every task is accounted for, in the runtime, the generator and the journal alike.
    pub(super) adds_up: bool,
    pub(super) slos: Vec<SloOutcome>,
    /// Times from submission to end: the upper end of each bar in milliseconds, and how many fell into it.
    distribution: Vec<(f64, u64)>,
}

#[derive(Debug, Serialize)]
struct Settings {
    tasks: u64,
    width: u64,
    latency_ms: u64,
    fail: f64,
    panic: f64,
    calls: u32,
    durability: &'static str,
    journal: Option<String>,
    model: Option<String>,
    tenants: u64,
    seed: u64,
    attempts: Option<u32>,
}

/// What became of the tasks, as the generator saw it.
#[derive(Debug, Default, Serialize)]
pub(super) struct Outcomes {
    /// Tasks that were accepted, or had been by an earlier run of the same command.
    pub(super) acknowledged: u64,
    pub(super) completed: u64,
    /// By the class of the failure.
    pub(super) failed: BTreeMap<&'static str, u64>,
    pub(super) cancelled: u64,
    pub(super) dead_lettered: u64,
    /// Left open in the journal when the run was stopped.
    pub(super) kept: u64,
    /// Submissions that were refused as overloaded and made again.
    pub(super) refused_and_retried: u64,
    /// Attempts that were begun.
    pub(super) attempts: u64,
}

/// A goal and what became of it.
#[derive(Debug, Serialize)]
pub(super) struct SloOutcome {
    name: &'static str,
    bound: f64,
    actual: f64,
    pub(super) held: bool,
}

impl Report {
    pub(super) fn new(
        args: &LoadArgs,
        plan: &Plan,
        driven: Driven,
        accounting: Accounting,
        journal: Option<StatusCounts>,
        is_fresh: bool,
    ) -> Self {
        let Driven { tally, elapsed } = driven;
        let ended = tally.outcomes.acknowledged - tally.outcomes.kept;
        let adds_up = super::adds_up(&accounting, &tally.outcomes, journal, is_fresh);
        let mut report = Self {
            settings: Settings {
                tasks: plan.tasks,
                width: plan.width,
                latency_ms: args.latency_ms,
                fail: args.fail,
                panic: args.panic,
                calls: args.calls,
                durability: if plan.is_journaled { "full" } else { "none" },
                journal: args.journal.as_ref().map(|path| path.display().to_string()),
                model: args.model.clone(),
                tenants: args.tenants,
                seed: args.seed,
                attempts: args.attempts,
            },
            scripted: args.model.is_none(),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            throughput_per_s: ended as f64 / elapsed.as_secs_f64().max(1e-6),
            queued: tally.queued.percentiles(),
            running: tally.running.percentiles(),
            total: tally.total.percentiles(),
            peak_resident_bytes: peak_resident_bytes(),
            distribution: tally.total.bars(BARS_LEN),
            outcomes: tally.outcomes,
            accounting,
            journal,
            adds_up,
            slos: Vec::new(),
        };
        report.slos = args.slos.iter().map(|slo| report.judge(slo)).collect();
        report
    }

    fn judge(&self, slo: &Slo) -> SloOutcome {
        let total = &self.total;
        let failed = self.outcomes.failed.values().sum::<u64>() + self.outcomes.dead_lettered;
        let actual = match slo.name {
            "p50_ms" => total.p50_ms,
            "p90_ms" => total.p90_ms,
            "p95_ms" => total.p95_ms,
            "p99_ms" => total.p99_ms,
            "max_ms" => total.max_ms,
            "throughput_min" => self.throughput_per_s,
            _ => failed as f64 / (self.outcomes.acknowledged.max(1)) as f64,
        };
        let held = if slo.name == "throughput_min" { actual >= slo.bound } else { actual <= slo.bound };
        SloOutcome { name: slo.name, bound: slo.bound, actual, held }
    }

    /// The rows of the report: a name and what it is.
    fn rows(&self) -> Vec<(&'static str, String)> {
        let settings = &self.settings;
        let times = |times: &Percentiles| {
            format!(
                "p50 {:.1}  p90 {:.1}  p95 {:.1}  p99 {:.1}  p99.9 {:.1}  max {:.1}",
                times.p50_ms, times.p90_ms, times.p95_ms, times.p99_ms, times.p999_ms, times.max_ms
            )
        };
        let failed: Vec<_> =
            self.outcomes.failed.iter().map(|(class, len)| format!("{len} {class}")).collect();
        let failed = if failed.is_empty() { "0".to_owned() } else { failed.join(", ") };
        let books = &self.accounting;
        let mut rows = vec![
            (
                "run",
                format!(
                    "{} tasks, width {}, {} calls each, durability {}, seed {}",
                    settings.tasks, settings.width, settings.calls, settings.durability, settings.seed
                ),
            ),
            (
                "model",
                settings.model.clone().unwrap_or_else(|| {
                    format!(
                        "scripted answers: no model was asked ({} ms, {} fail, {} panic)",
                        settings.latency_ms, settings.fail, settings.panic
                    )
                }),
            ),
            (
                "throughput",
                format!("{:.0} tasks/s in {:.2} s", self.throughput_per_s, self.elapsed_ms as f64 / 1_000.0),
            ),
            ("in queue, ms", times(&self.queued)),
            ("running, ms", times(&self.running)),
            ("in all, ms", times(&self.total)),
            (
                "peak memory",
                self.peak_resident_bytes
                    .map_or("not known here".to_owned(), |bytes| format!("{:.1} MB", bytes as f64 / 1e6)),
            ),
            (
                "outcomes",
                format!(
                    "{} completed, {failed} failed, {} cancelled, {} dead letters, {} kept; {} attempts, {} refusals waited out",
                    self.outcomes.completed,
                    self.outcomes.cancelled,
                    self.outcomes.dead_lettered,
                    self.outcomes.kept,
                    self.outcomes.attempts,
                    self.outcomes.refused_and_retried
                ),
            ),
            (
                "accounting",
                format!(
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
                ),
            ),
        ];
        if let Some(journal) = &self.journal {
            rows.push((
                "journal",
                format!(
                    "{} tasks: {} completed, {} failed, {} cancelled, {} dead-lettered, {} open",
                    journal.total(),
                    journal.completed,
                    journal.failed,
                    journal.cancelled,
                    journal.dead_lettered,
                    journal.open
                ),
            ));
        }
        rows.push(("adds up", if self.adds_up { "yes" } else { "NO" }.to_owned()));
        for slo in &self.slos {
            let held = if slo.held { "held" } else { "MISSED" };
            rows.push(("goal", format!("{} {}: {:.3}, {held}", slo.name, slo.bound, slo.actual)));
        }
        rows
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let rows = self.rows();
        let width = rows.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
        rows.iter().fold(String::new(), |mut text, (name, value)| {
            // Writing to a string does not fail.
            let _ = writeln!(text, "{name:width$}  {value}");
            text
        })
    }

    /// One page that needs nothing else.
    pub(super) fn html(&self) -> String {
        let rows = self.rows().iter().fold(String::new(), |mut rows, (name, value)| {
            let _ = writeln!(rows, "<tr><th>{name}</th><td>{}</td></tr>", escaped(value));
            rows
        });
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>playhouse load</title>\n\
             <style>body{{font:15px system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em}}\
             th{{text-align:left;vertical-align:top;padding-right:1em;white-space:nowrap}}td{{padding-bottom:.4em}}\
             svg{{width:100%;height:auto}}rect{{fill:#4878a8}}text{{font:12px system-ui,sans-serif}}</style></head>\n\
             <body><h1>playhouse load</h1>\n<table>\n{rows}</table>\n<h2>Time from submission to end</h2>\n{}\n\
             </body></html>\n",
            self.picture()
        )
    }

    fn picture(&self) -> String {
        let tallest = self.distribution.iter().map(|(_, len)| *len).max().unwrap_or(0).max(1);
        let last = self.distribution.last().map_or(0.0, |(upper, _)| *upper);
        let width = 800.0 / (self.distribution.len().max(1)) as f64;
        let bars = self.distribution.iter().enumerate().fold(String::new(), |mut bars, (at, (upper, len))| {
            let height = 200.0 * *len as f64 / tallest as f64;
            let (x, y) = (at as f64 * width, 200.0 - height);
            let _ = write!(
                bars,
                "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>up to {upper:.1} ms: {len}</title></rect>",
                width * 0.9
            );
            bars
        });
        format!(
            "<svg viewBox=\"0 0 800 220\" role=\"img\">{bars}<text x=\"0\" y=\"216\">0 ms</text>\
             <text x=\"800\" y=\"216\" text-anchor=\"end\">{last:.1} ms</text></svg>"
        )
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// The most memory that this process had resident. Source: proc(5), `VmHWM` in kibibytes.
fn peak_resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024)
}
