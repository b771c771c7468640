//! What answers are worth that are not independent of each other.

use super::StatisticsError;

/// The independent trials that clustered ones are worth. A cluster is a riddle with its (successes, trials); clusters without
/// trials are left out.
///
/// Answers to one riddle are alike: who answers it ten times knows less than who answers ten riddles. By how much is
/// measured: the variance of the share between the clusters, divided by the variance that independent trials would have, is
/// the design effect, and the trials are divided by it. The result is held between the number of clusters, which is what the
/// trials are worth when all answers to a riddle are the same, and the number of trials. Where the share is 0 or 1 nothing
/// can be measured; then it is the number of clusters.
///
/// Sources: L. Kish, "Survey Sampling" (1965), section 8.2, for the design effect; J. N. K. Rao and A. J. Scott, "A Simple
/// Method for the Analysis of Clustered Binary Data", Biometrics 48 (1992), section 2, for its estimate and its use.
///
/// # Errors
/// When no cluster has a trial, or one has more successes than trials.
pub fn effective_trials(clusters: &[(u64, u64)]) -> Result<f64, StatisticsError> {
    const WHAT: &str = "the effective number of trials";
    let refuse = |name, value, needed| Err(StatisticsError { what: WHAT, name, value, needed });
    if let Some((successes, _)) = clusters.iter().find(|(successes, trials)| successes > trials) {
        return refuse("successes", *successes as f64, "at most the trials");
    }
    let clusters: Vec<_> = clusters.iter().filter(|(_, trials)| *trials > 0).collect();
    if clusters.is_empty() {
        return refuse("trials", 0.0, "at least 1");
    }
    let count = clusters.len() as f64;
    let successes = clusters.iter().map(|(successes, _)| *successes).sum::<u64>() as f64;
    let trials = clusters.iter().map(|(_, trials)| *trials).sum::<u64>() as f64;
    let share = successes / trials;
    if share <= 0.0 || share >= 1.0 || clusters.len() < 2 {
        return Ok(count);
    }
    let spread: f64 = clusters.iter().map(|(x, m)| (*x as f64 - *m as f64 * share).powi(2)).sum();
    let between = count / (count - 1.0) * spread / (trials * trials);
    // Clusters that all have the very same share: infinitely many trials, but for the bound.
    Ok(if between > 0.0 { (share * (1.0 - share) / between).clamp(count, trials) } else { trials })
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::{RandomSource, SeededSource};
    use proptest::prelude::*;

    use super::*;

    /// Source of the data: C. S. Weil (1970), as in D. A. Williams, "The Analysis of Binary Responses from Toxicological
    /// Experiments Involving Reproduction and Teratogenicity", Biometrics 31 (1975), the treated litters.
    #[test]
    fn litters_of_a_published_experiment_have_a_design_effect_of_almost_four() {
        let litters = [
            (12, 12),
            (11, 11),
            (10, 10),
            (9, 9),
            (10, 11),
            (9, 10),
            (9, 10),
            (8, 9),
            (8, 9),
            (4, 5),
            (7, 9),
            (4, 7),
            (5, 10),
            (3, 6),
            (3, 10),
            (0, 7),
        ];
        let effective = effective_trials(&litters).unwrap();
        assert!((145.0 / effective - 3.952_860_6).abs() < 1e-6, "{effective}");
    }

    #[test]
    fn answers_that_repeat_themselves_are_worth_one_each_and_independent_ones_all() {
        let same: Vec<_> = (0..40).map(|riddle| (if riddle % 4 == 0 { 0 } else { 5 }, 5)).collect();
        assert_eq!(effective_trials(&same), Ok(40.0));
        assert_eq!(effective_trials(&[(5, 5), (5, 5)]), Ok(2.0));
        let random = SeededSource::from_seed(1);
        let coins = |_| (0..5).map(|_| random.next_u64() & 1).sum::<u64>();
        let independent: Vec<_> = (0..2_000).map(|riddle| (coins(riddle), 5)).collect();
        assert!(effective_trials(&independent).unwrap() > 9_000.0);
    }

    /// The model: shares of many experiments of this kind, whose variance is that of as many independent trials.
    #[test]
    fn a_share_of_so_many_independent_trials_varies_as_much() {
        let random = SeededSource::from_seed(2);
        let unit = || (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let experiment = || -> Vec<(u64, u64)> {
            let riddle = || {
                let chance = if unit() < 0.5 { 0.2 } else { 0.8 };
                ((0..4).map(|_| u64::from(unit() < chance)).sum(), 4)
            };
            (0..50).map(|_| riddle()).collect()
        };
        let experiments: Vec<_> = (0..1_000).map(|_| experiment()).collect();
        let shares =
            experiments.iter().map(|one| one.iter().map(|(right, _)| right).sum::<u64>() as f64 / 200.0);
        let variance = shares.map(|share| (share - 0.5).powi(2)).sum::<f64>() / 1_000.0;
        let effective = experiments.iter().map(|one| effective_trials(one).unwrap()).sum::<f64>() / 1_000.0;
        assert!((0.25 / variance / effective - 1.0).abs() < 0.1, "{} {effective}", 0.25 / variance);
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        assert_eq!(effective_trials(&[(0, 0)]).unwrap_err().name, "trials");
        assert_eq!(effective_trials(&[(2, 1)]).unwrap_err().name, "successes");
    }

    proptest! {
        #[test]
        fn it_lies_between_the_clusters_and_the_trials(
            clusters in prop::collection::vec((0_u64..6, 1_u64..6), 1..20),
        ) {
            let clusters: Vec<_> = clusters.into_iter().map(|(x, m)| (x.min(m), m)).collect();
            let trials: u64 = clusters.iter().map(|(_, trials)| trials).sum();
            let effective = effective_trials(&clusters).unwrap();
            prop_assert!(clusters.len() as f64 <= effective && effective <= trials as f64);
        }

        #[test]
        fn single_trials_are_worth_what_they_are(rights in prop::collection::vec(0_u64..2, 1..50)) {
            let clusters: Vec<_> = rights.iter().map(|right| (*right, 1)).collect();
            prop_assert_eq!(effective_trials(&clusters), Ok(rights.len() as f64));
        }
    }
}
