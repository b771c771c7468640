//! Comparisons of models and prompts on honest numbers.
//!
//! So far: the [`statistics`]. They know no model and no clock; chance is handed in.

pub mod statistics;
