//! Answers from a YAML file: for tests and demos. Its answers always carry
//! [`ProviderKind::Scripted`](playhouse_protocol::completion::ProviderKind::Scripted), so that nobody takes them for
//! a model's.
//!
//! ```yaml
//! entries:                          # the first entry that matches answers
//!   - match:                        # all of what is given must hold; nothing given matches everything
//!       contains: Fibonacci         # a text, or a list of texts, in any message
//!       task: review                # in the first system message, as a word
//!       nth: 2                      # only the second request that matches the rest of this entry
//!     answer: |
//!       fn fibonacci(n: u64) -> u64 { … }
//!     stop_reason: stop             # stop, length or content_filter
//!     usage: { prompt_tokens: 12, completion_tokens: 34 }
//!     delay_ms: 50                  # before the answer begins
//!     chunk_delay_ms: 20            # between what is streamed at once
//!     tokens_per_chunk: 3           # words that are streamed at once; 4 when left out
//!   - match: { contains: flaky, nth: 1 }
//!     error: { status: 503, message: overloaded, retry_after_ms: 10 }   # or class: denied
//! default: { answer: I have no answer for that. }   # when no entry matches; an error when left out
//! ```
//!
//! Without `usage` the tokens are counted. A script's counters (`nth`) belong to one [`ScriptedModel`].

mod model;
mod script;

#[cfg(test)]
mod tests;

pub use model::ScriptedModel;
pub use script::{Script, ScriptError};
