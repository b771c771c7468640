//! When a second call is sent, without a clock of its own.

use std::time::Duration;

use playhouse_config::settings::HedgingConfig;

use crate::stats::quantile_rank;

/// Times that are remembered.
const OBSERVED_LEN: usize = 256;

/// Times that must be known before any quantile of them is believed: three lie above the 95th percentile of so many.
const OBSERVED_MIN: usize = 64;

/// New times after which the quantile is computed anew: it moves slowly.
const REFRESHED_EVERY: usize = 32;

/// The most second calls that can be saved up. A server that is slow now must not be sent at once what was not needed in
/// hours.
const CREDIT_MAX: f64 = 10.0;

/// Which times are compared: those to the first token of a stream, or to a whole answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Measured {
    FirstToken,
    Answer,
}

/// The last times of one kind.
#[derive(Debug, Default)]
struct Times {
    last: Vec<Duration>,
    /// Where the next goes, in a ring.
    next: usize,
    fresh: usize,
    quantile: Option<Duration>,
}

impl Times {
    fn note(&mut self, took: Duration, share: f64) {
        if self.last.len() < OBSERVED_LEN {
            self.last.push(took);
        } else {
            self.last[self.next] = took;
            self.next = (self.next + 1) % OBSERVED_LEN;
        }
        self.fresh += 1;
        if self.last.len() >= OBSERVED_MIN && (self.fresh >= REFRESHED_EVERY || self.quantile.is_none()) {
            self.fresh = 0;
            let mut times = self.last.clone();
            let rank = quantile_rank(times.len(), share);
            self.quantile = Some(*times.select_nth_unstable(rank).1);
        }
    }
}

/// When and how often second calls are sent.
///
/// Source: J. Dean and L. A. Barroso, "The Tail at Scale", Communications of the ACM 56 (2013): a second request after
/// the 95th percentile cuts the tail for about 5 % more requests.
#[derive(Debug)]
pub(super) struct Hedges {
    config: HedgingConfig,
    times: [Times; 2],
    /// Second calls that may be sent: earned by calls, spent by second calls. Since it begins at zero, second calls are
    /// at all times at most the configured share of the calls before them.
    credit: f64,
}

impl Hedges {
    pub(super) fn new(config: HedgingConfig) -> Self {
        Self { config, times: Default::default(), credit: 0.0 }
    }

    /// Counts a call, and gives the time after which a second one is sent; `None` while too little is known.
    pub(super) fn begin(&mut self, measured: Measured) -> Option<Duration> {
        self.credit = (self.credit + self.config.extra_ratio_max).min(CREDIT_MAX);
        let quantile = self.times[measured as usize].quantile;
        quantile.map(|after| after.max(self.config.after_min))
    }

    /// Notes how long a call took to answer, or to begin to.
    pub(super) fn note(&mut self, measured: Measured, took: Duration) {
        self.times[measured as usize].note(took, self.config.after_quantile);
    }

    /// Whether one more second call may be sent; if so, it is counted.
    pub(super) fn spend(&mut self) -> bool {
        let allowed = self.credit >= 1.0;
        if allowed {
            self.credit -= 1.0;
        }
        allowed
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn hedges(extra_ratio_max: f64) -> Hedges {
        Hedges::new(HedgingConfig { after_quantile: 0.95, after_min: ms(50), extra_ratio_max })
    }

    #[test]
    fn nothing_is_hedged_before_enough_is_known() {
        let mut hedges = hedges(1.0);
        (0..63).for_each(|_| hedges.note(Measured::Answer, ms(100)));
        assert_eq!(hedges.begin(Measured::Answer), None);
        hedges.note(Measured::Answer, ms(100));
        assert_eq!(
            (hedges.begin(Measured::Answer), hedges.begin(Measured::FirstToken)),
            (Some(ms(100)), None)
        );
    }

    #[test]
    fn the_time_is_the_quantile_and_never_below_its_minimum() {
        let mut slow = hedges(1.0);
        (1..=100).for_each(|number| slow.note(Measured::Answer, ms(10 * number)));
        let after = slow.begin(Measured::Answer).unwrap();
        assert!((ms(850)..=ms(950)).contains(&after), "{after:?}");
        let mut fast = hedges(1.0);
        (0..100).for_each(|_| fast.note(Measured::FirstToken, ms(1)));
        assert_eq!(fast.begin(Measured::FirstToken), Some(ms(50)));
    }

    #[test]
    fn the_time_follows_the_last_calls() {
        let mut hedges = hedges(1.0);
        (0..300).for_each(|_| hedges.note(Measured::Answer, ms(100)));
        (0..300).for_each(|_| hedges.note(Measured::Answer, ms(700)));
        assert_eq!(hedges.begin(Measured::Answer), Some(ms(700)));
    }

    proptest! {
        /// The model: two counters.
        #[test]
        fn second_calls_are_never_more_than_their_share_of_all_calls(
            ratio in 0.0_f64..=1.0,
            wants in prop::collection::vec(any::<bool>(), 0..2_000),
        ) {
            let mut hedges = hedges(ratio);
            let (mut calls, mut second) = (0_u32, 0_u32);
            for wanted in wants {
                hedges.begin(Measured::Answer);
                calls += 1;
                if wanted {
                    second += u32::from(hedges.spend());
                }
                prop_assert!(f64::from(second) <= ratio * f64::from(calls) + 1e-9);
            }
        }
    }

    #[test]
    fn what_was_not_needed_is_not_saved_up_without_end() {
        let mut hedges = hedges(0.05);
        (0..100_000).for_each(|_| {
            hedges.begin(Measured::Answer);
        });
        assert_eq!((0..100).filter(|_| hedges.spend()).count(), 10);
    }
}
