//! The client against a server that sends exactly what a test lists.

mod streams;

use playhouse_protocol::completion::{Completion, ProviderKind, StopReason};

use super::*;
use crate::client::ModelClient;
use crate::error::{ModelError, ModelErrorKind};
use crate::testing::{
    Act, KEY, Server, Streamed, assert_clean, hello, http_args, json, json_lines, read_stream, retrying,
};

fn model(server: &Server) -> HttpModel {
    client(http_args(ProviderKind::Ollama, server.url("")), &Connections::default()).unwrap()
}

async fn complete(answer: Vec<Act>) -> Result<Completion, ModelError> {
    let server = Server::start(vec![answer]).await;
    let outcome = model(&server).complete(hello()).await;
    outcome.inspect_err(assert_clean)
}

const WHOLE: &str = r#"{"model":"llama3:8b","created_at":"2026-01-01T00:00:00Z","message":{"role":"assistant","content":"hi there","thinking":"hm"},"done":true,"done_reason":"stop","total_duration":5191566416,"prompt_eval_count":26,"eval_count":298}"#;

#[tokio::test]
async fn a_plain_answer_is_read_with_its_usage() {
    let answer = complete(json(200, WHOLE)).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.stop_reason), ("hi there", StopReason::Stop));
    let usage = answer.usage;
    assert_eq!((usage.model_calls, usage.prompt_tokens, usage.completion_tokens), (1, 26, 298));
    assert!(answer.usage_reported);
    assert_eq!((answer.origin.provider, answer.origin.request_id), (ProviderKind::Ollama, None));
}

#[tokio::test]
async fn the_request_is_sent_to_the_right_address() {
    let server = Server::start(vec![json(200, WHOLE)]).await;
    model(&server).complete(hello()).await.unwrap();
    let request = server.requests().remove(0);
    assert!(request.starts_with("POST /api/chat HTTP/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("authorization: Bearer {KEY}\r\n")), "{request}");
    assert!(request.contains(r#""num_ctx":4096"#) && request.contains(r#""stream":false"#), "{request}");
}

#[tokio::test]
async fn every_reason_to_stop_is_understood() {
    let answer = complete(json(200, &WHOLE.replace(r#""stop""#, r#""length""#))).await.unwrap();
    assert_eq!(answer.stop_reason, StopReason::Length);
    let answer = complete(json(200, &WHOLE.replace(r#""done_reason":"stop","#, ""))).await.unwrap();
    assert_eq!(answer.stop_reason, StopReason::Stop);
    for (body, expected) in [
        (WHOLE.replace(r#""stop""#, r#""load""#), "the server loaded the model instead of answering"),
        (WHOLE.replace(r#""stop""#, r#""unload""#), "the server unloaded the model instead of answering"),
        (WHOLE.replace(r#""done":true"#, r#""done":false"#), "it ended without a reason to end"),
    ] {
        let error = complete(json(200, &body)).await.unwrap_err();
        let expected = ModelErrorKind::BrokenStream { reason: expected.to_owned() };
        assert_eq!(*error.kind, expected);
    }
}

#[tokio::test]
async fn usage_that_is_missing_or_wrong_is_estimated() {
    for usage in ["", r#","prompt_eval_count":0,"eval_count":2"#, r#","prompt_eval_count":-1,"eval_count":2"#]
    {
        let body = format!(r#"{{"message":{{"content":"hi there"}},"done":true{usage}}}"#);
        let answer = complete(json(200, &body)).await.unwrap();
        assert!(!answer.usage_reported, "{usage}");
        assert_eq!((answer.usage.prompt_tokens, answer.usage.completion_tokens), (13, 2));
    }
}

#[tokio::test]
async fn each_failure_has_its_kind_and_its_number_of_calls() {
    let nested = r#"{"error":"{\"error\":{\"code\":400,\"message\":\"request (8889 tokens) exceeds the available context size (4096 tokens)\",\"type\":\"exceed_context_size_error\",\"n_prompt_tokens\":8889,\"n_ctx\":4096}}"}"#;
    let told = |message: &str| format!(r#"{{"error":"{message} {KEY}"}}"#);
    for (status, body, kind, calls) in [
        (400, nested.to_owned(), "ContextExceeded { prompt_tokens: 8889, context_tokens: 4096 }", 1),
        (
            400,
            told("prompt too long; exceeded max context length by 4 tokens"),
            "ContextExceeded { prompt_tokens: 0, context_tokens: 4096 }",
            1,
        ),
        (400, told("invalid format"), "Rejected", 1),
        (401, told("unauthorized"), "Unauthorized", 1),
        (404, told("model 'x' not found"), "NoSuchModel", 1),
        (500, told("llama runner process has terminated"), "ServerError", 3),
        (503, told("server busy, please try again.  maximum pending requests exceeded"), "ServerError", 3),
        (200, told("an error was encountered while running the model"), "ServerError", 3),
        (200, r#"{"done":false}"#.to_owned(), "InvalidResponse", 3),
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
async fn a_ping_asks_for_the_tags() {
    for (status, reached) in [(200, true), (401, false), (503, false)] {
        let server = Server::start(vec![json(status, r#"{"models":[]}"#)]).await;
        assert_eq!(model(&server).ping().await.is_ok(), reached, "{status}");
        assert!(server.requests()[0].starts_with("GET /api/tags HTTP/1.1\r\n"));
    }
}
