//! The forms that llama.cpp's own server speaks against it.

use futures::TryStreamExt;
use playhouse_protocol::completion::{ChatMessage, CompletionRequest, ResponseFormat, Sampling, StopReason};
use serde_json::Value;

use super::*;
use crate::client::{CompletionEvent, ModelClient};
use crate::error::ModelErrorKind;
use crate::testing::{Peer, http_args, patiently};

/// The server's context for one request, as the launcher sets it when it is not told.
const CONTEXT_TOKENS: u64 = 4096;

fn model(peer: &Peer, provider: ProviderKind) -> HttpModel {
    client(provider, http_args(provider, peer.url("/v1")))
}

fn ask(text: &str, completion_tokens_max: u32) -> CompletionRequest {
    CompletionRequest {
        sampling: Sampling { temperature: Some(0.0), seed: Some(1), ..Sampling::default() },
        completion_tokens_max: Some(completion_tokens_max),
        ..CompletionRequest::new(vec![ChatMessage::user(text)])
    }
}

async fn answers_plainly_and_streamed_alike(model: &HttpModel) {
    let request = ask("Name three colours.", 24);
    let plain = model.complete(request.clone()).await.unwrap();
    assert!(!plain.text.is_empty() && plain.usage_reported);
    assert!(plain.usage.prompt_tokens > 3 && (1..=24).contains(&plain.usage.completion_tokens));

    let events: Vec<_> = model.stream(request).try_collect().await.unwrap();
    let Some((CompletionEvent::Finished(streamed), deltas)) = events.split_last() else {
        panic!("{events:?}")
    };
    let text: String = deltas
        .iter()
        .map(|event| match event {
            CompletionEvent::Delta(text) => text.as_str(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(deltas.len() > 3);
    assert_eq!((&text, &streamed.text), (&plain.text, &plain.text));
    assert_eq!(streamed.stop_reason, plain.stop_reason);
    assert!(streamed.usage_reported);
    assert_eq!(streamed.usage.prompt_tokens, plain.usage.prompt_tokens);
    assert_eq!(streamed.usage.completion_tokens, plain.usage.completion_tokens);
    assert!(streamed.usage.cached_prompt_tokens > 0, "{:?}", streamed.usage);
}

async fn stops_where_it_is_told(model: &HttpModel) {
    let answer = model.complete(ask("Count from one to ten.", 2)).await.unwrap();
    assert_eq!((answer.stop_reason, answer.usage.completion_tokens), (StopReason::Length, 2));
    let whole = model.complete(ask("Name three colours.", 24)).await.unwrap().text;
    let stop = whole.split_whitespace().nth(2).unwrap().to_owned();
    let request = CompletionRequest { stop: vec![stop.clone()], ..ask("Name three colours.", 24) };
    let answer = model.complete(request).await.unwrap();
    assert!(!answer.text.contains(&stop) && whole.starts_with(&answer.text), "{answer:?}");
}

async fn fits_a_schema(model: &HttpModel) {
    let schema = r#"{"type":"object","properties":{"verdict":{"enum":["approve","reject"]},"score":{"enum":[1,2,3]}},"required":["verdict","score"],"additionalProperties":false}"#;
    let format = ResponseFormat::JsonSchema { name: "verdict".to_owned(), schema: schema.to_owned() };
    let request = CompletionRequest { format, ..ask("Judge this code: x = 1", 64) };
    let answer = model.complete(request).await.unwrap();
    let value: Value = serde_json::from_str(&answer.text).unwrap();
    assert!(value["verdict"].is_string() && value["score"].is_u64(), "{value}");
    // The order of the schema is kept.
    assert!(answer.text.find("verdict") < answer.text.find("score"), "{}", answer.text);
}

async fn refuses_what_is_too_long(model: &HttpModel) {
    let error = model.complete(ask(&"word ".repeat(6_000), 1)).await.unwrap_err();
    let ModelErrorKind::ContextExceeded { prompt_tokens, context_tokens } = *error.kind else {
        panic!("{error:?}")
    };
    assert!(prompt_tokens > 6_000, "{prompt_tokens}");
    assert_eq!((context_tokens, error.status), (CONTEXT_TOKENS, Some(400)));
}

async fn goes_on_after_a_caller_has_left(model: &HttpModel) {
    let mut events = model.stream(ask("Write a long story.", 2_000));
    assert!(events.try_next().await.unwrap().is_some());
    drop(events);
    // The server has one slot: it answers only when it has noticed that nobody listens any more.
    model.complete(ask("Hello", 1)).await.unwrap();
}

#[tokio::test]
async fn llama_cpps_own_server_is_understood() {
    let Some(peer) = Peer::llama_server() else { return };
    let open_ai = model(&peer, ProviderKind::OpenAi);
    patiently(model(&peer, ProviderKind::OpenAi), ask("Hello", 1)).await;
    for model in [&open_ai, &model(&peer, ProviderKind::Anthropic)] {
        model.ping().await.unwrap();
        answers_plainly_and_streamed_alike(model).await;
        stops_where_it_is_told(model).await;
        refuses_what_is_too_long(model).await;
        goes_on_after_a_caller_has_left(model).await;
    }
    fits_a_schema(&open_ai).await;
}
