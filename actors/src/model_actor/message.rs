//! What a model's actor is told.

use std::sync::Arc;
use std::time::Duration;

use playhouse_models::{ModelClient, ModelError};
use playhouse_protocol::completion::{Completion, CompletionRequest};
use playhouse_protocol::{FailureClass, Usage};
use ractor::RpcReplyPort;
use tokio::sync::oneshot;

use super::handle::TokenSink;
use super::state::ModelSnapshot;

/// The mailbox of a [`ModelActor`](super::ModelActor).
#[derive(Debug)]
pub enum ModelMessage {
    /// From an agent, through [`ModelHandle`](super::ModelHandle). The reply is the answer or its failure; a
    /// full queue is answered at once. When the asker drops its end, the call is cancelled. When the actor
    /// is gone, the sender of the reply is dropped.
    Complete {
        /// Who is asked: built on first use, so that a model without its key or file stops nobody else.
        client: Arc<dyn ModelClient>,
        /// The question.
        request: Box<CompletionRequest>,
        /// Is given the answer's text as it arrives.
        sink: Option<TokenSink>,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<Completion, ModelError>>,
    },
    /// From the actor's own calls: one ended.
    CallEnded(ModelCallEnded),
    /// From whoever shows the state. When the actor is gone, the question fails.
    GetSnapshot(RpcReplyPort<ModelSnapshot>),
}

/// How a call ended.
#[derive(Debug, Clone, Copy)]
pub struct ModelCallEnded {
    /// How long it took.
    pub elapsed: Duration,
    /// What it used; zero for a failure.
    pub usage: Usage,
    /// The class of its failure; `None` for an answer, and `Cancelled` when its asker went away.
    pub failure: Option<FailureClass>,
}
