//! What is recorded against a server on loopback is played back without one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use playhouse_config::settings::{HttpConfig, ModelConfig, ProviderConfig, TrafficConfig};
use playhouse_config::{Config, SecretRef};
use playhouse_protocol::FailureClass;
use playhouse_protocol::completion::{ChatMessage, Completion, CompletionRequest, ProviderKind};

use crate::catalog::{Catalog, CatalogParts};
use crate::client::{CompletionEvent, ModelClient};
use crate::error::{ModelError, ModelErrorKind};
use crate::http::{Connections, HttpArgs, HttpModel};
use crate::observer::NoObserver;
use crate::testing::{
    Act, Always, KEY, Server, StoppedClock, hello, http_args, json, json_lines, response, sse,
};
use crate::{anthropic, ollama, openai};

type Events = Vec<Result<CompletionEvent, ModelError>>;

fn client(provider: ProviderKind, args: HttpArgs) -> HttpModel {
    let connections = Connections::default();
    match provider {
        ProviderKind::Anthropic => anthropic::client(args, &connections).unwrap(),
        ProviderKind::Ollama => ollama::client(args, &connections).unwrap(),
        _ => openai::client(args, &connections).unwrap(),
    }
}

fn recording(provider: ProviderKind, server: &Server, folder: &Path) -> HttpModel {
    let traffic = Some(TrafficConfig::Record(folder.to_owned()));
    client(provider, HttpArgs { traffic, ..http_args(provider, server.url("/v1?k=hidden")) })
}

/// Without a server and without the key.
fn replaying(provider: ProviderKind, folder: &Path) -> HttpModel {
    let traffic = Some(TrafficConfig::Replay(folder.to_owned()));
    client(provider, HttpArgs { traffic, api_key: None, ..http_args(provider, "https://nowhere.invalid/v1") })
}

fn files(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn content(folder: &Path) -> String {
    files(folder).iter().map(|name| std::fs::read_to_string(folder.join(name)).unwrap()).collect()
}

/// A whole answer and a streamed one of each form, with a character and a word cut in two.
fn answers(provider: ProviderKind) -> [Vec<Act>; 2] {
    let (whole, stream): (&str, &str) = match provider {
        ProviderKind::Anthropic => (
            r#"{"id":"msg_1","content":[{"type":"text","text":"Größe"}],"stop_reason":"end_turn","usage":{"input_tokens":4,"output_tokens":2}}"#,
            "data: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":4}}}\n\ndata: {\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\",\"text\":\"Größe\"}}\n\ndata: {\"type\":\"content_block_delta\",\"index\":0,\"delta\":{\"type\":\"text_delta\",\"text\":\" 1\"}}\n\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":\"max_tokens\"},\"usage\":{\"output_tokens\":2}}\n\ndata: {\"type\":\"message_stop\"}\n\n",
        ),
        ProviderKind::Ollama => (
            r#"{"message":{"content":"Größe"},"done":true,"done_reason":"stop","prompt_eval_count":4,"eval_count":2}"#,
            "{\"message\":{\"content\":\"Größe\"},\"done\":false}\n{\"message\":{\"content\":\" 1\"},\"done\":true,\"done_reason\":\"length\",\"prompt_eval_count\":4,\"eval_count\":2}\n",
        ),
        _ => (
            r#"{"id":"c-1","choices":[{"message":{"content":"Größe"},"finish_reason":"stop"}],"usage":{"prompt_tokens":4,"completion_tokens":2}}"#,
            "data: {\"choices\":[{\"delta\":{\"content\":\"Größe\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\" 1\"},\"finish_reason\":\"length\"}]}\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":4,\"completion_tokens\":2}}\n\ndata: [DONE]\n\n",
        ),
    };
    let mut streamed = if provider == ProviderKind::Ollama { json_lines([]) } else { sse([]) };
    streamed.extend(stream.as_bytes().chunks(11).map(|part| Act::Send(part.to_vec())));
    [json(200, whole), streamed]
}

async fn ask(model: &HttpModel) -> (Result<Completion, ModelError>, Events) {
    (model.complete(hello()).await, model.stream(hello()).collect().await)
}

#[tokio::test]
async fn what_was_recorded_is_played_back_alike_plain_and_streamed_in_every_form() {
    for provider in [ProviderKind::OpenAi, ProviderKind::Anthropic, ProviderKind::Ollama] {
        let folder = tempfile::tempdir().unwrap();
        let tapes = folder.path().join("made/when/needed");
        let server = Server::start(answers(provider).into()).await;
        let recorded = ask(&recording(provider, &server, &tapes)).await;
        assert_eq!(recorded.0.as_ref().unwrap().text, "Größe", "{provider:?}");
        assert_eq!(recorded.1.len(), 3, "{recorded:?}");
        assert_eq!(files(&tapes).len(), 2);

        let player = replaying(provider, &tapes);
        player.ping().await.unwrap();
        assert_eq!(ask(&player).await, recorded);
    }
}

#[tokio::test]
async fn an_entry_of_the_catalog_is_played_back_without_its_key() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(answers(ProviderKind::OpenAi).into()).await;
    let mut http = HttpConfig {
        traffic: Some(TrafficConfig::Record(folder.path().to_owned())),
        ..HttpConfig::new(server.url("/v1"), "gpt-x")
    };
    let entry = |http: &HttpConfig| {
        let parts = CatalogParts {
            random: Arc::new(Always(0)),
            wall_clock: Arc::new(StoppedClock),
            observer: Arc::new(NoObserver),
            models_dir: folder.path().to_owned(),
        };
        let mut config = Config::default();
        let model = ModelConfig::new(ProviderConfig::OpenAi(http.clone()));
        config.models.insert("x".to_owned(), model);
        Catalog::new(&config, parts).client("x").unwrap()
    };
    let recorded = entry(&http).complete(hello()).await.unwrap();

    http.traffic = Some(TrafficConfig::Replay(folder.path().to_owned()));
    http.api_key = Some(SecretRef::Env("NOBODY_HAS_THIS_KEY".to_owned()));
    assert_eq!(entry(&http).complete(hello()).await.unwrap(), recorded);
}

#[tokio::test]
async fn the_key_stands_in_no_file_wherever_it_came_from() {
    let folder = tempfile::tempdir().unwrap();
    let (first, rest) = KEY.split_at(4);
    let head = "HTTP/1.1 200 X\r\ncontent-type: application/json\r\nset-cookie: session=crumbs\r\nopenai-organization: acme\r\n";
    let id = format!("x-request-id: req-{KEY}\r\nconnection: close\r\n\r\n");
    let server = Server::start(vec![vec![
        Act::text(&format!("{head}{id}")),
        Act::text(&format!("{{\"choices\":[{{\"message\":{{\"content\":\"your key is {first}")),
        Act::text(&format!("{rest}\"}},\"finish_reason\":\"stop\"}}]}}")),
    ]])
    .await;
    let request = CompletionRequest::new(vec![ChatMessage::user(format!("my key is {KEY}"))]);
    let answer = recording(ProviderKind::OpenAi, &server, folder.path()).complete(request).await.unwrap();
    assert!(answer.text.contains(KEY));
    assert!(server.requests()[0].contains(KEY));

    let content = content(folder.path());
    assert!(content.contains("my key is [key]") && content.contains("your key is [key]"), "{content}");
    for secret in [KEY, rest, "authorization", "crumbs", "acme", "hidden"] {
        assert!(!content.contains(secret), "{secret}: {content}");
    }
    assert!(files(folder.path()).iter().all(|name| !name.contains(KEY)));
}

#[tokio::test]
async fn equal_requests_are_answered_in_recorded_order_and_no_more_often() {
    let folder = tempfile::tempdir().unwrap();
    let answer = |text: &str| {
        json(
            200,
            &format!(
                r#"{{"message":{{"content":"{text}"}},"done":true,"prompt_eval_count":4,"eval_count":1}}"#
            ),
        )
    };
    // A folder that holds traffic is added to.
    for texts in [["a", "b"], ["c", "d"]] {
        let server = Server::start(texts.map(answer).into()).await;
        let model = recording(ProviderKind::Ollama, &server, folder.path());
        for text in texts {
            assert_eq!(model.complete(hello()).await.unwrap().text, text);
        }
    }
    let player = replaying(ProviderKind::Ollama, folder.path());
    for text in ["a", "b", "c", "d"] {
        assert_eq!(player.complete(hello()).await.unwrap().text, text);
    }
    let error = player.complete(hello()).await.unwrap_err();
    assert!(matches!(*error.kind, ModelErrorKind::NotRecorded { .. }), "{error}");
}

#[tokio::test]
async fn a_request_that_was_not_recorded_is_told_with_the_folder() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().display().to_string();
    let player = replaying(ProviderKind::Anthropic, folder.path());
    let plain = player.complete(hello()).await.unwrap_err();
    let events: Events = player.stream(hello()).collect().await;
    for error in [&plain, events[0].as_ref().unwrap_err()] {
        let told = format!("no answer to this request is recorded in {path}");
        assert!(error.to_string().contains(&told), "{error}");
        assert_eq!(error.class(), FailureClass::InvalidInput);
        assert!(error.hint().unwrap().contains(&format!("traffic: {{record: {path}}}")));
    }
    let nowhere = replaying(ProviderKind::Anthropic, &folder.path().join("nowhere"));
    let error = nowhere.ping().await.unwrap_err();
    assert!(matches!(*error.kind, ModelErrorKind::Traffic { .. }) && error.to_string().contains("nowhere"));
}

#[tokio::test]
async fn failures_and_broken_connections_are_played_back_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let refused = response(429, &[("retry-after", "7"), ("request-id", "req-1")], r#"{"error":"slow down"}"#);
    let cut = "HTTP/1.1 200 X\r\ncontent-type: application/x-ndjson\r\ncontent-length: 999\r\n\r\n{\"message\":{\"content\":\"half\"},\"done\":false}\n";
    let server = Server::start(vec![refused, vec![Act::text(cut)]]).await;
    let recorded = ask(&recording(ProviderKind::Ollama, &server, folder.path())).await;
    let refusal = recorded.0.as_ref().unwrap_err();
    assert_eq!((refusal.status, refusal.retry_after), (Some(429), Some(Duration::from_secs(7))));

    let played = ask(&replaying(ProviderKind::Ollama, folder.path())).await;
    assert_eq!(played.0, recorded.0);
    assert_eq!((&played.1[0], played.1.len()), (&recorded.1[0], 2));
    for events in [&played.1, &recorded.1] {
        let error = events[1].as_ref().unwrap_err();
        assert!(matches!(*error.kind, ModelErrorKind::BrokenStream { .. }), "{error}");
    }
}

#[tokio::test]
async fn an_answer_whose_caller_left_is_not_recorded() {
    let folder = tempfile::tempdir().unwrap();
    let mut answer = json_lines(["{\"message\":{\"content\":\"a\"},\"done\":false}\n"]);
    answer.push(Act::UntilGone);
    let server = Server::start(vec![answer]).await;
    let model = recording(ProviderKind::Ollama, &server, folder.path());
    let mut events = model.stream(hello());
    assert!(events.next().await.unwrap().is_ok());
    drop(events);
    server.ended().await;
    assert!(files(folder.path()).is_empty());
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_and_a_file_that_cannot_be_read_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let [whole, streamed] = answers(ProviderKind::OpenAi);
    let server = Server::start(vec![whole.clone(), streamed, whole]).await;
    let (plain, mut events) = ask(&recording(ProviderKind::OpenAi, &server, &file)).await;
    for error in [plain.unwrap_err(), events.pop().unwrap().unwrap_err()] {
        let ModelErrorKind::Traffic { path, .. } = &*error.kind else { panic!("{error}") };
        assert!(path.ends_with("file"), "{error}");
    }

    let tapes = folder.path().join("tapes");
    recording(ProviderKind::OpenAi, &server, &tapes).complete(hello()).await.unwrap();
    let name = files(&tapes).remove(0);
    let good = content(&tapes);
    for (bad, told) in [
        ("{".to_owned(), "EOF"),
        (good.replace("\"version\": 1", "\"version\": 2"), "it is of version 2, not 1"),
        (good.replace("\"status\": 200", "\"status\": 7"), "7 is no HTTP status"),
        (good.replace("\"text\"", "\"hex\""), "hexadecimal"),
    ] {
        assert_ne!(bad, good);
        std::fs::write(tapes.join(&name), bad).unwrap();
        let error = replaying(ProviderKind::OpenAi, &tapes).complete(hello()).await.unwrap_err();
        assert!(error.to_string().contains(told) && error.to_string().contains(&name), "{error}");
    }
}
