//! What is sent.

use playhouse_protocol::completion::ChatMessage;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::ModelErrorKind;
use crate::http::form::Call;
use crate::http::request::{Schema, check};

/// The highest temperature that servers take.
const TEMPERATURE_MAX: f32 = 2.0;

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
pub(super) fn body<'a>(call: &Call<'a>) -> Result<ChatRequest<'a>, ModelErrorKind> {
    let Call { request, info, .. } = *call;
    check(request, TEMPERATURE_MAX)?;
    let limit = Some(request.completion_tokens_max.unwrap_or(info.completion_tokens_default));
    let sampling = request.sampling;
    let is_openai = Dialect::of_host(call.host) == Dialect::OpenAi;
    Ok(ChatRequest {
        model: call.model,
        messages: request.messages.iter().map(Message::from).collect(),
        max_tokens: limit.filter(|_| !is_openai),
        max_completion_tokens: limit.filter(|_| is_openai),
        temperature: sampling.temperature,
        top_p: sampling.top_p,
        top_k: sampling.top_k.filter(|_| !is_openai),
        seed: sampling.seed,
        stop: &request.stop,
        response_format: format(Schema::of(request, info)?)?,
        stream: call.stream,
        stream_options: call.stream.then_some(StreamOptions { include_usage: true }),
    })
}

fn format(schema: Option<Schema<'_>>) -> Result<Option<Format<'_>>, ModelErrorKind> {
    let Some(schema) = schema else { return Ok(None) };
    let strict = is_closed(&schema.value()?);
    Ok(Some(Format::JsonSchema {
        json_schema: NamedSchema { name: schema.name, strict, schema: schema.text },
    }))
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
