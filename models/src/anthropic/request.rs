//! What is sent.

use playhouse_protocol::completion::{ChatMessage, Role};
use serde::Serialize;

use super::schema::Accepted;
use crate::error::ModelErrorKind;
use crate::http::form::Call;
use crate::http::request::{Schema, check, wrong};

/// The highest temperature that servers take.
const TEMPERATURE_MAX: f32 = 1.0;

/// What stands between two messages of the system.
const SYSTEM_SEPARATOR: &str = "\n\n";

/// The body of a request.
///
/// Source: Anthropic API reference, "Create a message", and "Structured outputs" for `output_config`. The older way
/// to structured output, a tool that the model must use, is refused by newer models.
#[derive(Debug, Serialize)]
pub(super) struct MessagesRequest<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "String::is_empty")]
    system: String,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig>,
    stream: bool,
}

#[derive(Debug, Serialize)]
struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

#[derive(Debug, Serialize)]
struct OutputConfig {
    format: Format,
}

#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Format {
    JsonSchema { schema: Accepted },
}

/// Maps a request.
///
/// # Errors
/// When it has a value that no server takes.
pub(super) fn body<'a>(call: &Call<'a>) -> Result<MessagesRequest<'a>, ModelErrorKind> {
    let Call { request, info, .. } = *call;
    check(request, TEMPERATURE_MAX)?;
    if request.stop.iter().any(|text| text.trim().is_empty()) {
        return Err(wrong("stop", "one of the texts is only white space"));
    }
    let is_system = |message: &&ChatMessage| message.role == Role::System;
    let system: Vec<_> =
        request.messages.iter().filter(is_system).map(|message| message.content.as_str()).collect();
    let others = request.messages.iter().filter(|message| !is_system(message));
    let messages: Vec<_> =
        others.map(|message| Message { role: message.role.as_str(), content: &message.content }).collect();
    if messages.is_empty() {
        return Err(wrong("messages", "there are none beside the system's"));
    }
    let format = match Schema::of(request, info)? {
        Some(schema) => Some(Format::JsonSchema { schema: Accepted::from_schema(schema)? }),
        None => None,
    };
    Ok(MessagesRequest {
        model: call.model,
        max_tokens: request.completion_tokens_max.unwrap_or(info.completion_tokens_default),
        system: system.join(SYSTEM_SEPARATOR),
        messages,
        temperature: request.sampling.temperature,
        top_p: request.sampling.top_p,
        top_k: request.sampling.top_k,
        stop_sequences: &request.stop,
        output_config: format.map(|format| OutputConfig { format }),
        stream: call.stream,
    })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use playhouse_protocol::completion::{CompletionRequest, ProviderKind, ResponseFormat, Sampling};

    use super::*;
    use crate::client::ModelInfo;
    use crate::testing::info;

    fn request() -> CompletionRequest {
        CompletionRequest::new(vec![
            ChatMessage::system("be brief"),
            ChatMessage::user("hello"),
            ChatMessage::assistant("hi"),
            ChatMessage::system("be kind"),
            ChatMessage::user("again"),
        ])
    }

    fn sampled(sampling: Sampling) -> CompletionRequest {
        CompletionRequest { sampling, ..request() }
    }

    fn with_schema(schema: &str) -> CompletionRequest {
        let format = ResponseFormat::JsonSchema { name: "verdict".to_owned(), schema: schema.to_owned() };
        CompletionRequest { format, ..request() }
    }

    fn written(request: &CompletionRequest, info: &ModelInfo) -> Result<String, ModelErrorKind> {
        let call = Call { request, info, model: "claude-x", host: "localhost", stream: true };
        Ok(serde_json::to_string(&body(&call)?).unwrap())
    }

    fn json(request: &CompletionRequest) -> String {
        written(request, &info(ProviderKind::Anthropic)).unwrap()
    }

    #[test]
    fn the_systems_messages_stand_in_front_and_a_limit_is_always_sent() {
        assert_snapshot!(json(&request()), @r#"{"model":"claude-x","max_tokens":64,"system":"be brief\n\nbe kind","messages":[{"role":"user","content":"hello"},{"role":"assistant","content":"hi"},{"role":"user","content":"again"}],"stream":true}"#);
    }

    #[test]
    fn every_setting_has_its_place_and_a_seed_has_none() {
        let request = CompletionRequest {
            completion_tokens_max: Some(9),
            stop: vec!["END".to_owned()],
            messages: [ChatMessage::user("hello")].into(),
            ..sampled(Sampling { temperature: Some(0.5), top_p: Some(0.25), top_k: Some(40), seed: Some(7) })
        };
        assert_snapshot!(json(&request), @r#"{"model":"claude-x","max_tokens":9,"messages":[{"role":"user","content":"hello"}],"temperature":0.5,"top_p":0.25,"top_k":40,"stop_sequences":["END"],"stream":true}"#);
    }

    #[test]
    fn a_schema_is_sent_where_the_server_has_structured_output() {
        let request = with_schema(r#"{"type":"object","properties":{"b":{"type":"integer"}}}"#);
        assert_snapshot!(json(&request).split_once("output_config").unwrap().1, @r#"":{"format":{"type":"json_schema","schema":{"type":"object","properties":{"b":{"type":"integer"}},"additionalProperties":false}}},"stream":true}"#);
        let info = ModelInfo { structured_output: false, ..info(ProviderKind::Anthropic) };
        assert!(!written(&request, &info).unwrap().contains("output_config"));
    }

    #[test]
    fn values_that_no_server_takes_are_refused() {
        let default = Sampling::default();
        let only_system = CompletionRequest::new(vec![ChatMessage::system("be brief")]);
        for (request, field) in [
            (CompletionRequest::default(), "messages"),
            (only_system, "messages"),
            (CompletionRequest { completion_tokens_max: Some(0), ..request() }, "completion_tokens_max"),
            (CompletionRequest { stop: vec![" \n".to_owned()], ..request() }, "stop"),
            (sampled(Sampling { temperature: Some(1.1), ..default }), "temperature"),
            (sampled(Sampling { top_k: Some(0), ..default }), "top_k"),
            (with_schema("{"), "format"),
        ] {
            let refused = written(&request, &info(ProviderKind::Anthropic)).unwrap_err();
            assert!(
                matches!(refused, ModelErrorKind::InvalidRequest { field: found, .. } if found == field),
                "{refused:?}"
            );
        }
    }
}
