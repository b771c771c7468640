//! Refuses calls for a while when too many have failed.

mod circuit;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::future::BoxFuture;
use playhouse_config::settings::BreakerConfig;
use playhouse_protocol::completion::{Completion, CompletionRequest};
use tokio::time::Instant;

use super::relay::{self, Guard};
use crate::client::{CompletionStream, ModelClient, ModelInfo};
use crate::error::{ModelError, ModelErrorKind};
use crate::observer::{BreakerState, CallEvent, CallObserver};
use crate::tokens::TokenCounter;
use circuit::{Circuit, Finding, Ticket};

/// The circuit breaker of one model, which its calls share with whoever looks at it. Held for the time of a few
/// additions.
#[derive(Debug)]
pub struct Breaker {
    circuit: Mutex<Circuit>,
    begun: Instant,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(config: BreakerConfig) -> Self {
        Self { circuit: Mutex::new(Circuit::new(config)), begun: Instant::now() }
    }

    /// What it is. An open one whose time is over stays open until a call comes.
    pub fn state(&self) -> BreakerState {
        self.change(|circuit, _| circuit.state()).0
    }

    /// Does something to the circuit, and gives its new state when that has changed.
    fn change<T>(&self, act: impl FnOnce(&mut Circuit, Duration) -> T) -> (T, Option<BreakerState>) {
        let now = self.begun.elapsed();
        let mut circuit = self.circuit.lock().unwrap_or_else(PoisonError::into_inner);
        let before = circuit.state();
        let done = act(&mut circuit, now);
        let after = circuit.state();
        (done, (before != after).then_some(after))
    }
}

/// A model whose calls are refused while its breaker is open. Only the model's own calls count: those of a
/// fallback go through the fallback's own breaker.
#[derive(Debug, Clone)]
pub struct Breaking {
    inner: Arc<dyn ModelClient>,
    breaker: Arc<Breaker>,
    observer: Arc<dyn CallObserver>,
}

impl Breaking {
    /// Puts `breaker` in front of `inner`.
    pub fn new(inner: Arc<dyn ModelClient>, breaker: Arc<Breaker>, observer: Arc<dyn CallObserver>) -> Self {
        Self { inner, breaker, observer }
    }

    fn refused(&self, wait: Duration) -> ModelError {
        self.observer.observe(&self.inner.info().name, &CallEvent::BreakerRefused);
        let retry_in_ms = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX);
        let kind = ModelErrorKind::BreakerOpen { retry_in_ms };
        ModelError { retry_after: Some(wait), ..ModelError::new(self.inner.info(), kind) }
    }

    fn tell_change(&self, changed: Option<BreakerState>) {
        let Some(state) = changed else { return };
        let name = &self.inner.info().name;
        tracing::warn!(model = %name, state = state.as_str(), "the circuit breaker of a model changed");
        self.observer.observe(name, &CallEvent::BreakerChanged { state });
    }
}

/// A call that was let pass.
struct Passage<'a> {
    breaking: Cow<'a, Breaking>,
    /// Taken at the call's end.
    ticket: Option<Ticket>,
}

impl<'a> Passage<'a> {
    fn admit(breaking: Cow<'a, Breaking>) -> Result<Self, ModelError> {
        let (ticket, changed) = breaking.breaker.change(Circuit::admit);
        breaking.tell_change(changed);
        match ticket {
            Ok(ticket) => Ok(Self { breaking, ticket: Some(ticket) }),
            Err(wait) => Err(breaking.refused(wait)),
        }
    }

    fn end(&mut self, finding: Finding) {
        if let Some(ticket) = self.ticket.take() {
            let ended = |circuit: &mut Circuit, now| circuit.ended(ticket, finding, now);
            let ((), changed) = self.breaking.breaker.change(ended);
            self.breaking.tell_change(changed);
        }
    }
}

impl Guard for Passage<'_> {
    fn ended(&mut self, outcome: Result<&mut Completion, &mut ModelError>) {
        self.end(outcome.map_or_else(|error| Finding::of(error), |_| Finding::Works));
    }
}

impl Drop for Passage<'_> {
    fn drop(&mut self) {
        self.end(Finding::Nothing);
    }
}

impl ModelClient for Breaking {
    fn info(&self) -> &ModelInfo {
        self.inner.info()
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let breaking = self.clone();
        relay::stream(&self.inner, async move { Ok((Passage::admit(Cow::Owned(breaking))?, request)) })
    }

    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Completion, ModelError>> {
        Box::pin(async move {
            let passage = Passage::admit(Cow::Borrowed(self))?;
            relay::complete(&*self.inner, request, passage).await
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        self.inner.ping()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        self.inner.tokens()
    }
}
