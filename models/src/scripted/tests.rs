use std::path::Path;
use std::sync::Arc;

use futures::StreamExt;
use insta::assert_snapshot;
use playhouse_protocol::completion::{ChatMessage, CompletionRequest, ProviderKind};

use super::*;
use crate::client::{CompletionEvent, ModelClient, ModelInfo};
use crate::error::ModelError;
use crate::tokens::TiktokenCounter;

const SCRIPT: &str = "
entries:
  - match: { contains: flaky, nth: 1 }
    error: { status: 503, message: overloaded, retry_after_ms: 10 }
  - match: { contains: [fish, chips], task: review }
    answer: a reviewed meal
    usage: { prompt_tokens: 7, completion_tokens: 3 }
    tokens_per_chunk: 1
  - match: { contains: fish }
    answer: \"one two  three\\nfour five six\\n\"
    delay_ms: 3000
default: { answer: so be it }
";

fn model(script: &str) -> ScriptedModel {
    let info = ModelInfo {
        name: "canned".to_owned(),
        provider: ProviderKind::OpenAi,
        context_tokens: 100,
        completion_tokens_default: 10,
        structured_output: false,
    };
    let script = Script::parse(script, Path::new("script.yaml")).unwrap();
    ScriptedModel::new(info, script, Arc::new(TiktokenCounter::for_model("gpt-4")))
}

fn ask(system: &str, user: &str) -> CompletionRequest {
    CompletionRequest::new(vec![ChatMessage::system(system), ChatMessage::user(user)])
}

async fn text(model: &ScriptedModel, request: CompletionRequest) -> Result<String, ModelError> {
    Ok(model.complete(request).await?.text)
}

#[tokio::test(start_paused = true)]
async fn the_first_entry_that_matches_answers() {
    let model = model(SCRIPT);
    assert_eq!(text(&model, ask("You review code.", "fish and chips")).await.unwrap(), "a reviewed meal");
    assert_eq!(text(&model, ask("You are a reviewer.", "fish and chips")).await.unwrap().len(), 29);
    assert_eq!(text(&model, ask("", "meat")).await.unwrap(), "so be it");
}

#[tokio::test]
async fn answers_are_labelled_and_counted() {
    let model = model(SCRIPT);
    let answer = model.complete(ask("review", "fish chips")).await.unwrap();
    assert_eq!(answer.origin.provider, ProviderKind::Scripted);
    assert_eq!(
        (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage_reported),
        (7, 3, true)
    );
    let answer = model.complete(ask("", "meat")).await.unwrap();
    assert_eq!((answer.usage.model_calls, answer.usage.completion_tokens), (1, 3));
    assert!(!answer.usage_reported);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_streamed_in_runs_of_words() {
    let begin = tokio::time::Instant::now();
    let events: Vec<_> = model(SCRIPT).stream(ask("", "fish")).map(Result::unwrap).collect().await;
    assert_eq!(begin.elapsed().as_millis(), 3000);
    let deltas: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            CompletionEvent::Delta(text) => Some(text.as_str()),
            CompletionEvent::Restarted { .. } | CompletionEvent::Finished(_) => None,
        })
        .collect();
    assert_eq!(deltas, ["one two  three\nfour", " five six\n"]);
    assert!(matches!(events.last(), Some(CompletionEvent::Finished(_))));
}

#[tokio::test(start_paused = true)]
async fn a_script_can_wait_between_what_it_streams() {
    let slow = "default: { answer: one two three, tokens_per_chunk: 1, chunk_delay_ms: 50 }";
    let mut events = model(slow).stream(ask("", "fish"));
    let begin = tokio::time::Instant::now();
    let mut waited = Vec::new();
    while let Some(event) = events.next().await {
        if let CompletionEvent::Delta(_) = event.unwrap() {
            waited.push(begin.elapsed().as_millis());
        }
    }
    assert_eq!(waited, [0, 50, 100]);
}

#[tokio::test]
async fn nth_counts_the_matching_requests_of_one_client() {
    let first = model(SCRIPT);
    let error = text(&first, ask("", "flaky")).await.unwrap_err();
    assert_eq!(error.status, Some(503));
    assert_eq!(error.retry_after.unwrap().as_millis(), 10);
    assert!(error.class().is_retryable());
    assert_eq!(text(&first, ask("", "flaky")).await.unwrap(), "so be it");
    assert!(text(&model(SCRIPT), ask("", "flaky")).await.is_err());
}

#[tokio::test]
async fn a_request_without_an_entry_is_an_error_with_the_scripts_name() {
    let error = text(&model("entries: []"), ask("", "fish")).await.unwrap_err();
    assert_snapshot!(error, @"ask model canned (scripted): the script script.yaml has no answer for this request");
}

#[test]
fn a_malformed_script_is_refused_with_its_place() {
    fn check(script: &str) -> String {
        Script::parse(script, Path::new("s.yaml")).unwrap_err().to_string()
    }
    assert_snapshot!(check("entries:\n  - answr: x\n"), @"read the script s.yaml: line 2, column 5: entries[0]: unknown field `answr`, expected one of `match`, `answer`, `stop_reason`, `usage`, `delay_ms`, `chunk_delay_ms`, `error`, `tokens_per_chunk`");
    assert_snapshot!(check("entries:\n  - match: {nth: 1}\n"), @"read the script s.yaml: entry 1: it has neither `answer` nor `error`");
    assert_snapshot!(check("entries:\n  - {answer: a, error: {status: 500}}\n"), @"read the script s.yaml: entry 1: it has both `answer` and `error`");
    assert_snapshot!(check("entries:\n  - {error: {message: x}}\n"), @"read the script s.yaml: entry 1: an `error` needs either `status` or `class`");
    assert_snapshot!(check("entries:\n  - {error: {status: 200}}\n"), @"read the script s.yaml: entry 1: the `status` of an `error` lies between 400 and 599");
    assert_snapshot!(check("default: {answer: a, tokens_per_chunk: 0}"), @"read the script s.yaml: default: `tokens_per_chunk` is at least 1");
    assert_snapshot!(check("entries:\n  - {match: {nth: 0}, answer: a}\n"), @"read the script s.yaml: entry 1: `nth` counts from 1");
    assert_snapshot!(check("entries: [\n"), @"read the script s.yaml: line 2, column 1: did not find expected node content");
    assert_snapshot!(check("- x\n"), @"read the script s.yaml: line 1, column 1: invalid type: sequence, expected a script with `entries` and `default`");
    assert_snapshot!(Script::read(Path::new("/nowhere/s.yaml")).unwrap_err(), @"read the script /nowhere/s.yaml: No such file or directory (os error 2)");
}
