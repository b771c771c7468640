//! The form.

use super::request;
use super::wire::MessageReader;
use crate::error::ModelErrorKind;
use crate::http::fault::{FaultWords, Numbers, TooLongText};
use crate::http::form::{Call, Form, Reader};
use crate::http::framing::Framing;
use crate::http::request::to_json;

/// The version of the form, which every request names.
const VERSION: &str = "2023-06-01";

/// What these servers say when they fail.
///
/// Source: "Errors" in Anthropic's API reference; `exceed_context_size_error` is llama.cpp's.
const FAULT_WORDS: FaultWords = FaultWords {
    statuses: &[
        ("invalid_request_error", 400),
        ("authentication_error", 401),
        ("billing_error", 402),
        ("permission_error", 403),
        ("not_found_error", 404),
        ("request_too_large", 413),
        ("rate_limit_error", 429),
        ("api_error", 500),
        ("timeout_error", 504),
        ("overloaded_error", 529),
    ],
    spent: &["enforced_spend_limit_reached", "billing_error"],
    too_long: &["exceed_context_size_error"],
    too_long_texts: &[
        TooLongText { says: "prompt is too long", numbers: Numbers::PromptThenLimit },
        TooLongText { says: "exceed context limit", numbers: Numbers::Other },
    ],
};

/// Anthropic's messages.
#[derive(Debug)]
pub(super) struct Messages;

impl Form for Messages {
    fn chat_path(&self) -> &'static str {
        "messages"
    }

    fn ping_path(&self) -> &'static str {
        "models"
    }

    fn key_header(&self, key: &str) -> (&'static str, String) {
        ("x-api-key", key.to_owned())
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", VERSION)]
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
        Box::new(MessageReader::default())
    }
}
