//! The embedded model: a GGUF file run in this process, with no network and no server.
//!
//! [`LocalModel`] is what the rest of the crate sees. Behind it stands one thread per loaded model, which takes
//! requests one by one out of a bounded queue; the async threads never compute. Read in this order: `provider`
//! and `worker` bring requests in and answers out, `engine` turns a prompt into an answer, `transformer` is the
//! network, `kernels` the arithmetic. `gguf`, `shape`, `weights`, `vocabulary` and `template` read the file.
//!
//! Answers do not depend on what was asked before, on how many threads compute, or on how a prompt was split: a
//! position's numbers are always computed by the same operations in the same order.

#![expect(
    clippy::inline_always,
    reason = "what runs under SIMD dispatch must be inlined into it, or it is compiled without the instructions"
)]

mod engine;
mod error;
mod gguf;
mod inspect;
mod kept;
mod kernels;
mod provider;
mod sampler;
mod shape;
mod slot;
mod stop;
mod template;
mod transformer;
mod utf8;
mod vocabulary;
mod weights;
mod worker;

#[cfg(test)]
mod tests;

pub use error::LocalError;
pub use inspect::{FileFacts, inspect};
pub use provider::{LocalModel, LocalOptions, QUEUE_LEN_MAX};
