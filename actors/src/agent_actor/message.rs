//! What an agent's actor is told.

use tokio::sync::oneshot;

use crate::agent::{Agent, AgentError};
use crate::context::AgentContext;

/// The mailbox of an [`AgentActor`](super::AgentActor).
pub enum AgentMessage<A: Agent> {
    /// From the runtime or another agent, once: answer this request. When the actor is killed first, the
    /// sender of the reply is dropped.
    Run {
        /// What is asked.
        request: A::Request,
        /// What the agent may use. Boxed so that the message stays small.
        ctx: Box<AgentContext>,
        /// Where the answer goes.
        reply: oneshot::Sender<Result<A::Reply, AgentError>>,
    },
}
