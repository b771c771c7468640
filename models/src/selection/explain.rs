//! A choice with everything that led to it.

use super::{Check, Measured, Selection, SelectionError};

/// A choice with everything that led to it.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// Who was chosen.
    pub outcome: Result<Selection, SelectionError>,
    /// Every model of the catalog by name.
    pub candidates: Vec<Candidate>,
}

/// A model as the choice saw it.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The catalog entry.
    pub model: String,
    /// Whether it was chosen.
    pub is_chosen: bool,
    /// Whether the rule that chose looked at it.
    pub is_considered: bool,
    /// What was asked of it, and what it has. Where no constraints are set, only what always counts.
    pub checks: Vec<Check>,
    /// What has been measured of it.
    pub measured: Measured,
    /// What a call with 1,000 tokens of prompt and 1,000 of answer costs, in billionths of a US dollar.
    pub compared_nano_usd: u64,
}
