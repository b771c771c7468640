//! What is counted while a load run goes on: nothing that grows with the number of tasks.

use std::time::Duration;

use hdrhistogram::Histogram;
use playhouse_protocol::FailureClass;
use playhouse_protocol::task::{TaskStatus, TaskSummary};
use playhouse_runtime::TaskTimings;
use playhouse_runtime::store::StatusCounts;

use crate::render::load::{Outcomes, Percentiles};

/// Times are kept in microseconds up to a day, with three digits.
const HIGHEST_US: u64 = 24 * 60 * 60 * 1_000_000;
const DIGITS: u8 = 3;

/// Times of one sort.
#[derive(Debug)]
pub(super) struct Times(Option<Histogram<u64>>);

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

    /// At most so many bars: each the upper end of its times in milliseconds, and how many fell into it. Each time
    /// is in one of them.
    pub(super) fn bars(&self, bars_len: u32) -> Vec<(f64, u64)> {
        let Some(histogram) = self.0.as_ref().filter(|histogram| !histogram.is_empty()) else {
            return Vec::new();
        };
        // The first bar begins at 0, so the last one holds the longest time and no bar is wanting.
        let step = (histogram.max() + 1).div_ceil(u64::from(bars_len.max(1)));
        let bar = |value: hdrhistogram::iterators::IterationValue<u64>| {
            (value.value_iterated_to() as f64 / 1_000.0, value.count_since_last_iteration())
        };
        histogram.iter_linear(step).map(bar).collect()
    }
}

/// What is counted.
#[derive(Debug)]
pub(super) struct Tally {
    pub(super) outcomes: Outcomes,
    /// What this run ended, or left open.
    pub(super) here: StatusCounts,
    pub(super) queued: Times,
    pub(super) running: Times,
    pub(super) total: Times,
    since_unix_ms: u64,
}

impl Tally {
    /// For a run that began at this time of day, in milliseconds: tasks that ended before it are an earlier run's.
    pub(super) fn new(since_unix_ms: u64) -> Self {
        Self {
            outcomes: Outcomes::default(),
            here: StatusCounts::default(),
            queued: Times::default(),
            running: Times::default(),
            total: Times::default(),
            since_unix_ms,
        }
    }

    /// Counts a task that was acknowledged, at its end.
    pub(super) fn ended(&mut self, task: &TaskSummary, timings: TaskTimings) {
        let outcomes = &mut self.outcomes;
        outcomes.acknowledged += 1;
        let own = match task.status {
            TaskStatus::Completed => {
                outcomes.completed += 1;
                &mut self.here.completed
            }
            TaskStatus::Cancelled => {
                outcomes.cancelled += 1;
                &mut self.here.cancelled
            }
            TaskStatus::DeadLettered => {
                outcomes.dead_lettered += 1;
                &mut self.here.dead_lettered
            }
            TaskStatus::Failed => {
                let class = task.failure.as_ref().map_or(FailureClass::Internal, |failure| failure.class);
                *outcomes.failed.entry(class.as_str()).or_default() += 1;
                &mut self.here.failed
            }
            // Left to the next process.
            TaskStatus::Queued | TaskStatus::Running => {
                outcomes.kept += 1;
                &mut self.here.open
            }
        };
        if task.ended_unix_ms.is_some_and(|ended| ended < self.since_unix_ms) {
            outcomes.ended_before += 1;
            return;
        }
        *own += 1;
        outcomes.attempts += u64::from(task.attempts);
        if !task.status.is_open() {
            self.queued.record(timings.queued);
            self.running.record(timings.running);
            self.total.record(timings.queued + timings.running);
        }
    }

    /// Tasks that ended in this run.
    pub(super) const fn ended_here(&self) -> u64 {
        self.here.total() - self.here.open
    }

    /// Tasks that ended without a result, in this run or before.
    pub(super) fn failed_len(&self) -> u64 {
        self.outcomes.failed.values().sum::<u64>() + self.outcomes.dead_lettered
    }
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::{Failure, TaskId, TenantId, Usage};
    use proptest::prelude::*;

    use super::*;

    fn task(status: TaskStatus, ended_unix_ms: Option<u64>) -> TaskSummary {
        let failed = matches!(status, TaskStatus::Failed);
        TaskSummary {
            id: TaskId::from_bytes([0; 16]),
            kind: "load".to_owned(),
            tenant: TenantId::default(),
            status,
            parent: None,
            submitted_unix_ms: 1,
            ended_unix_ms,
            attempts: 2,
            usage: Usage::default(),
            failure: failed.then(|| Failure::new(FailureClass::Deadline, "answer in time")),
        }
    }

    fn timings(ms: u64) -> TaskTimings {
        TaskTimings { queued: Duration::from_millis(ms), running: Duration::from_millis(2 * ms) }
    }

    #[test]
    fn each_task_is_counted_once_by_its_outcome() {
        let mut tally = Tally::new(100);
        for (status, ended) in [
            (TaskStatus::Completed, Some(100)),
            (TaskStatus::Failed, Some(101)),
            (TaskStatus::Cancelled, Some(102)),
            (TaskStatus::DeadLettered, Some(103)),
            (TaskStatus::Queued, None),
        ] {
            tally.ended(&task(status, ended), timings(10));
        }
        let outcomes = &tally.outcomes;
        assert_eq!((outcomes.acknowledged, outcomes.ended_before, outcomes.attempts), (5, 0, 10));
        assert_eq!(
            (outcomes.completed, outcomes.cancelled, outcomes.dead_lettered, outcomes.kept),
            (1, 1, 1, 1)
        );
        assert_eq!(outcomes.failed, [("deadline", 1)].into());
        assert_eq!((tally.ended_here(), tally.failed_len()), (4, 2));
        assert_eq!(
            tally.total.bars(10).iter().map(|(_, len)| len).sum::<u64>(),
            4,
            "an open one has no time"
        );
    }

    #[test]
    fn what_an_earlier_run_ended_adds_no_times_and_no_attempts() {
        let mut tally = Tally::new(100);
        tally.ended(&task(TaskStatus::Completed, Some(99)), timings(10));
        assert_eq!((tally.outcomes.completed, tally.outcomes.ended_before), (1, 1));
        assert_eq!((tally.outcomes.attempts, tally.ended_here()), (0, 0));
        assert_eq!(tally.total.percentiles(), Percentiles::default());
        assert!(tally.total.bars(10).is_empty());
    }

    proptest! {
        #[test]
        fn every_time_is_in_one_bar_and_percentiles_rise(
            times in prop::collection::vec(0..10_000_000_u64, 1..200), bars_len in 1..80_u32,
        ) {
            let mut recorded = Times::default();
            times.iter().for_each(|time| recorded.record(Duration::from_micros(*time)));
            let bars = recorded.bars(bars_len);
            prop_assert!(bars.len() <= bars_len as usize);
            prop_assert_eq!(bars.iter().map(|(_, len)| *len).sum::<u64>(), times.len() as u64);
            let p = recorded.percentiles();
            prop_assert!([p.p50_ms, p.p90_ms, p.p95_ms, p.p99_ms, p.p999_ms, p.max_ms].is_sorted());
            let longest = times.iter().max().copied().unwrap_or_default() as f64 / 1_000.0;
            // Three digits are kept.
            prop_assert!((p.max_ms - longest).abs() <= longest / 1_000.0 + 0.001, "{} {longest}", p.max_ms);
        }
    }
}
