//! What an agent's actor holds.

use std::sync::Arc;

/// The state of an [`AgentActor`](super::AgentActor): the agent's settings, shared by all its requests. It is
/// never restarted, so nothing is lost.
#[derive(Debug)]
pub struct AgentState<A> {
    pub(super) agent: Arc<A>,
}
