//! The form.

use super::request;
use super::wire::ChatReader;
use crate::error::ModelErrorKind;
use crate::http::fault::{FaultWords, Numbers, TooLongText};
use crate::http::form::{Call, Form, Reader};
use crate::http::framing::Framing;
use crate::http::request::to_json;

/// What these servers say when they fail: a text, or what the engine inside them said.
const FAULT_WORDS: FaultWords = FaultWords {
    statuses: &[],
    spent: &[],
    too_long: &["exceed_context_size_error"],
    too_long_texts: &[
        TooLongText { says: "exceeded max context length", numbers: Numbers::Other },
        TooLongText { says: "exceeds the context length", numbers: Numbers::Other },
        TooLongText { says: "longer than the context length", numbers: Numbers::Other },
    ],
};

/// Ollama's chat.
#[derive(Debug)]
pub(super) struct Chat;

impl Form for Chat {
    fn chat_path(&self) -> &'static str {
        "api/chat"
    }

    fn ping_path(&self) -> &'static str {
        "api/tags"
    }

    fn key_header(&self, key: &str) -> (&'static str, String) {
        ("authorization", format!("Bearer {key}"))
    }

    fn body(&self, call: &Call<'_>) -> Result<Vec<u8>, ModelErrorKind> {
        to_json(&request::body(call)?)
    }

    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn fault_words(&self) -> &'static FaultWords {
        &FAULT_WORDS
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(ChatReader)
    }
}
