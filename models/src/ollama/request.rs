//! What is sent.

use playhouse_protocol::completion::ChatMessage;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::ModelErrorKind;
use crate::http::form::Call;
use crate::http::request::{Schema, check};

/// The highest temperature that servers take.
const TEMPERATURE_MAX: f32 = 2.0;

/// The body of a request.
///
/// Source: `docs/api.md` ("Generate a chat completion") and `api/types.go` of Ollama.
#[derive(Debug, Serialize)]
pub(super) struct ChatRequest<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    stream: bool,
    /// The schema as it was written, for models answer in the order of its properties.
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<&'a RawValue>,
    options: Options<'a>,
    /// Whether a prompt that is too long is cut, which is the server's way when it is not told.
    truncate: bool,
    /// Whether the oldest part is dropped when the answer reaches the context's end, likewise.
    shift: bool,
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
struct Options<'a> {
    /// The context that the server is to hold: the one that prompts are measured against, or the server would choose
    /// one of its own, as a rule a smaller one.
    #[serde(skip_serializing_if = "Option::is_none")]
    num_ctx: Option<u32>,
    num_predict: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stop: &'a [String],
}

/// Maps a request.
///
/// # Errors
/// When it has a value that no server takes.
pub(super) fn body<'a>(call: &Call<'a>) -> Result<ChatRequest<'a>, ModelErrorKind> {
    let Call { request, info, .. } = *call;
    check(request, TEMPERATURE_MAX)?;
    let sampling = request.sampling;
    Ok(ChatRequest {
        model: call.model,
        messages: request.messages.iter().map(Message::from).collect(),
        stream: call.stream,
        format: Schema::of(request, info)?.map(|schema| schema.text),
        options: Options {
            num_ctx: (info.context_tokens > 0).then_some(info.context_tokens),
            num_predict: request.completion_tokens_max.unwrap_or(info.completion_tokens_default),
            temperature: sampling.temperature,
            top_p: sampling.top_p,
            top_k: sampling.top_k,
            seed: sampling.seed.map(signed),
            stop: &request.stop,
        },
        truncate: false,
        shift: false,
    })
}

/// A seed as the server takes it, a signed number and never a negative one, which would ask for a random seed:
/// different seeds stay different but for their highest bit.
fn signed(seed: u64) -> i64 {
    i64::try_from(seed & (u64::MAX >> 1)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use playhouse_protocol::completion::{CompletionRequest, ProviderKind, ResponseFormat, Sampling};

    use super::*;
    use crate::client::ModelInfo;
    use crate::testing::info;

    fn json(request: &CompletionRequest, info: &ModelInfo) -> String {
        let call = Call { request, info, model: "llama3:8b", host: "localhost", stream: false };
        serde_json::to_string(&body(&call).unwrap()).unwrap()
    }

    fn request() -> CompletionRequest {
        CompletionRequest::new(vec![ChatMessage::system("be brief"), ChatMessage::user("hello")])
    }

    #[test]
    fn a_plain_request_never_lets_the_server_cut_the_prompt() {
        assert_snapshot!(json(&request(), &info(ProviderKind::Ollama)), @r#"{"model":"llama3:8b","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hello"}],"stream":false,"options":{"num_ctx":4096,"num_predict":64},"truncate":false,"shift":false}"#);
    }

    #[test]
    fn every_setting_has_its_place() {
        let format =
            ResponseFormat::JsonSchema { name: "v".to_owned(), schema: r#"{"z":1, "a":2}"#.to_owned() };
        let request = CompletionRequest {
            sampling: Sampling {
                temperature: Some(0.5),
                top_p: Some(0.25),
                top_k: Some(40),
                seed: Some(u64::MAX),
            },
            completion_tokens_max: Some(9),
            stop: vec!["END".to_owned()],
            format,
            ..request()
        };
        let info = ModelInfo { context_tokens: 0, ..info(ProviderKind::Ollama) };
        assert_snapshot!(json(&request, &info), @r#"{"model":"llama3:8b","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hello"}],"stream":false,"format":{"z":1, "a":2},"options":{"num_predict":9,"temperature":0.5,"top_p":0.25,"top_k":40,"seed":9223372036854775807,"stop":["END"]},"truncate":false,"shift":false}"#);
        let without = ModelInfo { structured_output: false, ..info };
        assert!(!json(&request, &without).contains("format"));
    }

    #[test]
    fn values_that_no_server_takes_are_refused() {
        let sampling = Sampling { temperature: Some(2.5), ..Sampling::default() };
        let request = CompletionRequest { sampling, ..request() };
        let info = info(ProviderKind::Ollama);
        let call = Call { request: &request, info: &info, model: "x", host: "localhost", stream: false };
        let refused = body(&call).unwrap_err();
        assert!(
            matches!(refused, ModelErrorKind::InvalidRequest { field: "temperature", .. }),
            "{refused:?}"
        );
    }
}
