//! What is read.

use playhouse_protocol::journal::FailedAttempt;
use playhouse_protocol::task::{TaskOptions, TaskStatus, TaskSummary};
use playhouse_protocol::{Failure, TaskId, TenantId, Usage};
use serde::{Deserialize, Serialize};

/// What is known of a task, without what it asks and answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredTask {
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
    /// Where it stands: [`TaskStatus::Queued`] for every open one, since a store does not know what runs.
    pub status: TaskStatus,
    /// The attempts that failed, oldest first.
    pub failed_attempts: Vec<FailedAttempt>,
    /// Steps that are written down.
    pub steps_len: u64,
    /// Attempts that were begun, as its end tells; the failed ones for an open task.
    pub attempts: u32,
    /// When it ended, in milliseconds since 1970.
    pub ended_unix_ms: Option<u64>,
    /// What it used, as its end tells; zero for an open task.
    pub usage: Usage,
    /// Why it has no answer.
    pub failure: Option<Failure>,
}

impl From<StoredTask> for TaskSummary {
    fn from(task: StoredTask) -> Self {
        Self {
            id: task.id,
            kind: task.kind,
            tenant: task.options.tenant,
            status: task.status,
            parent: task.parent,
            submitted_unix_ms: task.submitted_unix_ms,
            ended_unix_ms: task.ended_unix_ms,
            attempts: task.attempts,
            usage: task.usage,
            failure: task.failure,
        }
    }
}

/// Which tasks to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFilter {
    /// Of these; all when empty. `Queued` and `Running` both mean every open task.
    pub statuses: Vec<TaskStatus>,
    /// Of this tenant.
    pub tenant: Option<TenantId>,
    /// Of this kind.
    pub kind: Option<String>,
    /// Parts of this task.
    pub parent: Option<TaskId>,
    /// Submitted before this one: where the last page ended.
    pub before: Option<TaskId>,
    /// At most so many.
    pub limit: usize,
}

impl Default for TaskFilter {
    /// The latest hundred.
    fn default() -> Self {
        Self { statuses: Vec::new(), tenant: None, kind: None, parent: None, before: None, limit: 100 }
    }
}

/// How long ended tasks are kept. A task goes when either rule says so.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Retention {
    /// Those that ended before this moment go, in milliseconds since 1970.
    pub ended_before_unix_ms: Option<u64>,
    /// Of all that have ended, at most so many are kept, the latest.
    pub ended_max: Option<u64>,
}

/// Tasks by status.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusCounts {
    /// Not ended.
    pub open: u64,
    /// Answered.
    pub completed: u64,
    /// Ended with a failure.
    pub failed: u64,
    /// Taken back.
    pub cancelled: u64,
    /// Given up and kept.
    pub dead_lettered: u64,
}

impl StatusCounts {
    /// All tasks.
    pub const fn total(&self) -> u64 {
        self.open + self.completed + self.failed + self.cancelled + self.dead_lettered
    }
}
