//! A unit of work that somebody submitted.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::id::{TaskId, TenantId};
use crate::usage::{Budget, Usage};

/// How a task is to be run, apart from what it asks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskOptions {
    /// Who submits.
    pub tenant: TenantId,
    /// How long the task may take from its submission, in milliseconds; `None` takes the configured limit.
    pub timeout_ms: Option<u64>,
    /// What it may use.
    pub budget: Budget,
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
    /// Ended with a failure.
    Failed,
    /// Taken back.
    Cancelled,
}

impl TaskStatus {
    /// The name used in metrics and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
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
    /// When it was submitted, in milliseconds since 1970.
    pub submitted_unix_ms: u64,
    /// What it has used so far.
    pub usage: Usage,
    /// Why it failed, when it has.
    pub failure: Option<Failure>,
}
