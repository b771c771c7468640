//! What every form asks of a request.

use playhouse_protocol::completion::{CompletionRequest, ResponseFormat};
use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::ModelInfo;
use crate::error::ModelErrorKind;

/// What a short request takes, in bytes.
const BODY_BYTES_USUAL: usize = 512;

/// Refuses values that no server takes. `temperature_max` is the highest that the form's servers take.
///
/// # Errors
/// With the field that is wrong.
pub(crate) fn check(request: &CompletionRequest, temperature_max: f32) -> Result<(), ModelErrorKind> {
    let sampling = request.sampling;
    if request.messages.is_empty() {
        Err(wrong("messages", "there are none"))
    } else if request.completion_tokens_max == Some(0) {
        Err(wrong("completion_tokens_max", "it is 0"))
    } else if sampling.temperature.is_some_and(|value| !(0.0..=temperature_max).contains(&value)) {
        Err(wrong("temperature", format!("it lies outside 0.0 to {temperature_max:.1}")))
    } else if sampling.top_p.is_some_and(|value| !(value > 0.0 && value <= 1.0)) {
        Err(wrong("top_p", "it is not above 0.0 and at most 1.0"))
    } else if sampling.top_k == Some(0) {
        Err(wrong("top_k", "it is 0"))
    } else if request.stop.iter().any(String::is_empty) {
        Err(wrong("stop", "one of the texts is empty"))
    } else {
        Ok(())
    }
}

pub(crate) fn wrong(field: &'static str, reason: impl Into<String>) -> ModelErrorKind {
    ModelErrorKind::InvalidRequest { field, reason: reason.into() }
}

/// A schema and its name, where the answer must fit one and the server can see to it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schema<'a> {
    pub(crate) name: &'a str,
    /// As it was written, for models answer in the order of its properties.
    pub(crate) text: &'a RawValue,
}

impl<'a> Schema<'a> {
    /// The schema of a request.
    ///
    /// # Errors
    /// When it is not JSON.
    pub(crate) fn of(
        request: &'a CompletionRequest,
        info: &ModelInfo,
    ) -> Result<Option<Self>, ModelErrorKind> {
        match &request.format {
            ResponseFormat::JsonSchema { name, schema } if info.structured_output => {
                let text = serde_json::from_str(schema).map_err(|_| not_json(name))?;
                Ok(Some(Self { name, text }))
            }
            _ => Ok(None),
        }
    }

    /// The schema as a value; the order of its properties is lost.
    ///
    /// # Errors
    /// When it is not JSON.
    pub(crate) fn value(&self) -> Result<Value, ModelErrorKind> {
        serde_json::from_str(self.text.get()).map_err(|_| not_json(self.name))
    }
}

fn not_json(name: &str) -> ModelErrorKind {
    wrong("format", format!("the schema {name:?} is not JSON"))
}

/// A body as bytes.
///
/// # Errors
/// Never, as far as we know: what is sent has no form that JSON lacks.
pub(crate) fn to_json(body: &impl serde::Serialize) -> Result<Vec<u8>, ModelErrorKind> {
    let mut bytes = Vec::with_capacity(BODY_BYTES_USUAL);
    serde_json::to_writer(&mut bytes, body)
        .map_err(|cause| ModelErrorKind::Internal { reason: cause.to_string() })?;
    Ok(bytes)
}
