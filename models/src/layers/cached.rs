//! Gives an answer again that was given before.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use playhouse_config::settings::CacheMode;
use playhouse_protocol::completion::{Completion, CompletionRequest, ProviderKind, StopReason};

use crate::cache::{AnswerCache, CacheKey, CacheScope, Flight, Place, Told, given_again};
use crate::client::{CompletionEvent, CompletionStream, ModelClient, ModelInfo};
use crate::error::ModelError;
use crate::observer::{CacheStore, CallEvent, CallObserver};
use crate::tokens::TokenCounter;

/// How many times a call waits for an equal one before it asks itself. A second time is for a caller that went away; who
/// waits for failure after failure would take as long as all of them together.
const WAITS_MAX: u32 = 2;

/// A model whose answers are kept and given again to equal requests.
///
/// - An answer is kept when it is whole ([`StopReason::Stop`]), comes from this model and not from a fallback, and, with
///   [`CacheMode::Exact`], when the request is not sampled: a temperature of 0, or none for a provider that is greedy then.
/// - One that is given again has [`Route::cached`](playhouse_protocol::completion::Route::cached) and used nothing. As a
///   stream it is one delta and the end.
/// - Equal requests at one time are asked once; the others are given that answer. When the one that asks fails or is dropped,
///   another one asks: no call fails for another's sake, and no failure is kept.
#[derive(Debug, Clone)]
pub struct Cached {
    inner: Arc<dyn ModelClient>,
    parts: Arc<CachedParts>,
}

/// What the cache around a model is made of.
#[derive(Debug)]
pub struct CachedParts {
    /// Which answers are kept.
    pub mode: CacheMode,
    /// What they are kept under.
    pub scope: CacheScope,
    /// Where they are kept.
    pub cache: Arc<AnswerCache>,
    /// Is told of hits, misses and caches that are down.
    pub observer: Arc<dyn CallObserver>,
}

/// What becomes of a call.
enum Begun {
    /// It was answered.
    Answered(Completion),
    /// The model is to be asked.
    Asks(Option<Asking>),
}

/// A call whose answer is to be kept.
struct Asking {
    key: CacheKey,
    /// The equal calls that wait for its answer; `None` when it waited too long itself and asks on its own.
    flight: Option<Flight>,
}

impl Cached {
    /// Keeps the answers of `inner`.
    pub fn new(inner: Arc<dyn ModelClient>, parts: CachedParts) -> Self {
        Self { inner, parts: Arc::new(parts) }
    }

    fn told(&self) -> Told<'_> {
        Told { observer: &*self.parts.observer, model: &self.inner.info().name }
    }

    fn is_kept(&self, request: &CompletionRequest) -> bool {
        match self.parts.mode {
            CacheMode::Off => false,
            CacheMode::Sampled => true,
            CacheMode::Exact => match request.sampling.temperature {
                Some(temperature) => temperature == 0.0,
                None => self.inner.info().provider == ProviderKind::Local,
            },
        }
    }

    /// Looks for an answer: kept ones first, then the one that an equal call waits for.
    async fn begin(&self, request: &CompletionRequest) -> Begun {
        if !self.is_kept(request) {
            return Begun::Asks(None);
        }
        let (cache, told) = (&self.parts.cache, self.told());
        let key = self.parts.scope.key(request);
        let model = told.model;
        let mut ended = cache.flights.ended();
        if let Some(kept) = cache.get_near(&key, told) {
            return Begun::Answered(kept.again(model));
        }
        for _ in 0..WAITS_MAX {
            let flight = match cache.flights.join(key) {
                Place::Asks(flight) => flight,
                Place::Waits(waiting) => match waiting.answer().await {
                    None => continue,
                    Some(completion) => {
                        // Out of this process, though it was never kept.
                        told.tell(&CallEvent::CacheHit { store: CacheStore::Memory });
                        return Begun::Answered(given_again(&completion, model));
                    }
                },
            };
            // An equal call may have ended since.
            let now_ended = cache.flights.ended();
            let mut kept = None;
            if std::mem::replace(&mut ended, now_ended) != now_ended {
                kept = cache.get_near(&key, told);
            }
            if kept.is_none() {
                kept = cache.get_far(&key, told).await;
            }
            if let Some(kept) = kept {
                flight.land(&kept.completion);
                return Begun::Answered(kept.again(model));
            }
            told.tell(&CallEvent::CacheMiss);
            return Begun::Asks(Some(Asking { key, flight: Some(flight) }));
        }
        told.tell(&CallEvent::CacheMiss);
        Begun::Asks(Some(Asking { key, flight: None }))
    }

    /// Keeps an answer and hands it to whoever waits for it.
    async fn end(&self, asking: Option<Asking>, completion: &Completion) {
        let Some(Asking { key, flight }) = asking else { return };
        let told = self.told();
        let is_own = completion.origin.model == told.model && completion.route.passed_over.is_empty();
        if completion.stop_reason == StopReason::Stop && is_own {
            self.parts.cache.put(&key, completion, told).await;
        }
        if let Some(flight) = flight {
            flight.land(completion);
        }
    }

    /// The stream of a model that is asked; its answer is kept before it ends.
    fn asked(self, request: CompletionRequest, asking: Option<Asking>) -> CompletionStream {
        let events = self.inner.stream(request);
        let kept = stream::unfold((events, self, asking), |(mut events, cached, mut asking)| async move {
            let event = events.next().await?;
            match &event {
                Ok(CompletionEvent::Finished(completion)) => cached.end(asking.take(), completion).await,
                // Who waits need not wait until the reader has dropped the stream.
                Err(_) => drop(asking.take()),
                Ok(CompletionEvent::Delta(_) | CompletionEvent::Restarted { .. }) => {}
            }
            Some((event, (events, cached, asking)))
        });
        kept.boxed()
    }
}

/// An answer that is there as a stream.
fn at_once(completion: Completion) -> CompletionStream {
    let text = completion.text.clone();
    let delta = (!text.is_empty()).then_some(Ok(CompletionEvent::Delta(text)));
    stream::iter(delta.into_iter().chain([Ok(CompletionEvent::Finished(completion))])).boxed()
}

impl ModelClient for Cached {
    fn info(&self) -> &ModelInfo {
        self.inner.info()
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let cached = self.clone();
        let events = async move {
            match cached.begin(&request).await {
                Begun::Answered(completion) => at_once(completion),
                Begun::Asks(asking) => cached.asked(request, asking),
            }
        };
        stream::once(events).flatten().boxed()
    }

    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Completion, ModelError>> {
        Box::pin(async move {
            let asking = match self.begin(&request).await {
                Begun::Answered(completion) => return Ok(completion),
                Begun::Asks(asking) => asking,
            };
            let completion = self.inner.complete(request).await?;
            self.end(asking, &completion).await;
            Ok(completion)
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
