//! Asks another model when one fails.

mod chain;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{StreamExt, stream};
use playhouse_protocol::completion::{Completion, CompletionRequest};

use super::relay::ended_early;
use crate::client::{CompletionEvent, CompletionStream, ModelClient, ModelInfo};
use crate::error::ModelError;
use crate::observer::CallObserver;
use crate::tokens::TokenCounter;
use chain::Chain;

/// A model that is asked when those before it have failed. Its client is made when it is first needed.
pub trait Candidate: Send + Sync + fmt::Debug {
    /// The catalog entry.
    fn name(&self) -> &str;

    /// The client, where it has been made. It follows no fallbacks of its own.
    fn made(&self) -> Option<Arc<dyn ModelClient>>;

    /// Makes the client. May read a file: called off the async threads.
    ///
    /// # Errors
    /// Why it cannot be made, as a lower-case fragment.
    fn make(&self) -> Result<Arc<dyn ModelClient>, String>;
}

/// A model with others behind it. They are asked in order, each with all its own layers, until one answers.
///
/// - The others are asked when the first fails in a way that is not the request's fault: it cannot be reached, is broken,
///   overloaded or refused by our own breaker or pace, took its whole time, or does not let us in. The last is a wrong
///   key or a spent quota: that does not pass, but another provider does not know of it. A wrong request, or a prompt
///   that is too long, is given back at once.
/// - What one of the others fails with, whatever it is, leads on to the next: the first one's failure stands.
/// - A model whose context window the prompt is known not to fit is passed over.
/// - Each model has its own whole time (`timeouts.total`), so that a first model that hangs does not use up what the
///   others need. A call with fallbacks may so take the sum; the caller's own deadline bounds it, by dropping it.
/// - When all have failed, the first one's error is given, with a note of the others.
/// - Retries of the others count as theirs in the budget of retries, and their first requests as first calls.
#[derive(Debug, Clone)]
pub struct FallingBack {
    first: Arc<dyn ModelClient>,
    others: Arc<[Arc<dyn Candidate>]>,
    observer: Arc<dyn CallObserver>,
}

impl FallingBack {
    /// Puts `others` behind `first`.
    pub fn new(
        first: Arc<dyn ModelClient>,
        others: Vec<Arc<dyn Candidate>>,
        observer: Arc<dyn CallObserver>,
    ) -> Self {
        Self { first, others: others.into(), observer }
    }
}

/// A streamed call between two of its events.
struct Streaming {
    chain: Chain<'static>,
    model: Arc<dyn ModelClient>,
    events: Option<CompletionStream>,
    /// Whether the caller has seen a part of the answer that still counts.
    text_given: bool,
    /// Restarts by models that have failed since, and by changing over to another.
    restarts: u32,
    /// Restarts by the model that is asked, which it tells itself when it answers.
    own_restarts: u32,
}

impl Streaming {
    async fn next(&mut self) -> Result<CompletionEvent, ModelError> {
        loop {
            let model = &self.model;
            let events = self.events.get_or_insert_with(|| model.stream(self.chain.request().clone()));
            let error = match events.next().await.unwrap_or_else(|| Err(ended_early(model.info()))) {
                Ok(CompletionEvent::Finished(completion)) => {
                    let mut completion = self.chain.answered(completion);
                    completion.route.restarts += self.restarts;
                    return Ok(CompletionEvent::Finished(completion));
                }
                Ok(event) => {
                    self.text_given = matches!(event, CompletionEvent::Delta(_));
                    self.own_restarts += u32::from(matches!(event, CompletionEvent::Restarted { .. }));
                    return Ok(event);
                }
                Err(error) => error,
            };
            self.events = None;
            self.restarts += std::mem::take(&mut self.own_restarts);
            let reason = error.kind.to_string();
            self.model = self.chain.next_after(error).await?;
            if std::mem::take(&mut self.text_given) {
                self.restarts += 1;
                return Ok(CompletionEvent::Restarted { reason });
            }
        }
    }
}

impl ModelClient for FallingBack {
    fn info(&self) -> &ModelInfo {
        self.first.info()
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let streaming = Streaming {
            model: Arc::clone(&self.first),
            chain: Chain::new(Cow::Owned(self.clone()), request),
            events: None,
            text_given: false,
            restarts: 0,
            own_restarts: 0,
        };
        stream::unfold(Some(streaming), |streaming| async move {
            let mut streaming = streaming?;
            let event = streaming.next().await;
            let goes_on = matches!(event, Ok(CompletionEvent::Delta(_) | CompletionEvent::Restarted { .. }));
            Some((event, goes_on.then_some(streaming)))
        })
        .boxed()
    }

    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Completion, ModelError>> {
        Box::pin(async move {
            let mut chain = Chain::new(Cow::Borrowed(self), request);
            let mut model = Arc::clone(&self.first);
            loop {
                match model.complete(chain.request().clone()).await {
                    Ok(completion) => return Ok(chain.answered(completion)),
                    Err(error) => model = chain.next_after(error).await?,
                }
            }
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        self.first.ping()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        self.first.tokens()
    }
}
