//! What every provider behind HTTP has in common.
//!
//! One call is one HTTP request: trying again is the business of [`Retrying`](crate::layers::Retrying). Read in this
//! order: `model` is the client, `form` is what a protocol has to say for itself, `endpoint` sends, `reply` is what
//! comes back, `framing` (with `sse` and `lines`) cuts a streamed answer into events, `streaming` and `progress` make
//! an answer of them, `schema` checks its form, `fault` understands what servers say when they fail, `hint` reads
//! when to come back, `scrub` keeps keys out of all of it.
//!
//! What it does not do: follow redirects (the key would go along), read more than [`ANSWER_BYTES_MAX`], or put a
//! prompt, an answer or a key into an error.

mod connections;
mod endpoint;
pub(crate) mod fault;
pub(crate) mod form;
pub(crate) mod framing;
mod hint;
pub(crate) mod lenient;
mod lines;
mod model;
mod progress;
mod reply;
pub(crate) mod request;
mod schema;
mod scrub;
mod sse;
mod streaming;

#[cfg(test)]
mod tests;

pub use connections::Connections;
pub use model::{HttpArgs, HttpModel};

/// The longest answer that is read, in bytes: no model writes as much, so more is a fault or an attack.
pub const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The longest line of a streamed answer, in bytes. A line holds one chunk, a few hundred bytes as a rule.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;
