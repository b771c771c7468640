//! Results as text: pure functions, nothing is printed here.

pub(crate) mod batch;
pub(crate) mod chat;
pub(crate) mod compress;
pub(crate) mod develop;
pub(crate) mod experiment;
pub(crate) mod generate;
pub(crate) mod journal;
pub(crate) mod json;
pub(crate) mod load;
pub(crate) mod markdown;
pub(crate) mod review;
pub(crate) mod table;
pub(crate) mod tree;
pub(crate) mod words;

#[cfg(test)]
pub(crate) mod sample;

/// Stands in every form of a result that no model gave.
pub(crate) const SCRIPTED_LABEL: &str = "scripted answers: no model was asked";
