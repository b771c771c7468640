//! Sends a second call when the first takes longer than most.

mod policy;
mod race;

#[cfg(test)]
mod tests;

use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::{BoxFuture, Either, select};
use futures::{StreamExt, stream};
use playhouse_config::settings::HedgingConfig;
use playhouse_protocol::completion::{Completion, CompletionRequest};
use tokio::time::{Instant, sleep};

use super::breaker::Breaker;
use crate::client::{CompletionEvent, CompletionStream, ModelClient, ModelInfo};
use crate::error::ModelError;
use crate::observer::{BreakerState, CallEvent, CallObserver};
use crate::tokens::TokenCounter;
use policy::{Hedges, Measured};
use race::Race;

/// A model that is sent a second call when the first takes longer than most: than a quantile of the last times to the
/// first token of a stream, or to a plain answer. The first call to answer counts, and the other is dropped, which
/// aborts it. Of streams the first one to give text counts.
///
/// - A second call goes through the same layers inside as any other, and none is sent unless the breaker is closed.
/// - When one of the two fails, the other is waited for. When both fail, the later failure is given: to the layers
///   outside they are one attempt, so a second call is no retry.
/// - What the provider computed for the call that was dropped is paid and not in the answer's usage: nobody tells it.
#[derive(Debug, Clone)]
pub struct Hedged {
    inner: Arc<dyn ModelClient>,
    hedges: Arc<Mutex<Hedges>>,
    breaker: Option<Arc<Breaker>>,
    observer: Arc<dyn CallObserver>,
}

impl Hedged {
    /// Hedges the calls of `inner`, in front of which `breaker` is.
    pub fn new(
        inner: Arc<dyn ModelClient>,
        config: HedgingConfig,
        breaker: Option<Arc<Breaker>>,
        observer: Arc<dyn CallObserver>,
    ) -> Self {
        Self { inner, hedges: Arc::new(Mutex::new(Hedges::new(config))), breaker, observer }
    }

    fn begin(&self, measured: Measured) -> Option<Duration> {
        self.hedges().begin(measured)
    }

    fn note(&self, measured: Measured, took: Duration) {
        self.hedges().note(measured, took);
    }

    /// Whether a second call is sent now.
    fn sends_another(&self) -> bool {
        let is_closed = self.breaker.as_ref().is_none_or(|breaker| breaker.state() == BreakerState::Closed);
        let sends = is_closed && self.hedges().spend();
        if sends {
            self.tell(&CallEvent::Hedged);
        }
        sends
    }

    fn tell(&self, event: &CallEvent) {
        self.observer.observe(&self.inner.info().name, event);
    }

    fn hedges(&self) -> std::sync::MutexGuard<'_, Hedges> {
        self.hedges.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The answer of one of two calls. `others` are the requests of the other one.
    fn answered(&self, mut completion: Completion, is_second: bool, others: u32) -> Completion {
        completion.route.attempts += others;
        completion.route.hedged = is_second;
        if is_second {
            self.tell(&CallEvent::HedgeWon);
        }
        completion
    }

    async fn ask(&self, request: CompletionRequest) -> Result<Completion, ModelError> {
        let Some(after) = self.begin(Measured::Answer) else { return self.inner.complete(request).await };
        let first = self.inner.complete(request.clone());
        let first = match select(first, pin!(sleep(after))).await {
            Either::Left((answer, _)) => return answer,
            Either::Right(((), first)) => first,
        };
        if !self.sends_another() {
            return first.await;
        }
        let (answer, other, is_second) = match select(first, self.inner.complete(request)).await {
            Either::Left((answer, second)) => (answer, second, false),
            Either::Right((answer, first)) => (answer, first, true),
        };
        match answer {
            Ok(completion) => Ok(self.answered(completion, is_second, SENT)),
            Err(failed) => match other.await {
                Ok(completion) => Ok(self.answered(completion, !is_second, failed.attempts)),
                Err(error) => Err(both_failed(error, failed.attempts)),
            },
        }
    }
}

/// The requests of a call that is dropped while it runs.
const SENT: u32 = 1;

/// The later error, with the requests of both.
fn both_failed(mut error: ModelError, others: u32) -> ModelError {
    error.attempts += others;
    error
}

impl ModelClient for Hedged {
    fn info(&self) -> &ModelInfo {
        self.inner.info()
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let race = Race::new(self.clone(), request);
        stream::unfold(Some(race), |race| async move {
            let mut race = race?;
            let event = race.next().await;
            let goes_on = matches!(event, Ok(CompletionEvent::Delta(_) | CompletionEvent::Restarted { .. }));
            Some((event, goes_on.then_some(race)))
        })
        .boxed()
    }

    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Completion, ModelError>> {
        Box::pin(async move {
            let begun = Instant::now();
            let answer = self.ask(request).await;
            if answer.is_ok() {
                self.note(Measured::Answer, begun.elapsed());
            }
            answer
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        self.inner.ping()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        self.inner.tokens()
    }
}
