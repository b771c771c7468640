//! A comparison that may be looked at after every pair.
//!
//! Who looks at p-values again and again, and stops at the first small one, finds winners where there are none. Here the
//! evidence is an e-value: a bet against "both are equally good" that starts with 1 and is fair while that is true. It
//! reaches 1 / α with a probability of at most α, however often it is looked at and whenever one stops.
//!
//! Sources: J. Ville, "Étude critique de la notion de collectif" (1939), for the bound; A. Wald, "Sequential Tests of
//! Statistical Hypotheses", Annals of Mathematical Statistics 16 (1945), for the bet and the bound below; A. Ramdas and
//! others, "Game-Theoretic Statistics and Safe Anytime-Valid Inference", Statistical Science 38 (2023), for both together.

use serde::{Deserialize, Serialize};

use super::{StatisticsError, open_share};

/// What one is looking for, and how sure one wants to be.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SequentialPlan {
    /// The share of the discordant pairs that the better one wins, where it is better by what one cares about: above
    /// 0.5, below 1.
    pub wins: f64,
    /// The chance of a winner where there is none (α).
    pub false_winners: f64,
    /// The chance of giving up where one is better by as much (β).
    pub missed_winners: f64,
}

/// What has been found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Nothing yet.
    GoOn,
    /// The first is better.
    FirstIsBetter,
    /// The second is better.
    SecondIsBetter,
    /// Neither is better by as much as one cares about.
    NoDifference,
}

/// A running comparison of two cells on the same riddles.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Sequential {
    plan: SequentialPlan,
    only_first: u64,
    only_second: u64,
    verdict: Verdict,
}

impl Sequential {
    /// A comparison of which nothing has been seen.
    ///
    /// # Errors
    /// When a number of the plan is outside its range.
    pub fn new(plan: SequentialPlan) -> Result<Self, StatisticsError> {
        const WHAT: &str = "a sequential comparison";
        open_share(WHAT, "false_winners", plan.false_winners)?;
        open_share(WHAT, "missed_winners", plan.missed_winners)?;
        if !(plan.wins > 0.5 && plan.wins < 1.0) {
            let needed = "above 0.5 and below 1";
            return Err(StatisticsError { what: WHAT, name: "wins", value: plan.wins, needed });
        }
        Ok(Self { plan, only_first: 0, only_second: 0, verdict: Verdict::GoOn })
    }

    /// Sees one more pair, and gives what is known now. A verdict stays: pairs behind it change nothing.
    pub fn see(&mut self, first_right: bool, second_right: bool) -> Verdict {
        if self.verdict == Verdict::GoOn && first_right != second_right {
            self.only_first += u64::from(first_right);
            self.only_second += u64::from(second_right);
            self.verdict = self.judge();
        }
        self.verdict
    }

    /// What is known now.
    pub const fn verdict(&self) -> Verdict {
        self.verdict
    }

    /// The evidence that one of them is better: half of the stake is bet on each. 1.0 at the start. A probability of at most
    /// 1 / E is left to chance.
    pub fn e_value(&self) -> f64 {
        let (first, second) = self.log_bets();
        f64::midpoint(first.exp(), second.exp())
    }

    /// The logarithms of what the bets on the first and on the second have become.
    fn log_bets(&self) -> (f64, f64) {
        let (win, lose) = ((2.0 * self.plan.wins).ln(), (2.0 - 2.0 * self.plan.wins).ln());
        let (first, second) = (self.only_first as f64, self.only_second as f64);
        (first * win + second * lose, second * win + first * lose)
    }

    fn judge(&self) -> Verdict {
        let (first, second) = self.log_bets();
        // Bets that are exhausted: neither is better by as much, each wrongly with a probability of at most β.
        let exhausted = self.plan.missed_winners.ln();
        if self.e_value() >= 1.0 / self.plan.false_winners {
            if first > second { Verdict::FirstIsBetter } else { Verdict::SecondIsBetter }
        } else if first <= exhausted && second <= exhausted {
            Verdict::NoDifference
        } else {
            Verdict::GoOn
        }
    }
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::{RandomSource, SeededSource};

    use super::*;
    use crate::statistics::paired::Pairs;
    use crate::statistics::planning::{Plan, pairs_needed};

    const PLAN: SequentialPlan = SequentialPlan { wins: 2.0 / 3.0, false_winners: 0.05, missed_winners: 0.2 };

    /// The share of pairs that differ.
    const DISCORDANT: f64 = 0.3;

    /// A pair, of which the second wins the share `wins` of those that differ.
    fn pair(random: &dyn RandomSource, wins: f64) -> (bool, bool) {
        let share = (random.next_u64() >> 11) as f64 / (1_u64 << 53) as f64;
        let only_second = share < DISCORDANT * wins;
        let only_first = !only_second && share < DISCORDANT;
        (only_first || share >= 0.6, only_second || share >= 0.6)
    }

    /// Runs until there is a verdict or `pairs_max` pairs were seen; gives it and the pairs that it took.
    fn run(random: &dyn RandomSource, wins: f64, pairs_max: u64) -> (Verdict, u64) {
        let mut sequential = Sequential::new(PLAN).unwrap();
        for number in 1..=pairs_max {
            let (first, second) = pair(random, wins);
            let verdict = sequential.see(first, second);
            if verdict != Verdict::GoOn {
                return (verdict, number);
            }
        }
        (Verdict::GoOn, pairs_max)
    }

    #[test]
    fn of_1000_experiments_between_equals_at_most_5_per_cent_find_a_winner() {
        let random = SeededSource::from_seed(1);
        let verdicts: Vec<_> = (0..1_000).map(|_| run(&random, 0.5, 20_000).0).collect();
        let count = |wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count();
        let winners = count(Verdict::FirstIsBetter) + count(Verdict::SecondIsBetter);
        assert!(winners <= 50, "{winners}");
        assert!(count(Verdict::NoDifference) >= 940);
    }

    #[test]
    fn stopping_early_saves_three_tenths_of_the_pairs_at_equal_power() {
        let random = SeededSource::from_seed(2);
        let runs: Vec<_> = (0..1_000).map(|_| run(&random, PLAN.wins, 20_000)).collect();
        let found = runs.iter().filter(|(verdict, _)| *verdict == Verdict::SecondIsBetter).count();
        let taken = runs.iter().map(|(_, pairs)| pairs).sum::<u64>() as f64 / runs.len() as f64;
        // A test of fixed size with the power that was seen.
        let plan = Plan {
            discordant: DISCORDANT,
            difference: DISCORDANT * (2.0 * PLAN.wins - 1.0),
            false_winners: PLAN.false_winners,
            power: found as f64 / 1_000.0,
        };
        let fixed = pairs_needed(&plan).unwrap();
        assert!(found >= 790, "{found}");
        assert!(taken <= 0.7 * fixed as f64, "{taken} of {fixed}");
        // The test of fixed size has that power indeed.
        let by_fixed = (0..500).filter(|_| {
            let pairs = (0..fixed).map(|_| pair(&random, PLAN.wins)).collect::<Pairs>();
            pairs.mcnemar() <= PLAN.false_winners
        });
        assert!(by_fixed.count() <= found / 2 + 20);
    }

    #[test]
    fn a_verdict_stays_and_pairs_that_agree_say_nothing() {
        let mut sequential = Sequential::new(PLAN).unwrap();
        (0..100).for_each(|_| assert_eq!(sequential.see(true, true), Verdict::GoOn));
        assert!((sequential.e_value() - 1.0).abs() < 1e-12);
        let needed = (1..=100).find(|_| sequential.see(true, false) != Verdict::GoOn);
        // (2 * 2/3)^n / 2 reaches 20 with the 13th pair.
        assert_eq!((needed, sequential.verdict()), (Some(13), Verdict::FirstIsBetter));
        (0..100).for_each(|_| assert_eq!(sequential.see(false, true), Verdict::FirstIsBetter));
    }

    #[test]
    fn what_cannot_be_is_refused_by_name() {
        let name = |plan| Sequential::new(plan).unwrap_err().name;
        assert_eq!(name(SequentialPlan { wins: 0.5, ..PLAN }), "wins");
        assert_eq!(name(SequentialPlan { false_winners: 1.0, ..PLAN }), "false_winners");
        assert_eq!(name(SequentialPlan { missed_winners: 0.0, ..PLAN }), "missed_winners");
    }
}
