//! What several tests of this crate need.

mod fake;
mod peer;
mod provider;
mod server;

use playhouse_protocol::{RandomSource, WallClock};

pub(crate) use fake::{FakeModel, Step};
pub(crate) use peer::{Peer, patiently};
pub(crate) use provider::{
    KEY, Streamed, TIMEOUTS, assert_clean, http_args, read_answer, read_stream, retrying,
};
pub(crate) use server::{Act, Server, json, json_lines, response, sse};

use crate::client::ModelInfo;
use playhouse_protocol::completion::{ChatMessage, CompletionRequest, ProviderKind};

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
