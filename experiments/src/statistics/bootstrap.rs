//! How well a difference of means is known, without a law for the scores.

use playhouse_protocol::RandomSource;

use super::{Interval, StatisticsError, open_share};

/// The fewest resamples: the ends of an interval rest on a few hundred of them.
const RESAMPLES_MIN: usize = 100;

/// What resampling says about a difference.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The mean of the second's scores less that of the first's.
    pub estimate: f64,
    /// Where the true difference lies, by percentiles.
    pub interval: Interval,
}

/// The difference of two cells' mean scores on the same riddles. A riddle is drawn as a whole, with all scores that both
/// cells have on it (repeats included, as their mean): answers to one riddle are not independent.
///
/// Source: B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap" (1993), chapter 13 (percentile interval).
///
/// # Errors
/// When there are no pairs, a score is not a number, fewer than 100 resamples are wanted, or `confidence` is not between
/// 0 and 1.
pub fn paired_difference(
    pairs: &[(f64, f64)],
    resamples: usize,
    confidence: f64,
    random: &dyn RandomSource,
) -> Result<Difference, StatisticsError> {
    const WHAT: &str = "the bootstrap of a difference";
    let confidence = open_share(WHAT, "confidence", confidence)?;
    if resamples < RESAMPLES_MIN {
        let value = resamples as f64;
        return Err(StatisticsError { what: WHAT, name: "resamples", value, needed: "at least 100" });
    }
    let differences: Vec<_> = pairs.iter().map(|(first, second)| second - first).collect();
    if let Some(value) = differences.iter().copied().find(|value| !value.is_finite()) {
        return Err(StatisticsError { what: WHAT, name: "a score", value, needed: "a number" });
    }
    if differences.is_empty() {
        return Err(StatisticsError { what: WHAT, name: "pairs", value: 0.0, needed: "at least 1" });
    }
    let count = differences.len();
    let mean = |sum: f64| sum / count as f64;
    let mut means: Vec<_> =
        (0..resamples).map(|_| mean((0..count).map(|_| differences[below(count, random)]).sum())).collect();
    means.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    Ok(Difference {
        estimate: mean(differences.iter().sum()),
        interval: Interval { low: quantile(&means, tail), high: quantile(&means, 1.0 - tail) },
    })
}

/// A place below `count`, each as likely as the next but for one part in 2^64 / `count`.
#[expect(clippy::cast_possible_truncation, reason = "the place is below a length")]
fn below(count: usize, random: &dyn RandomSource) -> usize {
    ((u128::from(random.next_u64()) * count as u128) >> 64) as usize
}

/// The value below which the share `share` of the sorted values lies, between its neighbours.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a length lies between zero and that length"
)]
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    below + (above - below) * place.fract()
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::SeededSource;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_interval_and_it_holds_the_estimate() {
        let pairs: Vec<_> = (0..60).map(|number| (f64::from(number % 3), f64::from(number % 5))).collect();
        let run = || paired_difference(&pairs, 2_000, 0.95, &SeededSource::from_seed(1)).unwrap();
        assert_eq!(run(), run());
        assert!((run().estimate - 1.0).abs() < 1e-12);
        assert!(run().interval.contains(1.0));
        // The standard error of the mean by its formula: 1.633 / sqrt(60), twice 1.96 of it wide.
        let width = run().interval.high - run().interval.low;
        let spread = pairs.iter().map(|(a, b)| (b - a - 1.0).powi(2)).sum::<f64>() / 60.0;
        assert!((width / (2.0 * 1.96 * (spread / 60.0).sqrt()) - 1.0).abs() < 0.1, "{width}");
    }

    #[test]
    fn intervals_hold_the_true_difference_about_as_often_as_they_say() {
        let random = SeededSource::from_seed(2);
        let coin = |share: f64| {
            f64::from(u8::from((random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64 <= share))
        };
        let held = (0..400).filter(|_| {
            let pairs: Vec<_> = (0..80).map(|_| (coin(0.5), coin(0.7))).collect();
            paired_difference(&pairs, 300, 0.9, &random).unwrap().interval.contains(0.2)
        });
        let held = held.count();
        assert!((340..=380).contains(&held), "{held}");
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let random = SeededSource::from_seed(1);
        let name = |pairs: &[(f64, f64)], resamples, confidence| {
            paired_difference(pairs, resamples, confidence, &random).unwrap_err().name
        };
        assert_eq!(name(&[], 100, 0.9), "pairs");
        assert_eq!(name(&[(0.0, f64::NAN)], 100, 0.9), "a score");
        assert_eq!(name(&[(0.0, 1.0)], 99, 0.9), "resamples");
        assert_eq!(name(&[(0.0, 1.0)], 100, 0.0), "confidence");
    }
}
