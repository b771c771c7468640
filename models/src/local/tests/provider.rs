//! The embedded model behind the face of every model.

use std::fs;
use std::time::Duration;

use futures::StreamExt;
use playhouse_protocol::FailureClass;
use playhouse_protocol::completion::{ChatMessage, CompletionRequest, ProviderKind, Sampling};
use tokio::time::timeout;

use super::tiny::{CONTEXT_TOKENS, Tiny, ask, options};
use crate::client::{CompletionEvent, ModelClient};
use crate::error::ModelErrorKind;
use crate::local::{LocalModel, LocalOptions, QUEUE_LEN_MAX};

const PATIENCE: Duration = Duration::from_secs(60);

async fn failure(model: &LocalModel, request: CompletionRequest) -> ModelErrorKind {
    *timeout(PATIENCE, model.complete(request)).await.unwrap().unwrap_err().kind
}

#[tokio::test]
async fn deltas_together_are_the_answer_and_the_usage_is_exact() {
    let file = Tiny::default().write();
    let model = file.model();
    let mut events = model.stream(ask("hello"));
    let mut text = String::new();
    let completion = loop {
        match events.next().await.unwrap().unwrap() {
            CompletionEvent::Delta(delta) => {
                assert!(!delta.is_empty());
                text.push_str(&delta);
            }
            CompletionEvent::Restarted { .. } => panic!("the embedded model begins once"),
            CompletionEvent::Finished(completion) => break completion,
        }
    };
    assert!(events.next().await.is_none());
    assert_eq!((completion.text, completion.usage.completion_tokens), (text, 24));
    assert_eq!(completion.usage.prompt_tokens, model.count_chat(&ask("hello").messages).unwrap());
    assert_eq!(completion.origin.provider, ProviderKind::Local);
    assert!(completion.usage_reported && !model.info().structured_output);
}

#[tokio::test]
async fn dropped_answer_makes_way_for_the_next() {
    let file = Tiny::default().write();
    let model = file.model();
    let mut long = model.stream(CompletionRequest { completion_tokens_max: Some(2000), ..ask("long") });
    assert!(matches!(long.next().await, Some(Ok(CompletionEvent::Delta(_)))));
    drop(long);
    timeout(PATIENCE, model.complete(ask("short"))).await.unwrap().unwrap();
}

#[tokio::test]
async fn full_queue_refuses_at_once() {
    let file = Tiny::default().write();
    let model = file.model();
    // No worker takes anything out.
    model.pretend_started();
    let waiting: Vec<_> = (0..QUEUE_LEN_MAX).map(|_| model.stream(ask("wait"))).collect();
    let error = model.complete(ask("one too many")).await.unwrap_err();
    assert_eq!(*error.kind, ModelErrorKind::QueueFull { queue_len: QUEUE_LEN_MAX });
    assert_eq!(error.class(), FailureClass::Overloaded);
    drop(waiting);
    drop(model.stream(ask("there is room again")));
}

#[tokio::test]
async fn prompt_that_does_not_fit_is_refused_and_never_cut() {
    let file = Tiny::default().write();
    let model = LocalModel::new(LocalOptions { context_tokens: 50, ..file.options() });
    let long = ask(&"x".repeat(100));
    let prompt_tokens = model.count_chat(&long.messages).unwrap();
    assert_eq!(
        failure(&model, long).await,
        ModelErrorKind::ContextExceeded { prompt_tokens, context_tokens: 50 }
    );
    let whole = LocalModel::new(LocalOptions { context_tokens: u32::MAX, ..file.options() });
    let kind = failure(&whole, ask(&"x".repeat(3000))).await;
    assert!(matches!(kind, ModelErrorKind::ContextExceeded { context_tokens: 2048, .. }), "{kind}");
}

#[tokio::test]
async fn answer_ends_where_the_context_does() {
    let file = Tiny::default().write();
    let model = LocalModel::new(LocalOptions { context_tokens: 60, ..file.options() });
    let request = CompletionRequest { completion_tokens_max: Some(500), ..ask("x") };
    let usage = model.complete(request).await.unwrap().usage;
    assert_eq!(usage.prompt_tokens + usage.completion_tokens, 60);
}

#[tokio::test]
async fn request_with_a_wrong_value_is_refused_with_the_field() {
    let file = Tiny::default().write();
    let model = file.model();
    let hot = Sampling { temperature: Some(9.0), ..Sampling::default() };
    for (request, expected) in [
        (CompletionRequest::default(), "messages"),
        (CompletionRequest { completion_tokens_max: Some(0), ..ask("x") }, "completion_tokens_max"),
        (CompletionRequest { sampling: hot, ..ask("x") }, "temperature"),
    ] {
        let kind = failure(&model, request).await;
        assert!(
            matches!(&kind, ModelErrorKind::InvalidRequest { field, .. } if *field == expected),
            "{kind}"
        );
    }
}

#[tokio::test]
async fn model_whose_file_is_missing_works_once_it_is_there() {
    let file = Tiny::default().write();
    let path = file.path.with_extension("later");
    let model = LocalModel::new(options(&path));
    let error = model.ping().await.unwrap_err();
    assert!(matches!(*error.kind, ModelErrorKind::ModelFileMissing { .. }));
    assert!(!error.to_string().contains('\n') && error.hint().is_some());
    let tokens = model.tokens();
    assert!(tokens.count("abcdef") == 2 && !tokens.is_exact());
    fs::copy(&file.path, &path).unwrap();
    model.ping().await.unwrap();
    model.complete(ask("x")).await.unwrap();
    assert!(tokens.count("the the") == 3 && tokens.is_exact());
}

#[tokio::test]
async fn damaged_file_is_an_error_of_invalid_input() {
    let file = Tiny::default().write();
    let whole = fs::read(&file.path).unwrap();
    fs::write(&file.path, &whole[..whole.len() / 2]).unwrap();
    let error = file.model().ping().await.unwrap_err();
    assert_eq!(error.class(), FailureClass::InvalidInput);
    assert!(matches!(*error.kind, ModelErrorKind::ModelFile { .. }), "{error}");
}

#[test]
fn tokens_are_counted_without_loading_the_weights() {
    let file = Tiny::default().write();
    let whole = fs::read(&file.path).unwrap();
    fs::write(&file.path, &whole[..whole.len() - 100]).unwrap();
    let model = file.model();
    assert_eq!(model.count_tokens("the thé").unwrap(), 5);
    let tokens = model.tokens();
    let messages = [ChatMessage::user("the")];
    assert_eq!(tokens.count_chat(&messages), model.count_chat(&messages).unwrap());
    assert!(tokens.is_exact() && model.info().context_tokens == CONTEXT_TOKENS);
}
