//! The one face of every model.

use std::fmt;
use std::sync::Arc;

use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use playhouse_protocol::completion::{Completion, CompletionRequest, ProviderKind};

use crate::error::{ModelError, ModelErrorKind};
use crate::tokens::TokenCounter;

/// What is known of a model without asking it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelInfo {
    /// The catalog entry.
    pub name: String,
    /// The kind of provider.
    pub provider: ProviderKind,
    /// Tokens of prompt and answer together that the model can hold.
    pub context_tokens: u32,
    /// The longest answer, in tokens, when a request does not say.
    pub completion_tokens_default: u32,
    /// Whether the provider makes the answer fit a JSON schema. Where not, the prompt must ask for it and
    /// the answer be parsed tolerantly.
    pub structured_output: bool,
}

/// A part of an answer as it arrives.
#[derive(Debug, Clone, PartialEq)]
pub enum CompletionEvent {
    /// More text; never empty.
    Delta(String),
    /// The answer broke half way and is begun anew: the text so far is void.
    Restarted {
        /// What went wrong, as a lower-case fragment.
        reason: String,
    },
    /// The whole answer. It is the last event.
    Finished(Completion),
}

/// An answer as it arrives: any number of deltas and restarts, then exactly one `Finished` or one error, then the end.
/// Dropping the stream cancels the call: an HTTP request is aborted, the embedded model stops at the next token.
pub type CompletionStream = BoxStream<'static, Result<CompletionEvent, ModelError>>;

/// A model that can be asked.
pub trait ModelClient: Send + Sync + fmt::Debug {
    /// What is known of it.
    fn info(&self) -> &ModelInfo;

    /// Asks, and gives the answer as it arrives. Errors come as the stream's last item.
    fn stream(&self, request: CompletionRequest) -> CompletionStream;

    /// Asks, and gives the whole answer. Dropping the future cancels the call.
    ///
    /// # Errors
    /// As the stream's last item.
    fn complete(&self, request: CompletionRequest) -> BoxFuture<'_, Result<Completion, ModelError>> {
        let mut events = self.stream(request);
        Box::pin(async move {
            while let Some(event) = events.next().await {
                match event? {
                    CompletionEvent::Delta(_) | CompletionEvent::Restarted { .. } => {}
                    CompletionEvent::Finished(completion) => return Ok(completion),
                }
            }
            Err(ModelError::new(
                self.info(),
                ModelErrorKind::BrokenStream { reason: "it ended without an answer".to_owned() },
            ))
        })
    }

    /// Finds out whether the model can be reached (or loaded), without asking it anything that costs money.
    ///
    /// # Errors
    /// When it cannot.
    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>>;

    /// What counts tokens for this model.
    fn tokens(&self) -> Arc<dyn TokenCounter>;
}
