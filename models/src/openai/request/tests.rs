use insta::assert_snapshot;
use playhouse_protocol::completion::{CompletionRequest, ProviderKind, ResponseFormat, Sampling};

use super::*;
use crate::client::ModelInfo;
use crate::testing::info;

fn request() -> CompletionRequest {
    let messages = vec![ChatMessage::system("be brief"), ChatMessage::user("hello")];
    CompletionRequest::new(messages)
}

fn full_request() -> CompletionRequest {
    CompletionRequest {
        sampling: Sampling { temperature: Some(0.5), top_p: Some(0.25), top_k: Some(40), seed: Some(7) },
        completion_tokens_max: Some(9),
        stop: vec!["END".to_owned()],
        ..request()
    }
}

fn with_schema(schema: &str) -> CompletionRequest {
    let format = ResponseFormat::JsonSchema { name: "verdict".to_owned(), schema: schema.to_owned() };
    CompletionRequest { format, ..request() }
}

fn json(request: &CompletionRequest, host: &str, stream: bool) -> String {
    let info = info(ProviderKind::OpenAi);
    let body = body(&Call { request, info: &info, model: "gpt-x", host, stream }).unwrap();
    serde_json::to_string(&body).unwrap()
}

#[test]
fn a_plain_request_has_only_what_was_asked() {
    assert_snapshot!(json(&request(), "localhost", false), @r#"{"model":"gpt-x","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hello"}],"max_tokens":64,"stream":false}"#);
}

#[test]
fn every_setting_has_its_place() {
    assert_snapshot!(json(&full_request(), "localhost", true), @r#"{"model":"gpt-x","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hello"}],"max_tokens":9,"temperature":0.5,"top_p":0.25,"top_k":40,"seed":7,"stop":["END"],"stream":true,"stream_options":{"include_usage":true}}"#);
}

#[test]
fn openais_own_servers_get_the_newest_names_and_nothing_unknown() {
    assert_snapshot!(json(&full_request(), "api.openai.com", false), @r#"{"model":"gpt-x","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hello"}],"max_completion_tokens":9,"temperature":0.5,"top_p":0.25,"seed":7,"stop":["END"],"stream":false}"#);
    assert_eq!(Dialect::of_host("x.openai.azure.com"), Dialect::OpenAi);
    assert_eq!(Dialect::of_host("notopenai.com"), Dialect::Compatible);
}

#[test]
fn a_schema_is_strict_only_when_it_is_closed() {
    let closed = r#"{"type":"object","properties":{"a":{"type":"array","items":{"type":"object","properties":{"b":{}},"required":["b"],"additionalProperties":false}}},"required":["a"],"additionalProperties":false}"#;
    assert_snapshot!(json(&with_schema(closed), "localhost", false), @r#"{"model":"gpt-x","messages":[{"role":"system","content":"be brief"},{"role":"user","content":"hello"}],"max_tokens":64,"response_format":{"type":"json_schema","json_schema":{"name":"verdict","strict":true,"schema":{"type":"object","properties":{"a":{"type":"array","items":{"type":"object","properties":{"b":{}},"required":["b"],"additionalProperties":false}}},"required":["a"],"additionalProperties":false}}},"stream":false}"#);
    let open = r#"{"type":"object","properties":{"a":{"type":"object","properties":{"b":{}}}},"required":["a"],"additionalProperties":false}"#;
    assert!(json(&with_schema(open), "localhost", false).contains(r#""strict":false"#));
}

#[test]
fn a_server_without_schemas_is_not_sent_one() {
    let info = ModelInfo { structured_output: false, ..info(ProviderKind::OpenAi) };
    let request = with_schema("{}");
    let call = Call { request: &request, info: &info, model: "x", host: "localhost", stream: false };
    let body = body(&call).unwrap();
    assert!(!serde_json::to_string(&body).unwrap().contains("response_format"));
}

#[test]
fn values_that_no_server_takes_are_refused() {
    let sampling = |sampling| CompletionRequest { sampling, ..request() };
    let default = Sampling::default();
    for (request, field) in [
        (CompletionRequest::default(), "messages"),
        (CompletionRequest { completion_tokens_max: Some(0), ..request() }, "completion_tokens_max"),
        (CompletionRequest { stop: vec![String::new()], ..request() }, "stop"),
        (sampling(Sampling { temperature: Some(2.1), ..default }), "temperature"),
        (sampling(Sampling { temperature: Some(f32::NAN), ..default }), "temperature"),
        (sampling(Sampling { top_p: Some(0.0), ..default }), "top_p"),
        (sampling(Sampling { top_k: Some(0), ..default }), "top_k"),
        (with_schema("{"), "format"),
    ] {
        let info = info(ProviderKind::OpenAi);
        let call = Call { request: &request, info: &info, model: "x", host: "localhost", stream: false };
        let refused = body(&call).unwrap_err();
        assert!(
            matches!(refused, ModelErrorKind::InvalidRequest { field: found, .. } if found == field),
            "{refused:?}"
        );
    }
}
