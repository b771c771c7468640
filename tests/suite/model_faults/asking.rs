//! A client with all of its layers, and what it is asked.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use playhouse_config::SecretRef;
use playhouse_config::settings::{
    Config, HttpConfig, ModelConfig, ProviderConfig, RetriesConfig, TimeoutsConfig,
};
use playhouse_models::{Catalog, CatalogParts, CompletionEvent, ModelClient, ModelError, NoObserver};
use playhouse_protocol::SeededSource;
use playhouse_protocol::completion::{ChatMessage, Completion, CompletionRequest, ResponseFormat};
use playhouse_runtime::SystemWallClock;
use playhouse_tests::faults::{Fault, KEY, PROMPT};
use tempfile::NamedTempFile;

/// The schema of questions that ask for JSON.
const SCHEMA: &str = r#"{"type":"object","properties":{"verdict":{"type":"string"}},"required":["verdict"],"additionalProperties":false}"#;

/// What came of a call.
pub(super) struct Met {
    pub(super) result: Result<Completion, ModelError>,
    /// The text as it arrived, and how many times it was begun anew.
    pub(super) arrived: Option<(String, u32)>,
}

/// A file with the key.
pub(super) fn key_file() -> NamedTempFile {
    let mut key = NamedTempFile::new().unwrap();
    key.write_all(KEY.as_bytes()).unwrap();
    key
}

fn settings(fault: &Fault, base_url: String, key: &NamedTempFile) -> HttpConfig {
    let ms = Duration::from_millis;
    let limit = if fault.impatient { ms(2_000) } else { ms(20_000) };
    HttpConfig {
        api_key: Some(SecretRef::File(key.path().to_owned())),
        structured_output: true,
        timeouts: TimeoutsConfig {
            connect: ms(5_000),
            first_token: limit,
            between_tokens: limit,
            attempt: limit,
            total: ms(30_000),
        },
        retries: RetriesConfig { attempts_max: 4, backoff_initial: ms(1), backoff_max: ms(5) },
        ..HttpConfig::new(base_url, "m")
    }
}

pub(super) fn client(fault: &Fault, base_url: String, key: &NamedTempFile) -> Arc<dyn ModelClient> {
    let provider = ProviderConfig::OpenAi(settings(fault, base_url, key));
    let mut config = Config::default();
    config.models.insert("m".to_owned(), ModelConfig::new(provider));
    let parts = CatalogParts {
        random: Arc::new(SeededSource::from_seed(7)),
        wall_clock: Arc::new(SystemWallClock::now()),
        models_dir: "/nowhere".into(),
        observer: Arc::new(NoObserver),
    };
    Catalog::new(&config, parts).client("m").unwrap()
}

/// The question, with a word in it by which a server may choose its answer.
pub(super) fn question(fault: &Fault, word: &str) -> CompletionRequest {
    let mut request = CompletionRequest::new(vec![ChatMessage::user(format!("Say {PROMPT} and {word}."))]);
    if fault.with_schema {
        request.format = ResponseFormat::JsonSchema { name: "verdict".to_owned(), schema: SCHEMA.to_owned() };
    }
    request
}

/// Asks in one of both ways.
pub(super) async fn ask(client: &dyn ModelClient, request: CompletionRequest, streamed: bool) -> Met {
    if streamed { ask_streamed(client, request).await } else { ask_plainly(client, request).await }
}

async fn ask_plainly(client: &dyn ModelClient, request: CompletionRequest) -> Met {
    Met { result: client.complete(request).await, arrived: None }
}

async fn ask_streamed(client: &dyn ModelClient, request: CompletionRequest) -> Met {
    let mut events = client.stream(request);
    let (mut text, mut restarts) = (String::new(), 0);
    loop {
        match events.next().await.unwrap() {
            Ok(CompletionEvent::Delta(delta)) => text.push_str(&delta),
            Ok(CompletionEvent::Restarted { .. }) => {
                text.clear();
                restarts += 1;
            }
            Ok(CompletionEvent::Finished(completion)) => {
                assert!(events.next().await.is_none(), "an event behind the end");
                return Met { result: Ok(completion), arrived: Some((text, restarts)) };
            }
            Err(error) => {
                assert!(events.next().await.is_none(), "an event behind the end");
                return Met { result: Err(error), arrived: Some((text, restarts)) };
            }
        }
    }
}

/// The name of an error's kind: that of its variant.
pub(super) fn kind(error: &ModelError) -> String {
    let text = format!("{:?}", error.kind);
    text.split([' ', '{', '(']).next().unwrap_or_default().to_owned()
}
