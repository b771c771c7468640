//! A/B tests in production: whether the arms of a split do better or worse than one of them, and who does worse is taken out.
//!
//! The settings name the tests (`selection.ab`, beside a `selection.split` of the same type of task). [`AbMonitor`] is told how good
//! answers are, as a reviewer, a riddle's key or the embedder judges them, and keeps that in a file for each type of task
//! (`file`), so that a verdict survives processes and is the same in all of them. What the outcomes come to is a pure
//! fold of the file's lines (`book`); the statistics are [`betting`](crate::statistics::betting).

mod book;
mod error;
mod file;
mod line;
mod monitor;
mod plan;
mod status;

pub use book::{AbVerdict, StoppedArm};
pub use error::AbError;
pub use monitor::AbMonitor;
pub use status::{ArmStatus, TestStatus};

#[cfg(test)]
mod tests;
