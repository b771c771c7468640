//! What an answer has come to so far.

use std::sync::Arc;

use playhouse_protocol::Usage;
use playhouse_protocol::completion::{Completion, CompletionRequest, Origin, Route, StopReason};

use super::ANSWER_BYTES_MAX;
use super::endpoint::{Endpoint, too_long};
use super::form::{Part, broken};
use super::schema::SchemaCheck;
use crate::error::{ModelError, ModelErrorKind};
use crate::tokens::estimate;

/// What an answer has come to so far.
#[derive(Debug, Default)]
pub(super) struct Progress {
    text: String,
    is_refusal: bool,
    stop_reason: Option<StopReason>,
    usage: Option<Usage>,
    request_id: Option<String>,
}

/// What a part means to whoever waits for the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// Nothing.
    Nothing,
    /// The answer goes on if it has begun.
    Alive,
    /// The answer goes on, with this text, which may be empty.
    Text(String),
    /// Nothing follows.
    End,
}

impl Progress {
    pub(super) fn new(request_id: Option<String>) -> Self {
        Self { request_id, ..Self::default() }
    }

    /// The server's name for the request.
    pub(super) fn request_id(&self) -> Option<&String> {
        self.request_id.as_ref()
    }

    /// The text so far.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether the text is complete: then what fails behind it is no longer needed.
    pub(super) fn is_complete(&self) -> bool {
        self.stop_reason.is_some()
    }

    pub(super) fn take(&mut self, part: Part, endpoint: &Endpoint) -> Result<Step, ModelErrorKind> {
        match part {
            Part::Id(id) => {
                if self.request_id.is_none() {
                    self.request_id = endpoint.clean_id(&id);
                }
            }
            Part::Usage(usage) => self.usage = Some(usage),
            Part::Refused => self.is_refusal = true,
            Part::Finish(reason) => {
                self.stop_reason.get_or_insert(reason);
                return Ok(Step::Text(String::new()));
            }
            Part::Text(text) => {
                // What follows a finish is a repetition of it.
                if self.is_complete() {
                    return Ok(Step::Alive);
                }
                if self.text.len() + text.len() > ANSWER_BYTES_MAX {
                    return Err(too_long());
                }
                self.text.push_str(&text);
                return Ok(if text.is_empty() { Step::Alive } else { Step::Text(text) });
            }
            Part::Thought => return Ok(Step::Text(String::new())),
            Part::End => return Ok(Step::End),
        }
        Ok(Step::Nothing)
    }

    /// The answer.
    ///
    /// # Errors
    /// When it was never said to be complete, or does not fit the schema.
    pub(super) async fn into_completion(
        self,
        endpoint: &Endpoint,
        request: &CompletionRequest,
        schema: Option<&SchemaCheck>,
    ) -> Result<Completion, ModelError> {
        let failed = |kind, request_id| ModelError { request_id, ..endpoint.error(kind) };
        let Some(stop_reason) = self.stop_reason else {
            return Err(failed(broken("it ended without a reason to end"), self.request_id));
        };
        let usage_reported = self.usage.is_some();
        let usage = if let Some(usage) = self.usage {
            usage
        } else {
            let messages = request.messages.clone();
            estimate::usage(Arc::clone(&endpoint.tokens), messages, self.text.clone()).await
        };
        let completion = Completion {
            text: self.text,
            stop_reason: if self.is_refusal { StopReason::ContentFilter } else { stop_reason },
            usage,
            usage_reported,
            route: Route { attempts: 1, ..Route::default() },
            origin: Origin {
                model: endpoint.info.name.clone(),
                provider: endpoint.info.provider,
                request_id: self.request_id,
            },
        };
        match schema.map_or(Ok(()), |schema| schema.check(&completion)) {
            Ok(()) => Ok(completion),
            Err(kind) => Err(failed(kind, completion.origin.request_id)),
        }
    }
}
