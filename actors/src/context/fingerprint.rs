//! A hash of what a step is asked, field by field, so that it stays the same when a type's wire form changes.

use playhouse_models::digest::FieldDigest;
use playhouse_protocol::journal::Fingerprint;

use super::ModelCall;

/// The question to a model.
pub(super) fn of_model_call(call: &ModelCall) -> Fingerprint {
    let mut fields = FieldDigest::new("model call");
    fields.text(call.task_type).optional(call.model.as_deref()).request(&call.request);
    Fingerprint(fields.end())
}

/// The question to another agent.
pub(super) fn of_agent_call(kind: &str, request: &[u8]) -> Fingerprint {
    let mut fields = FieldDigest::new("agent call");
    fields.text(kind).bytes(request);
    Fingerprint(fields.end())
}

/// Anything else.
pub(super) fn of_effect(label: &str) -> Fingerprint {
    let mut fields = FieldDigest::new("effect");
    fields.text(label);
    Fingerprint(fields.end())
}

#[cfg(test)]
mod tests {
    use playhouse_protocol::completion::{ChatMessage, CompletionRequest};

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
