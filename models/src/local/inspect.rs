//! What a model file says of itself, without loading its weights.

use std::path::Path;

use super::error::LocalError;
use super::gguf::Gguf;
use super::shape::Shape;

/// What a model file says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileFacts {
    /// The network's architecture: "llama" or "qwen2".
    pub architecture: String,
    /// The model's name inside the file, where it has one.
    pub name: Option<String>,
    /// How many numbers the model has learnt.
    pub parameters: u64,
    /// Tokens of prompt and answer together that the model was made for.
    pub context_tokens: u32,
    /// Bytes of the file.
    pub size_bytes: u64,
    /// Whether the file tells how a conversation is framed. Without it the model cannot be asked.
    pub chat_template: bool,
}

/// Reads the head of a model file. Takes tens of milliseconds: call it off the async threads.
///
/// # Errors
/// When the file is missing, damaged, or of a kind that is not supported.
pub fn inspect(path: &Path) -> Result<FileFacts, LocalError> {
    let gguf = Gguf::open(path).map_err(|reason| reason.at(path))?;
    let shape = Shape::read(&gguf).map_err(|reason| reason.at(path))?;
    Ok(FileFacts {
        architecture: gguf.text("general.architecture").unwrap_or_default().to_owned(),
        name: gguf.text("general.name").map(str::to_owned),
        parameters: gguf.parameters(),
        context_tokens: shape.context_tokens,
        size_bytes: gguf.size_bytes(),
        chat_template: gguf.text("tokenizer.chat_template").is_some(),
    })
}
