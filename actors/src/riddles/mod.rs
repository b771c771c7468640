//! Riddles: how answers are scored.

pub mod scoring;
