//! Working on a task, attempt by attempt.

use std::sync::Arc;
use std::time::Duration;

use playhouse_actors::agent::AgentError;
use playhouse_protocol::journal::Payload;
use playhouse_protocol::{Failure, FailureClass};

use super::accept::unknown_task;
use super::engine::Engine;
use super::open_task::{OpenTask, Work};
use crate::admission::Place;

impl Engine {
    /// Works on a task until it ends or is left to the next process.
    pub(super) async fn drive(self: Arc<Self>, task: Arc<OpenTask>) {
        loop {
            // Boxed: a task that waits for a place takes no room for what it will run.
            let outcome = match self.place(&task).await {
                Ok(place) => {
                    let outcome = Box::pin(self.attempt_in_time(&task)).await;
                    drop(place);
                    outcome
                }
                Err(error) => Err(error),
            };
            task.end_attempt();
            let Some(after) = Box::pin(self.conclude(&task, outcome)).await else { return };
            // Cancelling ends the wait, and the next attempt begins with noticing it.
            tokio::select! {
                biased;
                () = task.scope.cancel().cancelled() => {}
                () = tokio::time::sleep(after) => {}
            }
        }
    }

    /// Waits for a place among the live agents, within the task's limits. A plan needs none: its parts do.
    async fn place(&self, task: &OpenTask) -> Result<Option<Place>, AgentError> {
        let scope = &task.scope;
        if scope.cancel().is_cancelled() {
            return Err(AgentError::Cancelled);
        }
        if matches!(task.work, Work::Plan(_)) {
            return Ok(None);
        }
        let given_up = async {
            tokio::select! {
                biased;
                () = scope.cancel().cancelled() => {}
                () = tokio::time::sleep_until(scope.deadline()) => {}
            }
        };
        let (id, priority) = (task.id(), task.options.priority);
        let place = self.parts.places.take(id, priority, scope.tenant(), given_up).await;
        let is_cancelled = scope.cancel().is_cancelled();
        place
            .map(Some)
            .ok_or_else(|| if is_cancelled { AgentError::Cancelled } else { scope.deadline_error() })
    }

    /// One attempt within its own time. Dropping it stops the agent where it is.
    async fn attempt_in_time(self: &Arc<Self>, task: &Arc<OpenTask>) -> Result<Payload, AgentError> {
        let Some(limit_ms) = task.options.attempt_timeout_ms else { return self.attempt(task).await };
        match tokio::time::timeout(Duration::from_millis(limit_ms), self.attempt(task)).await {
            Ok(outcome) => outcome,
            Err(_elapsed) => Err(Failure::new(
                FailureClass::Retryable,
                format!("answer within {limit_ms} ms: the attempt was stopped"),
            )
            .into()),
        }
    }

    /// One attempt.
    async fn attempt(self: &Arc<Self>, task: &Arc<OpenTask>) -> Result<Payload, AgentError> {
        let scope = &task.scope;
        match &task.work {
            Work::Agent(agent) => {
                let request = self.prepare(task).await?;
                let bytes = request.as_single().map_or(&[][..], |bytes| bytes);
                let reply = agent.answer(&self.parts.services, scope, bytes).await?;
                Ok(Payload::single(reply))
            }
            Work::Plan(plan) => {
                let request = self.prepare(task).await?;
                Box::pin(plan.run(self, task, request)).await
            }
        }
    }

    /// What the task asks, and an attempt that begins from what is written down.
    async fn prepare(&self, task: &OpenTask) -> Result<Payload, Failure> {
        let has_steps = task.is_journaled() && task.may_have_steps();
        let attempt = task.begin_attempt();
        let store = self.parts.journal.store();
        let request = match task.request() {
            Some(request) => request,
            None => {
                let request = store.request(task.id()).await?.ok_or_else(|| unknown_task(task.id()))?;
                task.keep_request(request.clone());
                request
            }
        };
        let steps = if has_steps { store.steps(task.id()).await? } else { Vec::new() };
        task.scope.begin_attempt(attempt, steps);
        Ok(request)
    }
}
