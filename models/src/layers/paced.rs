//! Begins calls no faster than the provider allows.

mod pace;
mod turns;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use playhouse_protocol::completion::{Completion, CompletionRequest};

use super::relay::{self, Guard};
use crate::client::{CompletionStream, ModelClient, ModelInfo};
use crate::error::{ModelError, ModelErrorKind};
use crate::observer::{CallEvent, CallObserver, WaitedFor};
use crate::tokens::{TokenCounter, prompt_tokens_at_most};

pub use pace::Pace;

/// The longest prompt that is counted where the call runs, in bytes: well below a millisecond of work.
const COUNTED_HERE_BYTES_MAX: usize = 16 * 1024;

/// A model whose calls are begun at its pace: so many requests and tokens in a minute, and none while the provider has
/// asked for a pause.
///
/// Before a call its prompt's tokens (or a bound of them, while there are plenty) and those of the longest answer are set aside; after it the difference to what was
/// really used is given back. What a server refused costs no tokens. A call that is dropped while it waits costs
/// nothing; one that is dropped later keeps what was set aside for it, since the provider may have counted it.
#[derive(Debug, Clone)]
pub struct Paced {
    inner: Arc<dyn ModelClient>,
    pace: Arc<Pace>,
    /// A turn that comes later than this is of no use.
    total: Duration,
    observer: Arc<dyn CallObserver>,
    /// Whether the counter has been used: its first count builds tables, which takes up to a second.
    is_warm: Arc<AtomicBool>,
}

impl Paced {
    /// Begins the calls of `inner` at `pace`. `total` is the time that a whole call may take.
    pub fn new(
        inner: Arc<dyn ModelClient>,
        pace: Arc<Pace>,
        total: Duration,
        observer: Arc<dyn CallObserver>,
    ) -> Self {
        Self { inner, pace, total, observer, is_warm: Arc::default() }
    }

    async fn turn(&self, request: &CompletionRequest) -> Result<Begun, ModelError> {
        let begun = |set_aside| Begun { pace: Arc::clone(&self.pace), set_aside };
        let set_aside = match self.pace.tokens_per_minute() {
            None => 0,
            Some(per_minute) => {
                // While there are plenty a bound will do: counting takes longer than all else here, and what it would
                // save is given back when the call has ended.
                let prompt = prompt_tokens_at_most(&request.messages);
                let at_most = prompt.saturating_add(self.answer_tokens(request));
                if self.pace.turn_at_ease(at_most) {
                    return Ok(begun(at_most));
                }
                self.tokens(request, per_minute).await?
            }
        };
        let waited = self.pace.turn(set_aside, self.total).await.map_err(|wait| {
            let kind = ModelErrorKind::Paced { wait_ms: u64::try_from(wait.as_millis()).unwrap_or(u64::MAX) };
            ModelError { retry_after: Some(wait), ..self.error(kind) }
        })?;
        if !waited.is_zero() {
            let event = CallEvent::Waited { what: WaitedFor::Pacing, wait: waited };
            self.observer.observe(&self.inner.info().name, &event);
        }
        Ok(begun(set_aside))
    }

    /// The tokens of the longest answer.
    fn answer_tokens(&self, request: &CompletionRequest) -> u64 {
        u64::from(request.completion_tokens_max.unwrap_or(self.inner.info().completion_tokens_default))
    }

    /// The tokens of the prompt and the longest answer.
    async fn tokens(&self, request: &CompletionRequest, per_minute: u32) -> Result<u64, ModelError> {
        let answer = self.answer_tokens(request);
        let prompt = self.prompt_tokens(request).await;
        let tokens = prompt.saturating_add(answer);
        if tokens > u64::from(per_minute) {
            let reason = format!(
                "it is {per_minute}, and this request may take {tokens} tokens \
                 ({prompt} of its prompt, {answer} of its answer)"
            );
            return Err(
                self.error(ModelErrorKind::InvalidRequest { field: "pacing.tokens_per_minute", reason })
            );
        }
        Ok(tokens)
    }

    /// Counts here what is short, and off the async threads what is long or is the first to be counted. Gives zero
    /// when the runtime is shutting down and takes no more work.
    async fn prompt_tokens(&self, request: &CompletionRequest) -> u64 {
        let counter = self.inner.tokens();
        let bytes: usize = request.messages.iter().map(|message| message.content.len()).sum();
        if bytes <= COUNTED_HERE_BYTES_MAX && self.is_warm.load(Ordering::Relaxed) {
            return counter.count_chat(&request.messages);
        }
        let messages = request.messages.clone();
        let counted = tokio::task::spawn_blocking(move || counter.count_chat(&messages)).await;
        self.is_warm.store(true, Ordering::Relaxed);
        counted.unwrap_or_default()
    }

    fn error(&self, kind: ModelErrorKind) -> ModelError {
        ModelError::new(self.inner.info(), kind)
    }
}

/// A call whose turn has come.
struct Begun {
    pace: Arc<Pace>,
    set_aside: u64,
}

impl Guard for Begun {
    fn ended(&mut self, outcome: Result<&mut Completion, &mut ModelError>) {
        match outcome {
            Ok(completion) => self.settle(completion.usage.total_tokens()),
            Err(error) => {
                if let (ModelErrorKind::RateLimited { .. }, Some(hint)) = (&*error.kind, error.retry_after) {
                    self.pace.pause_for(hint);
                }
                let was_refused = error.status.is_some() || error.attempts == 0;
                if was_refused || matches!(*error.kind, ModelErrorKind::Unreachable { .. }) {
                    self.settle(0);
                }
            }
        }
    }
}

impl Begun {
    fn settle(&self, used: u64) {
        if self.set_aside > 0 {
            self.pace.settle(self.set_aside, used);
        }
    }
}

impl ModelClient for Paced {
    fn info(&self) -> &ModelInfo {
        self.inner.info()
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let paced = self.clone();
        relay::stream(&self.inner, async move { Ok((paced.turn(&request).await?, request)) })
    }

    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Completion, ModelError>> {
        Box::pin(async move {
            let begun = self.turn(&request).await?;
            relay::complete(&*self.inner, request, begun).await
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        self.inner.ping()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        self.inner.tokens()
    }
}
