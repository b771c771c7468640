//! Servers that speak OpenAI's chat completions: OpenAI itself, and Ollama, vLLM, llama.cpp, LiteLLM and others.
//!
//! One call is one HTTP request: trying again is the business of [`Retrying`](crate::layers::Retrying). Read in this
//! order: `model` is the client, `endpoint` sends, `request` and `wire` are the two directions of the protocol,
//! `sse` and `stream` read an answer as it arrives, `fault` understands what servers say when they fail, `scrub`
//! keeps keys out of it, `retry_after` reads the hint.
//!
//! What it does not do: follow redirects (the key would go along), read more than [`ANSWER_BYTES_MAX`], or put a
//! prompt, an answer or a key into an error.

mod connections;
mod endpoint;
mod fault;
mod model;
mod request;
mod retry_after;
mod scrub;
mod sse;
mod stream;
mod wire;

#[cfg(test)]
mod tests;

pub use connections::Connections;
pub use model::{OpenAiArgs, OpenAiModel};

/// The longest answer that is read, in bytes: no model writes as much, so more is a fault or an attack.
pub const ANSWER_BYTES_MAX: usize = 8 * 1024 * 1024;

/// The longest line of a streamed answer, in bytes. A line holds one chunk, a few hundred bytes as a rule.
pub const LINE_BYTES_MAX: usize = 1024 * 1024;
