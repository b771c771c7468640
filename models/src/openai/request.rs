//! What is sent.

use playhouse_protocol::completion::{ChatMessage, CompletionRequest, ResponseFormat};
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::client::ModelInfo;
use crate::error::ModelErrorKind;

/// The body of a request.
///
/// Source: OpenAI API reference, "Create chat completion".
#[derive(Debug, Serialize)]
pub(super) struct ChatRequest<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Format<'a>>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Debug, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

impl<'a> From<&'a ChatMessage> for Message<'a> {
    fn from(message: &'a ChatMessage) -> Self {
        Self { role: message.role.as_str(), content: &message.content }
    }
}

#[derive(Debug, Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Format<'a> {
    JsonSchema { json_schema: NamedSchema<'a> },
}

#[derive(Debug, Serialize)]
struct NamedSchema<'a> {
    name: &'a str,
    strict: bool,
    /// As it was written, for models answer in the order of its properties.
    schema: &'a RawValue,
}

/// Which of the protocol's dialects a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// OpenAI's own servers and Azure's: the newest form, and unknown fields are refused.
    OpenAi,
    /// Everybody else: the older name of the answer's limit, which all understand, and `top_k`.
    Compatible,
}

impl Dialect {
    pub(super) fn of_host(host: &str) -> Self {
        let is_openai = ["openai.com", "openai.azure.com"].into_iter().any(|domain| {
            host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        });
        if is_openai { Self::OpenAi } else { Self::Compatible }
    }
}

/// Maps a request.
///
/// # Errors
/// When it has a value that no server takes.
pub(super) fn body<'a>(
    request: &'a CompletionRequest,
    info: &ModelInfo,
    model: &'a str,
    dialect: Dialect,
    stream: bool,
) -> Result<ChatRequest<'a>, ModelErrorKind> {
    check(request)?;
    let limit = Some(request.completion_tokens_max.unwrap_or(info.completion_tokens_default));
    let sampling = request.sampling;
    let is_openai = dialect == Dialect::OpenAi;
    Ok(ChatRequest {
        model,
        messages: request.messages.iter().map(Message::from).collect(),
        max_tokens: limit.filter(|_| !is_openai),
        max_completion_tokens: limit.filter(|_| is_openai),
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k.filter(|_| !is_openai),
        seed: sampling.seed,
        stop: &request.stop,
        response_format: if info.structured_output { format(&request.format)? } else { None },
        stream,
        stream_options: stream.then_some(StreamOptions { include_usage: true }),
    })
}

fn check(request: &CompletionRequest) -> Result<(), ModelErrorKind> {
    let wrong = |field, reason: &str| ModelErrorKind::InvalidRequest { field, reason: reason.to_owned() };
    let sampling = request.sampling;
    if request.messages.is_empty() {
        Err(wrong("messages", "there are none"))
    } else if request.completion_tokens_max == Some(0) {
        Err(wrong("completion_tokens_max", "it is 0"))
    } else if sampling.temperature.is_some_and(|value| !(0.0..=2.0).contains(&value)) {
        Err(wrong("temperature", "it lies outside 0.0 to 2.0"))
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

fn format(format: &ResponseFormat) -> Result<Option<Format<'_>>, ModelErrorKind> {
    match format {
        ResponseFormat::Text => Ok(None),
        ResponseFormat::JsonSchema { name, schema } => {
            let not_json = |_| ModelErrorKind::InvalidRequest {
                field: "format",
                reason: format!("the schema {name:?} is not JSON"),
            };
            let strict = is_closed(&serde_json::from_str(schema).map_err(not_json)?);
            let schema = serde_json::from_str(schema).map_err(not_json)?;
            Ok(Some(Format::JsonSchema { json_schema: NamedSchema { name, strict, schema } }))
        }
    }
}

/// Whether every object of a schema names all its properties as required and allows no others: what OpenAI's
/// strict mode asks for. A schema of another form is sent as a wish, which would otherwise be refused.
fn is_closed(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            let own = match fields.get("properties").and_then(Value::as_object) {
                None => true,
                Some(properties) => {
                    let required = fields.get("required").and_then(Value::as_array);
                    let is_required = |name: &String| {
                        required
                            .is_some_and(|required| required.iter().any(|field| field.as_str() == Some(name)))
                    };
                    fields.get("additionalProperties") == Some(&Value::Bool(false))
                        && properties.keys().all(is_required)
                }
            };
            own && fields.values().all(is_closed)
        }
        Value::Array(items) => items.iter().all(is_closed),
        _ => true,
    }
}

#[cfg(test)]
mod tests;
