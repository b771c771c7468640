//! Comparisons of models and prompts on honest numbers.
//!
//! Read in this order: [`run`] is what a run is made of; [`analysis`] is what may be claimed from it; [`report`] writes that down for
//! people; [`statistics`] are the formulas. None of them knows a model or a clock; chance is handed in.

pub mod run;

pub mod analysis;
pub mod report;
pub mod statistics;

#[cfg(test)]
mod fixture;
