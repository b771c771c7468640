//! What the tests of every HTTP provider need.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use playhouse_config::Secret;
use playhouse_config::settings::{RetriesConfig, TimeoutsConfig};
use playhouse_protocol::completion::{Completion, CompletionRequest, ProviderKind};

use super::{Always, StoppedClock, hello, info};
use crate::client::{CompletionEvent, ModelClient};
use crate::error::ModelError;
use crate::http::HttpArgs;
use crate::layers::{RetryPolicy, Retrying};
use crate::tokens::TiktokenCounter;

pub(crate) const KEY: &str = "s3cret-key-42";

pub(crate) const TIMEOUTS: TimeoutsConfig = TimeoutsConfig {
    connect: Duration::from_secs(5),
    first_token: Duration::from_secs(20),
    attempt: Duration::from_secs(50),
    between_tokens: Duration::from_secs(10),
    total: Duration::from_secs(60),
};

pub(crate) fn http_args(provider: ProviderKind, base_url: impl Into<String>) -> HttpArgs {
    HttpArgs {
        info: info(provider),
        base_url: base_url.into(),
        model: "gpt-x".to_owned(),
        api_key: Some(Secret::new(KEY, "env:KEY")),
        timeouts: TIMEOUTS,
        traffic: None,
        tokens: Arc::new(TiktokenCounter::for_model("gpt-4")),
        wall_clock: Arc::new(StoppedClock),
    }
}

/// The model with up to three attempts and no waits but the server's.
pub(crate) fn retrying(model: impl ModelClient + 'static) -> Retrying {
    let retries =
        RetriesConfig { attempts_max: 3, backoff_initial: Duration::ZERO, backoff_max: Duration::ZERO };
    Retrying::new(Arc::new(model), RetryPolicy::new(&retries, &TIMEOUTS), Arc::new(Always(0)))
}

/// Nothing that is shown holds the key or the prompt.
pub(crate) fn assert_clean(error: &ModelError) {
    let shown = format!("{error} {error:?} {:?}", error.hint());
    assert!(!shown.contains(KEY) && !shown.contains("my prompt"), "{shown}");
}

/// What came: the deltas, and the end.
#[derive(Debug)]
pub(crate) struct Streamed {
    pub(crate) deltas: Vec<String>,
    pub(crate) end: Result<Completion, ModelError>,
}

/// Asks for a streamed answer and reads it to its end.
pub(crate) async fn read_stream(client: &dyn ModelClient) -> Streamed {
    read_answer(client, hello()).await
}

/// Asks this for a streamed answer and reads it to its end.
pub(crate) async fn read_answer(client: &dyn ModelClient, request: CompletionRequest) -> Streamed {
    let mut events = client.stream(request);
    let mut deltas = Vec::new();
    let mut end = None;
    while let Some(event) = events.next().await {
        assert!(end.is_none(), "an event after the last one: {event:?}");
        match event {
            Ok(CompletionEvent::Delta(text)) => deltas.push(text),
            Ok(CompletionEvent::Restarted { .. }) => panic!("nobody tries again here"),
            Ok(CompletionEvent::Finished(completion)) => end = Some(Ok(completion)),
            Err(error) => {
                assert_clean(&error);
                end = Some(Err(error));
            }
        }
    }
    Streamed { deltas, end: end.expect("an end") }
}
