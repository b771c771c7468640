//! Which model answers what.

use std::fmt;

use playhouse_config::settings::SelectionConfig;

/// A model that was chosen, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The catalog entry.
    pub model: String,
    /// Why this one. Its `Display` is a sentence for people.
    pub reason: SelectionReason,
}

/// Why a model was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectionReason {
    /// The request names it.
    Requested,
    /// The settings name it for this type of task.
    TaskType {
        /// The type of task.
        task: String,
    },
    /// The settings name it for whatever they do not name a model for.
    Default {
        /// The type of task.
        task: String,
    },
}

impl fmt::Display for SelectionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested => f.write_str("The request names this model."),
            Self::TaskType { task } => {
                write!(f, "The settings name this model for {task} (selection.by_task.{task}).")
            }
            Self::Default { task } => {
                write!(f, "The settings name no model for {task}, and this one is selection.default.")
            }
        }
    }
}

/// The explicit wish stands above the task type, and that above the default.
pub(super) fn select(config: &SelectionConfig, task: &str, wanted: Option<&str>) -> Selection {
    let task_name = || task.to_owned();
    match (wanted, config.by_task.get(task)) {
        (Some(model), _) => Selection { model: model.to_owned(), reason: SelectionReason::Requested },
        (None, Some(model)) => {
            Selection { model: model.clone(), reason: SelectionReason::TaskType { task: task_name() } }
        }
        (None, None) => Selection {
            model: config.default.clone(),
            reason: SelectionReason::Default { task: task_name() },
        },
    }
}
