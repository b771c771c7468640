//! How far two who judge the same answers agree.

use super::paired::Pairs;

/// The agreement beyond what chance alone would bring (Cohen's kappa): 1.0 is full agreement, 0.0 that of chance. `None`
/// without pairs, and where both always say the same one thing, so that chance explains everything.
///
/// Source: J. Cohen, "A Coefficient of Agreement for Nominal Scales", Educational and Psychological Measurement 20 (1960).
pub fn cohens_kappa(pairs: &Pairs) -> Option<f64> {
    let count = pairs.count() as f64;
    let (both, neither) = (pairs.both as f64, pairs.neither as f64);
    let (first, second) = (both + pairs.only_first as f64, both + pairs.only_second as f64);
    let seen = (both + neither) / count;
    let by_chance = (first * second + (count - first) * (count - second)) / (count * count);
    (by_chance < 1.0).then(|| (seen - by_chance) / (1.0 - by_chance))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kappa(both: u64, only_first: u64, only_second: u64, neither: u64) -> Option<f64> {
        cohens_kappa(&Pairs { both, only_first, only_second, neither })
    }

    /// Source of the examples: Wikipedia, "Cohen's kappa": fifty applications, and two tables of a hundred with the same
    /// agreement.
    #[test]
    fn published_examples_come_out() {
        let check =
            |kappa: Option<f64>, wanted: f64| assert!((kappa.unwrap() - wanted).abs() < 5e-5, "{kappa:?}");
        check(kappa(20, 5, 10, 15), 0.4);
        check(kappa(45, 15, 25, 15), 0.1304);
        check(kappa(25, 35, 5, 35), 0.2593);
    }

    #[test]
    fn full_agreement_is_one_and_one_opinion_alone_is_nothing() {
        assert_eq!(kappa(5, 0, 0, 5), Some(1.0));
        assert_eq!((kappa(5, 0, 0, 0), kappa(0, 0, 0, 0)), (None, None));
    }

    proptest! {
        #[test]
        fn it_is_at_most_one_and_does_not_care_who_is_first(
            (a, b, c, d) in (0_u64..50, 0_u64..50, 0_u64..50, 0_u64..50),
        ) {
            prop_assert_eq!(kappa(a, b, c, d), kappa(a, c, b, d));
            prop_assert!(kappa(a, b, c, d).is_none_or(|kappa| (-1.0..=1.0).contains(&kappa)));
        }
    }
}
