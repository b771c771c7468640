//! A unit of work that somebody submitted.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::id::{IdempotencyKey, TaskId, TenantId};
use crate::usage::{Budget, Usage};

/// How a task is to be run, apart from what it asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskOptions {
    /// Who submits.
    pub tenant: TenantId,
    /// How long the task may take from its submission, in milliseconds; `None` takes the configured limit.
    pub timeout_ms: Option<u64>,
    /// How long one attempt may take, in milliseconds: an agent that hangs is stopped then, and the task tried again.
    /// `None` lets an attempt take all of the task's time.
    pub attempt_timeout_ms: Option<u64>,
    /// What it may use.
    pub budget: Budget,
    /// Who comes first when not all can run.
    pub priority: Priority,
    /// Whether it is written down.
    pub durability: Durability,
    /// Attempts in all, the first included, without those that ended at a full queue (class `Overloaded`); `None` takes
    /// the configured limit.
    pub attempts_max: Option<u32>,
    /// The submitter's own name for this task: submitting it again under the same key and tenant returns the
    /// first task. Needs [`Durability::Full`].
    pub idempotency_key: Option<IdempotencyKey>,
}

/// Who comes first when not all can run.
///
/// A share and no right of way: where all three wait, of thirteen places eight go to `High`, four to `Normal`
/// and one to `Low`, so that nobody starves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Priority {
    /// What can wait: reports, re-runs.
    Low,
    /// What has no reason to be anything else.
    #[default]
    Normal,
    /// What somebody waits for.
    High,
}

impl Priority {
    /// Every priority, the highest first.
    pub const ALL: [Self; 3] = [Self::High, Self::Normal, Self::Low];

    /// The name used in settings and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Normal => "normal",
            Self::High => "high",
        }
    }
}

/// Whether a task is written down.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Durability {
    /// Its acceptance, its steps and its end are in the runtime's store before they count. It survives what the
    /// store survives: the process, where the store is a file.
    #[default]
    Full,
    /// In memory alone, for pure speed. It ends with the process, and another attempt begins from the start.
    None,
}

/// Where a task stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Accepted, not begun.
    Queued,
    /// An agent works on it.
    Running,
    /// Answered.
    Completed,
    /// Ended with a failure that another attempt would not mend.
    Failed,
    /// Taken back.
    Cancelled,
    /// Given up after its attempts; kept with its history until somebody replays or discards it.
    DeadLettered,
}

impl TaskStatus {
    /// Every status, in the order of a task's life.
    pub const ALL: [Self; 6] =
        [Self::Queued, Self::Running, Self::Completed, Self::Failed, Self::Cancelled, Self::DeadLettered];

    /// The name used in metrics and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
            Self::DeadLettered => "dead_lettered",
        }
    }

    /// Whether the status can still change.
    pub const fn is_open(self) -> bool {
        matches!(self, Self::Queued | Self::Running)
    }
}

impl fmt::Display for TaskStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is known of a task at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskSummary {
    /// Its identity.
    pub id: TaskId,
    /// The kind of agent that answers it.
    pub kind: String,
    /// Who submitted it.
    pub tenant: TenantId,
    /// Where it stands.
    pub status: TaskStatus,
    /// The task that it is a part of.
    pub parent: Option<TaskId>,
    /// When it was submitted, in milliseconds since 1970.
    pub submitted_unix_ms: u64,
    /// When it ended, in milliseconds since 1970.
    pub ended_unix_ms: Option<u64>,
    /// Attempts that were begun.
    pub attempts: u32,
    /// What it has used so far.
    pub usage: Usage,
    /// Why it failed, when it has.
    pub failure: Option<Failure>,
}
