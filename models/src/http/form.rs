//! What a protocol has to say for itself.

use std::fmt;

use playhouse_protocol::Usage;
use playhouse_protocol::completion::{CompletionRequest, StopReason};
use serde_json::Value;

use super::fault::FaultWords;
use super::framing::Framing;
use crate::client::ModelInfo;
use crate::error::ModelErrorKind;

/// A call, for the form that writes it down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) request: &'a CompletionRequest,
    pub(crate) info: &'a ModelInfo,
    /// The provider's name of the model.
    pub(crate) model: &'a str,
    /// The server's host: some forms have dialects.
    pub(crate) host: &'a str,
    pub(crate) stream: bool,
}

/// A protocol's form: how a call is written, and how its answer is read. Holds nothing of a call.
pub(crate) trait Form: fmt::Debug + Send + Sync {
    /// Where calls go, below the base address.
    fn chat_path(&self) -> &'static str;

    /// What can be asked for nothing, below the base address.
    fn ping_path(&self) -> &'static str;

    /// The header that carries the key, and its value.
    fn key_header(&self, key: &str) -> (&'static str, String);

    /// Headers of every request beside the key and the content type.
    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// The body of a call, as JSON.
    ///
    /// # Errors
    /// When the request has a value that no server of this form takes.
    fn body(&self, call: &Call<'_>) -> Result<Vec<u8>, ModelErrorKind>;

    /// How a streamed answer is cut into events.
    fn framing(&self) -> Framing;

    /// What servers of this form say when they fail.
    fn fault_words(&self) -> &'static FaultWords;

    /// What reads one answer.
    fn reader(&self) -> Box<dyn Reader>;
}

/// Reads one answer; remembers what has come of it so far.
pub(crate) trait Reader: fmt::Debug + Send {
    /// The parts in one event of a streamed answer. Called in the order of the events.
    ///
    /// # Errors
    /// When the event is no part of an answer.
    fn event(&mut self, data: &str) -> Result<Vec<Part>, ReadError>;

    /// The parts of a whole answer.
    ///
    /// # Errors
    /// When the body is no answer.
    fn whole(&mut self, body: &[u8]) -> Result<Vec<Part>, ReadError>;
}

/// A part of an answer, as far as it means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// The server's name for the request; the first counts.
    Id(String),
    /// More text. An empty one says that the server is at work, though perhaps not the model: it counts only once the
    /// answer has begun.
    Text(String),
    /// The text says why there is no answer.
    Refused,
    /// The model is at work and shows no text.
    Thought,
    /// What was used so far; the last counts.
    Usage(Usage),
    /// The text is complete. What follows it is a repetition, or usage.
    Finish(StopReason),
    /// Nothing follows.
    End,
}

/// Why an answer cannot be read.
#[derive(Debug)]
pub(crate) enum ReadError {
    /// It is not the JSON that was expected.
    Json(serde_json::Error),
    /// The server says in the answer that it failed.
    Said(Value),
    /// Anything else.
    Kind(ModelErrorKind),
}

impl From<serde_json::Error> for ReadError {
    fn from(error: serde_json::Error) -> Self {
        Self::Json(error)
    }
}

impl From<ModelErrorKind> for ReadError {
    fn from(kind: ModelErrorKind) -> Self {
        Self::Kind(kind)
    }
}

pub(crate) fn broken(reason: impl Into<String>) -> ModelErrorKind {
    ModelErrorKind::BrokenStream { reason: reason.into() }
}

pub(crate) fn invalid(reason: impl Into<String>) -> ModelErrorKind {
    ModelErrorKind::InvalidResponse { reason: reason.into() }
}
