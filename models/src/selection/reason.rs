//! A model that was chosen, and why.

use std::fmt;

use playhouse_config::settings::Preference;

use super::{Check, FollowedAlias};

/// Models that are named in the sentence of a reason; more are only counted. A reason travels with each answer.
const NAMED_MAX: usize = 5;

/// A model that was chosen, and why.
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    /// The catalog entry.
    pub model: String,
    /// Why this one. Its `Display` is one or two sentences for people.
    pub reason: SelectionReason,
}

/// Why a model was chosen and others were not.
#[derive(Debug, Clone, PartialEq)]
pub struct SelectionReason {
    /// The rule that chose it.
    pub rule: Rule,
    /// The models that the rule looked at and did not choose, with those that stood before the chosen one first.
    pub passed_over: Vec<PassedOver>,
    /// The alias by which the rule named the chosen model.
    pub alias: Option<FollowedAlias>,
}

/// The rule that chose a model.
#[derive(Debug, Clone, PartialEq)]
pub enum Rule {
    /// The request names it.
    Requested,
    /// The settings give it a share of the tasks of this type.
    Split {
        /// The type of task.
        task: String,
        /// Its weight.
        weight: u32,
        /// The weights of all.
        total: u64,
    },
    /// It fulfils the constraints, and is the best of those that do.
    Constraints {
        /// The type of task that the settings name them for; `None` for constraints that were handed in.
        task: Option<String>,
        /// What is best.
        prefer: Preference,
        /// How many fulfil them.
        fit: usize,
        /// How many were considered.
        considered: usize,
    },
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
    /// It stands in for the model that the settings name for this type of task.
    Fallback {
        /// The type of task.
        task: String,
        /// The model that they name.
        of: String,
    },
}

/// A model that was looked at and not chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct PassedOver {
    /// The catalog entry.
    pub model: String,
    /// What it does not fulfil; empty for one that fulfils everything and is less good.
    pub unmet: Vec<Check>,
}

impl Rule {
    /// The name used in reports.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Requested => "requested",
            Self::Split { .. } => "split",
            Self::Constraints { .. } => "constraints",
            Self::TaskType { .. } => "by_task",
            Self::Default { .. } => "default",
            Self::Fallback { .. } => "fallback",
        }
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Requested => f.write_str("The request names this model."),
            Self::Split { task, weight, total } => {
                write!(
                    f,
                    "This model gets {weight} in {total} of the tasks of type {task} (selection.split.{task})."
                )
            }
            Self::Constraints { task, prefer, fit, considered } => {
                let best = match prefer {
                    Preference::Quality => "the best quality",
                    Preference::Cost => "the lowest price",
                    Preference::Latency => "the shortest time",
                };
                let key =
                    task.as_ref().map(|task| format!(" (selection.constraints.{task})")).unwrap_or_default();
                write!(
                    f,
                    "Of {considered} models {fit} fulfil the constraints{key}, and this one has {best} of them."
                )
            }
            Self::TaskType { task } => {
                write!(f, "The settings name this model for {task} (selection.by_task.{task}).")
            }
            Self::Default { task } => {
                write!(f, "The settings name no model for {task}, and this one is selection.default.")
            }
            Self::Fallback { task, of } => {
                write!(
                    f,
                    "This model stands in for {of}, the choice of the settings for {task} (models.{of}.fallbacks)."
                )
            }
        }
    }
}

impl fmt::Display for PassedOver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unmet: Vec<_> = self.unmet.iter().map(Check::to_string).collect();
        match unmet.as_slice() {
            [] => write!(f, "{} (less good)", self.model),
            unmet => write!(f, "{} ({})", self.model, unmet.join("; ")),
        }
    }
}

impl fmt::Display for SelectionReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.rule)?;
        if let Some(FollowedAlias { alias, model }) = &self.alias {
            write!(f, " The alias {alias} leads to {model}.")?;
        }
        if self.passed_over.is_empty() {
            return Ok(());
        }
        let named: Vec<_> = self.passed_over.iter().take(NAMED_MAX).map(PassedOver::to_string).collect();
        write!(f, " Passed over: {}", named.join(", "))?;
        match self.passed_over.len().saturating_sub(NAMED_MAX) {
            0 => f.write_str("."),
            more => write!(f, " and {more} more."),
        }
    }
}
