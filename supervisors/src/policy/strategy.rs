//! The two things a supervision tree is written in: who goes down together, and who comes back.

use serde::{Deserialize, Serialize};

/// Which children a failing child takes with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// Only the failed child is restarted: the children do not depend on each other.
    OneForOne,
    /// All children are stopped and started again: they share a state that must be of one generation.
    OneForAll,
    /// The failed child and those listed after it: each child may depend on those before it.
    RestForOne,
}

impl Strategy {
    /// The name used in metrics, logs and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OneForOne => "one_for_one",
            Self::OneForAll => "one_for_all",
            Self::RestForOne => "rest_for_one",
        }
    }

    /// Whether the end of one child can reach another.
    pub const fn is_group(self) -> bool {
        match self {
            Self::OneForOne => false,
            Self::OneForAll | Self::RestForOne => true,
        }
    }
}

/// After which exits a child comes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RestartKind {
    /// Always: it is meant to live as long as its supervisor.
    Permanent,
    /// After a failure; an exit without one means that its work is done.
    Transient,
    /// Never, not even when a sibling's failure took it down.
    Temporary,
}

impl RestartKind {
    /// The name used in metrics, logs and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Permanent => "permanent",
            Self::Transient => "transient",
            Self::Temporary => "temporary",
        }
    }

    /// Whether a child of this kind comes back after an exit that was a failure or not.
    pub const fn comes_back(self, after_failure: bool) -> bool {
        match self {
            Self::Permanent => true,
            Self::Transient => after_failure,
            Self::Temporary => false,
        }
    }
}
