//! Makes a conversation fit into so many tokens, without losing in silence.
//!
//! The instructions (system messages) and everything from the latest message of the user on stay word for word. Of what
//! lies between, the oldest messages are shortened first, each to a quarter at the least; when that does not suffice,
//! the oldest turns are left out. What was done is in [`Condensed`](playhouse_protocol::completion::Condensed). The same
//! conversation comes out the same each time, and the original stays with whoever has it.

mod conversation;
mod shorten;

#[cfg(test)]
mod tests;

pub use conversation::{FitError, Fitted, fit};
