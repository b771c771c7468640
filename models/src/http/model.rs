//! The client.

use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream;
use playhouse_config::Secret;
use playhouse_config::settings::{TimeoutsConfig, TrafficConfig};
use playhouse_protocol::WallClock;
use playhouse_protocol::completion::{Completion, CompletionRequest};
use tokio::time::timeout;

use super::Connections;
use super::endpoint::{Endpoint, timed_out};
use super::form::Form;
use super::streaming::{Streaming, complete};
use crate::client::{CompletionEvent, CompletionStream, ModelClient, ModelInfo};
use crate::error::{Awaited, ModelError};
use crate::tokens::TokenCounter;

/// What an [`HttpModel`] is made of.
#[derive(Debug)]
pub struct HttpArgs {
    /// What is known of the model.
    pub info: ModelInfo,
    /// Up to and without the path of the protocol.
    pub base_url: String,
    /// The provider's name of the model.
    pub model: String,
    /// The key, where one is needed. Sent in the header that the protocol asks for.
    pub api_key: Option<Secret>,
    /// Time limits of one attempt.
    pub timeouts: TimeoutsConfig,
    /// Where answers are written down, or taken from instead of the server; `None` for neither.
    pub traffic: Option<TrafficConfig>,
    /// Counts what the server does not report.
    pub tokens: Arc<dyn TokenCounter>,
    /// The time of day, for hints that are dates.
    pub wall_clock: Arc<dyn WallClock>,
}

/// A model behind an HTTP server, whatever it speaks: [`openai`](crate::openai), [`anthropic`](crate::anthropic) and
/// [`ollama`](crate::ollama) make one each.
///
/// # Time limits
/// `first_token` and `between_tokens` hold for streamed answers, where silence means that nothing happens. A plain
/// answer is sent when it is complete, so silence is no sign there: only `connect` and `attempt` hold. `total` is
/// the business of whoever tries again.
#[derive(Debug)]
pub struct HttpModel {
    endpoint: Arc<Endpoint>,
}

impl HttpModel {
    /// A client whose connections come out of `connections`. Connects when it is first asked.
    ///
    /// # Errors
    /// When the address or the key has a form that cannot be sent, or this machine cannot do TLS.
    pub(crate) fn new(
        args: HttpArgs,
        form: Box<dyn Form>,
        connections: &Connections,
    ) -> Result<Self, ModelError> {
        Ok(Self { endpoint: Arc::new(Endpoint::new(args, form, connections)?) })
    }
}

impl ModelClient for HttpModel {
    fn info(&self) -> &ModelInfo {
        &self.endpoint.info
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let streaming = Streaming::new(Arc::clone(&self.endpoint), request);
        let events = stream::unfold(Some(streaming), |streaming| async move {
            let mut streaming = streaming?;
            let event = streaming.next().await;
            let goes_on = matches!(event, Ok(CompletionEvent::Delta(_)));
            Some((event, goes_on.then_some(streaming)))
        });
        events.boxed()
    }

    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Completion, ModelError>> {
        let endpoint = &self.endpoint;
        let limit = endpoint.timeouts.attempt;
        Box::pin(async move {
            let answer = timeout(limit, complete(endpoint, &request)).await;
            answer.unwrap_or_else(|_| Err(endpoint.error(timed_out(Awaited::Attempt, limit))))
        })
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        let endpoint = &self.endpoint;
        let limit = endpoint.timeouts.first_token;
        Box::pin(async move {
            let answer = timeout(limit, endpoint.ping()).await;
            answer.unwrap_or_else(|_| Err(endpoint.error(timed_out(Awaited::Answer, limit))))
        })
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        Arc::clone(&self.endpoint.tokens)
    }
}
