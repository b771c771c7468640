//! Whether one stream of outcomes is better or worse than another, looked at after every outcome.
//!
//! Outcomes are numbers from 0.0 to 1.0 of any distribution. The i-th outcome of the one is paired with the i-th of the other, and a
//! gambler bets on the sign of their difference: 1 becomes `Π (1 + λ d)`, where each stake λ depends on earlier pairs alone. While the
//! first is not better on average, that grows on average not at all, whatever the stakes: an e-process, which reaches 1 / α with
//! a probability of at most α, however often it is looked at. A second gambler bets on the other sign.
//!
//! Which outcomes become a pair depends on when they come and never on what they are, so arms that get outcomes at unequal
//! rates may be compared as well; it is the rarer one's outcomes that the evidence is made of.
//!
//! Source: I. Waudby-Smith and A. Ramdas, "Estimating means of bounded random variables by betting", JRSS B 86 (2024): the capital
//! process (section 4) with the stakes of "approximate GRAPA" (appendix B.3) at the mean 0 of a difference. J. Ville, "Étude critique
//! de la notion de collectif" (1939), for the bound.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

/// The most of its capital that a gambler stakes. All of it could be lost with one pair; with half of it a stream that differs by
/// the most that it can is told apart within ten pairs.
const STAKE_MAX: f64 = 0.5;

/// The differences that both gamblers imagine before the first pair: one of each sign as large as can be. They keep early
/// stakes small, and are outweighed after some ten pairs.
const IMAGINED_SQUARES: f64 = 1.0;

/// Outcomes of one arm that wait for their partner. The oldest is left out for a new one: where one arm gets far more
/// outcomes, pairs are of the same hours, and a model's slow change over weeks is not taken for a difference.
const WAITING_MAX: usize = 256;

/// What two gamblers have made of pairs of outcomes: all that has to be kept of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Betting {
    pairs: u64,
    /// Of the differences.
    sum: f64,
    sum_of_squares: f64,
    /// The logarithm of what was made of betting on the first.
    log_first: f64,
    /// The logarithm of what was made of betting on the second.
    log_second: f64,
}

impl Betting {
    /// Sees one more pair, each outcome from 0.0 to 1.0; what lies beyond is taken as the nearest.
    pub fn see(&mut self, first: f64, second: f64) {
        let difference = first.clamp(0.0, 1.0) - second.clamp(0.0, 1.0);
        let stake = self.sum / (self.sum_of_squares + IMAGINED_SQUARES);
        self.log_first += (stake.clamp(0.0, STAKE_MAX) * difference).ln_1p();
        self.log_second += ((-stake).clamp(0.0, STAKE_MAX) * -difference).ln_1p();
        self.pairs += 1;
        self.sum += difference;
        self.sum_of_squares += difference * difference;
    }

    /// The pairs that were seen.
    pub const fn pairs(&self) -> u64 {
        self.pairs
    }

    /// The evidence that the first is better: half of the stake is bet on each sign, so that both together are one bet. 0.5
    /// at the start; a probability of at most 1 / E is left to chance, for both signs together.
    pub fn first_is_better(&self) -> f64 {
        self.log_first.exp() / 2.0
    }

    /// The evidence that the second is better, in the same way.
    pub fn second_is_better(&self) -> f64 {
        self.log_second.exp() / 2.0
    }

    /// Whether these can be numbers of a real run: what was read from a file may be anything.
    pub(crate) fn is_sound(&self) -> bool {
        let pairs = self.pairs as f64;
        self.sum.abs() <= pairs
            && (0.0..=pairs).contains(&self.sum_of_squares)
            && self.log_first.is_finite()
            && self.log_second.is_finite()
    }
}

/// Two streams of outcomes that come at rates of their own, paired.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TwoStreams {
    betting: Betting,
    /// Outcomes of the first without a partner. Only one of the two waits at a time.
    first: VecDeque<f64>,
    /// Outcomes of the second without a partner.
    second: VecDeque<f64>,
}

impl TwoStreams {
    /// Sees an outcome of the first.
    pub fn see_first(&mut self, outcome: f64) {
        match self.second.pop_front() {
            Some(partner) => self.betting.see(outcome, partner),
            None => wait(&mut self.first, outcome),
        }
    }

    /// Sees an outcome of the second.
    pub fn see_second(&mut self, outcome: f64) {
        match self.first.pop_front() {
            Some(partner) => self.betting.see(partner, outcome),
            None => wait(&mut self.second, outcome),
        }
    }

    /// What the pairs so far say.
    pub const fn betting(&self) -> &Betting {
        &self.betting
    }

    /// Whether these can be of a real run.
    pub(crate) fn is_sound(&self) -> bool {
        let of = |waiting: &VecDeque<f64>| {
            waiting.len() <= WAITING_MAX && waiting.iter().all(|outcome| (0.0..=1.0).contains(outcome))
        };
        self.betting.is_sound() && of(&self.first) && of(&self.second)
    }
}

fn wait(waiting: &mut VecDeque<f64>, outcome: f64) {
    if waiting.len() >= WAITING_MAX {
        waiting.pop_front();
    }
    waiting.push_back(outcome);
}

#[cfg(test)]
mod tests;
