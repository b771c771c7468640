//! How many riddles a comparison takes.

use super::{StatisticsError, normal_quantile, open_share};

/// A comparison of two cells that is planned.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// The share of riddles on which one is right and the other wrong: above 0, at most 1.
    pub discordant: f64,
    /// How much more often the better one is right: above 0, at most `discordant`.
    pub difference: f64,
    /// The chance of a winner where there is none, for example 0.05.
    pub false_winners: f64,
    /// The chance of finding the better one, for example 0.8.
    pub power: f64,
}

/// The pairs that McNemar's test takes to find the planned difference with the planned power.
///
/// Source: R. J. Connor, "Sample size for testing differences in proportions for the paired-sample design", Biometrics
/// 43 (1987).
///
/// # Errors
/// When a number is outside its range.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number of pairs is above zero, and one past 2^64 is taken for 2^64"
)]
pub fn pairs_needed(plan: &Plan) -> Result<u64, StatisticsError> {
    const WHAT: &str = "the pairs of a comparison";
    let Plan { discordant, difference, .. } = *plan;
    let false_winners = open_share(WHAT, "false_winners", plan.false_winners)?;
    let power = open_share(WHAT, "power", plan.power)?;
    if !(discordant > 0.0 && discordant <= 1.0) {
        let needed = "above 0 and at most 1";
        return Err(StatisticsError { what: WHAT, name: "discordant", value: discordant, needed });
    }
    if !(difference > 0.0 && difference <= discordant) {
        let needed = "above 0 and at most the share of discordant pairs";
        return Err(StatisticsError { what: WHAT, name: "difference", value: difference, needed });
    }
    let level = normal_quantile(1.0 - false_winners / 2.0) * discordant.sqrt();
    let found = normal_quantile(power) * (discordant - difference * difference).max(0.0).sqrt();
    Ok(((level + found) / difference).powi(2).ceil() as u64)
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::{RandomSource, SeededSource};

    use super::*;
    use crate::statistics::paired::Pairs;

    const PLAN: Plan = Plan { discordant: 0.3, difference: 0.1, false_winners: 0.05, power: 0.8 };

    #[test]
    fn a_value_by_hand_comes_out() {
        // ((1.959964 * sqrt(0.3) + 0.841621 * sqrt(0.29)) / 0.1)^2 = 233.2…
        assert_eq!(pairs_needed(&PLAN).unwrap(), 234);
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let name = |plan| pairs_needed(&plan).unwrap_err().name;
        assert_eq!(name(Plan { discordant: 0.0, ..PLAN }), "discordant");
        assert_eq!(name(Plan { difference: 0.4, ..PLAN }), "difference");
        assert_eq!(name(Plan { power: 1.0, ..PLAN }), "power");
        assert_eq!(name(Plan { false_winners: 0.0, ..PLAN }), "false_winners");
    }

    #[test]
    fn experiments_of_the_planned_size_have_about_the_planned_power() {
        let random = SeededSource::from_seed(5);
        let pairs = pairs_needed(&PLAN).unwrap();
        let draw = || {
            let share = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
            // One in five is won by the second alone, one in ten by the first alone.
            (!(0.1..0.3).contains(&share), share >= 0.1)
        };
        let found =
            (0..1_000).filter(|_| (0..pairs).map(|_| draw()).collect::<Pairs>().mcnemar() <= 0.05).count();
        // The exact test rejects a little more seldom than the approximation that plans it.
        assert!((730..=850).contains(&found), "{found}");
    }
}
