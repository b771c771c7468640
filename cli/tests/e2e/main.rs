//! The real binary, from the outside: what it prints where, what it writes, how it ends.

#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "what tests share is tests too")]

mod ab;
mod bad_input;
mod batch;
mod cancel;
mod chat;
mod compress;
mod develop;
mod experiment;
mod home;
mod lists;
mod load;
mod models;
mod real_model;
mod registry;
mod riddles;
#[cfg(unix)]
mod running;
mod tokens;
