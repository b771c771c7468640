//! What happens to a task, as those who watch it are told.

use serde::{Deserialize, Serialize};

use crate::completion::Condensed;
use crate::failure::Failure;
use crate::id::TaskId;
use crate::task::TaskStatus;
use crate::usage::Usage;

/// One thing that happened to a task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaskEvent {
    /// The task.
    pub task: TaskId,
    /// Counted from 1 within the task, without holes for lifecycle events; a hole means that token events
    /// were dropped, which [`TaskEventKind::TokensSkipped`] also says.
    pub sequence: u64,
    /// When, in milliseconds since 1970.
    pub unix_ms: u64,
    /// What.
    pub kind: TaskEventKind,
}

/// The kinds of events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskEventKind {
    /// It was accepted.
    Accepted {
        /// The kind of agent that answers it.
        kind: String,
    },
    /// An agent began on it.
    Started {
        /// Counted from 1.
        attempt: u32,
    },
    /// A step began: a model call, or a question to another agent.
    StepStarted {
        /// Counted from 1 within the task.
        step: u32,
        /// What is done, for people: "round 1: generate", "ask review".
        label: String,
        /// The catalog entry that is asked, for a model call.
        model: Option<String>,
    },
    /// A part of a model's answer. These may be dropped for a slow watcher; no other event is.
    Tokens {
        /// The step that the text belongs to.
        step: u32,
        /// The text.
        text: String,
    },
    /// Token events were dropped here.
    TokensSkipped {
        /// How many.
        count: u64,
    },
    /// A step ended well.
    StepCompleted {
        /// The step.
        step: u32,
        /// What it used.
        usage: Usage,
    },
    /// A step failed; the task may go on.
    StepFailed {
        /// The step.
        step: u32,
        /// Why.
        failure: Failure,
    },
    /// A step's recorded result was used; nothing was asked or paid again.
    StepReplayed {
        /// The step.
        step: u32,
        /// Its place within the task, as in `2.3`.
        path: String,
    },
    /// An attempt failed and another one follows.
    AttemptFailed {
        /// Counted from 1.
        attempt: u32,
        /// Why.
        failure: Failure,
        /// When the next one begins at the earliest, in milliseconds from here.
        retry_in_ms: u64,
    },
    /// The agent says where it stands.
    Progress {
        /// A sentence for people, without prompt or answer text.
        message: String,
    },
    /// It ended; no event follows.
    Finished {
        /// How.
        status: TaskStatus,
        /// What all steps used.
        usage: Usage,
        /// Why, when it failed.
        failure: Option<Failure>,
    },
    /// The answer of a step broke half way and is begun anew: its tokens so far are void.
    AnswerRestarted {
        /// The step.
        step: u32,
        /// What went wrong.
        reason: String,
    },
    /// The conversation of a step did not fit into the model's context and was condensed before it was sent.
    PromptCondensed {
        /// The step.
        step: u32,
        /// What was made of it.
        condensed: Condensed,
    },
}

impl TaskEventKind {
    /// Whether this event may be dropped for a slow watcher.
    pub const fn is_droppable(&self) -> bool {
        matches!(self, Self::Tokens { .. })
    }
}
