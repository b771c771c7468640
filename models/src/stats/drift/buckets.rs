//! Numbers as a few hundred buckets, so that first calls take little room. A higher bucket is a worse call.

/// The bucket of a number: four for each doubling, and one for each number below 8. Whatever doubles moves up by four.
pub(super) fn fine(number: u64) -> u16 {
    let Some(octave) = number.checked_ilog2() else { return 0 };
    // The two bits behind the first one.
    let quarter = if octave >= 2 { (number >> (octave - 2)) & 3 } else { (number << (2 - octave)) & 3 };
    // At most 63 octaves.
    u16::try_from(u64::from(octave) * 4 + quarter + 1).unwrap_or(u16::MAX)
}

/// The bucket of a share: one for each twentieth.
pub(super) fn twentieths(share: f64) -> u16 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share is between 0 and 1")]
    let bucket = (share.clamp(0.0, 1.0) * 20.0).round() as u16;
    bucket
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn small_numbers_have_buckets_of_their_own_and_large_ones_share() {
        let buckets: Vec<_> = (0..10).map(fine).collect();
        assert_eq!(buckets, [0, 1, 5, 7, 9, 10, 11, 12, 13, 13]);
        assert_eq!(fine(u64::MAX), 256);
        assert_eq!([0.0, 0.5, 1.0, 7.0].map(twentieths), [0, 10, 20, 20]);
    }

    proptest! {
        #[test]
        fn a_greater_number_is_in_no_lower_bucket_and_a_doubled_one_four_higher(number in 1_u64..1 << 62, more in 0_u64..1 << 62) {
            prop_assert!(fine(number) <= fine(number + more));
            prop_assert_eq!(fine(2 * number), fine(number) + 4);
        }
    }
}
