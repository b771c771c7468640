//! The clients against servers that we did not write.

mod aimock;
mod llama_server;

use playhouse_protocol::completion::ProviderKind;

use super::*;
use crate::{anthropic, ollama, openai};

/// A client of this form, with a key that no server asks for.
fn client(provider: ProviderKind, args: HttpArgs) -> HttpModel {
    let connections = Connections::default();
    match provider {
        ProviderKind::Anthropic => anthropic::client(args, &connections).unwrap(),
        ProviderKind::Ollama => ollama::client(args, &connections).unwrap(),
        _ => openai::client(args, &connections).unwrap(),
    }
}
