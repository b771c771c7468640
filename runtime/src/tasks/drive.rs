//! Working on a task, attempt by attempt.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use playhouse_actors::agent::AgentError;
use playhouse_protocol::journal::Payload;
use playhouse_protocol::{Failure, FailureClass};
use playhouse_supervisors::catch_panic;

use super::accept::unknown_task;
use super::engine::Engine;
use super::open_task::{OpenTask, Work};
use crate::admission::Place;
use crate::store::StoreError;

/// The wait before a read that failed for now is tried again; it doubles up to [`AGAIN_MAX`].
const AGAIN_INITIAL: Duration = Duration::from_millis(20);

/// Long enough to leave a broken disk alone, short enough to go on soon when it is back.
const AGAIN_MAX: Duration = Duration::from_secs(2);

impl Engine {
    /// Works on a task until it ends or is left to the next process.
    pub(super) async fn drive(self: Arc<Self>, task: Arc<OpenTask>) {
        loop {
            // Boxed: a task that waits for a place takes no room for what it will run.
            let outcome = match self.place(&task).await {
                Ok(place) => {
                    // Agents catch their own panics; this is for what reads and writes their requests and replies.
                    let outcome = catch_panic(Box::pin(self.attempt_in_time(&task))).await;
                    drop(place);
                    outcome.unwrap_or_else(|panic| {
                        let kind = task.work.kind();
                        Err(Failure::internal(format!("run agent {kind}: {panic}")).into())
                    })
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

    /// One attempt within its own time, which a plan has none of: it takes as long as all its parts. Dropping it stops
    /// the agent where it is.
    async fn attempt_in_time(self: &Arc<Self>, task: &Arc<OpenTask>) -> Result<Payload, AgentError> {
        let limit_ms = match &task.work {
            Work::Agent(_) => task.options.attempt_timeout_ms,
            Work::Plan(_) => None,
        };
        let Some(limit_ms) = limit_ms else { return self.attempt(task).await };
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
    async fn prepare(&self, task: &OpenTask) -> Result<Payload, AgentError> {
        let has_steps = task.is_journaled() && task.may_have_steps();
        let attempt = task.begin_attempt();
        let store = self.parts.journal.store();
        let request = match task.request() {
            Some(request) => request,
            None => {
                let request = read_in_time(task, || store.request(task.id())).await?;
                let request = request.ok_or_else(|| unknown_task(task.id()))?;
                task.keep_request(request.clone());
                request
            }
        };
        let steps = if has_steps { read_in_time(task, || store.steps(task.id())).await? } else { Vec::new() };
        task.scope.begin_attempt(attempt, steps);
        Ok(request)
    }
}

/// Reads, again and again while the journal fails for now, within the task's limits: a disk that is away for a moment
/// says nothing about the task.
async fn read_in_time<T, F>(task: &OpenTask, read: impl Fn() -> F) -> Result<T, AgentError>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let scope = &task.scope;
    let mut again = AGAIN_INITIAL;
    loop {
        let error = match read().await {
            Ok(value) => return Ok(value),
            Err(error) if error.is_transient() => error,
            Err(error) => return Err(Failure::from(error).into()),
        };
        tracing::warn!(task = %task.id(), %error, again_ms = again.as_millis(), "the journal could not be read");
        tokio::select! {
            biased;
            () = scope.cancel().cancelled() => return Err(AgentError::Cancelled),
            () = tokio::time::sleep_until(scope.deadline()) => return Err(scope.deadline_error()),
            () = tokio::time::sleep(again) => {}
        }
        again = (again * 2).min(AGAIN_MAX);
    }
}
