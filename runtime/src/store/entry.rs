//! What is written.

use playhouse_protocol::journal::{FailedAttempt, Payload, RecordedStep};
use playhouse_protocol::task::{TaskOptions, TaskStatus};
use playhouse_protocol::{Failure, TaskId, Usage};

/// One thing that happened to a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Entry {
    /// It was accepted.
    Accepted(Box<AcceptedTask>),
    /// A step ended. A step of the same place that had failed before is replaced.
    StepEnded {
        /// The task.
        task: TaskId,
        /// The step.
        step: Box<RecordedStep>,
        /// What it was asked.
        input: Payload,
    },
    /// An attempt failed and another one follows.
    AttemptFailed {
        /// The task.
        task: TaskId,
        /// The attempt and why it failed.
        attempt: FailedAttempt,
    },
    /// It ended.
    Ended {
        /// The task.
        task: TaskId,
        /// How.
        end: Box<TaskEnd>,
    },
    /// A dead letter is open again. Its failed attempts are kept as history. Its steps stay up to the last one that
    /// was answered: with every answer, and with the failures that the agent went on behind, on which later answers may
    /// rest. The failures behind that, of a step and of the agents around it, are what it ended for; they are removed.
    Reopened {
        /// The task.
        task: TaskId,
        /// Its new deadline, in milliseconds since 1970.
        deadline_unix_ms: u64,
        /// The attempts that it has in all from here on, those before included: its new
        /// `TaskOptions::attempts_max`.
        attempts_max: u32,
        /// When, in milliseconds since 1970.
        unix_ms: u64,
    },
    /// A task that has ended is of no further use: it is removed with its steps.
    Discarded {
        /// The task.
        task: TaskId,
    },
}

/// A task as it was accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AcceptedTask {
    /// Its identity.
    pub id: TaskId,
    /// The kind of agent that answers it.
    pub kind: String,
    /// How it is to be run.
    pub options: TaskOptions,
    /// The task that it is a part of.
    pub parent: Option<TaskId>,
    /// When it was submitted, in milliseconds since 1970.
    pub submitted_unix_ms: u64,
    /// When its time is over, in milliseconds since 1970.
    pub deadline_unix_ms: u64,
    /// What it asks.
    pub request: Payload,
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskEnd {
    /// A status that is not open.
    pub status: TaskStatus,
    /// The answer, of a completed one.
    pub reply: Option<Payload>,
    /// Why it has none, of any other.
    pub failure: Option<Failure>,
    /// What it used.
    pub usage: Usage,
    /// The attempts that were begun.
    pub attempts: u32,
    /// When, in milliseconds since 1970.
    pub unix_ms: u64,
}

/// What became of an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reception {
    /// It was written. The same entry once more is received as this too, and changes nothing.
    Written,
    /// The tenant has a task under this idempotency key; that one stands.
    KeyTaken {
        /// The task that has the key.
        task: TaskId,
        /// Whether it is of the same kind and asks the same.
        same_request: bool,
    },
    /// The task has ended with this status, or the step has an answer: that stands.
    Settled(TaskStatus),
    /// There is no such task; or, for [`Entry::Reopened`], it is no dead letter, and for [`Entry::Discarded`],
    /// it is open.
    NotApplicable,
}
