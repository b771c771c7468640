//! Several parts of this crate together, under faults that only the crate itself can bring about: actors that are
//! killed, stores that break.

mod admission;
mod losses;
mod plans;
mod replays;
mod stage;
