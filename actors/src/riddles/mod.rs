//! The evaluator of riddles: a question in a reasoning mode, and what the answer is worth.
//!
//! The text that a question is about is shortened first, where that is asked for. Then the steps of the mode are taken, one model
//! call each, as often as the mode takes samples; of several samples the answer that was given most often counts. It is
//! scored exactly ([`scoring`]), without a model. A judge, where one is asked for, gives a second opinion that changes nothing
//! of that.
//!
//! A model call that fails fails the task. An answer that a provider withholds is no failure: it ends its sample, and is scored
//! as refused.

mod agent;
mod check;
mod judge;
pub mod scoring;
#[cfg(test)]
mod tests;

pub use agent::RiddleEvaluator;
