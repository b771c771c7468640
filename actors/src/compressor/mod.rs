//! The compressor: a text in, one that fits out, with what that cost.
//!
//! Every strategy but the summary asks no model: the work is done by [`crate::compression`], off the async threads. A
//! summary is written part by part where the model's context does not hold the text, and again while it is too long.
//! It is checked before it is used: it must fit, hold what is pinned, and keep enough of the facts that extraction
//! would have kept. One that does not is refused, and extraction takes its place.

mod agent;
mod summary;
#[cfg(test)]
mod tests;

pub use agent::Compressor;
