//! The client against a server that sends exactly what a test lists.

mod faults;
mod streams;
mod timeouts;

use std::time::Duration;

use futures::StreamExt;
use playhouse_config::Secret;
use playhouse_protocol::completion::{
    Completion, CompletionRequest, ProviderKind, ResponseFormat, StopReason,
};

use super::*;
use crate::client::ModelClient;
use crate::error::{ModelError, ModelErrorKind};
use crate::testing::{
    Act, KEY, Server, Streamed, TIMEOUTS, assert_clean, hello, http_args, json, read_stream, response,
    retrying, sse,
};

fn model_at(base_url: String) -> HttpModel {
    client(http_args(ProviderKind::OpenAi, base_url), &Connections::default()).unwrap()
}

fn model(server: &Server) -> HttpModel {
    model_at(server.url("/v1"))
}

async fn complete(answer: Vec<Act>) -> Result<Completion, ModelError> {
    let server = Server::start(vec![answer]).await;
    let outcome = model(&server).complete(hello()).await;
    outcome.inspect_err(assert_clean)
}

const WHOLE: &str = r#"{"id":"chatcmpl-1","choices":[{"index":0,"message":{"role":"assistant","content":"hi there"},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":8}}}"#;

#[tokio::test]
async fn a_plain_answer_is_read_with_its_usage() {
    let answer = complete(json(200, WHOLE)).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.stop_reason), ("hi there", StopReason::Stop));
    let usage = answer.usage;
    assert_eq!((usage.model_calls, usage.prompt_tokens, usage.completion_tokens), (1, 12, 2));
    assert_eq!((usage.cached_prompt_tokens, answer.usage_reported), (8, true));
    assert_eq!(answer.origin.provider, ProviderKind::OpenAi);
    assert_eq!(answer.origin.request_id.as_deref(), Some("chatcmpl-1"));
}

#[tokio::test]
async fn the_request_is_sent_with_the_key_to_the_right_address() {
    let server = Server::start(vec![json(200, WHOLE)]).await;
    model_at(server.url("/proxy/v1/")).complete(hello()).await.unwrap();
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /proxy/v1/chat/completions HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("authorization: Bearer {KEY}\r\n")), "{request}");
    assert!(request.contains(r#""model":"gpt-x""#) && request.contains(r#""stream":false"#), "{request}");
}

#[tokio::test]
async fn usage_that_is_missing_or_wrong_is_estimated() {
    for usage in [
        "",
        r#","usage":null"#,
        r#","usage":{"prompt_tokens":-1}"#,
        r#","usage":{"prompt_tokens":0}"#,
        r#","usage":"x""#,
    ] {
        let body = format!(
            r#"{{"choices":[{{"message":{{"content":"hi there"}},"finish_reason":"length"}}]{usage}}}"#
        );
        let answer = complete(json(200, &body)).await.unwrap();
        assert_eq!(answer.stop_reason, StopReason::Length);
        assert_eq!((answer.usage.prompt_tokens, answer.usage.completion_tokens), (13, 2), "{usage}");
        assert!(!answer.usage_reported);
    }
}

#[tokio::test]
async fn content_in_parts_and_refusals_are_understood() {
    let body = r#"{"choices":[{"message":{"content":[{"type":"thinking","thinking":[]},{"type":"text","text":"hi"}]},"finish_reason":"eos"}]}"#;
    assert_eq!(complete(json(200, body)).await.unwrap().text, "hi");
    let body = r#"{"choices":[{"message":{"content":null,"refusal":"I cannot"},"finish_reason":"stop"}]}"#;
    let answer = complete(json(200, body)).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.stop_reason), ("I cannot", StopReason::ContentFilter));
}

#[tokio::test]
async fn a_ping_asks_for_the_models_and_takes_a_server_without_that_list() {
    for (status, reached) in [(200, true), (404, true), (405, true), (401, false), (503, false)] {
        let server = Server::start(vec![json(status, "{}")]).await;
        let outcome = model(&server).ping().await;
        assert_eq!(outcome.is_ok(), reached, "{status}: {outcome:?}");
        assert!(server.requests()[0].starts_with("GET /v1/models HTTP/1.1\r\n"));
    }
}

#[test]
fn an_address_or_key_that_cannot_be_sent_is_refused() {
    let args = |base_url: &str, key: &str| HttpArgs {
        api_key: Some(Secret::new(key, "env:KEY")),
        ..http_args(ProviderKind::OpenAi, base_url)
    };
    let refused = |base_url, key| client(args(base_url, key), &Connections::default()).unwrap_err();
    for base_url in ["", "localhost:1", "ftp://host", "http://"] {
        let error = refused(base_url, "k");
        assert!(matches!(*error.kind, ModelErrorKind::InvalidRequest { field: "base_url", .. }), "{error}");
    }
    let error = refused("http://host", "s3cret-\n");
    assert!(
        matches!(*error.kind, ModelErrorKind::Unauthorized { .. }) && !error.to_string().contains("s3cret")
    );
}

#[test]
fn neither_the_model_nor_its_arguments_show_the_key() {
    let model = model_at("http://127.0.0.1:1/v1".to_owned());
    let shown = format!("{model:?}");
    assert!(!shown.contains(KEY), "{shown}");
}

#[tokio::test]
async fn an_answer_out_of_schema_is_an_error_that_another_attempt_may_mend() {
    let request = || CompletionRequest {
        format: ResponseFormat::JsonSchema {
            name: "verdict".to_owned(),
            schema: r#"{"type":"object","required":["score"]}"#.to_owned(),
        },
        ..hello()
    };
    let fits = WHOLE.replace("hi there", r#"{\"score\":1}"#);
    let server = Server::start(vec![json(200, WHOLE), json(200, &fits)]).await;
    let answer = retrying(model(&server)).complete(request()).await.unwrap();
    assert_eq!((answer.text.as_str(), server.requests().len()), (r#"{"score":1}"#, 2));

    let server = Server::start(vec![json(200, WHOLE)]).await;
    let events: Vec<_> = model(&server).stream(request()).collect().await;
    assert_eq!(events.len(), 2, "{events:?}");
    let error = events[1].as_ref().unwrap_err();
    assert_eq!(
        error.to_string(),
        "ask model m (open_ai): the answer does not fit the schema \"verdict\": it is not JSON (line 1, column 1)"
    );
    assert_eq!(error.request_id.as_deref(), Some("chatcmpl-1"));
}
