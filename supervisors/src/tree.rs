//! A supervision tree as it was at one moment, to be shown and sent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::cause::{CauseKind, ExitCause};
use crate::policy::{RestartKind, Strategy};

/// One supervisor or child.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeNode {
    /// Its name: unique among its siblings.
    pub name: String,
    /// What it is.
    pub kind: NodeKind,
    /// After which exits it comes back; none for the root.
    pub restart: Option<RestartKind>,
    /// Where it stands.
    pub state: NodeState,
    /// How long it has been running, in milliseconds; none unless it runs.
    pub uptime_ms: Option<u64>,
    /// How often it was restarted for its own exits, by what it ended with.
    pub restarts: BTreeMap<CauseKind, u64>,
    /// How often it was restarted because a sibling was.
    pub restarts_with_sibling: u64,
    /// What it last failed with.
    pub last_failure: Option<LastFailure>,
    /// How many messages wait for it, where somebody counts them.
    pub mailbox_len: Option<u64>,
    /// Its children in starting order; empty for an actor, and for a dynamic supervisor, whose children are
    /// counted.
    pub children: Vec<TreeNode>,
}

/// What stands in the tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum NodeKind {
    /// An actor that supervises nobody, as far as the tree knows; or anything that is down.
    Actor,
    /// A supervisor with a fixed list of children.
    Supervisor {
        /// Which children go down together.
        strategy: Strategy,
    },
    /// A supervisor of many short-lived children.
    DynamicSupervisor {
        /// Its children, counted.
        counts: DynamicCounts,
        /// The latest failures among them, the oldest first.
        recent_failures: Vec<LastFailure>,
    },
}

/// The children of a dynamic supervisor, counted.
///
/// `live = started - ended - failed`. Each count stands for events that the supervisor has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DynamicCounts {
    /// How many run.
    pub live: u64,
    /// How many were started.
    pub started: u64,
    /// How many ended without a failure.
    pub ended: u64,
    /// How many failed or were killed.
    pub failed: u64,
}

/// Where a supervisor or child stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum NodeState {
    /// Its start is under way, or comes when it is its turn.
    Starting,
    /// It runs.
    Running,
    /// It failed and waits to be started again.
    Backoff {
        /// How much longer at least, in milliseconds.
        remaining_ms: u64,
    },
    /// It is being stopped.
    Stopping,
    /// It has ended without a failure and does not come back.
    Stopped,
    /// It has failed and does not come back.
    Failed,
    /// It is a supervisor that runs but did not answer in time.
    Unresponsive,
}

/// A failure and when it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastFailure {
    /// What it was.
    pub cause: ExitCause,
    /// How long ago, in milliseconds.
    pub ago_ms: u64,
}

impl TreeNode {
    /// The child of this name.
    pub fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// How often it was restarted for its own exits.
    pub fn restarts_total(&self) -> u64 {
        self.restarts.values().sum()
    }
}
