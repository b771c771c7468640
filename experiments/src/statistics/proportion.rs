//! The share of successes, and how well it is known.

use super::{Interval, StatisticsError, normal_quantile, open_share};

const WHAT: &str = "the Wilson interval";

/// The Wilson score interval of `successes` out of `trials`, which holds for small numbers and at the ends, where the usual
/// interval around the share is wrong.
///
/// Source: E. B. Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", Journal of the American
/// Statistical Association 22 (1927), without continuity correction.
///
/// # Errors
/// When there are no trials, more successes than trials, or `confidence` is not between 0 and 1.
pub fn wilson(successes: u64, trials: u64, confidence: f64) -> Result<Interval, StatisticsError> {
    if trials > 0 && successes > trials {
        let value = successes as f64;
        return Err(StatisticsError { what: WHAT, name: "successes", value, needed: "at most the trials" });
    }
    let share = if trials == 0 { 0.0 } else { successes as f64 / trials as f64 };
    wilson_of_share(share, trials as f64, confidence)
}

/// The same interval of a share that was seen in trials that are worth `trials` independent ones, as
/// [`effective_trials`](super::cluster::effective_trials) gives them: not always a whole number.
///
/// Source: E. L. Korn and B. I. Graubard, "Confidence intervals for proportions with small expected number of positive counts
/// estimated from survey data", Survey Methodology 24 (1998), for putting the effective number in the place of the number.
///
/// # Errors
/// When `trials` is not above 0, `share` is not within 0 and 1, or `confidence` is not between 0 and 1.
pub fn wilson_of_share(share: f64, trials: f64, confidence: f64) -> Result<Interval, StatisticsError> {
    let confidence = open_share(WHAT, "confidence", confidence)?;
    if !(trials > 0.0 && trials.is_finite()) {
        return Err(StatisticsError { what: WHAT, name: "trials", value: trials, needed: "at least 1" });
    }
    if !(0.0..=1.0).contains(&share) {
        return Err(StatisticsError { what: WHAT, name: "share", value: share, needed: "from 0 to 1" });
    }
    let z = normal_quantile(1.0 - (1.0 - confidence) / 2.0);
    let center = share + z * z / (2.0 * trials);
    let half = z * (share * (1.0 - share) / trials + z * z / (4.0 * trials * trials)).sqrt();
    let scale = 1.0 + z * z / trials;
    // At the ends the formula gives 0 and 1 but for rounding.
    let low = if share <= 0.0 { 0.0 } else { ((center - half) / scale).max(0.0) };
    let high = if share >= 1.0 { 1.0 } else { ((center + half) / scale).min(1.0) };
    Ok(Interval { low, high })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Source of the values: R. G. Newcombe, "Two-sided confidence intervals for the single proportion: comparison of seven
    /// methods", Statistics in Medicine 17 (1998), table I, method 3.
    #[test]
    fn published_intervals_come_out() {
        let check = |successes, trials, low: f64, high: f64| {
            let interval = wilson(successes, trials, 0.95).unwrap();
            let round = |value: f64| (value * 1e4).round() / 1e4;
            assert_eq!((round(interval.low), round(interval.high)), (low, high), "{successes}/{trials}");
        };
        check(81, 263, 0.2553, 0.3662);
        check(15, 148, 0.0624, 0.1605);
        check(0, 20, 0.0, 0.1611);
        check(1, 29, 0.0061, 0.1718);
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        assert_eq!(wilson(0, 0, 0.95).unwrap_err().name, "trials");
        assert_eq!(wilson(3, 2, 0.95).unwrap_err().name, "successes");
        assert_eq!(
            wilson(1, 2, 1.0).unwrap_err().to_string(),
            "compute the Wilson interval: confidence is 1, and has to be between 0 and 1, both excluded"
        );
    }

    #[test]
    fn fewer_effective_trials_make_it_wider() {
        let of = |trials| wilson_of_share(0.75, trials, 0.95).unwrap();
        assert_eq!(of(20.0), wilson(15, 20, 0.95).unwrap());
        assert!(of(7.5).low < of(20.0).low && of(20.0).high < of(7.5).high);
        assert_eq!(wilson_of_share(0.5, 0.0, 0.95).unwrap_err().name, "trials");
        assert_eq!(wilson_of_share(1.1, 5.0, 0.95).unwrap_err().name, "share");
    }

    proptest! {
        #[test]
        fn it_holds_the_share_lies_within_0_and_1_and_mirrors(trials in 1_u64..500, share in 0.0_f64..=1.0) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the trials")]
            let successes = (trials as f64 * share) as u64;
            let interval = wilson(successes, trials, 0.9).unwrap();
            prop_assert!(interval.contains(successes as f64 / trials as f64));
            prop_assert!(0.0 <= interval.low && interval.high <= 1.0);
            let mirrored = wilson(trials - successes, trials, 0.9).unwrap();
            prop_assert!((interval.low + mirrored.high - 1.0).abs() < 1e-9);
        }
    }
}
