//! How well a mean, or a difference of means, is known, without a law for the scores.

use playhouse_protocol::RandomSource;
use serde::{Deserialize, Serialize};

use super::summary::quantile;
use super::{Interval, StatisticsError, open_share};

/// The fewest resamples: the ends of an interval rest on a few hundred of them.
const RESAMPLES_MIN: usize = 100;

/// What resampling says about a mean or a difference of means.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The mean; or the mean of the second's scores less that of the first's.
    pub estimate: f64,
    /// Where the true one lies, by percentiles.
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
) -> Result<Estimate, StatisticsError> {
    let differences: Vec<_> = pairs.iter().map(|(first, second)| second - first).collect();
    mean_of("the bootstrap of a difference", &differences, (resamples, confidence), random)
}

/// The mean of a cell's scores. A riddle is drawn as a whole, by its mean score.
///
/// Source: as of [`paired_difference`].
///
/// # Errors
/// When there are no scores, one is not a number, fewer than 100 resamples are wanted, or `confidence` is not between 0 and 1.
pub fn mean(
    scores: &[f64],
    resamples: usize,
    confidence: f64,
    random: &dyn RandomSource,
) -> Result<Estimate, StatisticsError> {
    mean_of("the bootstrap of a mean", scores, (resamples, confidence), random)
}

fn mean_of(
    what: &'static str,
    scores: &[f64],
    (resamples, confidence): (usize, f64),
    random: &dyn RandomSource,
) -> Result<Estimate, StatisticsError> {
    let confidence = open_share(what, "confidence", confidence)?;
    let refuse = |name, value, needed| Err(StatisticsError { what, name, value, needed });
    if resamples < RESAMPLES_MIN {
        return refuse("resamples", resamples as f64, "at least 100");
    }
    if let Some(value) = scores.iter().copied().find(|value| !value.is_finite()) {
        return refuse("a score", value, "a number");
    }
    if scores.is_empty() {
        return refuse("scores", 0.0, "at least 1");
    }
    let count = scores.len();
    let mean = |sum: f64| sum / count as f64;
    let mut means: Vec<_> =
        (0..resamples).map(|_| mean((0..count).map(|_| scores[below(count, random)]).sum())).collect();
    means.sort_by(f64::total_cmp);
    let tail = (1.0 - confidence) / 2.0;
    let end = |share| quantile(&means, share).unwrap_or_default();
    Ok(Estimate {
        estimate: mean(scores.iter().sum()),
        interval: Interval { low: end(tail), high: end(1.0 - tail) },
    })
}

/// A place below `count`, each as likely as the next but for one part in 2^64 / `count`.
#[expect(clippy::cast_possible_truncation, reason = "the place is below a length")]
fn below(count: usize, random: &dyn RandomSource) -> usize {
    ((u128::from(random.next_u64()) * count as u128) >> 64) as usize
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
    fn a_mean_is_the_difference_from_nothing() {
        let scores: Vec<_> = (0..30).map(|number| f64::from(number % 7)).collect();
        let pairs: Vec<_> = scores.iter().map(|score| (0.0, *score)).collect();
        let one = mean(&scores, 500, 0.95, &SeededSource::from_seed(3)).unwrap();
        assert_eq!(one, paired_difference(&pairs, 500, 0.95, &SeededSource::from_seed(3)).unwrap());
        assert_eq!(
            mean(&[], 500, 0.95, &SeededSource::from_seed(3)).unwrap_err().what,
            "the bootstrap of a mean"
        );
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let random = SeededSource::from_seed(1);
        let name = |pairs: &[(f64, f64)], resamples, confidence| {
            paired_difference(pairs, resamples, confidence, &random).unwrap_err().name
        };
        assert_eq!(name(&[], 100, 0.9), "scores");
        assert_eq!(name(&[(0.0, f64::NAN)], 100, 0.9), "a score");
        assert_eq!(name(&[(0.0, 1.0)], 99, 0.9), "resamples");
        assert_eq!(name(&[(0.0, 1.0)], 100, 0.0), "confidence");
    }
}
