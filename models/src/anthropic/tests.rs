//! The client against a server that sends exactly what a test lists.

mod streams;

use std::time::Duration;

use playhouse_protocol::completion::{Completion, ProviderKind, StopReason};

use super::*;
use crate::client::ModelClient;
use crate::error::{ModelError, ModelErrorKind};
use crate::testing::{
    Act, KEY, Server, Streamed, assert_clean, hello, http_args, json, read_stream, response, retrying, sse,
};

fn model(server: &Server) -> HttpModel {
    client(http_args(ProviderKind::Anthropic, server.url("/v1")), &Connections::default()).unwrap()
}

async fn complete(answer: Vec<Act>) -> Result<Completion, ModelError> {
    let server = Server::start(vec![answer]).await;
    let outcome = model(&server).complete(hello()).await;
    outcome.inspect_err(assert_clean)
}

const WHOLE: &str = r#"{"id":"msg_1","type":"message","role":"assistant","model":"claude-x","content":[{"type":"thinking","thinking":"hm","signature":"x"},{"type":"text","text":"hi "},{"type":"text","text":"there"}],"stop_reason":"end_turn","stop_sequence":null,"usage":{"input_tokens":4,"cache_creation_input_tokens":3,"cache_read_input_tokens":8,"output_tokens":2}}"#;

fn error_body(kind: &str, message: &str) -> String {
    format!(
        r#"{{"type":"error","error":{{"type":"{kind}","message":"{message} {KEY}"}},"request_id":"req_1"}}"#
    )
}

#[tokio::test]
async fn a_plain_answer_is_read_with_its_usage() {
    let answer = complete(json(200, WHOLE)).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.stop_reason), ("hi there", StopReason::Stop));
    let usage = answer.usage;
    assert_eq!((usage.model_calls, usage.prompt_tokens, usage.completion_tokens), (1, 15, 2));
    assert_eq!((usage.cached_prompt_tokens, answer.usage_reported), (8, true));
    assert_eq!(answer.origin.provider, ProviderKind::Anthropic);
    assert_eq!(answer.origin.request_id.as_deref(), Some("msg_1"));
}

#[tokio::test]
async fn the_request_is_sent_with_the_key_and_the_version() {
    let server = Server::start(vec![json(200, WHOLE)]).await;
    model(&server).complete(hello()).await.unwrap();
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /v1/messages HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("x-api-key: {KEY}\r\n")), "{request}");
    assert!(request.contains("anthropic-version: 2023-06-01\r\n"), "{request}");
    assert!(!request.contains("authorization"), "{request}");
    assert!(request.contains(r#""max_tokens":64"#) && request.contains(r#""stream":false"#), "{request}");
}

#[tokio::test]
async fn every_reason_to_stop_is_understood() {
    for (reason, expected) in [
        ("end_turn", StopReason::Stop),
        ("stop_sequence", StopReason::Stop),
        ("tool_use", StopReason::Stop),
        ("something_new", StopReason::Stop),
        ("max_tokens", StopReason::Length),
        ("model_context_window_exceeded", StopReason::Length),
        ("pause_turn", StopReason::Length),
        ("refusal", StopReason::ContentFilter),
    ] {
        let answer = complete(json(200, &WHOLE.replace("end_turn", reason))).await.unwrap();
        assert_eq!(answer.stop_reason, expected, "{reason}");
    }
    let error = complete(json(200, &WHOLE.replace(r#""end_turn""#, "null"))).await.unwrap_err();
    assert!(matches!(*error.kind, ModelErrorKind::BrokenStream { .. }), "{error}");
}

#[tokio::test]
async fn usage_that_is_missing_or_wrong_is_estimated() {
    let (head, _) = WHOLE.split_once(r#","usage""#).unwrap();
    for usage in
        ["", r#","usage":null"#, r#","usage":{"input_tokens":-1,"output_tokens":2}"#, r#","usage":"x""#]
    {
        let answer = complete(json(200, &format!("{head}{usage}}}"))).await.unwrap();
        assert!(!answer.usage_reported && answer.usage.prompt_tokens > 0, "{usage}");
    }
}

#[tokio::test]
async fn each_failure_has_its_kind_and_its_number_of_calls() {
    let long = "prompt is too long: 215000 tokens > 200000 maximum";
    let spent = r#"{"error":{"type":"rate_limit_error","message":"x","details":{"error_code":"enforced_spend_limit_reached"}}}"#;
    for (status, body, kind, calls) in [
        (400, error_body("invalid_request_error", "no"), "Rejected", 1),
        (
            400,
            error_body("invalid_request_error", long),
            "ContextExceeded { prompt_tokens: 215000, context_tokens: 200000 }",
            1,
        ),
        (401, error_body("authentication_error", "invalid x-api-key"), "Unauthorized", 1),
        (402, error_body("billing_error", "no"), "Unauthorized", 1),
        (403, error_body("permission_error", "no"), "Unauthorized", 1),
        (404, error_body("not_found_error", "model: claude-y"), "NoSuchModel", 1),
        (413, error_body("request_too_large", "no"), "Rejected", 1),
        (429, error_body("rate_limit_error", "slow down"), "RateLimited", 3),
        (429, spent.to_owned(), "Unauthorized", 1),
        (500, error_body("api_error", "no"), "ServerError", 3),
        (529, error_body("overloaded_error", "Overloaded"), "ServerError", 3),
        (200, error_body("overloaded_error", "Overloaded"), "ServerError", 3),
        (200, error_body("invalid_request_error", "no"), "Rejected", 1),
        (200, "hello, this is my prompt".to_owned(), "InvalidResponse", 3),
    ] {
        let server = Server::start(vec![json(status, &body); calls]).await;
        let error = retrying(model(&server)).complete(hello()).await.unwrap_err();
        assert!(format!("{:?}", error.kind).starts_with(kind), "{status} {body}: {error:?}");
        assert_clean(&error);
        assert_eq!(server.requests().len(), calls, "{body}");
    }
}

#[tokio::test]
async fn a_refusal_for_a_limit_tells_when_that_is_full_again() {
    let headers = [
        ("content-type", "application/json"),
        ("request-id", "req_9"),
        ("anthropic-ratelimit-requests-remaining", "4"),
        ("anthropic-ratelimit-requests-reset", "1994-11-06T09:49:37Z"),
        ("anthropic-ratelimit-input-tokens-remaining", "0"),
        ("anthropic-ratelimit-input-tokens-reset", "1994-11-06T08:50:07Z"),
    ];
    let error =
        complete(response(429, &headers, &error_body("rate_limit_error", "slow down"))).await.unwrap_err();
    assert_eq!(error.retry_after, Some(Duration::from_secs(30)));
    assert_eq!((error.status, error.request_id.as_deref()), (Some(429), Some("req_9")));
    assert_eq!(error.to_string(), "ask model m (anthropic): too many requests: slow down [key] (HTTP 429)");
}

#[tokio::test]
async fn a_ping_asks_for_the_models() {
    let server = Server::start(vec![json(200, r#"{"data":[]}"#)]).await;
    model(&server).ping().await.unwrap();
    assert!(server.requests()[0].starts_with("GET /v1/models HTTP/1.1\r\n"));
}

#[tokio::test]
async fn a_redirect_does_not_carry_the_key_away() {
    let other = Server::start(vec![json(200, WHOLE)]).await;
    let location = other.url("/v1/messages");
    let error = complete(response(307, &[("location", &location)], "")).await.unwrap_err();
    assert!(matches!(*error.kind, ModelErrorKind::Rejected { .. }), "{error}");
    assert!(other.requests().is_empty());
}
