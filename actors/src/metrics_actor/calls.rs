//! What happens around model calls: counted, and told in the log.

use std::sync::Arc;

use metrics::{Counter, Gauge, Histogram};
use metrics_exporter_prometheus::PrometheusRecorder;
use playhouse_models::observer::{BreakerState, CacheStore, DriftKind, WaitedFor};
use playhouse_models::{CallEvent, CallObserver};
use playhouse_protocol::completion::Condensed;

use super::Meter;
use super::meter::{Outcomes, counter, gauge, histogram};
use super::names;

const BREAKER_STATES: [BreakerState; 3] = [BreakerState::Closed, BreakerState::HalfOpen, BreakerState::Open];

/// The counters around the calls of one catalog entry.
pub(super) struct CallMeters {
    attempts: Outcomes,
    attempt_seconds: Histogram,
    retries: Counter,
    retry_budget_spent: Counter,
    retry_futile: Counter,
    restarts: Counter,
    breaker: BreakerMeters,
    waited_for_place: Histogram,
    waited_for_pace: Histogram,
    concurrency_limit: Gauge,
    hedges: Counter,
    hedges_won: Counter,
    memory: CacheMeters,
    redis: CacheMeters,
    cache_misses: Counter,
    demotions: Counter,
    demoted: Gauge,
    /// In the order of [`DriftKind::ALL`].
    drifts: [(Counter, Gauge); DriftKind::ALL.len()],
    prompt_tokens_ratio: Histogram,
}

/// A gauge and a counter for each state, in the order of [`BREAKER_STATES`].
struct BreakerMeters {
    states: [(BreakerState, Gauge, Counter); BREAKER_STATES.len()],
    refused: Counter,
}

struct CacheMeters {
    hits: Counter,
    bypassed: Counter,
}

impl CallMeters {
    pub(super) fn new(recorder: &PrometheusRecorder, model: &str) -> Self {
        let labels = [("model", model)];
        let count = |metric| counter(recorder, metric, &labels);
        let withheld = |reason| {
            counter(recorder, &names::MODEL_RETRIES_WITHHELD, &[("model", model), ("reason", reason)])
        };
        let waited = |what: WaitedFor| {
            histogram(recorder, &names::MODEL_WAIT_SECONDS, &[("model", model), ("what", what.as_str())])
        };
        Self {
            attempts: Outcomes::new(recorder, &names::MODEL_ATTEMPTS, &labels),
            attempt_seconds: histogram(recorder, &names::MODEL_ATTEMPT_SECONDS, &labels),
            retries: count(&names::MODEL_RETRIES),
            retry_budget_spent: withheld("budget_spent"),
            retry_futile: withheld("futile"),
            restarts: count(&names::MODEL_RESTARTS),
            breaker: BreakerMeters::new(recorder, model),
            waited_for_place: waited(WaitedFor::Concurrency),
            waited_for_pace: waited(WaitedFor::Pacing),
            concurrency_limit: gauge(recorder, &names::MODEL_CONCURRENCY_LIMIT, &labels),
            hedges: count(&names::MODEL_HEDGES),
            hedges_won: count(&names::MODEL_HEDGES_WON),
            memory: CacheMeters::new(recorder, model, CacheStore::Memory),
            redis: CacheMeters::new(recorder, model, CacheStore::Redis),
            cache_misses: count(&names::MODEL_CACHE_MISSES),
            demotions: count(&names::MODEL_DEMOTIONS),
            demoted: gauge(recorder, &names::MODEL_DEMOTED, &labels),
            drifts: DriftKind::ALL.map(|kind| {
                let labels = [("model", model), ("kind", kind.as_str())];
                (
                    counter(recorder, &names::MODEL_DRIFTS, &labels),
                    gauge(recorder, &names::MODEL_DRIFTING, &labels),
                )
            }),
            prompt_tokens_ratio: histogram(recorder, &names::MODEL_PROMPT_TOKENS_RATIO, &labels),
        }
    }

    fn drift(&self, what: DriftKind) -> Option<&(Counter, Gauge)> {
        let at = DriftKind::ALL.iter().position(|known| *known == what)?;
        self.drifts.get(at)
    }

    const fn cache(&self, store: CacheStore) -> &CacheMeters {
        match store {
            CacheStore::Memory => &self.memory,
            CacheStore::Redis => &self.redis,
        }
    }

    fn count(&self, event: &CallEvent) {
        match event {
            CallEvent::AttemptEnded { elapsed, failure } => {
                self.attempts.count(*failure);
                self.attempt_seconds.record(elapsed.as_secs_f64());
            }
            CallEvent::Retried { .. } => self.retries.increment(1),
            CallEvent::RetryBudgetSpent => self.retry_budget_spent.increment(1),
            CallEvent::RetryFutile => self.retry_futile.increment(1),
            CallEvent::Restarted => self.restarts.increment(1),
            CallEvent::BreakerChanged { state } => self.breaker.change(*state),
            CallEvent::BreakerRefused => self.breaker.refused.increment(1),
            CallEvent::Waited { what: WaitedFor::Concurrency, wait } => {
                self.waited_for_place.record(wait.as_secs_f64());
            }
            CallEvent::Waited { what: WaitedFor::Pacing, wait } => {
                self.waited_for_pace.record(wait.as_secs_f64());
            }
            CallEvent::ConcurrencyChanged { limit } => self.concurrency_limit.set(f64::from(*limit)),
            CallEvent::Hedged => self.hedges.increment(1),
            CallEvent::HedgeWon => self.hedges_won.increment(1),
            CallEvent::TokensCompared { counted, reported } => {
                if *counted > 0 {
                    self.prompt_tokens_ratio.record(*reported as f64 / *counted as f64);
                }
            }
            // Counted by both names.
            CallEvent::FellBack { .. } => {}
            CallEvent::CacheHit { store } => self.cache(*store).hits.increment(1),
            CallEvent::CacheMiss => self.cache_misses.increment(1),
            CallEvent::CacheBypassed { store } => self.cache(*store).bypassed.increment(1),
            CallEvent::Demoted { .. } => {
                self.demotions.increment(1);
                self.demoted.set(1.0);
            }
            CallEvent::Restored => self.demoted.set(0.0),
            CallEvent::Drifted { what, .. } => {
                if let Some((drifts, drifting)) = self.drift(*what) {
                    drifts.increment(1);
                    drifting.set(1.0);
                }
            }
            CallEvent::DriftEnded { what, .. } => {
                if let Some((_, drifting)) = self.drift(*what) {
                    drifting.set(0.0);
                }
            }
            // Counted by task and arm.
            CallEvent::ArmJudged { .. } | CallEvent::ArmStopped { .. } | CallEvent::ArmResumed { .. } => {}
        }
    }
}

impl BreakerMeters {
    fn new(recorder: &PrometheusRecorder, model: &str) -> Self {
        let of = |state: BreakerState| {
            let labels = [("model", model), ("state", state.as_str())];
            let is_now = gauge(recorder, &names::MODEL_BREAKER_STATE, &labels);
            is_now.set(if state == BreakerState::default() { 1.0 } else { 0.0 });
            (state, is_now, counter(recorder, &names::MODEL_BREAKER_CHANGES, &labels))
        };
        let refused = counter(recorder, &names::MODEL_BREAKER_REFUSED, &[("model", model)]);
        Self { states: BREAKER_STATES.map(of), refused }
    }

    fn change(&self, to: BreakerState) {
        for (state, is_now, changes) in &self.states {
            if *state == to {
                is_now.set(1.0);
                changes.increment(1);
            } else {
                is_now.set(0.0);
            }
        }
    }
}

impl CacheMeters {
    fn new(recorder: &PrometheusRecorder, model: &str, store: CacheStore) -> Self {
        let labels = [("model", model), ("store", store.as_str())];
        Self {
            hits: counter(recorder, &names::MODEL_CACHE_HITS, &labels),
            bypassed: counter(recorder, &names::MODEL_CACHE_BYPASSED, &labels),
        }
    }
}

impl CallObserver for Meter {
    fn observe(&self, model: &str, event: &CallEvent) {
        if !self.arm(model, event) {
            self.calls(model).count(event);
        }
        if let CallEvent::FellBack { to } = event {
            self.fell_back(model, to);
        }
        tell(model, event);
    }
}

impl Meter {
    fn calls(&self, model: &str) -> Arc<CallMeters> {
        if let Some(meters) = self.calls.get(model) {
            return Arc::clone(&meters);
        }
        let new = || Arc::new(CallMeters::new(&self.recorder, model));
        Arc::clone(&self.calls.entry(model.to_owned()).or_insert_with(new))
    }

    /// Counts a conversation that did not fit and was condensed.
    pub fn prompt_condensed(&self, model: &str, condensed: &Condensed) {
        let labels = [("model", model)];
        let saved = condensed.tokens_before.saturating_sub(condensed.tokens_after);
        counter(&self.recorder, &names::PROMPTS_CONDENSED, &labels).increment(1);
        counter(&self.recorder, &names::PROMPT_TOKENS_CONDENSED, &labels).increment(saved);
    }

    /// Fallbacks are rare, so their counter is looked up each time.
    fn fell_back(&self, model: &str, to: &str) {
        counter(&self.recorder, &names::MODEL_FALLBACKS, &[("model", model), ("to", to)]).increment(1);
    }
}

/// A line in the log: what changes how later calls go at the level info, what belongs to one call at debug.
fn tell(model: &str, event: &CallEvent) {
    match event {
        CallEvent::AttemptEnded { elapsed, failure } => {
            tracing::debug!(model, elapsed_ms = elapsed.as_millis(), ?failure, "an attempt ended");
        }
        CallEvent::Retried { attempt, wait } => {
            tracing::debug!(model, attempt, wait_ms = wait.as_millis(), "a call failed and is tried again");
        }
        CallEvent::RetryBudgetSpent => {
            tracing::info!(model, "a call failed and is not tried again: too many of all calls are retries");
        }
        CallEvent::RetryFutile => {
            tracing::debug!(model, "a call failed in the same way too often and is not tried again");
        }
        CallEvent::Restarted => tracing::debug!(model, "an answer broke half way and is begun anew"),
        CallEvent::BreakerChanged { state } => {
            tracing::info!(model, state = state.as_str(), "the circuit breaker changed");
        }
        CallEvent::BreakerRefused => tracing::debug!(model, "the circuit breaker refused a call"),
        CallEvent::Waited { what, wait } => {
            tracing::debug!(model, what = what.as_str(), wait_ms = wait.as_millis(), "a call waited");
        }
        CallEvent::ConcurrencyChanged { limit } => {
            tracing::debug!(model, limit, "the number of calls that may run at once changed");
        }
        CallEvent::Hedged => tracing::debug!(model, "a second call was sent"),
        CallEvent::HedgeWon => tracing::debug!(model, "the second call answered first"),
        CallEvent::TokensCompared { counted, reported } => {
            tracing::debug!(
                model,
                counted,
                reported,
                "a prompt's tokens were compared with the provider's count"
            );
        }
        CallEvent::FellBack { to } => tracing::info!(model, to, "another model is asked"),
        CallEvent::CacheHit { store } => {
            tracing::debug!(model, store = store.as_str(), "the answer was in the cache");
        }
        CallEvent::CacheMiss => tracing::debug!(model, "the answer was in no cache"),
        CallEvent::CacheBypassed { store } => {
            tracing::info!(model, store = store.as_str(), "a cache was down or slow and was passed by");
        }
        CallEvent::Demoted { reason } => tracing::info!(model, reason, "the model is passed over"),
        CallEvent::Restored => tracing::info!(model, "the model is considered again"),
        CallEvent::Drifted { what, task_type, reason } => {
            tracing::warn!(
                model,
                what = what.as_str(),
                task_type,
                reason,
                "the model is not what it was at first"
            );
        }
        CallEvent::DriftEnded { what, task_type } => {
            tracing::info!(model, what = what.as_str(), task_type, "the model is what it was at first again");
        }
        CallEvent::ArmJudged { task_type, standing } => {
            tracing::debug!(arm = model, task_type, ?standing, "an answer of an arm was judged");
        }
        CallEvent::ArmStopped { task_type, reason } => {
            tracing::warn!(arm = model, task_type, reason, "the arm is taken out of its split");
        }
        CallEvent::ArmResumed { task_type } => {
            tracing::info!(arm = model, task_type, "the arm is put back into its split");
        }
    }
}
