//! Means and quantiles of scores.

/// The mean; `None` of nothing. The scores are summed from the smallest up, so that their order does not matter, to the
/// last bit.
pub fn mean(scores: &[f64]) -> Option<f64> {
    let mut sorted = scores.to_vec();
    sorted.sort_by(f64::total_cmp);
    (!sorted.is_empty()).then(|| sorted.iter().sum::<f64>() / sorted.len() as f64)
}

/// The value below which the share `share` (0.0 to 1.0) of the sorted values lies, between its neighbours; `None` of nothing.
///
/// Source: R. J. Hyndman and Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50 (1996),
/// definition 7.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a share of a length lies between zero and that length"
)]
pub fn quantile(sorted: &[f64], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let place = share.clamp(0.0, 1.0) * last as f64;
    let (below, above) = (sorted[place.floor() as usize], sorted[place.ceil() as usize]);
    Some(below + (above - below) * place.fract())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_by_hand_come_out() {
        let sorted = [1.0, 2.0, 4.0, 8.0];
        // Place 0.5 * 3 = 1.5, place 0.95 * 3 = 2.85.
        assert_eq!((quantile(&sorted, 0.5), quantile(&sorted, 0.0)), (Some(3.0), Some(1.0)));
        assert!((quantile(&sorted, 0.95).unwrap() - 7.4).abs() < 1e-12);
        assert_eq!((quantile(&[], 0.5), quantile(&[7.0], 0.95)), (None, Some(7.0)));
        assert_eq!((mean(&[]), mean(&[1.0, 2.0])), (None, Some(1.5)));
    }

    proptest! {
        #[test]
        fn the_order_of_scores_does_not_change_a_bit_of_their_mean(
            (scores, shuffled) in prop::collection::vec(-1e9_f64..1e9, 1..20)
                .prop_flat_map(|scores| (Just(scores.clone()), Just(scores).prop_shuffle())),
        ) {
            prop_assert_eq!(mean(&scores).unwrap().to_bits(), mean(&shuffled).unwrap().to_bits());
        }
    }
}
