//! What is counted while a load run goes on: nothing that grows with the number of tasks.

use std::time::Duration;

use hdrhistogram::Histogram;
use playhouse_protocol::FailureClass;
use playhouse_protocol::task::{TaskStatus, TaskSummary};
use playhouse_runtime::TaskTimings;
use serde::Serialize;

use super::report::Outcomes;

/// Times are kept in microseconds up to a day, with three digits.
const HIGHEST_US: u64 = 24 * 60 * 60 * 1_000_000;
const DIGITS: u8 = 3;

/// Times of one sort.
#[derive(Debug)]
pub(super) struct Times(Option<Histogram<u64>>);

/// Percentiles in milliseconds.
#[expect(clippy::struct_field_names, reason = "units stand behind names, in reports too")]
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(crate) struct Percentiles {
    pub(crate) p50_ms: f64,
    pub(crate) p90_ms: f64,
    pub(crate) p95_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

impl Default for Times {
    fn default() -> Self {
        // The bounds are fixed and valid; without a histogram there are no percentiles.
        Self(Histogram::new_with_bounds(1, HIGHEST_US, DIGITS).ok())
    }
}

impl Times {
    fn record(&mut self, time: Duration) {
        if let Some(histogram) = &mut self.0 {
            histogram.saturating_record(u64::try_from(time.as_micros()).unwrap_or(HIGHEST_US).max(1));
        }
    }

    pub(super) fn percentiles(&self) -> Percentiles {
        let Some(histogram) = self.0.as_ref().filter(|histogram| !histogram.is_empty()) else {
            return Percentiles::default();
        };
        let at = |percentile: f64| histogram.value_at_percentile(percentile) as f64 / 1_000.0;
        Percentiles {
            p50_ms: at(50.0),
            p90_ms: at(90.0),
            p95_ms: at(95.0),
            p99_ms: at(99.0),
            p999_ms: at(99.9),
            max_ms: histogram.max() as f64 / 1_000.0,
        }
    }

    /// So many bars: each the upper end of its times in milliseconds, and how many fell into it.
    pub(super) fn bars(&self, bars_len: u32) -> Vec<(f64, u64)> {
        let Some(histogram) = self.0.as_ref().filter(|histogram| !histogram.is_empty()) else {
            return Vec::new();
        };
        let step = (histogram.max() / u64::from(bars_len)).max(1);
        let bar = |value: hdrhistogram::iterators::IterationValue<u64>| {
            (value.value_iterated_to() as f64 / 1_000.0, value.count_since_last_iteration())
        };
        histogram.iter_linear(step).map(bar).take(bars_len as usize + 1).collect()
    }
}

/// What is counted.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) outcomes: Outcomes,
    pub(super) queued: Times,
    pub(super) running: Times,
    pub(super) total: Times,
}

impl Tally {
    /// Counts the end of a task.
    pub(super) fn ended(&mut self, task: &TaskSummary, timings: TaskTimings) {
        let outcomes = &mut self.outcomes;
        outcomes.attempts += u64::from(task.attempts);
        match task.status {
            TaskStatus::Completed => outcomes.completed += 1,
            TaskStatus::Cancelled => outcomes.cancelled += 1,
            TaskStatus::DeadLettered => outcomes.dead_lettered += 1,
            TaskStatus::Failed => {
                let class = task.failure.as_ref().map_or(FailureClass::Internal, |failure| failure.class);
                *outcomes.failed.entry(class.as_str()).or_default() += 1;
            }
            // Left to the next process.
            TaskStatus::Queued | TaskStatus::Running => {
                outcomes.kept += 1;
                return;
            }
        }
        self.queued.record(timings.queued);
        self.running.record(timings.running);
        self.total.record(timings.queued + timings.running);
    }

    pub(super) const fn ended_len(&self) -> u64 {
        self.outcomes.completed + self.outcomes.cancelled + self.outcomes.dead_lettered
    }
}
