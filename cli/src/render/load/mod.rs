//! What a load run came to: rows for people, all of it for programs, and a page.

mod page;
mod rows;

pub(crate) use page::page;
pub(crate) use rows::text;

use std::collections::BTreeMap;

use playhouse_runtime::Accounting;
use playhouse_runtime::store::StatusCounts;
use serde::Serialize;

/// What a load run came to.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    pub(crate) settings: Settings,
    /// Whether the answers came from a script.
    pub(crate) scripted: bool,
    pub(crate) elapsed_ms: u64,
    /// Tasks that this run ended, by the second.
    pub(crate) throughput_per_s: f64,
    pub(crate) queued: Percentiles,
    pub(crate) running: Percentiles,
    /// From submission to end.
    pub(crate) total: Percentiles,
    /// The most memory that the process had resident, where the system tells.
    pub(crate) peak_resident_bytes: Option<u64>,
    pub(crate) outcomes: Outcomes,
    pub(crate) accounting: Accounting,
    /// What the journal counts, runs before this one included.
    pub(crate) journal: Option<StatusCounts>,
    /// Whether every task is accounted for, in the runtime, the generator and the journal alike.
    pub(crate) adds_up: bool,
    /// What does not add up.
    pub(crate) differences: Vec<String>,
    pub(crate) slos: Vec<SloOutcome>,
    /// Times from submission to end: the upper end of each bar in milliseconds, and how many fell into it.
    pub(crate) distribution: Vec<(f64, u64)>,
}

/// What was asked for.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Settings {
    pub(crate) tasks: u64,
    pub(crate) width: u64,
    /// Of the load run's own model; none where one of the catalog is asked.
    pub(crate) latency_ms: Option<u64>,
    /// As `latency_ms`.
    pub(crate) fail: Option<f64>,
    pub(crate) panic: f64,
    pub(crate) calls: u32,
    pub(crate) durability: &'static str,
    pub(crate) journal: Option<String>,
    pub(crate) model: Option<String>,
    pub(crate) tenants: u64,
    pub(crate) seed: u64,
    pub(crate) attempts: Option<u32>,
}

/// Percentiles in milliseconds.
#[expect(clippy::struct_field_names, reason = "units stand behind names, in reports too")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

/// What became of the tasks, as the generator saw it.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Outcomes {
    /// Tasks that were accepted, or had been by an earlier run of the same command.
    pub(crate) acknowledged: u64,
    /// Those of them that had ended before this run began. Nothing but their outcome is counted here.
    pub(crate) ended_before: u64,
    pub(crate) completed: u64,
    /// By the class of the failure.
    pub(crate) failed: BTreeMap<&'static str, u64>,
    pub(crate) cancelled: u64,
    pub(crate) dead_lettered: u64,
    /// Left open in the journal when the run was stopped.
    pub(crate) kept: u64,
    /// Submissions that were refused as overloaded and made again.
    pub(crate) refused_and_retried: u64,
    /// Attempts at the tasks that this run ended or left open.
    pub(crate) attempts: u64,
}

/// A goal and what became of it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct SloOutcome {
    pub(crate) name: &'static str,
    pub(crate) bound: f64,
    /// None when no task ended in this run: there is nothing to judge.
    pub(crate) actual: Option<f64>,
    pub(crate) held: bool,
}

#[cfg(test)]
mod sample;
