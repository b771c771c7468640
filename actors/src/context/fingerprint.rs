//! A hash of what a step is asked, field by field, so that it stays the same when a type's wire form changes.

use playhouse_protocol::completion::{CompletionRequest, ResponseFormat};
use playhouse_protocol::journal::Fingerprint;
use sha2::{Digest, Sha256};

use super::ModelCall;

/// The question to a model.
pub(super) fn of_model_call(call: &ModelCall) -> Fingerprint {
    let CompletionRequest { messages, sampling, completion_tokens_max, stop, format } = &call.request;
    let mut fields = Fields::new("model call");
    fields.text(call.task_type).optional(call.model.as_deref().map(str::as_bytes));
    fields.count(messages.len());
    for message in messages {
        fields.text(message.role.as_str()).text(&message.content);
    }
    fields
        .optional(sampling.temperature.map(f32::to_le_bytes))
        .optional(sampling.top_p.map(f32::to_le_bytes))
        .optional(sampling.top_k.map(u32::to_le_bytes))
        .optional(sampling.seed.map(u64::to_le_bytes))
        .optional(completion_tokens_max.map(u32::to_le_bytes));
    fields.count(stop.len());
    for text in stop {
        fields.text(text);
    }
    match format {
        ResponseFormat::Text => fields.text("text"),
        ResponseFormat::JsonSchema { name, schema } => fields.text("json schema").text(name).text(schema),
    };
    fields.end()
}

/// The question to another agent.
pub(super) fn of_agent_call(kind: &str, request: &[u8]) -> Fingerprint {
    let mut fields = Fields::new("agent call");
    fields.text(kind).bytes(request);
    fields.end()
}

/// Anything else.
pub(super) fn of_effect(label: &str) -> Fingerprint {
    let mut fields = Fields::new("effect");
    fields.text(label);
    fields.end()
}

/// Fields one after the other, each with its length in front, so that no two lists of fields look alike.
struct Fields(Sha256);

impl Fields {
    fn new(what: &str) -> Self {
        let mut fields = Self(Sha256::new());
        fields.text(what);
        fields
    }

    fn count(&mut self, count: usize) -> &mut Self {
        self.0.update((count as u64).to_le_bytes());
        self
    }

    fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.count(bytes.len()).0.update(bytes);
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    fn optional<B: AsRef<[u8]>>(&mut self, bytes: Option<B>) -> &mut Self {
        match bytes {
            None => self.text("none"),
            Some(bytes) => self.text("some").bytes(bytes.as_ref()),
        }
    }

    fn end(self) -> Fingerprint {
        Fingerprint(self.0.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::completion::ChatMessage;

    use super::*;

    fn call(texts: &[&str]) -> ModelCall {
        let messages = texts.iter().map(|text| ChatMessage::user(*text)).collect();
        ModelCall {
            task_type: "t",
            model: None,
            label: String::new(),
            request: CompletionRequest::new(messages),
        }
    }

    #[test]
    fn the_same_question_has_the_same_fingerprint_in_every_version() {
        // Held still: tasks of an older program go on only as long as this does not change.
        assert_eq!(of_model_call(&call(&["hi"])).to_string(), "a3a0e755c052eccd");
        assert_eq!(of_agent_call("echo", b"hi").to_string(), "ca3a9d54ca6d40a2");
        assert_eq!(of_effect("draw").to_string(), "bdaf54689f90975c");
    }

    #[test]
    fn another_question_has_another_one() {
        let one = of_model_call(&call(&["ab", "c"]));
        assert_ne!(one, of_model_call(&call(&["a", "bc"])));
        let mut seeded = call(&["ab", "c"]);
        seeded.request.sampling.seed = Some(0);
        assert_ne!(one, of_model_call(&seeded));
        let mut named = call(&["ab", "c"]);
        named.model = Some("other".to_owned());
        assert_ne!(one, of_model_call(&named));
    }
}
