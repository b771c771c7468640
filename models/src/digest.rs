//! A hash of values field by field, so that it stays the same when a type's wire form changes.

use playhouse_protocol::completion::{CompletionRequest, ResponseFormat};
use sha2::{Digest as _, Sha256};

/// Fields one after the other, each with its length in front, so that no two lists of fields look alike (SHA-256).
#[derive(Debug, Clone)]
pub struct FieldDigest(Sha256);

impl FieldDigest {
    /// No fields yet; `what` keeps the hashes of different things apart.
    pub fn new(what: &str) -> Self {
        let mut fields = Self(Sha256::new());
        fields.text(what);
        fields
    }

    /// A number of things.
    pub fn count(&mut self, count: usize) -> &mut Self {
        self.0.update((count as u64).to_le_bytes());
        self
    }

    /// Bytes.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.count(bytes.len()).0.update(bytes);
        self
    }

    /// A text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Bytes that may be missing.
    pub fn optional<B: AsRef<[u8]>>(&mut self, bytes: Option<B>) -> &mut Self {
        match bytes {
            None => self.text("none"),
            Some(bytes) => self.text("some").bytes(bytes.as_ref()),
        }
    }

    /// Everything that a model is asked.
    pub fn request(&mut self, request: &CompletionRequest) -> &mut Self {
        let CompletionRequest { messages, sampling, completion_tokens_max, stop, format } = request;
        self.count(messages.len());
        for message in messages.iter() {
            self.text(message.role.as_str()).text(&message.content);
        }
        self.optional(sampling.temperature.map(f32::to_le_bytes))
            .optional(sampling.top_p.map(f32::to_le_bytes))
            .optional(sampling.top_k.map(u32::to_le_bytes))
            .optional(sampling.seed.map(u64::to_le_bytes))
            .optional(completion_tokens_max.map(u32::to_le_bytes));
        self.count(stop.len());
        for text in stop {
            self.text(text);
        }
        match format {
            ResponseFormat::Text => self.text("text"),
            ResponseFormat::JsonSchema { name, schema } => self.text("json schema").text(name).text(schema),
        }
    }

    /// The hash.
    pub fn end(self) -> [u8; 32] {
        self.0.finalize().into()
    }
}
