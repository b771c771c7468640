//! Whether something happens more often than it did.

use serde::{Deserialize, Serialize};

/// How many times the usual odds are bet on: a small, a middling and a large change, each with a third of the stake.
const ODDS: [f64; 3] = [2.0, 4.0, 8.0];

/// The evidence that raises an alarm: the mean number of calls until a false one is at least as large.
pub(super) const ALARM: f64 = 100_000.0;

/// The chance that the usual share is taken for less than it is, because the first calls were lucky. Luck alone raises no
/// alarm: the bets are on twice the odds and more.
const LUCK: f64 = 0.01;

/// A sum of e-values, the Shiryaev-Roberts e-detector: at each call a new bet of 1 on a change at this very call is
/// added to all earlier ones, and each becomes `e` times what it was. While the share is no greater than `usual`, the sum is on average at most
/// the number of calls, so the mean number of calls until it reaches [`ALARM`] is at least that; and within N calls it
/// does so with a probability of at most N / [`ALARM`].
///
/// Source: J. Shin, A. Ramdas, A. Rinaldo, "E-detectors: a nonparametric framework for sequential change detection", New
/// England Journal of Statistics in Data Science 2 (2023), definition 2.2 and theorem 2.4; the mean of several detectors is one
/// (section 4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Detector([f64; ODDS.len()]);

impl Detector {
    /// Sees whether it happened, where it usually does with a share of at most `usual`. Gives whether there is an alarm.
    pub(super) fn see(&mut self, happened: bool, usual: f64) -> bool {
        for (sum, odds) in self.0.iter_mut().zip(ODDS) {
            // How much more probable this is with the greater odds: 1 on average, or less.
            let e = if happened { odds } else { 1.0 } / (1.0 + (odds - 1.0) * usual);
            // Nobody looks at it beyond the alarm, and it must not grow without end.
            *sum = (e * (*sum + 1.0)).min(ALARM * ODDS.len() as f64);
        }
        self.0.iter().sum::<f64>() / ODDS.len() as f64 >= ALARM
    }

    pub(super) fn is_sound(&self) -> bool {
        self.0.iter().all(|sum| *sum >= 0.0 && sum.is_finite())
    }
}

/// The greatest share with which `happened` of `calls` or fewer are no rarer than [`LUCK`]: Clopper and Pearson's upper bound.
///
/// Source: C. Clopper, E. Pearson, "The Use of Confidence or Fiducial Limits", Biometrika 26 (1934).
pub(super) fn share_at_most(happened: u64, calls: u64) -> f64 {
    /// Halvings of an interval from 0 to 1: to the last bit that matters.
    const HALVINGS: u32 = 50;
    if happened >= calls {
        return 1.0;
    }
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if at_most(happened, calls, middle) > LUCK { low = middle } else { high = middle }
    }
    high
}

/// The probability that something with this share happens at most so often. Exact enough up to some thousand calls.
fn at_most(happened: u64, calls: u64, share: f64) -> f64 {
    let calls = calls as f64;
    let mut term = (calls * (-share).ln_1p()).exp();
    let mut sum = term;
    for number in 1..=happened {
        let number = number as f64;
        term *= (calls - number + 1.0) / number * share / (1.0 - share);
        sum += term;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_calls_come_to_what_they_come_to_by_hand() {
        let mut detector = Detector::default();
        assert!(!detector.see(true, 0.1));
        // 2 / 1.1, 4 / 1.3 and 8 / 1.7.
        let by_hand = [2.0 / 1.1, 4.0 / 1.3, 8.0 / 1.7];
        detector.0.iter().zip(by_hand).for_each(|(sum, wanted)| assert!((sum - wanted).abs() < 1e-12));
        assert!(!detector.see(false, 0.1));
        assert!((detector.0[0] - (2.0 / 1.1 + 1.0) / 1.1).abs() < 1e-12);
    }

    #[test]
    fn a_bet_is_worth_nothing_on_average_while_nothing_changes() {
        for usual in [0.001, 0.1, 0.5, 1.0] {
            for odds in ODDS {
                let mean = (usual * odds + 1.0 - usual) / (1.0 + (odds - 1.0) * usual);
                assert!((mean - 1.0_f64).abs() < 1e-12, "{usual}, {odds}");
            }
        }
    }

    /// Of no success in n the bound is 1 - δ^(1/n); the other was had by integrating the density of
    /// Beta(27, 230), of which it is the 99th percentile.
    #[test]
    fn the_upper_bound_of_a_share_is_clopper_and_pearsons() {
        assert!((share_at_most(0, 256) - (1.0 - LUCK.powf(1.0 / 256.0))).abs() < 1e-12);
        assert!((share_at_most(26, 256) - 0.153_816).abs() < 1e-5, "{}", share_at_most(26, 256));
        assert!((share_at_most(256, 256) - 1.0).abs() < 1e-12);
        assert!(share_at_most(127, 256) < 0.6);
    }
}
