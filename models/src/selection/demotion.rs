//! When a model is passed over because it has become worse.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use playhouse_config::settings::DemotionConfig;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::stats::{AttemptRecord, ModelStats, quantile};

/// How often a model is looked at. Looking copies and sorts its last calls, which is too much for each choice.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// The most calls that are looked at: as many as [`ModelStats`] keeps.
const CALLS_MAX: u32 = 512;

/// The longest time that a model is passed over: a year. The clock cannot add any time.
const DURATION_MAX: Duration = Duration::from_secs(365 * 24 * 3_600);

/// A model that is passed over for a while.
#[derive(Debug, Clone, PartialEq)]
pub struct Demotion {
    /// Why.
    pub reason: DemotionReason,
    /// How long it still is.
    pub time_left: Duration,
}

/// Why a model is passed over. Its `Display` is a sentence without its full stop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DemotionReason {
    /// Too many of its last calls failed.
    Failing {
        /// The share that did, 0.0 to 1.0.
        error_ratio: f64,
        /// The share that may.
        error_ratio_max: f64,
        /// The number of last calls.
        calls: u32,
    },
    /// Its last calls took much longer than usual.
    Slow {
        /// Their median.
        recent: Duration,
        /// The median of all that is known.
        usual: Duration,
        /// The number of last calls.
        calls: u32,
    },
}

/// What the last calls of a model, fewer than asked for or not, say against it. `usual` is its long-term median.
pub(super) fn assess(
    config: &DemotionConfig,
    recent: &[AttemptRecord],
    usual: Option<Duration>,
) -> Option<DemotionReason> {
    let calls = config.calls.min(CALLS_MAX);
    if recent.is_empty() || u64::from(calls) > recent.len() as u64 {
        return None;
    }
    let failed = recent.iter().filter(|record| record.failed).count();
    let error_ratio = failed as f64 / recent.len() as f64;
    if error_ratio > config.error_ratio_max {
        let error_ratio_max = config.error_ratio_max;
        return Some(DemotionReason::Failing { error_ratio, error_ratio_max, calls });
    }
    let mut times: Vec<_> =
        recent.iter().filter(|record| !record.failed).map(|record| record.elapsed).collect();
    times.sort_unstable();
    let (recent, usual) = (quantile(&times, 0.5)?, usual?);
    let is_slow = recent.as_secs_f64() > usual.as_secs_f64() * config.latency_factor_max;
    is_slow.then_some(DemotionReason::Slow { recent, usual, calls })
}

/// Whether one model is demoted. Owned by the catalog.
#[derive(Debug, Default)]
pub(super) struct DemotionWatch(Mutex<Watch>);

#[derive(Debug, Default)]
struct Watch {
    looked_at: Option<Instant>,
    /// Why, and until when.
    demoted: Option<(DemotionReason, Instant)>,
    /// Calls that had ended when it was demoted: they do not speak against it twice.
    calls_before: u64,
}

/// What looking at a model showed.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// It has become worse.
    Demoted(DemotionReason),
    /// Its time is over.
    Restored,
}

impl DemotionWatch {
    /// Looks at the model, unless that was done a moment ago.
    pub(super) fn look(
        &self,
        config: &DemotionConfig,
        stats: &ModelStats,
        usual: impl FnOnce() -> Option<Duration>,
    ) -> (Option<Demotion>, Option<Change>) {
        let now = Instant::now();
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut change = None;
        if watch.demoted.as_ref().is_some_and(|(_, until)| *until <= now) {
            watch.demoted = None;
            change = Some(Change::Restored);
        }
        let is_due = watch.looked_at.is_none_or(|at| now.duration_since(at) >= LOOK_INTERVAL);
        if watch.demoted.is_none() && is_due {
            watch.looked_at = Some(now);
            let calls = stats.snapshot().calls;
            let looked_at = config.calls.min(CALLS_MAX);
            if calls.saturating_sub(watch.calls_before) >= u64::from(looked_at) {
                let recent = stats.recent(looked_at as usize);
                if let Some(reason) = assess(config, &recent, usual()) {
                    watch.demoted = Some((reason.clone(), now + config.duration.min(DURATION_MAX)));
                    watch.calls_before = calls;
                    change = Some(Change::Demoted(reason));
                }
            }
        }
        (watch.current(now), change)
    }

    /// Demotes the model for a time that an earlier process left over.
    pub(super) fn resume(&self, demotion: Demotion) {
        let mut watch = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        watch.demoted = Some((demotion.reason, Instant::now() + demotion.time_left.min(DURATION_MAX)));
    }

    /// Whether it is demoted, without looking at it.
    pub(super) fn current(&self) -> Option<Demotion> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).current(Instant::now())
    }
}

impl Watch {
    fn current(&self, now: Instant) -> Option<Demotion> {
        let (reason, until) = self.demoted.as_ref()?;
        let time_left = until.duration_since(now);
        (!time_left.is_zero()).then(|| Demotion { reason: reason.clone(), time_left })
    }
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::FailureClass;
    use tokio::time::advance;

    use super::*;

    const MS: Duration = Duration::from_millis(1);
    const CONFIG: DemotionConfig = DemotionConfig {
        error_ratio_max: 0.5,
        latency_factor_max: 3.0,
        calls: 10,
        duration: Duration::from_secs(60),
    };

    fn record(stats: &ModelStats, count: u32, elapsed: Duration, failure: Option<FailureClass>) {
        (0..count).for_each(|_| stats.record(elapsed, None, failure));
    }

    fn look(watch: &DemotionWatch, stats: &ModelStats) -> (Option<Demotion>, Option<Change>) {
        watch.look(&CONFIG, stats, || stats.snapshot().p50)
    }

    #[test]
    fn more_failures_than_allowed_demote_and_as_many_do_not() {
        let stats = ModelStats::default();
        record(&stats, 5, MS, None);
        record(&stats, 5, MS, Some(FailureClass::Retryable));
        assert_eq!(assess(&CONFIG, &stats.recent(10), None), None);
        record(&stats, 1, MS, Some(FailureClass::Retryable));
        let reason = assess(&CONFIG, &stats.recent(10), None).unwrap();
        insta::assert_snapshot!(reason, @"60 % of its last 10 calls failed, more than 50 %");
    }

    #[test]
    fn fewer_calls_than_are_looked_at_demote_nobody() {
        let stats = ModelStats::default();
        record(&stats, 9, MS, Some(FailureClass::Retryable));
        assert_eq!(assess(&CONFIG, &stats.recent(10), None), None);
    }

    #[test]
    fn a_median_beyond_its_usual_one_demotes_and_a_single_slow_call_does_not() {
        let stats = ModelStats::default();
        record(&stats, 100, 100 * MS, None);
        record(&stats, 4, 9_000 * MS, None);
        assert_eq!(assess(&CONFIG, &stats.recent(10), stats.snapshot().p50), None);
        record(&stats, 6, 301 * MS, None);
        let reason = assess(&CONFIG, &stats.recent(10), stats.snapshot().p50).unwrap();
        insta::assert_snapshot!(reason, @"its last 10 calls took 301 ms (median), 3.0 times its usual 100 ms");
    }

    #[test]
    fn more_calls_than_are_kept_are_as_many_as_are_kept() {
        let (watch, stats) = (DemotionWatch::default(), ModelStats::default());
        record(&stats, 2 * CALLS_MAX, MS, Some(FailureClass::Retryable));
        assert_eq!(stats.recent(usize::MAX).len(), CALLS_MAX as usize);
        let config = DemotionConfig { calls: 10_000, ..CONFIG };
        assert!(watch.look(&config, &stats, || None).0.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_demoted_model_is_restored_after_its_time_and_needs_new_calls_to_be_demoted_again() {
        let (watch, stats) = (DemotionWatch::default(), ModelStats::default());
        record(&stats, 10, MS, Some(FailureClass::Retryable));
        let (demotion, change) = look(&watch, &stats);
        assert_eq!(demotion.unwrap().time_left, CONFIG.duration);
        assert!(matches!(change, Some(Change::Demoted(DemotionReason::Failing { .. }))));
        advance(CONFIG.duration.saturating_sub(MS)).await;
        let (demotion, change) = look(&watch, &stats);
        assert_eq!((demotion.unwrap().time_left, change), (MS, None));
        advance(MS).await;
        assert_eq!(look(&watch, &stats), (None, Some(Change::Restored)));
        record(&stats, 9, MS, Some(FailureClass::Retryable));
        advance(LOOK_INTERVAL).await;
        assert_eq!(look(&watch, &stats), (None, None));
        record(&stats, 1, MS, Some(FailureClass::Retryable));
        advance(LOOK_INTERVAL).await;
        assert!(look(&watch, &stats).0.is_some());
    }
}
