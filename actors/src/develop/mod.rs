//! The flagship job: generate, review, revise, and keep the best round.
//!
//! The developer asks the generator and the reviewer in turns, each as an actor of its own under the same task.
//! A round is an attempt and its review. It goes on until the reviewer approves, the rounds are used, a revision
//! changes nothing, or something fails that another round cannot mend. What was achieved before a failure is kept
//! and said; only a cancellation, or a failure before the first attempt is there, fails the task.
//! Which round is the best is decided by [`best`], on facts before opinions.

mod agent;
pub mod best;
mod feedback;

pub use agent::Developer;

#[cfg(test)]
mod tests;
