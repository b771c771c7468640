//! What can go wrong with a model call.

use std::fmt;
use std::time::Duration;

use playhouse_protocol::completion::{PassedOver, ProviderKind};
use playhouse_protocol::{Failure, FailureClass};

use crate::client::ModelInfo;

/// A model call that failed: who was asked, and what went wrong.
///
/// Holds no secret and no text of a prompt: what providers say is cut and cleaned before it is put in here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("ask model {model} ({}): {kind}{}{}", provider.as_str(), StatusNote(*status), AlsoFailedNote(also_failed))]
pub struct ModelError {
    /// The catalog entry.
    pub model: String,
    /// The kind of provider.
    pub provider: ProviderKind,
    /// What went wrong. Boxed so that results stay small.
    pub kind: Box<ModelErrorKind>,
    /// The HTTP status, where there was one.
    pub status: Option<u16>,
    /// The provider's name for the request, where it gave one.
    pub request_id: Option<String>,
    /// How long the provider asks to wait.
    pub retry_after: Option<Duration>,
    /// Requests that were sent before it was given up, to all models together; 0 when none was.
    pub attempts: u32,
    /// Models that were asked after this one, and failed too.
    pub also_failed: Vec<PassedOver>,
}

/// The HTTP status at the end of an error's text.
struct StatusNote(Option<u16>);

impl fmt::Display for StatusNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(status) => write!(f, " (HTTP {status})"),
            None => Ok(()),
        }
    }
}

/// Who else failed, at the end of an error's text.
struct AlsoFailedNote<'a>(&'a [PassedOver]);

impl fmt::Display for AlsoFailedNote<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, PassedOver { model, failure }) in self.0.iter().enumerate() {
            let lead = if place == 0 { "; also failed: " } else { "; " };
            write!(f, "{lead}{model} ({failure})")?;
        }
        Ok(())
    }
}

/// How long a prompt is, as far as it is known.
fn prompt_note(prompt_tokens: u64) -> String {
    match prompt_tokens {
        0 => "the prompt is too long: ".to_owned(),
        tokens => format!("the prompt has {tokens} tokens, "),
    }
}

/// What went wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelErrorKind {
    /// No connection.
    #[error("{endpoint} cannot be reached: {reason}")]
    Unreachable {
        /// Scheme, host and port.
        endpoint: String,
        /// What the network said.
        reason: String,
    },
    /// A time limit passed.
    #[error("no {what} within {limit_ms} ms")]
    TimedOut {
        /// What was waited for.
        what: Awaited,
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// The provider wants fewer requests.
    #[error("too many requests: {message}")]
    RateLimited {
        /// What the provider said.
        message: String,
    },
    /// The provider is broken or not ready.
    #[error("the provider failed: {message}")]
    ServerError {
        /// What the provider said.
        message: String,
    },
    /// The provider finds the request wrong.
    #[error("the request was rejected: {message}")]
    Rejected {
        /// What the provider said.
        message: String,
    },
    /// The key is missing or wrong.
    #[error("access was denied: {message}")]
    Unauthorized {
        /// What the provider said.
        message: String,
    },
    /// The provider does not have the model.
    #[error("the provider has no such model: {message}")]
    NoSuchModel {
        /// What the provider said.
        message: String,
    },
    /// The prompt does not fit.
    #[error("{}the model holds {context_tokens} tokens", prompt_note(*prompt_tokens))]
    ContextExceeded {
        /// Tokens of the prompt; 0 where the provider did not say.
        prompt_tokens: u64,
        /// Tokens that the model holds.
        context_tokens: u64,
    },
    /// The answer stopped half way.
    #[error("the answer broke off: {reason}")]
    BrokenStream {
        /// What was seen.
        reason: String,
    },
    /// The answer is not of the form that the protocol asks for.
    #[error("the answer cannot be read: {reason}")]
    InvalidResponse {
        /// What was seen.
        reason: String,
    },
    /// The answer is not of the form that was asked for.
    #[error("the answer does not fit the schema {schema:?}: {reason}")]
    OutOfSchema {
        /// The schema's name.
        schema: String,
        /// Where and why it does not fit, without the answer's text.
        reason: String,
    },
    /// Too many calls failed lately, and further ones are refused for a while.
    #[error("it failed too often lately and is left alone for {retry_in_ms} ms")]
    BreakerOpen {
        /// When it is tried again, in milliseconds from here.
        retry_in_ms: u64,
    },
    /// The call's turn does not come within its time.
    #[error("its turn would come in {wait_ms} ms, which is not in time")]
    Paced {
        /// How long it would have to wait, in milliseconds.
        wait_ms: u64,
    },
    /// The queue in front of the model is full.
    #[error("its queue is full ({queue_len} requests wait)")]
    QueueFull {
        /// The queue's bound.
        queue_len: usize,
    },
    /// The request has a value that no model takes.
    #[error("{field} is wrong: {reason}")]
    InvalidRequest {
        /// The field of the request.
        field: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// The model's file cannot be used.
    #[error("the model file {path} cannot be used: {reason}")]
    ModelFile {
        /// The file.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The model's file is not there.
    #[error("the model file {path} is not there")]
    ModelFileMissing {
        /// Where it was looked for.
        path: String,
    },
    /// The script has no answer for this request.
    #[error("the script {path} has no answer for this request")]
    NotScripted {
        /// The script.
        path: String,
    },
    /// This machine cannot make connections at all.
    #[error("connections to {endpoint} cannot be set up: {reason}")]
    Connector {
        /// Scheme, host and port.
        endpoint: String,
        /// What the system said.
        reason: String,
    },
    /// A fault of ours.
    #[error("internal fault: {reason}")]
    Internal {
        /// What happened.
        reason: String,
    },
}

/// What was waited for when a time limit passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    /// The connection to the provider.
    Connection,
    /// The first part of the answer.
    FirstToken,
    /// The next part of the answer.
    NextToken,
    /// The end of the answer, in one attempt.
    Attempt,
    /// The whole answer, all attempts together.
    Answer,
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Connection => "connection",
            Self::FirstToken => "first token",
            Self::NextToken => "next token",
            Self::Attempt => "end of the answer",
            Self::Answer => "answer",
        })
    }
}

impl ModelError {
    /// An error of the model that `info` describes.
    pub fn new(info: &ModelInfo, kind: ModelErrorKind) -> Self {
        Self {
            model: info.name.clone(),
            provider: info.provider,
            kind: Box::new(kind),
            status: None,
            request_id: None,
            retry_after: None,
            attempts: 0,
            also_failed: Vec::new(),
        }
    }

    /// What to decide on. A provider that stalls may do better at the next attempt, so only the limit on the
    /// whole answer counts as the caller's deadline.
    pub fn class(&self) -> FailureClass {
        match *self.kind {
            ModelErrorKind::Unreachable { .. }
            | ModelErrorKind::ServerError { .. }
            | ModelErrorKind::RateLimited { .. }
            | ModelErrorKind::BrokenStream { .. }
            | ModelErrorKind::InvalidResponse { .. }
            | ModelErrorKind::OutOfSchema { .. }
            | ModelErrorKind::TimedOut {
                what: Awaited::Connection | Awaited::FirstToken | Awaited::NextToken | Awaited::Attempt,
                ..
            } => FailureClass::Retryable,
            ModelErrorKind::TimedOut { what: Awaited::Answer, .. } => FailureClass::Deadline,
            ModelErrorKind::QueueFull { .. }
            | ModelErrorKind::BreakerOpen { .. }
            | ModelErrorKind::Paced { .. } => FailureClass::Overloaded,
            ModelErrorKind::Unauthorized { .. } => FailureClass::Denied,
            ModelErrorKind::Rejected { .. }
            | ModelErrorKind::NoSuchModel { .. }
            | ModelErrorKind::ContextExceeded { .. }
            | ModelErrorKind::InvalidRequest { .. }
            | ModelErrorKind::ModelFile { .. }
            | ModelErrorKind::ModelFileMissing { .. }
            | ModelErrorKind::NotScripted { .. } => FailureClass::InvalidInput,
            ModelErrorKind::Connector { .. } | ModelErrorKind::Internal { .. } => FailureClass::Internal,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        let model = &self.model;
        let hint = match &*self.kind {
            ModelErrorKind::Unreachable { endpoint, .. } => {
                format!("Check that a server listens at {endpoint}: playhouse models ping {model}")
            }
            ModelErrorKind::Unauthorized { .. } => {
                format!(
                    "Check the key of model {model}: `api_key: env:NAME` in playhouse.yaml names where it is read from."
                )
            }
            ModelErrorKind::NoSuchModel { .. } => {
                format!(
                    "Check `model:` of the catalog entry {model} in playhouse.yaml against what the provider offers."
                )
            }
            ModelErrorKind::ContextExceeded { .. } => {
                "Shorten the input, or choose a model with a larger context: playhouse models list".to_owned()
            }
            ModelErrorKind::ModelFileMissing { .. } => format!("Fetch it: playhouse models pull {model}"),
            ModelErrorKind::ModelFile { .. } => {
                format!(
                    "Name a GGUF file of the architecture llama or qwen2; one that Playhouse knows is fetched anew \
                     by: playhouse models pull {model} --force"
                )
            }
            ModelErrorKind::NotScripted { path } => {
                format!(
                    "Add an entry for this request to {path}, or choose a real model: playhouse models list"
                )
            }
            ModelErrorKind::Connector { .. } => {
                "Check that this machine has CA certificates (the package ca-certificates on most systems)."
                    .to_owned()
            }
            ModelErrorKind::TimedOut { .. } => {
                format!("Try again, or raise the `timeouts` of model {model} in playhouse.yaml.")
            }
            ModelErrorKind::BreakerOpen { .. } => {
                format!(
                    "Wait, name `fallbacks` for model {model} in playhouse.yaml, or see: playhouse models ping {model}"
                )
            }
            ModelErrorKind::Paced { .. } => {
                format!("Ask less often, or raise `pacing` of model {model} in playhouse.yaml.")
            }
            ModelErrorKind::OutOfSchema { .. }
            | ModelErrorKind::RateLimited { .. }
            | ModelErrorKind::ServerError { .. }
            | ModelErrorKind::Rejected { .. }
            | ModelErrorKind::BrokenStream { .. }
            | ModelErrorKind::InvalidResponse { .. }
            | ModelErrorKind::QueueFull { .. }
            | ModelErrorKind::InvalidRequest { .. }
            | ModelErrorKind::Internal { .. } => return None,
        };
        Some(hint)
    }
}

impl From<ModelError> for Failure {
    fn from(error: ModelError) -> Self {
        Self {
            class: error.class(),
            hint: error.hint(),
            retry_after_ms: error.retry_after.map(|wait| u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)),
            message: error.to_string(),
        }
    }
}
