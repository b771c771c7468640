//! How agents reach a model's actor.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use playhouse_models::tokens::TokenCounter;
use playhouse_models::{ModelClient, ModelError, ModelErrorKind, ModelInfo};
use playhouse_protocol::completion::{Completion, CompletionRequest};
use playhouse_supervisors::Address;
use tokio::sync::oneshot;

use super::message::ModelMessage;

/// A part of an answer, as a [`TokenSink`] is given it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnswerPart {
    /// More text; never empty.
    Text(String),
    /// The answer broke half way and is begun anew: the text so far is void.
    Restarted {
        /// What went wrong.
        reason: String,
    },
}

/// Is given an answer's text as it arrives. Must not block.
#[derive(Clone)]
pub struct TokenSink(Arc<dyn Fn(AnswerPart) + Send + Sync>);

impl TokenSink {
    /// A sink that calls `receive` with each part.
    pub fn new(receive: impl Fn(AnswerPart) + Send + Sync + 'static) -> Self {
        Self(Arc::new(receive))
    }

    /// Hands a part on.
    pub fn send(&self, part: AnswerPart) {
        (self.0)(part);
    }
}

impl fmt::Debug for TokenSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenSink")
    }
}

/// How long a model's actor is waited for while its supervisor restarts it.
const RESTART_LIMIT: Duration = Duration::from_secs(5);

/// A model and the actor in front of it. Cheap to clone; survives restarts of the actor.
#[derive(Debug, Clone)]
pub struct ModelHandle {
    client: Arc<dyn ModelClient>,
    actor: Address<ModelMessage>,
}

impl ModelHandle {
    /// The handle of a model whose actor is found at `actor`.
    pub fn new(client: Arc<dyn ModelClient>, actor: Address<ModelMessage>) -> Self {
        Self { client, actor }
    }

    /// What is known of the model.
    pub fn info(&self) -> &ModelInfo {
        self.client.info()
    }

    /// What counts the model's tokens.
    pub fn tokens(&self) -> Arc<dyn TokenCounter> {
        self.client.tokens()
    }

    /// Asks the model. Dropping the future cancels the call.
    ///
    /// # Errors
    /// The model's failure, `QueueFull` when too many calls are open, or `BrokenStream` when the actor ended
    /// before it answered.
    pub async fn complete(
        &self,
        request: CompletionRequest,
        sink: Option<TokenSink>,
    ) -> Result<Completion, ModelError> {
        let gone = || {
            let kind = ModelErrorKind::BrokenStream { reason: "the model's actor ended".to_owned() };
            ModelError::new(self.info(), kind)
        };
        let (reply, answer) = oneshot::channel();
        let client = Arc::clone(&self.client);
        if self.actor.get().is_none() {
            self.actor.wait(RESTART_LIMIT).await.map_err(|_| gone())?;
        }
        let call = ModelMessage::Complete { client, request: Box::new(request), sink, reply };
        self.actor.send(call).map_err(|_| gone())?;
        answer.await.map_err(|_| gone())?
    }
}
