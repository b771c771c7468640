//! Tries again.

mod budget;
mod policy;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream;
use playhouse_protocol::RandomSource;
use playhouse_protocol::completion::{Completion, CompletionRequest};
use tokio::time::{Instant, Sleep, sleep, sleep_until, timeout_at};

use super::relay::ended_early;
use crate::client::{CompletionEvent, CompletionStream, ModelClient, ModelInfo};
use crate::error::{Awaited, ModelError, ModelErrorKind};
use crate::observer::{CallEvent, CallObserver, NoObserver};
use crate::tokens::TokenCounter;
use policy::{Failures, Verdict};

pub use budget::RetryBudget;
pub use policy::RetryPolicy;

/// The longest a whole call may take when `total` is too long for the clock to add: a year.
const TOTAL_MAX: Duration = Duration::from_secs(365 * 24 * 3600);

/// A model that is asked again when it fails in a way that another attempt may mend.
///
/// - Only failures of a retryable class are tried again: a wrong key or request is not. Nor is a refusal of our own.
/// - A provider's `Retry-After` is never undercut. When it lies beyond the total time, the call fails at once,
///   with the hint, instead of waiting for nothing.
/// - The same failure three times in a row is given back, however many attempts are left.
/// - A retry that the budget of all models does not allow is not made: the failure is given back at once.
/// - A streamed answer that breaks half way is begun anew as a whole, under the same limits; the caller is told by
///   [`CompletionEvent::Restarted`] as soon as that is decided.
#[derive(Debug, Clone)]
pub struct Retrying {
    inner: Arc<dyn ModelClient>,
    policy: RetryPolicy,
    random: Arc<dyn RandomSource>,
    budget: Option<Arc<RetryBudget>>,
    observer: Arc<dyn CallObserver>,
}

impl Retrying {
    /// Retries the calls of `inner`, within no budget and told to nobody; jitter is drawn from `random`.
    pub fn new(inner: Arc<dyn ModelClient>, policy: RetryPolicy, random: Arc<dyn RandomSource>) -> Self {
        Self { inner, policy, random, budget: None, observer: Arc::new(NoObserver) }
    }

    /// The same within a budget that several models share.
    #[must_use]
    pub fn within(mut self, budget: Arc<RetryBudget>) -> Self {
        self.budget = Some(budget);
        self
    }

    /// The same, told to `observer`.
    #[must_use]
    pub fn told_to(mut self, observer: Arc<dyn CallObserver>) -> Self {
        self.observer = observer;
        self
    }

    fn tell(&self, event: &CallEvent) {
        self.observer.observe(&self.inner.info().name, event);
    }
}

/// The attempts of one call.
struct Attempts<'a> {
    retrying: Cow<'a, Retrying>,
    failures: Failures,
    /// Requests that were sent by the attempts that failed.
    sent: u32,
    deadline: Instant,
}

impl<'a> Attempts<'a> {
    fn begin(retrying: Cow<'a, Retrying>) -> Self {
        if let Some(budget) = &retrying.budget {
            budget.first_call();
        }
        let deadline = Instant::now() + retrying.policy.total.min(TOTAL_MAX);
        Self { retrying, failures: Failures::default(), sent: 0, deadline }
    }

    /// The wait before the next attempt, or the error when there is to be none.
    fn next_after(&mut self, mut error: ModelError) -> Result<Duration, ModelError> {
        let Retrying { policy, budget, random, .. } = &*self.retrying;
        self.sent += error.attempts;
        error.attempts = self.sent;
        let left = self.deadline.saturating_duration_since(Instant::now());
        let wait = match self.failures.judge(policy, &error, left, random.next_u64()) {
            Verdict::Final => return Err(error),
            Verdict::Futile => {
                self.retrying.tell(&CallEvent::RetryFutile);
                return Err(error);
            }
            Verdict::Again(_) if budget.as_ref().is_some_and(|budget| !budget.spend()) => {
                self.retrying.tell(&CallEvent::RetryBudgetSpent);
                return Err(error);
            }
            Verdict::Again(wait) => wait,
        };
        let attempt = self.failures.count();
        self.retrying.tell(&CallEvent::Retried { attempt, wait });
        tracing::info!(
            model = %error.model,
            attempt,
            status = error.status,
            wait_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX),
            "a model call failed and is tried again"
        );
        Ok(wait)
    }

    /// The error of a call whose time is over while an attempt runs.
    fn timed_out(&self) -> ModelError {
        let limit_ms = u64::try_from(self.retrying.policy.total.as_millis()).unwrap_or(u64::MAX);
        let kind = ModelErrorKind::TimedOut { what: Awaited::Answer, limit_ms };
        ModelError { attempts: self.sent + 1, ..ModelError::new(self.retrying.inner.info(), kind) }
    }
}

/// A streamed call between two of its events.
struct Streaming {
    attempts: Attempts<'static>,
    request: CompletionRequest,
    /// The running attempt; `None` between two.
    events: Option<CompletionStream>,
    /// How long is waited before the next attempt.
    wait: Duration,
    deadline: Pin<Box<Sleep>>,
    /// Whether the caller has seen a part of the answer that still counts.
    text_given: bool,
    restarts: u32,
}

impl Streaming {
    fn begin(retrying: Retrying, request: CompletionRequest) -> Self {
        let attempts = Attempts::begin(Cow::Owned(retrying));
        let deadline = Box::pin(sleep_until(attempts.deadline));
        let wait = Duration::ZERO;
        Self { attempts, request, events: None, wait, deadline, text_given: false, restarts: 0 }
    }

    async fn next(&mut self) -> Result<CompletionEvent, ModelError> {
        loop {
            if !self.wait.is_zero() {
                // Shorter than what is left of the whole time: nothing else need be waited for.
                sleep(self.wait).await;
                self.wait = Duration::ZERO;
            }
            let inner = &self.attempts.retrying.inner;
            let events = self.events.get_or_insert_with(|| inner.stream(self.request.clone()));
            let event = tokio::select! {
                biased;
                event = events.next() => event,
                () = self.deadline.as_mut() => return Err(self.attempts.timed_out()),
            };
            let error = match event.unwrap_or_else(|| Err(ended_early(inner.info()))) {
                Ok(CompletionEvent::Finished(mut completion)) => {
                    completion.route.attempts += self.attempts.sent;
                    completion.route.restarts += self.restarts;
                    return Ok(CompletionEvent::Finished(completion));
                }
                Ok(event) => {
                    self.text_given = matches!(event, CompletionEvent::Delta(_));
                    return Ok(event);
                }
                Err(error) => error,
            };
            self.events = None;
            let reason = self.text_given.then(|| error.kind.to_string());
            self.wait = self.attempts.next_after(error)?;
            if let Some(reason) = reason {
                self.text_given = false;
                self.restarts += 1;
                self.attempts.retrying.tell(&CallEvent::Restarted);
                return Ok(CompletionEvent::Restarted { reason });
            }
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
        let begin = stream::once(async move { Streaming::begin(retrying, request) });
        let events = begin.flat_map(|streaming| {
            stream::unfold(Some(streaming), |streaming| async move {
                let mut streaming = streaming?;
                let event = streaming.next().await;
                let goes_on =
                    matches!(event, Ok(CompletionEvent::Delta(_) | CompletionEvent::Restarted { .. }));
                Some((event, goes_on.then_some(streaming)))
            })
        });
        events.boxed()
    }

    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Completion, ModelError>> {
        Box::pin(async move {
            let mut attempts = Attempts::begin(Cow::Borrowed(self));
            loop {
                match timeout_at(attempts.deadline, self.inner.complete(request.clone())).await {
                    Err(_) => return Err(attempts.timed_out()),
                    Ok(Ok(mut completion)) => {
                        completion.route.attempts += attempts.sent;
                        return Ok(completion);
                    }
                    Ok(Err(error)) => sleep(attempts.next_after(error)?).await,
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
