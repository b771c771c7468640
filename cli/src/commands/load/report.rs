//! From what was counted to a report.

use playhouse_runtime::Accounting;

use super::drive::{Driven, Plan};
use super::reckoning::{Journal, differences};
use super::tally::Tally;
use crate::args::{LoadArgs, Slo};
use crate::render::load::{Percentiles, Report, Settings, SloOutcome};

/// Bars of the picture.
const BARS_LEN: u32 = 60;

/// What a run came to. `scripted` says that no model was asked.
pub(super) fn report(
    args: &LoadArgs,
    plan: &Plan,
    driven: Driven,
    books: Accounting,
    journal: Option<Journal>,
    scripted: bool,
) -> Report {
    let Driven { tally, elapsed } = driven;
    let differences = differences(&books, &tally, journal);
    let throughput_per_s = tally.ended_here() as f64 / elapsed.as_secs_f64().max(1e-6);
    let total = tally.total.percentiles();
    Report {
        settings: settings(args, plan),
        scripted,
        elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
        throughput_per_s,
        queued: tally.queued.percentiles(),
        running: tally.running.percentiles(),
        total,
        peak_resident_bytes: peak_resident_bytes(),
        accounting: books,
        journal: journal.map(|journal| journal.after),
        adds_up: differences.is_empty(),
        differences,
        slos: args.slos.iter().map(|slo| judge(slo, &tally, &total, throughput_per_s)).collect(),
        distribution: tally.total.bars(BARS_LEN),
        outcomes: tally.outcomes,
    }
}

fn settings(args: &LoadArgs, plan: &Plan) -> Settings {
    let is_own = args.model.is_none();
    Settings {
        tasks: plan.tasks,
        width: plan.width,
        latency_ms: is_own.then_some(args.latency_ms),
        fail: is_own.then_some(args.fail),
        panic: args.panic,
        calls: args.calls,
        durability: if plan.is_journaled { "full" } else { "none" },
        journal: args.journal.as_ref().map(|path| path.display().to_string()),
        model: args.model.clone(),
        tenants: args.tenants,
        seed: args.seed,
        attempts: args.attempts,
    }
}

/// Whether a goal was held. One about a run in which nothing ended is not missed: the same command on a journal
/// that is done has nothing left to be judged by.
fn judge(slo: &Slo, tally: &Tally, total: &Percentiles, throughput_per_s: f64) -> SloOutcome {
    let of_this_run = |value: f64| (tally.ended_here() > 0).then_some(value);
    let actual = match slo.name {
        "p50_ms" => of_this_run(total.p50_ms),
        "p90_ms" => of_this_run(total.p90_ms),
        "p95_ms" => of_this_run(total.p95_ms),
        "p99_ms" => of_this_run(total.p99_ms),
        "max_ms" => of_this_run(total.max_ms),
        "throughput_min" => of_this_run(throughput_per_s),
        _ => Some(tally.failed_len() as f64 / tally.outcomes.acknowledged.max(1) as f64),
    };
    let held = actual.is_none_or(|actual| {
        if slo.name == "throughput_min" { actual >= slo.bound } else { actual <= slo.bound }
    });
    SloOutcome { name: slo.name, bound: slo.bound, actual, held }
}

/// The most memory that this process had resident. Source: proc(5), `VmHWM` in kibibytes.
fn peak_resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1_024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn goals_are_upper_bounds_but_for_throughput_and_bounds_are_held() {
        let total = Percentiles {
            p50_ms: 1.0,
            p90_ms: 2.0,
            p95_ms: 3.0,
            p99_ms: 4.0,
            max_ms: 5.0,
            ..Default::default()
        };
        let mut tally = Tally::new(0);
        tally.here.completed = 6;
        tally.outcomes.acknowledged = 8;
        tally.outcomes.dead_lettered = 1;
        tally.outcomes.failed.insert("deadline", 1);
        for (name, actual) in Slo::NAMES.into_iter().zip([1.0, 2.0, 3.0, 4.0, 5.0, 60.0, 0.25]) {
            let held = |bound| {
                let outcome = judge(&Slo { name, bound }, &tally, &total, 60.0);
                assert_eq!(outcome.actual, Some(actual), "{name}");
                outcome.held
            };
            let rises = name == "throughput_min";
            assert_eq!(
                (held(actual), held(actual + 0.1), held(actual - 0.1)),
                (true, !rises, rises),
                "{name}"
            );
        }
    }

    #[test]
    fn a_run_that_found_everything_done_misses_no_goal() {
        let mut tally = Tally::new(0);
        (tally.outcomes.acknowledged, tally.outcomes.ended_before) = (5, 5);
        for name in Slo::NAMES {
            assert!(judge(&Slo { name, bound: 0.0 }, &tally, &Percentiles::default(), 0.0).held, "{name}");
        }
        let slo = Slo { name: "throughput_min", bound: 1.0 };
        assert_eq!(judge(&slo, &tally, &Percentiles::default(), 0.0).actual, None);
    }
}
