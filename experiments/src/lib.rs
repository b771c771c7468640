//! Comparisons of models and prompts on honest numbers.
//!
//! So far: the [`statistics`], and how answers to [`riddles`] are scored. They know no model and no clock; chance is
//! handed in.

pub mod riddles;
pub mod statistics;
