//! Asking an agent: spawn its actor, hand it the request, wait within the task's limits.

use std::sync::Arc;
use std::time::Duration;

use playhouse_supervisors::PoolSupervisor;
use ractor::{Actor, ActorCell, ActorRef};
use tokio::sync::oneshot;

use super::actor::AgentActor;
use super::message::AgentMessage;
use super::state::AgentArgs;
use crate::agent::{Agent, AgentError};
use crate::context::{ASK_DEPTH_MAX, AgentContext, AgentServices, Place};
use crate::task::TaskScope;

/// What an agent has beyond the deadline to make something of what it was told by those it asked. Waits end from the
/// inside out: first the model call, then the agent that made it, last the one that the task began with.
fn grace(depth: u32) -> Duration {
    ANSWER_GRACE * (ASK_DEPTH_MAX.saturating_sub(depth))
}

/// Long enough to put a report together, too short to be noticed beside a model call.
const ANSWER_GRACE: Duration = Duration::from_millis(25);

/// How long the agents' supervisors are waited for while they are restarted.
const RESTART_LIMIT: Duration = Duration::from_secs(5);

/// Kills the actor unless it was let go: an asker that goes away takes its agent along.
struct KillOnDrop(Option<ActorCell>);

impl Drop for KillOnDrop {
    fn drop(&mut self) {
        if let Some(actor) = self.0.take() {
            actor.kill();
        }
    }
}

/// Runs `request` on an actor of its own and waits for the answer.
///
/// # Errors
/// What the agent says; `Panicked` when it panics; `Cancelled` and `DeadlineExceeded` when the task's limits
/// end the wait, in which case the agent is stopped where it is.
pub(crate) async fn run_agent<A: Agent>(
    agent: Arc<A>,
    services: &Arc<AgentServices>,
    task: &Arc<TaskScope>,
    place: Place,
    request: A::Request,
) -> Result<A::Reply, AgentError> {
    let meters = services.meter().agent(A::KIND);
    let running = meters.begin();
    let lost = || AgentError::Lost { kind: A::KIND };
    let supervisor = supervisor_in_time(services, task).await?.ok_or_else(lost)?;
    let args = AgentArgs { agent, events: supervisor.events };
    let spawned = Actor::spawn_linked(None, AgentActor::<A>::new(), args, supervisor.actor).await;
    let (actor, _join) = spawned.map_err(|_| lost())?;
    let answered = wait_for_answer(&actor, services, task, place, request).await;
    running.end(answered.as_ref().err().map(AgentError::class));
    answered
}

/// A supervisor for the agent, within the task's limits; none when all were down for too long.
async fn supervisor_in_time(
    services: &AgentServices,
    task: &TaskScope,
) -> Result<Option<PoolSupervisor>, AgentError> {
    tokio::select! {
        biased;
        found = services.pool().next_within(RESTART_LIMIT) => Ok(found.ok()),
        () = task.cancel().cancelled() => Err(AgentError::Cancelled),
        () = tokio::time::sleep_until(task.deadline()) => Err(task.deadline_error()),
    }
}

async fn wait_for_answer<A: Agent>(
    actor: &ActorRef<AgentMessage<A>>,
    services: &Arc<AgentServices>,
    task: &Arc<TaskScope>,
    place: Place,
    request: A::Request,
) -> Result<A::Reply, AgentError> {
    let depth = place.depth;
    let mut guard = KillOnDrop(Some(actor.get_cell()));
    let (reply, answer) = oneshot::channel();
    let ctx = Box::new(AgentContext::new(Arc::clone(services), Arc::clone(task), A::KIND, place));
    actor.cast(AgentMessage::Run { request, ctx, reply }).map_err(|_| AgentError::Lost { kind: A::KIND })?;
    tokio::select! {
        biased;
        answer = answer => {
            guard.0 = None;
            answer.unwrap_or(Err(AgentError::Lost { kind: A::KIND }))
        }
        () = task.cancel().cancelled() => Err(AgentError::Cancelled),
        () = tokio::time::sleep_until(task.deadline() + grace(depth)) => Err(task.deadline_error()),
    }
}
