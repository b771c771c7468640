//! What a submitter holds of its plan.

use std::sync::Arc;

use playhouse_actors::Agent;
use playhouse_protocol::journal::Payload;
use playhouse_protocol::task::TaskSummary;
use playhouse_protocol::{Failure, TaskId, envelope};

use super::spec::PlanReply;
use crate::handle::kept;
use crate::tasks::{OpenTask, Settled};

/// A plan that was accepted. Dropping the handle does not end the plan; [`cancel`](Self::cancel) does.
#[derive(Debug)]
pub struct PlanHandle {
    task: Arc<OpenTask>,
}

/// What became of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlanResult {
    /// Why it failed as a whole, as its policies have it.
    pub failure: Option<Failure>,
    reply: PlanReply,
}

/// The reply of a part that has just ended.
#[derive(Debug, Clone, Copy)]
pub struct PartReply<'a>(&'a Payload);

impl<'a> PartReply<'a> {
    pub(crate) const fn new(reply: &'a Payload) -> Self {
        Self(reply)
    }

    /// The reply, as one of this agent.
    ///
    /// # Errors
    /// Class `InvalidInput` when it is of another type.
    pub fn read<A: Agent>(&self) -> Result<A::Reply, Failure> {
        let bytes = self.0.as_single().map_or(&[][..], |bytes| bytes);
        envelope::decode_agent_value(A::VERSION, bytes).map_err(|error| {
            Failure::invalid(format!("read a part's reply as one of agent {}: {error}", A::KIND))
        })
    }
}

impl PlanHandle {
    pub(crate) fn new(task: Arc<OpenTask>) -> Self {
        Self { task }
    }

    /// The plan's identity. Its parts are tasks whose parent it is.
    pub fn id(&self) -> TaskId {
        self.task.id()
    }

    /// What is known of the plan now.
    pub fn summary(&self) -> TaskSummary {
        self.task.summary()
    }

    /// Takes the plan back with all its parts.
    pub fn cancel(&self) {
        self.task.take_back();
    }

    /// Waits for the end. May be called again.
    ///
    /// # Errors
    /// Why there is no result: the plan was cancelled, its time was over, it could not be run, or the runtime was
    /// shut down (class `Retryable`). A plan that failed by its policies has a result.
    pub async fn result(&self) -> Result<PlanResult, Failure> {
        let end = match self.task.settled.wait().await {
            Settled::Ended(end) => end,
            Settled::Kept => return Err(kept(self.id())),
        };
        if let Some(failure) = &end.failure {
            return Err(failure.clone());
        }
        let reply = PlanReply::from_payload(&end.reply.clone().unwrap_or_default())?;
        Ok(PlanResult { failure: reply.failure.clone(), reply })
    }
}

impl PlanResult {
    /// How many tasks the plan has.
    pub fn tasks_len(&self) -> usize {
        self.reply.items.len()
    }

    /// The reply of the task with this number, counted from 0 in the order of writing, or why there is none. A task
    /// that was not begun or was cut off has a failure of class `Cancelled` that says why.
    ///
    /// # Errors
    /// The task's failure; class `InvalidInput` when there is no such task or its reply is of another type.
    pub fn reply<A: Agent>(&self, number: usize) -> Result<A::Reply, Failure> {
        let item = self.reply.items.get(number).ok_or_else(|| {
            Failure::invalid(format!("read task {number} of a plan: it has {} tasks", self.tasks_len()))
        })?;
        let bytes = match item {
            Ok(reply) => reply.as_single().map_or(&[][..], |bytes| bytes),
            Err(failure) => return Err(failure.clone()),
        };
        envelope::decode_agent_value(A::VERSION, bytes).map_err(|error| {
            Failure::invalid(format!("read task {number} of a plan as a reply of agent {}: {error}", A::KIND))
        })
    }

    /// The replies of all tasks of a plan of one kind.
    pub(crate) fn all<A: Agent>(&self) -> Vec<Result<A::Reply, Failure>> {
        (0..self.tasks_len()).map(|number| self.reply::<A>(number)).collect()
    }
}
