//! Where a runtime enters: the first agent of a task.

use std::sync::Arc;

use crate::agent::{Agent, AgentError};
use crate::agent_actor::run_agent;
use crate::context::{AgentServices, Place};
use crate::task::TaskScope;

/// Asks agent `A` on behalf of `task`. The agent's actor lives inside this future: dropping it ends the agent.
///
/// # Errors
/// What the agent says; `NotRegistered` when the services know no such agent.
pub async fn ask<A: Agent>(
    services: &Arc<AgentServices>,
    task: &Arc<TaskScope>,
    request: A::Request,
) -> Result<A::Reply, AgentError> {
    let agent = services.registry().get::<A>().ok_or(AgentError::NotRegistered { kind: A::KIND })?;
    run_agent(agent, services, task, Place::default(), request).await
}
