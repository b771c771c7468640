//! The form.

use super::request;
use super::wire::ChatReader;
use crate::error::ModelErrorKind;
use crate::http::fault::{FaultWords, Numbers, TooLongText};
use crate::http::form::{Call, Form, Reader};
use crate::http::framing::Framing;
use crate::http::request::to_json;

/// What these servers say when they fail.
pub(crate) const FAULT_WORDS: FaultWords = FaultWords {
    statuses: &[],
    spent: &["insufficient_quota", "billing_hard_limit_reached"],
    too_long: &["context_length_exceeded", "exceed_context_size_error"],
    too_long_texts: &[TooLongText { says: "maximum context length", numbers: Numbers::LimitThenPrompt }],
};

/// OpenAI's chat completions.
#[derive(Debug)]
pub(super) struct ChatCompletions;

impl Form for ChatCompletions {
    fn chat_path(&self) -> &'static str {
        "chat/completions"
    }

    fn ping_path(&self) -> &'static str {
        "models"
    }

    fn key_header(&self, key: &str) -> (&'static str, String) {
        ("authorization", format!("Bearer {key}"))
    }

    fn body(&self, call: &Call<'_>) -> Result<Vec<u8>, ModelErrorKind> {
        to_json(&request::body(call)?)
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn fault_words(&self) -> &'static FaultWords {
        &FAULT_WORDS
    }

    fn reader(&self) -> Box<dyn Reader> {
        Box::new(ChatReader)
    }
}
