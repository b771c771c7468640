//! Servers that speak Ollama's own chat. Ollama also speaks OpenAI's form; its own one can be told how long a context
//! to hold, and fails instead of cutting a prompt that is too long.
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

/// A model behind a server that speaks Ollama's chat, below `…/api/chat`. A key, where there is one, is sent as
/// `Authorization: Bearer`.
///
/// # Errors
/// When the address or the key has a form that cannot be sent, or this machine cannot do TLS.
pub fn client(args: HttpArgs, connections: &Connections) -> Result<HttpModel, ModelError> {
    HttpModel::new(args, Box::new(form::Chat), connections)
}
