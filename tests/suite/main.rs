//! One binary for all tests of several crates together, one module a topic.

mod agents;

mod architecture;
mod develop;
mod tasks;
