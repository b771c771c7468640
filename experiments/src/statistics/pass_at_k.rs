//! The chance that at least one of several answers is right.

use super::StatisticsError;

/// The chance that of `k` answers drawn from `answers`, of which `right` are right, at least one is: an estimate without
/// bias, unlike `1 - (1 - right / answers)^k`.
///
/// Source: M. Chen and others, "Evaluating Large Language Models Trained on Code" (2021), section 2.1.
///
/// # Errors
/// When `k` is 0 or more than the answers, or more are right than there are.
pub fn pass_at_k(answers: u64, right: u64, k: u64) -> Result<f64, StatisticsError> {
    let refuse =
        |name, value: u64, needed| Err(StatisticsError { what: "pass@k", name, value: value as f64, needed });
    if k == 0 || k > answers {
        return refuse("k", k, "at least 1 and at most the number of answers");
    }
    if right > answers {
        return refuse("right", right, "at most the number of answers");
    }
    let wrong = answers - right;
    if wrong < k {
        return Ok(1.0);
    }
    // The chance that all are wrong: C(wrong, k) / C(answers, k), as a product so that nothing overflows.
    let all_wrong: f64 = (wrong + 1..=answers).map(|place| 1.0 - k as f64 / place as f64).product();
    Ok(1.0 - all_wrong)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_by_hand_come_out() {
        let check = |answers, right, k, wanted: f64| {
            assert!((pass_at_k(answers, right, k).unwrap() - wanted).abs() < 1e-12);
        };
        check(10, 3, 1, 0.3);
        // 1 - C(7, 2) / C(10, 2) = 1 - 21 / 45.
        check(10, 3, 2, 1.0 - 21.0 / 45.0);
        check(10, 0, 5, 0.0);
        check(5, 4, 2, 1.0);
        assert_eq!(pass_at_k(5, 1, 6).unwrap_err().name, "k");
        assert_eq!(pass_at_k(5, 6, 1).unwrap_err().name, "right");
    }

    proptest! {
        /// The model: all draws of `k` answers, one by one.
        #[test]
        fn it_is_the_share_of_all_draws_with_a_right_one(answers in 1_u64..9, right in 0_u64..9, k in 1_u64..9) {
            prop_assume!(right <= answers && k <= answers);
            let draws = (0_u32..1 << answers).filter(|draw| u64::from(draw.count_ones()) == k);
            let (mut all, mut with_a_right_one) = (0.0, 0.0);
            for draw in draws {
                all += 1.0;
                with_a_right_one += f64::from(u8::from(draw & ((1 << right) - 1) != 0));
            }
            prop_assert!((pass_at_k(answers, right, k).unwrap() - with_a_right_one / all).abs() < 1e-9);
        }
    }
}
