//! When a child is restarted, which others go with it, how long to wait and when to give up.
//!
//! Everything here is pure: time comes in as a [`Duration`](std::time::Duration) since the supervisor
//! began, randomness as 64 bits, and the answer is a [`Decision`]. No actor, no clock, no task is known
//! here, so that the rules can be tested against a model by the thousand.

mod strategy;

mod backoff;
mod budget;
mod restart;

#[cfg(test)]
mod tests;

pub use backoff::{Backoff, Jitter};
pub use budget::{BudgetLedger, RestartBudget};
pub use restart::{Decision, RestartPolicy};
pub use strategy::{RestartKind, Strategy};
