//! Two cells on the same riddles, right or wrong.

use serde::{Deserialize, Serialize};
use statrs::distribution::{Binomial, DiscreteCDF};

use super::{Interval, StatisticsError, normal_quantile, open_share};

/// How often two cells were right and wrong on the same riddles.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairs {
    /// Both right.
    pub both: u64,
    /// The first right, the second wrong.
    pub only_first: u64,
    /// The first wrong, the second right.
    pub only_second: u64,
    /// Both wrong.
    pub neither: u64,
}

impl FromIterator<(bool, bool)> for Pairs {
    fn from_iter<I: IntoIterator<Item = (bool, bool)>>(outcomes: I) -> Self {
        let mut pairs = Self::default();
        for outcome in outcomes {
            *match outcome {
                (true, true) => &mut pairs.both,
                (true, false) => &mut pairs.only_first,
                (false, true) => &mut pairs.only_second,
                (false, false) => &mut pairs.neither,
            } += 1;
        }
        pairs
    }
}

impl Pairs {
    /// All pairs.
    pub const fn count(&self) -> u64 {
        self.both + self.only_first + self.only_second + self.neither
    }

    /// Pairs in which one was right and the other wrong: the only ones that say which is better.
    pub const fn discordant(&self) -> u64 {
        self.only_first + self.only_second
    }

    /// McNemar's exact test: the [`sign_test`] of the discordant pairs.
    ///
    /// Source: Q. McNemar, "Note on the Sampling Error of the Difference between Correlated Proportions or Percentages",
    /// Psychometrika 12 (1947), with the binomial distribution in place of its approximation.
    pub fn mcnemar(&self) -> f64 {
        sign_test(self.only_first, self.only_second)
    }

    /// How much more often the second was right than the first: -1.0 to 1.0; `None` without pairs.
    pub fn difference(&self) -> Option<f64> {
        let count = self.count();
        (count > 0).then(|| (self.only_second as f64 - self.only_first as f64) / count as f64)
    }

    /// The share of the discordant pairs that the second won, less a half (Cohen's g): -0.5 to 0.5. By convention 0.05 is
    /// small, 0.15 medium, 0.25 large. `None` without discordant pairs.
    ///
    /// Source: J. Cohen, "Statistical Power Analysis for the Behavioral Sciences" (1988), chapter 5.
    pub fn cohens_g(&self) -> Option<f64> {
        let discordant = self.discordant();
        (discordant > 0).then(|| self.only_second as f64 / discordant as f64 - 0.5)
    }

    /// An interval of the [`difference`](Self::difference), by Wald with half a pair added to each of the four counts, which
    /// makes it hold for small numbers.
    ///
    /// Source: A. Agresti and Y. Min, "Simple improved confidence intervals for comparing matched proportions",
    /// Statistics in Medicine 24 (2005).
    ///
    /// # Errors
    /// When `confidence` is not between 0 and 1.
    pub fn difference_interval(&self, confidence: f64) -> Result<Interval, StatisticsError> {
        let confidence = open_share("the interval of a difference", "confidence", confidence)?;
        let z = normal_quantile(1.0 - (1.0 - confidence) / 2.0);
        let count = self.count() as f64 + 2.0;
        let first = (self.only_first as f64 + 0.5) / count;
        let second = (self.only_second as f64 + 0.5) / count;
        let difference = second - first;
        let half = z * ((first + second - difference * difference) / count).sqrt();
        Ok(Interval { low: (difference - half).max(-1.0), high: (difference + half).min(1.0) })
    }
}

/// The exact sign test: the probability of a split of `wins` and `losses` that is at least as uneven, when each of them was as
/// likely a win as a loss. Ties are left out beforehand. 1.0 without any.
///
/// It takes whole riddles that are independent of each other, and nothing else: what was answered several times is won by
/// who was better on the whole, so that answers to one riddle, which are not independent, do not count as several.
///
/// Source: W. J. Dixon and A. M. Mood, "The Statistical Sign Test", Journal of the American Statistical Association 41
/// (1946).
pub fn sign_test(wins: u64, losses: u64) -> f64 {
    // The parameters are always valid, so the test never falls back to "no evidence".
    let Ok(binomial) = Binomial::new(0.5, wins.saturating_add(losses)) else { return 1.0 };
    (2.0 * binomial.cdf(wins.min(losses))).min(1.0)
}

/// How far two shares lie apart, on a scale on which equal distances are equally easy to find (Cohen's h): negative when the
/// second is smaller. By convention 0.2 is small, 0.5 medium, 0.8 large.
///
/// Source: J. Cohen, "Statistical Power Analysis for the Behavioral Sciences" (1988), chapter 6.
pub fn cohens_h(first: f64, second: f64) -> f64 {
    let angle = |share: f64| 2.0 * share.clamp(0.0, 1.0).sqrt().asin();
    angle(second) - angle(first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(both: u64, only_first: u64, only_second: u64, neither: u64) -> Pairs {
        Pairs { both, only_first, only_second, neither }
    }

    /// Source of the data: A. Agresti, "Categorical Data Analysis" (2002), table 10.1; of the p-value: the documentation of R's
    /// exact2x2.
    #[test]
    fn a_published_test_comes_out() {
        let p = pairs(794, 150, 86, 570).mcnemar();
        assert!((p - 3.716e-5).abs() < 5e-9, "{p}");
    }

    #[test]
    fn values_by_hand_come_out() {
        // 2 * (1 + 5) / 2^5.
        assert!((pairs(9, 1, 4, 9).mcnemar() - 0.375).abs() < 1e-12);
        assert!((pairs(0, 0, 10, 0).mcnemar() - 2.0 / 1_024.0).abs() < 1e-12);
        assert!((pairs(5, 0, 0, 5).mcnemar() - 1.0).abs() < 1e-12);
        assert_eq!(pairs(1, 1, 2, 0).difference(), Some(0.25));
        assert_eq!(pairs(1, 1, 3, 0).cohens_g(), Some(0.25));
        assert_eq!((pairs(0, 0, 0, 0).difference(), pairs(3, 0, 0, 1).cohens_g()), (None, None));
        // From 0.5 to 1.0: a quarter turn.
        assert!((cohens_h(0.5, 1.0) - std::f64::consts::FRAC_PI_2).abs() < 1e-12);
    }

    #[test]
    fn pairs_are_counted() {
        let outcomes = [(true, true), (true, false), (false, true), (false, true), (false, false)];
        assert_eq!(outcomes.into_iter().collect::<Pairs>(), pairs(1, 1, 2, 1));
    }

    proptest! {
        /// The model: all ways in which the pairs can fall, one by one.
        #[test]
        fn the_sign_test_counts_the_ways_that_are_as_uneven(wins in 0_u64..7, losses in 0_u64..7) {
            let count = wins + losses;
            let uneven = |wins: u64| wins.abs_diff(count - wins);
            let as_uneven = (0_u64..1 << count).filter(|way| uneven(way.count_ones().into()) >= uneven(wins)).count();
            let model = as_uneven as f64 / (1_u64 << count) as f64;
            prop_assert!((sign_test(wins, losses) - model).abs() < 1e-9);
        }

        #[test]
        fn the_test_does_not_care_who_is_first_nor_about_pairs_that_agree(
            (b, c, agree) in (0_u64..200, 0_u64..200, 0_u64..50),
        ) {
            let p = pairs(agree, b, c, agree).mcnemar();
            prop_assert!((0.0..=1.0).contains(&p));
            prop_assert!((p - pairs(0, c, b, 0).mcnemar()).abs() < 1e-12);
        }

        #[test]
        fn the_interval_holds_a_difference_near_the_one_that_was_seen(
            (a, b, c, d) in (0_u64..50, 0_u64..50, 0_u64..50, 0_u64..50),
        ) {
            prop_assume!(a + b + c + d > 0);
            let pairs = pairs(a, b, c, d);
            let interval = pairs.difference_interval(0.95).unwrap();
            prop_assert!(-1.0 <= interval.low && interval.high <= 1.0 && interval.low < interval.high);
            let shrunk = (c as f64 - b as f64) / (pairs.count() as f64 + 2.0);
            prop_assert!(interval.contains(shrunk));
        }
    }
}
