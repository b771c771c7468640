//! Lets no more calls run at once than the server can bear.

mod limit;
mod places;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use playhouse_protocol::completion::{Completion, CompletionRequest};

use super::paced::Pace;
use super::relay::{self, Guard};
use crate::client::{CompletionStream, ModelClient, ModelInfo};
use crate::error::ModelError;
use crate::observer::{CallEvent, CallObserver, WaitedFor};
use crate::tokens::TokenCounter;
use limit::{Measured, Signal};
use places::Place;

pub use places::Concurrency;

/// A model of which only so many calls run at once; further ones wait in order.
#[derive(Debug, Clone)]
pub struct Limited {
    inner: Arc<dyn ModelClient>,
    concurrency: Arc<Concurrency>,
    pace: Option<Arc<Pace>>,
    observer: Arc<dyn CallObserver>,
}

impl Limited {
    /// Puts the places of `concurrency` in front of `inner`.
    pub fn new(
        inner: Arc<dyn ModelClient>,
        concurrency: Arc<Concurrency>,
        observer: Arc<dyn CallObserver>,
    ) -> Self {
        Self { inner, concurrency, pace: None, observer }
    }

    /// The same, whose calls also wait until a pause of `pace` is over. Those that wait here have had their turn before
    /// the provider asked for the pause.
    #[must_use]
    pub fn pausing_with(mut self, pace: Arc<Pace>) -> Self {
        self.pace = Some(pace);
        self
    }
}

/// A call in its place.
struct Running<'a> {
    limited: Cow<'a, Limited>,
    place: Place,
    measured: Measured,
    first_token: Option<Duration>,
}

impl<'a> Running<'a> {
    async fn begin(limited: Cow<'a, Limited>, measured: Measured) -> Self {
        let (mut place, waited) = limited.concurrency.enter().await;
        if let Some(pace) = &limited.pace
            && pace.pause_over().await
        {
            place.begin();
        }
        let running = Self { limited, place, measured, first_token: None };
        if let Some(wait) = waited {
            running.tell(&CallEvent::Waited { what: WaitedFor::Concurrency, wait });
        }
        running
    }

    fn tell(&self, event: &CallEvent) {
        self.limited.observer.observe(&self.limited.inner.info().name, event);
    }
}

impl Guard for Running<'_> {
    fn first_text(&mut self) {
        self.first_token = Some(self.place.elapsed());
    }

    fn ended(&mut self, outcome: Result<&mut Completion, &mut ModelError>) {
        let signal = match outcome {
            // A stream without text shows life at its end.
            Ok(_) => Signal::Answered(self.first_token.unwrap_or_else(|| self.place.elapsed())),
            Err(error) => Signal::of(error),
        };
        if let Some(limit) = self.place.learn(signal, self.measured) {
            self.tell(&CallEvent::ConcurrencyChanged { limit });
        }
    }
}

impl ModelClient for Limited {
    fn info(&self) -> &ModelInfo {
        self.inner.info()
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let limited = self.clone();
        relay::stream(&self.inner, async move {
            Ok((Running::begin(Cow::Owned(limited), Measured::FirstToken).await, request))
        })
    }

    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Completion, ModelError>> {
        Box::pin(async move {
            let running = Running::begin(Cow::Borrowed(self), Measured::Answer).await;
            relay::complete(&*self.inner, request, running).await
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        self.inner.ping()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        self.inner.tokens()
    }
}
