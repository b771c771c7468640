//! What a submitter holds of its task.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use playhouse_actors::agent::{Agent, AgentError};
use playhouse_actors::task::EventStream;
use playhouse_protocol::task::TaskSummary;
use playhouse_protocol::{Failure, FailureClass, TaskId, Usage, envelope};

use crate::store::TaskEnd;
use crate::tasks::{OpenTask, Settled, TaskTimings};

/// A task that was accepted. Dropping the handle does not end the task; [`cancel`](Self::cancel) does.
pub struct TaskHandle<A> {
    task: Arc<OpenTask>,
    agent: PhantomData<fn() -> A>,
}

impl<A: Agent> TaskHandle<A> {
    pub(crate) fn new(task: Arc<OpenTask>) -> Self {
        Self { task, agent: PhantomData }
    }

    /// The task's identity.
    pub fn id(&self) -> TaskId {
        self.task.id()
    }

    /// What is known of the task now.
    pub fn summary(&self) -> TaskSummary {
        self.task.summary()
    }

    /// The task's events up to its end: from its acceptance on, or, for a task that was resumed or has ended
    /// before, from where this process took it up. Can be called any number of times.
    pub fn watch(&self) -> EventStream {
        match &self.task.events {
            Some(events) => events.watch(0),
            None => EventStream::ended(self.id()),
        }
    }

    /// What the task has used so far.
    pub fn usage(&self) -> Usage {
        self.task.usage()
    }

    /// Where the task's time went so far, in this process.
    pub fn timings(&self) -> TaskTimings {
        self.task.timings()
    }

    /// Takes the task back: model calls under way are aborted, and the answer is a failure of class `Cancelled`.
    /// It is so for good when the answer is there.
    pub fn cancel(&self) {
        self.task.take_back();
    }

    /// Waits for the answer. May be called again, and gives the same answer each time.
    ///
    /// # Errors
    /// What the agent says, or why it was stopped. Class `Retryable` when the runtime was shut down and has left
    /// the task in its journal, for the next process.
    pub async fn result(&self) -> Result<A::Reply, Failure> {
        match self.task.settled.wait().await {
            Settled::Ended(end) => reply::<A>(self.id(), end),
            Settled::Kept => Err(kept(self.id())),
        }
    }
}

pub(crate) fn kept(id: TaskId) -> Failure {
    Failure::new(FailureClass::Retryable, format!("finish task {id}: the runtime was shut down"))
        .with_hint("The task is open in the journal; the next runtime on it goes on with the task.")
}

/// What an end says to whoever asked.
fn reply<A: Agent>(id: TaskId, end: &TaskEnd) -> Result<A::Reply, Failure> {
    if let Some(failure) = &end.failure {
        return Err(failure.clone());
    }
    let bytes = end.reply.as_ref().and_then(|reply| reply.as_single()).map_or(&[][..], |bytes| bytes);
    envelope::decode_agent_value(A::VERSION, bytes).map_err(|error| {
        let error = AgentError::Unwritable {
            kind: A::KIND,
            what: "the reply",
            reason: format!("task {id}: {error}"),
        };
        error.into()
    })
}

impl<A> fmt::Debug for TaskHandle<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TaskHandle").field("task", &self.task).finish()
    }
}
