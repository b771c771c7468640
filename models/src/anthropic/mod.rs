//! Servers that speak Anthropic's messages: Anthropic itself, and llama.cpp, `LiteLLM` and others.
//!
//! Everything that is not peculiar to this form is in [`http`](crate::http). Here, `form` says where calls go and how
//! failures are worded, `request` is what is sent, with `schema` for the form of the answer, `wire` what comes back.
//!
//! What differs from the other forms: there are no seeds, so a request's seed is left out and the same question may be
//! answered in another way; a temperature goes up to 1.0; the system's messages stand in front of the conversation,
//! whichever place they have in it; newer models of Anthropic refuse every temperature, `top_p` and `top_k`, so those
//! are sent only when they are asked for.

mod form;
mod request;
mod schema;
mod wire;

#[cfg(test)]
mod tests;

use crate::error::ModelError;
use crate::http::{Connections, HttpArgs, HttpModel};

/// A model behind a server that speaks Anthropic's messages, below `…/messages`. The key is sent as `x-api-key`.
///
/// # Errors
/// When the address or the key has a form that cannot be sent, or this machine cannot do TLS.
pub fn client(args: HttpArgs, connections: &Connections) -> Result<HttpModel, ModelError> {
    HttpModel::new(args, Box::new(form::Messages), connections)
}
