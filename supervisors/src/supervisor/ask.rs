//! The questions to a supervisor, each with a time limit.

use std::time::Duration;

use ractor::rpc::CallResult;
use ractor::{ActorCell, ActorRef, RpcReplyPort};

use crate::stop::{KILL_LIMIT, ShutdownReport};
use crate::tree::TreeNode;

use super::{AskError, SupervisorMessage};

/// The tree below a supervisor as it is now. A supervisor in it that does not answer is shown as such.
///
/// # Errors
/// [`AskError`] when `supervisor` itself does not answer within `limit`.
pub async fn tree(supervisor: &ActorRef<SupervisorMessage>, limit: Duration) -> Result<TreeNode, AskError> {
    ask(supervisor, |reply| SupervisorMessage::GetTree { limit: limit / 4 * 3, reply }, limit).await
}

/// Waits until every child of a supervisor runs (or has ended for good).
///
/// # Errors
/// [`AskError::TimedOut`] when that took longer than `limit`, [`AskError::Gone`] when the supervisor gave up.
pub async fn ready(supervisor: &ActorRef<SupervisorMessage>, limit: Duration) -> Result<(), AskError> {
    ask(supervisor, |reply| SupervisorMessage::GetReady { reply }, limit).await
}

/// The actor that is the child `name` at the moment; none when there is no such child or it is down.
///
/// # Errors
/// [`AskError`] when the supervisor does not answer within `limit`.
pub async fn child(
    supervisor: &ActorRef<SupervisorMessage>,
    name: &str,
    limit: Duration,
) -> Result<Option<ActorCell>, AskError> {
    let name = name.to_owned();
    ask(supervisor, |reply| SupervisorMessage::GetChild { name, reply }, limit).await
}

/// Stops a supervisor's children in reverse order, then the supervisor; returns when it has ended.
///
/// Each child has its own grace, all together have `grace`, then the rest is killed; after `grace` and
/// one second it is over in any case.
///
/// # Errors
/// [`AskError`] when the supervisor had already ended, or does not follow: it is killed then, and its
/// children with it.
pub async fn shutdown(
    supervisor: &ActorRef<SupervisorMessage>,
    grace: Duration,
) -> Result<ShutdownReport, AskError> {
    let (grace, kill_limit) = (crate::bounded(grace), KILL_LIMIT / 2);
    let answer = ask(
        supervisor,
        |reply| SupervisorMessage::Shutdown { grace, kill_limit, reply },
        grace + KILL_LIMIT / 4 * 3,
    )
    .await;
    if answer.is_err() || supervisor.wait(Some(KILL_LIMIT / 8)).await.is_err() {
        supervisor.kill();
        // Whatever outlives this blocks a thread, and nobody can stop that.
        let _ = supervisor.wait(Some(KILL_LIMIT / 8)).await;
    }
    answer
}

async fn ask<T: Send + 'static>(
    supervisor: &ActorRef<SupervisorMessage>,
    question: impl FnOnce(RpcReplyPort<T>) -> SupervisorMessage,
    limit: Duration,
) -> Result<T, AskError> {
    match supervisor.call(question, Some(limit)).await {
        Ok(CallResult::Success(answer)) => Ok(answer),
        Ok(CallResult::Timeout) => Err(AskError::TimedOut { limit_ms: crate::millis(limit) }),
        Ok(CallResult::SenderError) | Err(_) => Err(AskError::Gone),
    }
}
