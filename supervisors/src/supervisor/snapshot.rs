//! The tree below a supervisor, put together from what it knows and what its children answer.

use std::time::Duration;

use ractor::rpc::CallResult;
use ractor::{ActorCell, ActorRef, RpcReplyPort};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::cause::ExitCause;
use crate::panics::catch_panic_now;
use crate::tree::{LastFailure, NodeKind, NodeState, TreeNode};

use super::SupervisorMessage;
use super::state::{Child, ChildPhase, Mode, SupervisorState};

/// How many trees may be put together at once; further questions are refused by dropping their port. A
/// tree takes as long as its slowest supervisor, and a console or two are all that ask.
const QUESTIONS_MAX: usize = 64;

/// Answers now with what the supervisor knows; children that are supervisors are asked in a task.
pub(super) fn answer(state: &mut SupervisorState, limit: Duration, reply: RpcReplyPort<TreeNode>) {
    while state.questions.try_join_next().is_some() {}
    if state.questions.len() >= QUESTIONS_MAX {
        return;
    }
    let node = own_node(state);
    let nested: Vec<(usize, ActorCell)> = state
        .children
        .iter()
        .enumerate()
        .filter_map(|(index, child)| running_supervisor(child).map(|cell| (index, cell)))
        .collect();
    state.questions.spawn(async move {
        let node = with_nested(node, nested, crate::bounded(limit)).await;
        // Whoever no longer waits does not mind.
        let _ = reply.send(node);
    });
}

/// The supervisor and its children, without what is below those.
fn own_node(state: &SupervisorState) -> TreeNode {
    TreeNode {
        name: state.name.clone(),
        kind: NodeKind::Supervisor { strategy: state.policy.strategy() },
        restart: None,
        state: match &state.mode {
            Mode::Supervising => NodeState::Running,
            Mode::ShuttingDown { .. } | Mode::Escalating { .. } => NodeState::Stopping,
            Mode::Down => NodeState::Stopped,
        },
        uptime_ms: Some(crate::millis(state.origin.elapsed())),
        restarts: std::collections::BTreeMap::new(),
        restarts_with_sibling: 0,
        last_failure: None,
        mailbox_len: None,
        children: state.children.iter().map(child_node).collect(),
    }
}

fn child_node(child: &Child) -> TreeNode {
    let (state, uptime_ms) = match &child.phase {
        ChildPhase::Waiting | ChildPhase::Starting => (NodeState::Starting, None),
        ChildPhase::Backoff { until } => {
            let remaining = until.saturating_duration_since(Instant::now());
            (NodeState::Backoff { remaining_ms: crate::millis(remaining) }, None)
        }
        ChildPhase::Running { since, .. } => (NodeState::Running, Some(crate::millis(since.elapsed()))),
        ChildPhase::Stopping => (NodeState::Stopping, None),
        ChildPhase::Ended { failed: false } => (NodeState::Stopped, None),
        ChildPhase::Ended { failed: true } => (NodeState::Failed, None),
    };
    TreeNode {
        name: child.spec.name.clone(),
        kind: NodeKind::Actor,
        restart: Some(child.spec.kind),
        state,
        uptime_ms,
        restarts: child.restarts.clone(),
        restarts_with_sibling: child.restarts_with_sibling,
        last_failure: child.last_failure.as_ref().map(last_failure),
        mailbox_len: child.spec.mailbox_probe.as_ref().and_then(|probe| catch_panic_now(|| probe()).ok()),
        children: Vec::new(),
    }
}

/// A failure as the tree shows it.
pub(crate) fn last_failure((at, cause): &(Instant, ExitCause)) -> LastFailure {
    LastFailure { cause: cause.clone(), ago_ms: crate::millis(at.elapsed()) }
}

/// The child's actor, if it is a supervisor that has been spawned.
fn running_supervisor(child: &Child) -> Option<ActorCell> {
    match child.phase {
        // One that starts is asked too: that is when its own children are worth seeing.
        ChildPhase::Starting | ChildPhase::Running { .. } | ChildPhase::Stopping => {
            child.spec.slot.get().filter(|cell| cell.is_message_type_of::<SupervisorMessage>() == Some(true))
        }
        ChildPhase::Waiting | ChildPhase::Backoff { .. } | ChildPhase::Ended { .. } => None,
    }
}

/// Asks the children that are supervisors, all at once, and puts their answers in their places.
async fn with_nested(mut node: TreeNode, nested: Vec<(usize, ActorCell)>, limit: Duration) -> TreeNode {
    let mut questions = JoinSet::new();
    for (index, cell) in nested {
        let supervisor: ActorRef<SupervisorMessage> = cell.into();
        questions.spawn(async move {
            // Those below have less time, so that their silence is told by those between in time.
            let ask = |reply| SupervisorMessage::GetTree { limit: limit / 4 * 3, reply };
            (index, supervisor.call(ask, Some(limit)).await)
        });
    }
    while let Some(answered) = questions.join_next().await {
        // A question does not panic and nobody aborts it; if it did, its child would stay an actor.
        let Ok((index, answer)) = answered else { continue };
        let Some(child) = node.children.get_mut(index) else { continue };
        match answer {
            Ok(CallResult::Success(answer)) => {
                child.kind = answer.kind;
                child.children = answer.children;
            }
            Ok(CallResult::Timeout | CallResult::SenderError) | Err(_) => {
                if child.state == NodeState::Running {
                    child.state = NodeState::Unresponsive;
                }
            }
        }
    }
    node
}
