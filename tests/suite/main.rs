//! One binary for all tests of several crates together, one module a topic.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::format_collect,
    reason = "a test fails by panicking, also in its helpers"
)]

mod ab;
mod agents;
mod architecture;
mod budgets;
mod chat;
mod compression;
mod develop;
mod durability;
mod experiments;
#[cfg(unix)]
mod mlflow;
mod model_faults;
mod overflow;
mod riddles;
mod selection;
mod simulation;
mod streams;
mod tasks;
mod telling;
