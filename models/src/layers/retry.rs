//! Tries again.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream;
use playhouse_config::settings::{RetriesConfig, TimeoutsConfig};
use playhouse_protocol::RandomSource;
use playhouse_protocol::completion::{Completion, CompletionRequest};
use tokio::time::{Instant, sleep, timeout_at};

use crate::client::{CompletionEvent, CompletionStream, ModelClient, ModelInfo};
use crate::error::{Awaited, ModelError, ModelErrorKind};
use crate::tokens::TokenCounter;

/// The longest a whole call may take when `total` is too long for the clock to add: a year.
const TOTAL_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// How often and when to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts_max: u32,
    /// The wait before the second attempt is drawn from zero to this; it doubles with each attempt.
    pub backoff_initial: Duration,
    /// The wait is never drawn from more than this.
    pub backoff_max: Duration,
    /// From the first attempt's start to the end of the last one, waits included.
    pub total: Duration,
}

impl RetryPolicy {
    /// The policy that the settings of an endpoint describe.
    pub fn new(retries: &RetriesConfig, timeouts: &TimeoutsConfig) -> Self {
        Self {
            attempts_max: retries.attempts_max.max(1),
            backoff_initial: retries.backoff_initial,
            backoff_max: retries.backoff_max,
            total: timeouts.total,
        }
    }

    /// The wait after the failed attempt number `attempt` (from 1): full jitter over an exponentially growing
    /// range, and behind the provider's hint where it gave one, so that those who got the same hint do not all
    /// come back at once.
    ///
    /// Source: the "full jitter" rule of "Exponential Backoff And Jitter", AWS Architecture Blog, 2015.
    fn wait(&self, attempt: u32, hint: Option<Duration>, random: &dyn RandomSource) -> Duration {
        if let Some(hint) = hint {
            return hint.saturating_add(draw(self.backoff_initial.min(self.backoff_max), random));
        }
        let doublings = attempt.saturating_sub(1).min(31);
        draw(self.backoff_initial.saturating_mul(1 << doublings).min(self.backoff_max), random)
    }
}

/// A time from zero to `limit`, both included, in nanoseconds.
fn draw(limit: Duration, random: &dyn RandomSource) -> Duration {
    let limit = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
    // The high half of the product maps 64 random bits onto 0..=limit without a division.
    let drawn = (u128::from(random.next_u64()) * (u128::from(limit) + 1)) >> 64;
    Duration::from_nanos(u64::try_from(drawn).unwrap_or(limit))
}

/// A model that is asked again when it failed in a way that another attempt may mend.
///
/// - Only failures of a retryable class are tried again: a wrong key or request is not.
/// - A provider's `Retry-After` is never undercut. When it lies beyond the total time, the call fails at once,
///   with the hint, instead of waiting for nothing.
/// - A streamed answer is tried again only until its first text was handed on. After that a failure is final here,
///   since the caller has seen a part of it.
#[derive(Debug, Clone)]
pub struct Retrying {
    inner: Arc<dyn ModelClient>,
    policy: RetryPolicy,
    random: Arc<dyn RandomSource>,
}

impl Retrying {
    /// Retries the calls of `inner`; jitter is drawn from `random`.
    pub fn new(inner: Arc<dyn ModelClient>, policy: RetryPolicy, random: Arc<dyn RandomSource>) -> Self {
        Self { inner, policy, random }
    }

    fn begin(&self) -> Attempts {
        Attempts {
            retrying: self.clone(),
            number: 1,
            deadline: Instant::now() + self.policy.total.min(TOTAL_MAX),
        }
    }
}

/// The attempts of one call.
struct Attempts {
    retrying: Retrying,
    /// The running attempt, from 1.
    number: u32,
    deadline: Instant,
}

impl Attempts {
    /// Waits for the next attempt, or gives the error back when there is to be none.
    async fn next_after(&mut self, error: ModelError) -> Result<(), ModelError> {
        let policy = &self.retrying.policy;
        if !error.class().is_retryable() || self.number >= policy.attempts_max {
            return Err(error);
        }
        let wait = policy.wait(self.number, error.retry_after, &*self.retrying.random);
        if wait >= self.deadline.saturating_duration_since(Instant::now()) {
            return Err(error);
        }
        tracing::info!(
            model = %error.model,
            attempt = self.number,
            status = error.status,
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "a model call failed and is tried again"
        );
        self.number += 1;
        sleep(wait).await;
        Ok(())
    }

    fn timed_out(&self) -> ModelError {
        let limit_ms = u64::try_from(self.retrying.policy.total.as_millis()).unwrap_or(u64::MAX);
        let kind = ModelErrorKind::TimedOut { what: Awaited::Answer, limit_ms };
        ModelError::new(self.retrying.inner.info(), kind)
    }
}

/// A streamed call between two of its events.
struct Streaming {
    attempts: Attempts,
    request: CompletionRequest,
    events: Option<CompletionStream>,
    /// Whether the caller has seen a part of the answer.
    text_given: bool,
}

impl Streaming {
    async fn next(&mut self) -> Result<CompletionEvent, ModelError> {
        loop {
            let events =
                self.events.get_or_insert_with(|| self.attempts.retrying.inner.stream(self.request.clone()));
            let error = match timeout_at(self.attempts.deadline, events.next()).await {
                Err(_) => return Err(self.attempts.timed_out()),
                Ok(Some(Ok(event))) => {
                    self.text_given |=
                        matches!(event, CompletionEvent::Delta(_) | CompletionEvent::Restarted { .. });
                    return Ok(event);
                }
                Ok(Some(Err(error))) => error,
                Ok(None) => {
                    let reason = "it ended without an answer".to_owned();
                    let kind = ModelErrorKind::BrokenStream { reason };
                    ModelError::new(self.attempts.retrying.inner.info(), kind)
                }
            };
            self.events = None;
            if self.text_given {
                return Err(error);
            }
            self.attempts.next_after(error).await?;
        }
    }
}

impl ModelClient for Retrying {
    fn info(&self) -> &ModelInfo {
        self.inner.info()
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        // The clock starts when the stream is first polled, as it does for the future of `complete`.
        let retrying = self.clone();
        let begin = stream::once(async move {
            Streaming { attempts: retrying.begin(), request, events: None, text_given: false }
        });
        let events = begin.flat_map(|streaming| {
            stream::unfold(Some(streaming), |streaming| async move {
                let mut streaming = streaming?;
                let event = streaming.next().await;
                let goes_on = matches!(event, Ok(CompletionEvent::Delta(_)));
                Some((event, goes_on.then_some(streaming)))
            })
        });
        events.boxed()
    }

    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Completion, ModelError>> {
        Box::pin(async move {
            let mut attempts = self.begin();
            loop {
                match timeout_at(attempts.deadline, self.inner.complete(request.clone())).await {
                    Err(_) => return Err(attempts.timed_out()),
                    Ok(Ok(completion)) => return Ok(completion),
                    Ok(Err(error)) => attempts.next_after(error).await?,
                }
            }
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        self.inner.ping()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        self.inner.tokens()
    }
}

#[cfg(test)]
mod tests;
