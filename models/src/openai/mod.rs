//! Servers that speak OpenAI's chat completions: OpenAI itself, and Ollama, vLLM, llama.cpp, LiteLLM and others.
//!
//! Everything that is not peculiar to this form is in [`http`](crate::http). Here, `form` says where calls go and how
//! failures are worded, `request` is what is sent, `wire` what comes back.

mod form;
mod request;
mod wire;

#[cfg(test)]
mod tests;

use crate::error::ModelError;
use crate::http::{Connections, HttpArgs, HttpModel};

#[cfg(test)]
pub(crate) use form::FAULT_WORDS;

/// A model behind a server that speaks OpenAI's chat completions, below `…/chat/completions`. The key is sent as
/// `Authorization: Bearer`.
///
/// # Errors
/// When the address or the key has a form that cannot be sent, or this machine cannot do TLS.
pub fn client(args: HttpArgs, connections: &Connections) -> Result<HttpModel, ModelError> {
    HttpModel::new(args, Box::new(form::ChatCompletions), connections)
}
