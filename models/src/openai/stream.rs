//! Reads an answer: as it arrives, or whole.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use playhouse_protocol::Usage;
use playhouse_protocol::completion::{
    Completion, CompletionRequest, Origin, ProviderKind, Route, StopReason,
};
use reqwest::Response;
use reqwest::header::CONTENT_TYPE;
use tokio::time::{Instant, timeout_at};

use super::ANSWER_BYTES_MAX;
use super::endpoint::{Endpoint, timed_out, too_long};
use super::sse::{SseDecoder, SseError};
use super::wire::{Answer, Choice, Finish};
use crate::client::CompletionEvent;
use crate::error::{Awaited, ModelError, ModelErrorKind};
use crate::tokens::estimate;

/// How long is waited for the usage and the end mark once the answer's text is complete. They follow at once where
/// they come at all, and an answer must not be lost for them.
const EPILOGUE_TIMEOUT: Duration = Duration::from_secs(2);

/// The data with which a stream ends.
const END_MARK: &str = "[DONE]";

/// What an answer has come to so far.
#[derive(Debug, Default)]
struct Progress {
    text: String,
    is_refusal: bool,
    stop_reason: Option<StopReason>,
    usage: Option<Usage>,
    request_id: Option<String>,
}

impl Progress {
    fn take_choice(&mut self, choice: &Choice) -> Result<Option<String>, ModelErrorKind> {
        // What follows a finish is a repetition of it.
        if self.stop_reason.is_some() {
            return Ok(None);
        }
        let (text, is_refusal) = choice.text();
        if self.text.len() + text.len() > ANSWER_BYTES_MAX {
            return Err(too_long());
        }
        self.text.push_str(&text);
        self.is_refusal |= is_refusal;
        match choice.finish() {
            None => {}
            Some(Finish::Ended(reason)) => self.stop_reason = Some(reason),
            Some(Finish::Aborted) => return Err(broken("the provider gave up")),
        }
        Ok((!text.is_empty()).then_some(text))
    }

    async fn into_completion(
        self,
        endpoint: &Endpoint,
        request: &CompletionRequest,
    ) -> Result<Completion, ModelError> {
        let Some(stop_reason) = self.stop_reason else {
            return Err(endpoint.error(broken("it ended without a finish_reason")));
        };
        let usage_reported = self.usage.is_some();
        let usage = if let Some(usage) = self.usage {
            usage
        } else {
            let messages = request.messages.clone();
            estimate::usage(Arc::clone(&endpoint.tokens), messages, self.text.clone()).await
        };
        Ok(Completion {
            text: self.text,
            stop_reason: if self.is_refusal { StopReason::ContentFilter } else { stop_reason },
            usage,
            usage_reported,
            route: Route { attempts: 1, ..Route::default() },
            origin: Origin {
                model: endpoint.info.name.clone(),
                provider: ProviderKind::OpenAi,
                request_id: self.request_id,
            },
        })
    }
}

/// Reads a whole answer.
pub(super) async fn read_whole(
    endpoint: &Endpoint,
    response: &mut Response,
    request: &CompletionRequest,
) -> Result<Completion, ModelError> {
    let mut progress =
        Progress { request_id: endpoint.request_id(response.headers()), ..Progress::default() };
    let failed = |kind, request_id: &Option<String>| {
        let mut error = endpoint.error(kind);
        error.request_id.clone_from(request_id);
        error
    };
    let result = read_answer(endpoint, response, &mut progress).await;
    result.map_err(|kind| failed(kind, &progress.request_id))?;
    progress.into_completion(endpoint, request).await
}

async fn read_answer(
    endpoint: &Endpoint,
    response: &mut Response,
    progress: &mut Progress,
) -> Result<(), ModelErrorKind> {
    let content_type = content_type(response);
    let body = endpoint.read_body(response).await?;
    let answer: Answer = serde_json::from_slice(&body).map_err(|error| not_json(&error, &content_type))?;
    if let Some(error) = &answer.error {
        return Err(endpoint.answer_fault(error));
    }
    if progress.request_id.is_none() {
        progress.request_id = answer.id.as_deref().and_then(|id| endpoint.clean_id(id));
    }
    progress.usage = answer.usage.and_then(super::wire::WireUsage::checked);
    let choice = answer.into_first_choice();
    let choice = choice.ok_or_else(|| invalid("it has no choices".to_owned()))?;
    progress.take_choice(&choice)?;
    Ok(())
}

/// A streamed call between two of its events.
pub(super) struct Streaming {
    endpoint: Arc<Endpoint>,
    request: CompletionRequest,
    progress: Progress,
    /// Texts that have arrived and not been given.
    ready: VecDeque<String>,
    source: Source,
    /// When the call began; set at its first poll.
    begun: Option<Instant>,
    /// When the answer last went on.
    went_on: Option<Instant>,
}

enum Source {
    NotSent,
    Reading { response: Response, decoder: SseDecoder },
    Ended,
}

/// Until when is waited, and for what.
struct Limit {
    at: Instant,
    what: Awaited,
    duration: Duration,
}

impl Streaming {
    pub(super) fn new(endpoint: Arc<Endpoint>, request: CompletionRequest) -> Self {
        Self {
            endpoint,
            request,
            progress: Progress::default(),
            ready: VecDeque::new(),
            source: Source::NotSent,
            begun: None,
            went_on: None,
        }
    }

    /// The next event. Not to be called after `Finished` or an error.
    pub(super) async fn next(&mut self) -> Result<CompletionEvent, ModelError> {
        // Time that the caller took for the last event is not the server's.
        let asked = Instant::now();
        let begun = *self.begun.get_or_insert(asked);
        loop {
            if let Some(text) = self.ready.pop_front() {
                return Ok(CompletionEvent::Delta(text));
            }
            if matches!(self.source, Source::Ended) {
                let progress = std::mem::take(&mut self.progress);
                let completion = progress.into_completion(&self.endpoint, &self.request).await?;
                return Ok(CompletionEvent::Finished(completion));
            }
            let limit = self.limit(begun, asked);
            let step = match timeout_at(limit.at, self.step()).await {
                Ok(step) => step,
                Err(_) => Err(self.endpoint.error(timed_out(limit.what, limit.duration))),
            };
            match step {
                Ok(()) => {}
                // The text is complete: what fails behind it is no longer needed.
                Err(_) if self.progress.stop_reason.is_some() => self.source = Source::Ended,
                Err(mut error) => {
                    if error.request_id.is_none() {
                        error.request_id.clone_from(&self.progress.request_id);
                    }
                    return Err(error);
                }
            }
        }
    }

    fn limit(&self, begun: Instant, asked: Instant) -> Limit {
        let timeouts = &self.endpoint.timeouts;
        let (from, what, duration) = match self.went_on {
            None => (begun, Awaited::FirstToken, timeouts.first_token),
            Some(went_on) if self.progress.stop_reason.is_some() => {
                (went_on.max(asked), Awaited::NextToken, timeouts.between_tokens.min(EPILOGUE_TIMEOUT))
            }
            Some(went_on) => (went_on.max(asked), Awaited::NextToken, timeouts.between_tokens),
        };
        let pause = Limit { at: from + duration, what, duration };
        let total = Limit { at: begun + timeouts.total, what: Awaited::Answer, duration: timeouts.total };
        if total.at <= pause.at { total } else { pause }
    }

    /// Sends the request, or reads the next part of the answer.
    async fn step(&mut self) -> Result<(), ModelError> {
        match &mut self.source {
            Source::NotSent => {
                let mut response = self.endpoint.send(&self.request, true).await?;
                self.progress.request_id = self.endpoint.request_id(response.headers());
                self.source = match content_type(&response).as_str() {
                    "text/event-stream" | "" | "application/octet-stream" => {
                        Source::Reading { response, decoder: SseDecoder::default() }
                    }
                    // Some servers do not stream, whatever they are asked.
                    _ => {
                        let read = read_answer(&self.endpoint, &mut response, &mut self.progress).await;
                        read.map_err(|kind| self.endpoint.error(kind))?;
                        let text = self.progress.text.clone();
                        self.ready.extend((!text.is_empty()).then_some(text));
                        Source::Ended
                    }
                };
                Ok(())
            }
            Source::Reading { response, decoder } => {
                let part = response.chunk().await;
                let part =
                    part.map_err(|error| self.endpoint.error(self.endpoint.transport_fault(&error)))?;
                if let Some(bytes) = part {
                    let events = decoder.push(&bytes).map_err(|error| self.endpoint.error(error.into()))?;
                    for data in events {
                        self.take_event(&data).map_err(|kind| self.endpoint.error(kind))?;
                    }
                } else {
                    let rest = std::mem::take(decoder).finish();
                    self.take_rest(rest).map_err(|kind| self.endpoint.error(kind))?;
                    self.source = Source::Ended;
                }
                Ok(())
            }
            Source::Ended => Ok(()),
        }
    }

    fn take_event(&mut self, data: &str) -> Result<(), ModelErrorKind> {
        if matches!(self.source, Source::Ended) || data.is_empty() {
            return Ok(());
        }
        if data.trim() == END_MARK {
            self.source = Source::Ended;
            return Ok(());
        }
        let chunk: Answer =
            serde_json::from_str(data).map_err(|error| not_json(&error, "text/event-stream"))?;
        if let Some(error) = &chunk.error {
            return Err(self.endpoint.answer_fault(error));
        }
        if self.progress.request_id.is_none() {
            self.progress.request_id = chunk.id.as_deref().and_then(|id| self.endpoint.clean_id(id));
        }
        if let Some(usage) = chunk.usage.and_then(super::wire::WireUsage::checked) {
            self.progress.usage = Some(usage);
        }
        if let Some(choice) = chunk.into_first_choice() {
            let text = self.progress.take_choice(&choice)?;
            // A chunk that only says who speaks is not yet an answer.
            if self.went_on.is_some() || choice.shows_progress() || self.progress.stop_reason.is_some() {
                self.went_on = Some(Instant::now());
            }
            self.ready.extend(text);
        }
        Ok(())
    }

    /// Takes what stood in the buffer when the connection ended. A torn chunk is the sign of a broken stream, not
    /// of a server that writes nonsense.
    fn take_rest(&mut self, rest: Result<Option<String>, SseError>) -> Result<(), ModelErrorKind> {
        match rest {
            Ok(Some(data)) => match self.take_event(&data) {
                Err(ModelErrorKind::InvalidResponse { .. }) => {
                    Err(broken("the connection ended inside a chunk"))
                }
                taken => taken,
            },
            Ok(None) => Ok(()),
            Err(_) => Err(broken("the connection ended inside a character")),
        }
    }
}

impl From<SseError> for ModelErrorKind {
    fn from(error: SseError) -> Self {
        invalid(error.to_string())
    }
}

/// The media type without its parameters, in lower case; empty when the server does not say.
fn content_type(response: &Response) -> String {
    let value =
        response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

fn broken(reason: &str) -> ModelErrorKind {
    ModelErrorKind::BrokenStream { reason: reason.to_owned() }
}

fn invalid(reason: String) -> ModelErrorKind {
    ModelErrorKind::InvalidResponse { reason }
}

/// Says where JSON ends to make sense, and not what stands there, which may be an answer's text.
fn not_json(error: &serde_json::Error, content_type: &str) -> ModelErrorKind {
    let what = if error.is_data() { "it is JSON of another form" } else { "it is not JSON" };
    let content_type = super::scrub::scrub(content_type, None);
    invalid(format!(
        "{what} (line {}, column {}, content type {content_type:?})",
        error.line(),
        error.column()
    ))
}
