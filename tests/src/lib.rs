//! What tests of several crates share, and the deterministic simulation of a whole runtime.

pub mod faults;
pub mod simulation;
