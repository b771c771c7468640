//! What several tests of this crate need.

mod asking;
mod fake;
mod server;

use playhouse_protocol::{RandomSource, WallClock};

pub(crate) use asking::{Noted, ask_both_ways, ask_streamed};
pub(crate) use fake::{FakeModel, Step};
pub(crate) use server::{Act, Server, json, response, sse};

use crate::client::ModelInfo;
use playhouse_protocol::Usage;
use playhouse_protocol::completion::{
    ChatMessage, Completion, CompletionRequest, Origin, ProviderKind, Route, StopReason,
};

/// 1994-11-06 08:49:37 UTC, the date of RFC 9110's examples.
pub(crate) const NOW_MS: u64 = 784_111_777_000;

/// A clock that stands still.
#[derive(Debug)]
pub(crate) struct StoppedClock;

impl WallClock for StoppedClock {
    fn unix_ms(&self) -> u64 {
        NOW_MS
    }
}

/// A source that always draws the same.
#[derive(Debug)]
pub(crate) struct Always(pub(crate) u64);

impl RandomSource for Always {
    fn next_u64(&self) -> u64 {
        self.0
    }
}

pub(crate) fn info(provider: ProviderKind) -> ModelInfo {
    ModelInfo {
        name: "m".to_owned(),
        provider,
        context_tokens: 4096,
        completion_tokens_default: 64,
        structured_output: true,
    }
}

pub(crate) fn hello() -> CompletionRequest {
    CompletionRequest::new(vec![ChatMessage::user("hello, this is my prompt")])
}

/// An answer of the model "m" at its first attempt.
pub(crate) fn completion(text: &str) -> Completion {
    Completion {
        text: text.to_owned(),
        stop_reason: StopReason::Stop,
        usage: Usage { model_calls: 1, prompt_tokens: 10, completion_tokens: 2, ..Usage::default() },
        usage_reported: true,
        route: Route { attempts: 1, ..Route::default() },
        origin: Origin { model: "m".to_owned(), provider: ProviderKind::OpenAi, request_id: None },
    }
}
