//! What a submitter holds of its task.

use std::sync::Arc;

use playhouse_actors::agent::AgentError;
use playhouse_actors::task::{EventLog, EventStream, TaskScope};
use playhouse_protocol::{Failure, TaskId, Usage};
use tokio::sync::oneshot;

/// A task that was accepted. Dropping the handle does not end the task; [`cancel`](Self::cancel) does.
#[derive(Debug)]
pub struct TaskHandle<Reply> {
    pub(crate) scope: Arc<TaskScope>,
    pub(crate) events: Arc<EventLog>,
    pub(crate) answer: oneshot::Receiver<Result<Reply, Failure>>,
}

impl<Reply> TaskHandle<Reply> {
    /// The task's identity.
    pub fn id(&self) -> TaskId {
        self.scope.id()
    }

    /// The task's events from its acceptance on, tokens included, up to its end. Can be called any number of
    /// times.
    pub fn watch(&self) -> EventStream {
        self.events.watch(0)
    }

    /// What the task has used so far.
    pub fn usage(&self) -> Usage {
        self.scope.usage()
    }

    /// Takes the task back: model calls under way are aborted, and the answer is a failure of class `Cancelled`.
    pub fn cancel(&self) {
        self.scope.cancel().cancel();
    }

    /// Waits for the answer.
    ///
    /// # Errors
    /// What the agent says, or why it was stopped.
    pub async fn result(self) -> Result<Reply, Failure> {
        // The sender is dropped only when the runtime is dropped under its tasks.
        self.answer.await.unwrap_or_else(|_| Err(AgentError::Cancelled.into()))
    }
}
