//! What a supervisor is asked, and what its own repairs tell it.

use std::time::Duration;

use ractor::{ActorCell, RpcReplyPort};

use crate::child::StartError;
use crate::stop::{ShutdownReport, StopOutcome};
use crate::tree::TreeNode;

/// The mailbox of every supervisor, static or dynamic.
#[derive(Debug)]
pub enum SupervisorMessage {
    /// From anybody, through [`tree`](super::tree). Replies with the tree below this supervisor. A caller
    /// that asks while too many such questions are open loses its reply port at once.
    GetTree {
        /// How long children that are supervisors are waited for.
        limit: Duration,
        /// Where the tree goes.
        reply: RpcReplyPort<TreeNode>,
    },
    /// From anybody, through [`ready`](super::ready). Replies as soon as no child waits for its start; the
    /// port is dropped when the supervisor ends before that.
    GetReady {
        /// Told once.
        reply: RpcReplyPort<()>,
    },
    /// From anybody, through [`child`](super::child). Replies with the actor that is this child at the moment; none
    /// when the child is unknown or down.
    GetChild {
        /// The child's name.
        name: String,
        /// Where the actor goes.
        reply: RpcReplyPort<Option<ActorCell>>,
    },
    /// From its supervisor, or from anybody through [`shutdown`](super::shutdown()). Stops the children in reverse
    /// order, replies with how they ended, and ends.
    Shutdown {
        /// How long all children together may take before the rest is killed.
        grace: Duration,
        /// How long the killed may take to end.
        kill_limit: Duration,
        /// Where the report goes.
        reply: RpcReplyPort<ShutdownReport>,
    },
    /// From the supervisor's own tasks.
    StepCompleted(Step),
}

/// One step of a supervisor's own work, told by the task that did it. Nobody else can make one.
#[derive(Debug)]
pub struct Step(pub(crate) StepKind);

/// Which step it was.
#[derive(Debug)]
pub(crate) enum StepKind {
    /// A sibling was stopped, to be started again or not.
    ChildStopped { repair: RepairId, child: usize, outcome: StopOutcome },
    /// A child's start has begun.
    ChildStarting { repair: RepairId, child: usize },
    /// A child's start has ended.
    ChildStarted { repair: RepairId, child: usize, result: Result<ActorCell, StartError> },
    /// A repair has done all it was to do.
    RepairCompleted { repair: RepairId },
    /// All children are down: the supervisor can end.
    AllStopped { report: ShutdownReport },
}

/// Tells the repairs of one supervisor apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RepairId(pub(crate) u64);
