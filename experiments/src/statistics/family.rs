//! Several comparisons at once.

/// The p-values of a family of tests, each corrected so that all of them together are wrong with at most the level that
/// one is held against. In the order in which they came.
///
/// Source: S. Holm, "A Simple Sequentially Rejective Multiple Test Procedure", Scandinavian Journal of Statistics 6 (1979).
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut places: Vec<_> = (0..p_values.len()).collect();
    places.sort_by(|a, b| p_values[*a].total_cmp(&p_values[*b]));
    let mut corrected = vec![0.0; p_values.len()];
    let mut largest: f64 = 0.0;
    for (rank, place) in places.into_iter().enumerate() {
        let left = (p_values.len() - rank) as f64;
        largest = largest.max(left * p_values[place]).min(1.0);
        corrected[place] = largest;
    }
    corrected
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Source of the example: Wikipedia, "Holm-Bonferroni method".
    #[test]
    fn a_published_example_comes_out() {
        let corrected = holm(&[0.01, 0.04, 0.03, 0.005]);
        for (corrected, wanted) in corrected.iter().zip([0.03, 0.06, 0.06, 0.02]) {
            assert!((corrected - wanted).abs() < 1e-12, "{corrected}");
        }
        assert_eq!(holm(&[]), [0.0; 0]);
    }

    proptest! {
        #[test]
        fn it_keeps_the_order_and_lies_between_no_correction_and_bonferronis(
            p_values in prop::collection::vec(0.0_f64..=1.0, 1..20),
        ) {
            let corrected = holm(&p_values);
            for (a, p) in p_values.iter().enumerate() {
                let bonferroni = (p * p_values.len() as f64).min(1.0);
                prop_assert!(*p <= corrected[a] && corrected[a] <= bonferroni.max(*p) + 1e-12);
                for (b, other) in p_values.iter().enumerate() {
                    prop_assert!(p > other || corrected[a] <= corrected[b]);
                }
            }
        }
    }
}
