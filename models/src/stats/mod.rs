//! What has been measured of a model: how its attempts ended, and how long they took.
//!
//! One [`ModelStats`] for each entry of the catalog lives as long as the catalog. The layer
//! [`Observed`](crate::layers::Observed), next to the provider, fills it; the choice of models and the health report
//! read it. Waits of our own (for a place, for the pace, between attempts) are not in it.

mod drift;
mod ring;
mod snapshot;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use playhouse_protocol::FailureClass;

use ring::Ring;

pub(crate) use drift::DriftState;
pub use drift::{Drift, DriftStanding};
pub use ring::AttemptRecord;
pub use snapshot::StatsSnapshot;
pub(crate) use snapshot::{quantile, quantile_rank};

/// How a model's attempts ended, and how long the last of them took.
#[derive(Debug)]
pub struct ModelStats {
    /// Held for the copy of a few words, or of the ring when somebody asks for it.
    ring: Mutex<Ring>,
    calls: AtomicU64,
    failures: AtomicU64,
    failures_by_class: [AtomicU64; FailureClass::ALL.len()],
    drift: Drift,
}

impl Default for ModelStats {
    fn default() -> Self {
        Self {
            ring: Mutex::new(Ring::new()),
            calls: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            failures_by_class: Default::default(),
            drift: Drift::default(),
        }
    }
}

impl ModelStats {
    /// Notes an attempt that ended. `first_token` is for streamed answers.
    pub fn record(&self, elapsed: Duration, first_token: Option<Duration>, failure: Option<FailureClass>) {
        if let Some(class) = failure {
            self.count_class(class);
        }
        let failed = failure.is_some_and(speaks_against_the_model);
        self.calls.fetch_add(1, Ordering::Relaxed);
        self.failures.fetch_add(u64::from(failed), Ordering::Relaxed);
        // What failed for the request's sake tells nothing of the model, not even how fast it is.
        if failed || failure.is_none() {
            self.ring().push(AttemptRecord { elapsed, first_token, failed });
        }
    }

    /// Whether the model is still what it was at first.
    pub const fn drift(&self) -> &Drift {
        &self.drift
    }

    /// Notes an attempt that was dropped before its end: neither a success nor a failure.
    pub fn record_dropped(&self) {
        self.count_class(FailureClass::Cancelled);
    }

    /// What the attempts so far come to. Copies the last ones and computes beside the calls that run.
    pub fn snapshot(&self) -> StatsSnapshot {
        let records = self.recent(ring::RING_LEN);
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StatsSnapshot {
            calls: load(&self.calls),
            failures: load(&self.failures),
            failures_by_class: self.failures_by_class.each_ref().map(load),
            ..StatsSnapshot::of(&records)
        }
    }

    /// The last `count` attempts (512 at the most), the oldest of them first.
    pub fn recent(&self, count: usize) -> Vec<AttemptRecord> {
        self.ring().last(count)
    }

    fn ring(&self) -> std::sync::MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count_class(&self, class: FailureClass) {
        self.failures_by_class[class as usize].fetch_add(1, Ordering::Relaxed);
    }
}

/// A wrong request is the caller's fault. Everything else is the model's, or is seen by callers as if it were.
pub(crate) const fn speaks_against_the_model(class: FailureClass) -> bool {
    match class {
        FailureClass::Retryable
        | FailureClass::Overloaded
        | FailureClass::Denied
        | FailureClass::Deadline
        | FailureClass::Internal => true,
        FailureClass::InvalidInput | FailureClass::Cancelled => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn attempts_are_counted_by_how_they_ended() {
        let stats = ModelStats::default();
        stats.record(10 * MS, Some(2 * MS), None);
        stats.record(MS, None, Some(FailureClass::Retryable));
        stats.record(MS, None, Some(FailureClass::InvalidInput));
        stats.record_dropped();
        let snapshot = stats.snapshot();
        assert_eq!((snapshot.calls, snapshot.failures), (3, 1));
        assert_eq!(snapshot.error_ratio, Some(0.5));
        assert_eq!((snapshot.p50, snapshot.first_token_p50), (Some(10 * MS), Some(2 * MS)));
        assert_eq!(snapshot.failures_by_class, [1, 0, 1, 0, 0, 1, 0]);
    }

    #[test]
    fn classes_are_counted_in_their_own_order() {
        for (place, class) in FailureClass::ALL.into_iter().enumerate() {
            assert_eq!(class as usize, place);
        }
    }

    #[test]
    fn the_last_attempts_are_given_oldest_first() {
        let stats = ModelStats::default();
        (1..=3).for_each(|number| stats.record(number * MS, None, None));
        let elapsed: Vec<_> = stats.recent(2).iter().map(|record| record.elapsed).collect();
        assert_eq!(elapsed, [2 * MS, 3 * MS]);
    }
}
