//! What the last attempts come to.

use std::time::Duration;

use playhouse_protocol::FailureClass;

use super::ring::AttemptRecord;

/// Answers whose median is the recent one: few enough to follow a change within minutes, many enough that a single
/// long answer does not move it.
const RECENT_LEN: usize = 50;

/// What is known of a model's attempts at one moment. Times are those of answers: a model that refuses at once is
/// not a fast one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct StatsSnapshot {
    /// Attempts that came to their end since the start.
    pub calls: u64,
    /// Of these, the ones that failed in a way that speaks against the model.
    pub failures: u64,
    /// The share of such failures among the last attempts, 0.0 to 1.0; `None` before the first one.
    pub error_ratio: Option<f64>,
    /// Half of the last answers took at most this long.
    pub p50: Option<Duration>,
    /// 95 % of the last answers took at most this long.
    pub p95: Option<Duration>,
    /// 99 % of the last answers took at most this long.
    pub p99: Option<Duration>,
    /// Half of the last streamed answers began within this time.
    pub first_token_p50: Option<Duration>,
    /// 95 % of the last streamed answers began within this time.
    pub first_token_p95: Option<Duration>,
    /// The median of the last few answers, to hold against `p50`.
    pub recent_median: Option<Duration>,
    /// Failures since the start by class, in the order of [`FailureClass::ALL`]. Calls that were dropped by whoever
    /// asked are `Cancelled`; they are in no other figure here.
    pub failures_by_class: [u64; FailureClass::ALL.len()],
}

impl StatsSnapshot {
    /// What `records`, the oldest first, come to. The counts are left at zero.
    pub(super) fn of(records: &[AttemptRecord]) -> Self {
        let answers: Vec<_> = records.iter().filter(|record| !record.failed).collect();
        let mut elapsed: Vec<_> = answers.iter().map(|record| record.elapsed).collect();
        let recent_begin = elapsed.len().saturating_sub(RECENT_LEN);
        let mut recent = elapsed.split_off(recent_begin);
        recent.sort_unstable();
        let recent_median = quantile(&recent, 0.5);
        elapsed.append(&mut recent);
        elapsed.sort_unstable();
        let mut first_token: Vec<_> = answers.iter().filter_map(|record| record.first_token).collect();
        first_token.sort_unstable();
        let failed = records.len() - answers.len();
        Self {
            error_ratio: (!records.is_empty()).then(|| failed as f64 / records.len() as f64),
            p50: quantile(&elapsed, 0.5),
            p95: quantile(&elapsed, 0.95),
            p99: quantile(&elapsed, 0.99),
            first_token_p50: quantile(&first_token, 0.5),
            first_token_p95: quantile(&first_token, 0.95),
            recent_median,
            ..Self::default()
        }
    }
}

/// The smallest of the sorted values that at least the share `quantile` of all does not exceed ("nearest rank").
pub(crate) fn quantile(sorted: &[Duration], quantile: f64) -> Option<Duration> {
    sorted.get(quantile_rank(sorted.len(), quantile)).copied()
}

/// The place of that value among `len` sorted ones; 0 when there are none.
pub(crate) fn quantile_rank(len: usize, quantile: f64) -> usize {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a share of a length is between zero and that length"
    )]
    let rank = (len as f64 * quantile.clamp(0.0, 1.0)).ceil() as usize;
    rank.saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_quantile_is_the_nearest_rank() {
        let values: Vec<_> = (1..=20).map(ms).collect();
        let check = |share| quantile(&values, share).unwrap();
        assert_eq!(
            [check(0.0), check(0.5), check(0.95), check(0.99), check(1.0)],
            [1, 10, 19, 20, 20].map(ms)
        );
        assert_eq!(quantile(&[], 0.5), None);
        assert_eq!(quantile(&[ms(3)], 0.99), Some(ms(3)));
    }

    #[test]
    fn failures_count_in_the_ratio_and_not_in_the_times() {
        let record = |elapsed, failed| AttemptRecord { elapsed: ms(elapsed), first_token: None, failed };
        let snapshot =
            StatsSnapshot::of(&[record(1, true), record(100, false), record(300, false), record(1, true)]);
        assert_eq!(snapshot.error_ratio, Some(0.5));
        assert_eq!((snapshot.p50, snapshot.p99), (Some(ms(100)), Some(ms(300))));
    }

    #[test]
    fn nothing_is_known_of_a_model_that_was_not_asked() {
        assert_eq!(StatsSnapshot::of(&[]), StatsSnapshot::default());
    }

    #[test]
    fn the_recent_median_follows_a_change_before_the_whole_does() {
        let record =
            |elapsed| AttemptRecord { elapsed: ms(elapsed), first_token: Some(ms(1)), failed: false };
        let records: Vec<_> = (0..200).map(|number| record(if number < 140 { 10 } else { 90 })).collect();
        let snapshot = StatsSnapshot::of(&records);
        assert_eq!((snapshot.p50, snapshot.recent_median), (Some(ms(10)), Some(ms(90))));
        assert_eq!(snapshot.first_token_p95, Some(ms(1)));
    }
}
