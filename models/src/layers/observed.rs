//! Measures and tells how attempts end.

mod comparing;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use playhouse_config::settings::PriceConfig;
use playhouse_protocol::FailureClass;
use playhouse_protocol::completion::{Completion, CompletionRequest};
use tokio::time::Instant;

use super::relay::{self, Guard};
use crate::client::{CompletionStream, ModelClient, ModelInfo};
use crate::error::{ModelError, ModelErrorKind};
use crate::observer::{CallEvent, CallObserver};
use crate::price::cost_nano_usd;
use crate::stats::{ModelStats, speaks_against_the_model};
use crate::tokens::TokenCounter;
use comparing::{Comparing, Comparison};

/// A model whose attempts are measured and told. The innermost layer, so that an attempt is one request to the
/// provider and its time is the provider's.
#[derive(Debug, Clone)]
pub struct Observed {
    inner: Arc<dyn ModelClient>,
    stats: Arc<ModelStats>,
    observer: Arc<dyn CallObserver>,
    comparing: Option<Arc<Comparing>>,
    price: PriceConfig,
}

impl Observed {
    /// Notes the attempts of `inner` in `stats`, and tells them to `observer`.
    pub fn new(inner: Arc<dyn ModelClient>, stats: Arc<ModelStats>, observer: Arc<dyn CallObserver>) -> Self {
        Self { inner, stats, observer, comparing: None, price: PriceConfig::default() }
    }

    /// Watches what answers cost, too.
    #[must_use]
    pub fn priced(self, price: PriceConfig) -> Self {
        Self { price, ..self }
    }

    /// Compares our counts of tokens with those that the provider reports, now and then.
    #[must_use]
    pub fn comparing_tokens(self) -> Self {
        let comparing = Comparing::new(self.inner.tokens(), Arc::clone(&self.observer));
        Self { comparing: Some(Arc::new(comparing)), ..self }
    }
}

/// An attempt that runs.
struct Attempt<'a> {
    observed: Cow<'a, Observed>,
    begun: Instant,
    first_token: Option<Duration>,
    is_over: bool,
    comparison: Option<Comparison>,
}

impl<'a> Attempt<'a> {
    fn begin(observed: Cow<'a, Observed>, request: &CompletionRequest) -> Self {
        let comparison = observed.comparing.as_ref().and_then(|comparing| comparing.begin(request));
        Self { observed, begun: Instant::now(), first_token: None, is_over: false, comparison }
    }

    fn tell(&self, elapsed: Duration, failure: Option<FailureClass>) {
        let event = CallEvent::AttemptEnded { elapsed, failure };
        self.observed.observer.observe(&self.observed.inner.info().name, &event);
    }
}

impl Guard for Attempt<'_> {
    fn first_text(&mut self) {
        self.first_token = Some(self.begun.elapsed());
    }

    fn ended(&mut self, outcome: Result<&mut Completion, &mut ModelError>) {
        self.is_over = true;
        if let (Ok(completion), Some(comparison)) = (&outcome, self.comparison.take()) {
            comparison.end(completion, &self.observed.inner.info().name);
        }
        let cost_nano_usd =
            outcome.as_ref().map_or(0, |answer| cost_nano_usd(self.observed.price, &answer.usage));
        let failure = outcome.err().map(|error| {
            error.attempts = u32::from(was_sent(&error.kind));
            error.class()
        });
        let elapsed = self.begun.elapsed();
        self.observed.stats.record(elapsed, self.first_token, failure);
        self.tell(elapsed, failure);
        // What failed for the request's sake tells nothing of the model.
        if failure.is_none_or(speaks_against_the_model) {
            let drift = self.observed.stats.drift();
            for event in drift.see_call(elapsed, cost_nano_usd, failure.is_some()) {
                self.observed.observer.observe(&self.observed.inner.info().name, &event);
            }
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if !self.is_over {
            self.observed.stats.record_dropped();
            self.tell(self.begun.elapsed(), Some(FailureClass::Cancelled));
        }
    }
}

/// Whether a request left for the provider before it failed so.
const fn was_sent(kind: &ModelErrorKind) -> bool {
    !matches!(kind, ModelErrorKind::QueueFull { .. } | ModelErrorKind::InvalidRequest { .. })
}

impl ModelClient for Observed {
    fn info(&self) -> &ModelInfo {
        self.inner.info()
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let observed = self.clone();
        relay::stream(
            &self.inner,
            async move { Ok((Attempt::begin(Cow::Owned(observed), &request), request)) },
        )
    }

    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Completion, ModelError>> {
        Box::pin(async move {
            let attempt = Attempt::begin(Cow::Borrowed(self), &request);
            relay::complete(&*self.inner, request, attempt).await
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
mod tests {
    use futures::StreamExt;
    use playhouse_protocol::completion::{ChatMessage, ResponseFormat};
    use tokio::time::timeout;

    use super::*;
    use crate::observer::DriftKind;
    use crate::testing::{FakeModel, Noted, Step, ask_both_ways, hello};

    const SECOND: Duration = Duration::from_secs(1);

    fn observed(model: Arc<FakeModel>) -> (Observed, Arc<ModelStats>, Arc<Noted>) {
        let (stats, noted) = (Arc::<ModelStats>::default(), Arc::<Noted>::default());
        (Observed::new(model, Arc::clone(&stats), noted.clone()), stats, noted)
    }

    fn server_error() -> ModelErrorKind {
        ModelErrorKind::ServerError { message: String::new() }
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_is_told_with_its_time_and_how_it_ended() {
        for step in [Step::Answer("a"), Step::Fail(vec![], server_error(), None)] {
            let failure = matches!(step, Step::Fail(..)).then_some(FailureClass::Retryable);
            let (outcomes, noted) = ask_both_ways(&[step.after(SECOND)], |model| {
                let (observed, stats, noted) = observed(model);
                (Arc::new(observed), (stats, noted))
            })
            .await;
            for (outcome, (stats, noted)) in outcomes.iter().zip(noted) {
                assert_eq!(noted.take(), [CallEvent::AttemptEnded { elapsed: SECOND, failure }]);
                assert_eq!(outcome.as_ref().err().map(|error| error.attempts), failure.map(|_| 1));
                assert_eq!(
                    (stats.snapshot().calls, stats.snapshot().failures),
                    (1, u64::from(failure.is_some()))
                );
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_model_whose_answers_become_slow_is_told_once() {
        let steps = (0..400).map(|number| Step::Answer("a").after(SECOND * if number < 300 { 1 } else { 4 }));
        let (model, stats, noted) = observed(FakeModel::new(steps));
        for _ in 0..400 {
            model.complete(hello()).await.unwrap();
        }
        let told: Vec<_> =
            noted.take().into_iter().filter(|event| matches!(event, CallEvent::Drifted { .. })).collect();
        assert!(matches!(told[..], [CallEvent::Drifted { what: DriftKind::Latency, .. }]), "{told:?}");
        assert_eq!(stats.drift().standing()[1].usual, Some(0.0));
    }

    #[tokio::test(start_paused = true)]
    async fn the_first_token_of_a_stream_is_timed() {
        let steps = [Step::Slow(vec![(SECOND, "a"), (2 * SECOND, "b")])];
        let (model, stats, _) = observed(FakeModel::new(steps));
        assert_eq!(model.stream(hello()).count().await, 3);
        let snapshot = stats.snapshot();
        assert_eq!((snapshot.first_token_p50, snapshot.p50), (Some(SECOND), Some(3 * SECOND)));
    }

    /// The comparisons of `calls` calls; waits for the one that there is when one is to be expected.
    async fn comparisons(calls: u64, request: CompletionRequest) -> Vec<CallEvent> {
        let model = FakeModel::new((0..calls).map(|_| Step::Answer("a")));
        let (observed, _, noted) = observed(model);
        let observed = observed.comparing_tokens();
        for _ in 0..calls {
            observed.complete(request.clone()).await.unwrap();
        }
        let mut events = noted.take();
        let is_comparison = |event: &CallEvent| matches!(event, CallEvent::TokensCompared { .. });
        let wait = async {
            while calls >= comparing::EVERY && !events.iter().any(is_comparison) {
                tokio::task::yield_now().await;
                events.extend(noted.take());
            }
        };
        let _ = timeout(SECOND, wait).await;
        events.retain(is_comparison);
        events
    }

    #[tokio::test]
    async fn the_count_of_every_sixteenth_short_prompt_is_compared_with_the_providers() {
        assert_eq!(comparisons(comparing::EVERY - 1, hello()).await, []);
        let compared = CallEvent::TokensCompared { counted: 24, reported: 10 };
        assert_eq!(comparisons(comparing::EVERY, hello()).await, [compared]);
    }

    #[tokio::test]
    async fn a_long_prompt_and_one_with_a_schema_are_not_compared() {
        let long = ChatMessage::user("x".repeat(comparing::PROMPT_BYTES_MAX + 1));
        assert_eq!(comparisons(comparing::EVERY, CompletionRequest::new(vec![long])).await, []);
        let format = ResponseFormat::JsonSchema { name: "a".to_owned(), schema: "{}".to_owned() };
        assert_eq!(comparisons(comparing::EVERY, CompletionRequest { format, ..hello() }).await, []);
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_is_dropped_is_neither_a_success_nor_a_failure() {
        let (model, stats, noted) = observed(FakeModel::new([Step::Hang, Step::Hang]));
        assert!(timeout(SECOND, model.complete(hello())).await.is_err());
        assert!(timeout(SECOND, model.stream(hello()).next()).await.is_err());
        let cancelled = CallEvent::AttemptEnded { elapsed: SECOND, failure: Some(FailureClass::Cancelled) };
        assert_eq!(noted.take(), [cancelled.clone(), cancelled]);
        let snapshot = stats.snapshot();
        assert_eq!((snapshot.calls, snapshot.error_ratio), (0, None));
        assert_eq!(snapshot.failures_by_class[FailureClass::Cancelled as usize], 1 + 1);
    }
}
