//! Comparisons of models and prompts on honest numbers.
//!
//! Read in this order: [`run`] is what a run is made of; [`statistics`] is what may be claimed from it. The statistics know no
//! model and no clock; chance is handed in.

pub mod run;
pub mod statistics;
