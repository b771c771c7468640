//! A report for tests.

use super::{Accounting, Outcomes, Percentiles, Report, Settings, SloOutcome, StatusCounts};

pub(super) fn report() -> Report {
    let times = |from: f64| Percentiles {
        p50_ms: from,
        p90_ms: from + 1.0,
        p95_ms: from + 2.0,
        p99_ms: from + 3.0,
        p999_ms: from + 4.0,
        max_ms: from + 5.0,
    };
    Report {
        settings: Settings {
            tasks: 10,
            width: 4,
            latency_ms: Some(50),
            fail: Some(0.1),
            panic: 0.2,
            calls: 2,
            durability: "full",
            journal: Some("a<b>.db".to_owned()),
            model: None,
            tenants: 3,
            seed: 7,
            attempts: Some(5),
        },
        scripted: true,
        elapsed_ms: 1_250,
        throughput_per_s: 6.4,
        queued: times(1.0),
        running: times(50.0),
        total: times(51.0),
        peak_resident_bytes: Some(12_300_000),
        outcomes: Outcomes {
            acknowledged: 10,
            ended_before: 2,
            completed: 7,
            failed: [("deadline", 1), ("denied", 1)].into(),
            dead_lettered: 1,
            refused_and_retried: 9,
            attempts: 12,
            ..Outcomes::default()
        },
        accounting: Accounting {
            accepted: 8,
            completed: 5,
            failed: 2,
            dead_lettered: 1,
            ..Accounting::default()
        },
        journal: Some(StatusCounts { completed: 7, failed: 2, dead_lettered: 1, ..StatusCounts::default() }),
        adds_up: true,
        differences: Vec::new(),
        slos: vec![
            SloOutcome { name: "p95_ms", bound: 60.0, actual: Some(53.0), held: true },
            SloOutcome { name: "throughput_min", bound: 10.0, actual: Some(6.4), held: false },
        ],
        distribution: vec![(28.0, 0), (56.0, 8)],
    }
}
