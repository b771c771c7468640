//! What a comparison may claim.
//!
//! Two cells (a model with a prompt each, say) answer the same riddles. For each cell alone: [`proportion`] with its
//! interval, where [`cluster`] says what repeated answers are worth; [`pass_at_k`]; [`summary`] of what is not right or wrong. For
//! two of them: [`paired`] (the exact sign test, McNemar's, effect sizes), [`effect`] and [`bootstrap`], all on pairs of the same
//! riddle; [`family`] corrects for the number of comparisons. For two who judge the same answers: [`agreement`]. [`planning`] says
//! beforehand how many riddles it takes, and [`sequential`] stops early without being fooled by looking often. [`betting`] does that
//! for two streams of outcomes that are not of the same riddles.
//!
//! All tests are two-sided. Probabilities and shares are numbers from 0.0 to 1.0.

pub mod agreement;
pub mod betting;
pub mod bootstrap;
pub mod cluster;
pub mod effect;
pub mod family;
pub mod paired;
pub mod pass_at_k;
pub mod planning;
pub mod proportion;
pub mod sequential;
pub mod summary;

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF, Normal};

/// An interval in which a value lies with some confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Interval {
    /// Whether a value lies in it, its ends included.
    pub fn contains(&self, value: f64) -> bool {
        (self.low..=self.high).contains(&value)
    }
}

/// A number that a formula cannot take.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("compute {what}: {name} is {value}, and has to be {needed}")]
pub struct StatisticsError {
    /// What was to be computed.
    pub what: &'static str,
    /// The number's name.
    pub name: &'static str,
    /// The number.
    pub value: f64,
    /// What it has to be.
    pub needed: &'static str,
}

/// Refuses what is not strictly between 0 and 1.
pub(crate) fn open_share(what: &'static str, name: &'static str, value: f64) -> Result<f64, StatisticsError> {
    if value > 0.0 && value < 1.0 {
        Ok(value)
    } else {
        Err(StatisticsError { what, name, value, needed: "between 0 and 1, both excluded" })
    }
}

/// The value below which the share `share` of a standard normal distribution lies.
pub(crate) fn normal_quantile(share: f64) -> f64 {
    Normal::standard().inverse_cdf(share)
}
