//! Reads an answer: as it arrives, or whole.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use playhouse_protocol::completion::{Completion, CompletionRequest};
use tokio::time::{Instant, timeout_at};

use super::endpoint::{Endpoint, timed_out};
use super::form::{Part, Reader, broken};
use super::framing::{Decoder, FrameError};
use super::progress::{Progress, Step};
use super::reply::Reply;
use super::schema::SchemaCheck;
use crate::client::CompletionEvent;
use crate::error::{Awaited, ModelError, ModelErrorKind};

/// How long is waited for the usage and the end mark once the answer's text is complete. They follow at once where
/// they come at all, and an answer must not be lost for them.
const EPILOGUE_TIMEOUT: Duration = Duration::from_secs(2);

/// Asks for a whole answer and reads it.
pub(super) async fn complete(
    endpoint: &Endpoint,
    request: &CompletionRequest,
) -> Result<Completion, ModelError> {
    let schema = endpoint.schema_check(request)?;
    let mut reply = endpoint.send(request, false).await?;
    let mut progress = Progress::new(endpoint.request_id(&reply.headers));
    let read = read_whole(endpoint, &mut reply, &mut progress).await;
    let closed = reply.close().await;
    read.and(closed).map_err(|kind| failed(endpoint, kind, &progress))?;
    progress.into_completion(endpoint, request, schema.as_ref()).await
}

/// Reads a whole answer.
async fn read_whole(
    endpoint: &Endpoint,
    reply: &mut Reply,
    progress: &mut Progress,
) -> Result<(), ModelErrorKind> {
    let body = endpoint.read_body(reply).await?;
    let parts = endpoint.form.reader().whole(&body);
    let parts = parts.map_err(|error| endpoint.read_fault(error, &reply.content_type()))?;
    parts.into_iter().try_for_each(|part| progress.take(part, endpoint).map(drop))
}

fn failed(endpoint: &Endpoint, kind: ModelErrorKind, progress: &Progress) -> ModelError {
    let mut error = endpoint.error(kind);
    error.request_id = progress.request_id().cloned();
    error
}

/// A streamed call between two of its events.
pub(super) struct Streaming {
    endpoint: Arc<Endpoint>,
    request: CompletionRequest,
    schema: Option<SchemaCheck>,
    progress: Progress,
    /// Texts that have arrived and not been given.
    ready: VecDeque<String>,
    source: Source,
    /// Whether nothing follows, whether or not the connection has ended.
    is_over: bool,
    /// When the call began; set at its first poll.
    begun: Option<Instant>,
    /// When the answer last went on.
    went_on: Option<Instant>,
}

enum Source {
    NotSent,
    Reading { reply: Box<Reply>, decoder: Decoder, reader: Box<dyn Reader> },
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
            schema: None,
            progress: Progress::default(),
            ready: VecDeque::new(),
            source: Source::NotSent,
            is_over: false,
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
                let completion =
                    progress.into_completion(&self.endpoint, &self.request, self.schema.as_ref()).await?;
                return Ok(CompletionEvent::Finished(completion));
            }
            let limit = self.limit(begun, asked);
            let step = match timeout_at(limit.at, self.step()).await {
                Ok(step) => step,
                Err(_) => Err(self.endpoint.error(timed_out(limit.what, limit.duration))),
            };
            match step {
                Ok(()) if !self.is_over => {}
                Ok(()) => self.end().await?,
                // The text is complete: what fails behind it is no longer needed.
                Err(_) if self.progress.is_complete() => self.end().await?,
                Err(mut error) => {
                    // An answer that does not come is not written down as one that ended.
                    if !matches!(*error.kind, ModelErrorKind::TimedOut { .. }) {
                        // The failure stands above one to write it down.
                        let _ = self.end().await;
                    }
                    if error.request_id.is_none() {
                        error.request_id = self.progress.request_id().cloned();
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
            Some(went_on) if self.progress.is_complete() => {
                (went_on.max(asked), Awaited::NextToken, timeouts.between_tokens.min(EPILOGUE_TIMEOUT))
            }
            Some(went_on) => (went_on.max(asked), Awaited::NextToken, timeouts.between_tokens),
        };
        let pause = Limit { at: from + duration, what, duration };
        let attempt =
            Limit { at: begun + timeouts.attempt, what: Awaited::Attempt, duration: timeouts.attempt };
        if attempt.at < pause.at { attempt } else { pause }
    }

    /// Sends the request, or reads the next part of the answer.
    async fn step(&mut self) -> Result<(), ModelError> {
        let endpoint = Arc::clone(&self.endpoint);
        match &mut self.source {
            Source::NotSent => self.send().await,
            Source::Reading { reply, decoder, .. } => {
                let part = reply.chunk().await;
                let part = part.map_err(|error| endpoint.error(endpoint.reply_fault(&error)))?;
                let taken = if let Some(bytes) = part {
                    match decoder.push(&bytes) {
                        Ok(events) => events.iter().try_for_each(|data| self.take_event(data)),
                        Err(error) => Err(error.into()),
                    }
                } else {
                    let rest = decoder.finish();
                    let taken = self.take_rest(rest);
                    self.is_over = true;
                    taken
                };
                taken.map_err(|kind| endpoint.error(kind))
            }
            Source::Ended => Ok(()),
        }
    }

    /// Nothing more is read. No time limit of the server's holds for what is left to do.
    async fn end(&mut self) -> Result<(), ModelError> {
        match std::mem::replace(&mut self.source, Source::Ended) {
            Source::Reading { mut reply, .. } => {
                reply.close().await.map_err(|kind| self.endpoint.error(kind))
            }
            Source::NotSent | Source::Ended => Ok(()),
        }
    }

    async fn send(&mut self) -> Result<(), ModelError> {
        let endpoint = Arc::clone(&self.endpoint);
        self.schema = endpoint.schema_check(&self.request)?;
        let mut reply = endpoint.send(&self.request, true).await?;
        self.progress = Progress::new(endpoint.request_id(&reply.headers));
        let framing = endpoint.form.framing();
        if framing.streams(&reply.content_type()) {
            let (decoder, reader) = (framing.decoder(), endpoint.form.reader());
            self.source = Source::Reading { reply: Box::new(reply), decoder, reader };
            return Ok(());
        }
        let read = read_whole(&endpoint, &mut reply, &mut self.progress).await;
        let closed = reply.close().await;
        read.and(closed).map_err(|kind| endpoint.error(kind))?;
        let text = self.progress.text().to_owned();
        self.ready.extend((!text.is_empty()).then_some(text));
        self.is_over = true;
        Ok(())
    }

    fn take_event(&mut self, data: &str) -> Result<(), ModelErrorKind> {
        let Source::Reading { reply, reader, .. } = &mut self.source else { return Ok(()) };
        if data.is_empty() || self.is_over {
            return Ok(());
        }
        let parts =
            reader.event(data).map_err(|error| self.endpoint.read_fault(error, &reply.content_type()))?;
        parts.into_iter().try_for_each(|part| self.take_part(part))
    }

    fn take_part(&mut self, part: Part) -> Result<(), ModelErrorKind> {
        match self.progress.take(part, &self.endpoint)? {
            Step::Nothing => {}
            // What only says who speaks is not yet an answer.
            Step::Alive if self.went_on.is_none() => {}
            Step::Alive => self.went_on = Some(Instant::now()),
            Step::Text(text) => {
                self.went_on = Some(Instant::now());
                self.ready.extend((!text.is_empty()).then_some(text));
            }
            Step::End => self.is_over = true,
        }
        Ok(())
    }

    /// Takes what stood in the buffer when the connection ended. A torn chunk is the sign of a broken stream, not
    /// of a server that writes nonsense.
    fn take_rest(&mut self, rest: Result<Option<String>, FrameError>) -> Result<(), ModelErrorKind> {
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
