//! Tasks that were given up: looking at them, trying them again, throwing them away.

use std::sync::Arc;

use playhouse_actors::agent::AgentError;
use playhouse_protocol::journal::{FailedAttempt, RecordedStep};
use playhouse_protocol::task::{TaskStatus, TaskSummary};
use playhouse_protocol::{Failure, TaskId};

use super::accept::unknown_task;
use super::engine::Engine;
use super::ledger::Origin;
use crate::store::{Entry, Reception, StoredTask, TaskEnd};

/// A task that was given up, with its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// The task; its failure is the last one.
    pub task: TaskSummary,
    /// The attempts before the last one, oldest first.
    pub failed_attempts: Vec<FailedAttempt>,
    /// The steps that are written down, in the order of their writing.
    pub steps: Vec<RecordedStep>,
}

impl Engine {
    /// A dead letter with its history.
    ///
    /// # Errors
    /// Class `InvalidInput` for an unknown task and for one that is no dead letter; the journal's failure.
    pub(crate) async fn dead_letter(&self, id: TaskId) -> Result<DeadLetter, Failure> {
        let stored = self.stored_dead_letter(id).await?;
        let steps = self.parts.journal.store().steps(id).await?;
        Ok(DeadLetter { failed_attempts: stored.failed_attempts.clone(), task: stored.into(), steps })
    }

    async fn stored_dead_letter(&self, id: TaskId) -> Result<StoredTask, Failure> {
        let stored = self.parts.journal.store().task(id).await?.ok_or_else(|| unknown_task(id))?;
        if stored.status == TaskStatus::DeadLettered {
            Ok(stored)
        } else {
            Err(not_a_dead_letter(id, stored.status))
        }
    }

    /// Opens a dead letter again, with as many attempts and as much time as it had, from its last step that was
    /// answered.
    ///
    /// # Errors
    /// As [`dead_letter`](Self::dead_letter); class `InvalidInput` when this program does not know its kind.
    pub(crate) async fn replay(self: &Arc<Self>, id: TaskId) -> Result<(), Failure> {
        let stored = self.stored_dead_letter(id).await?;
        let Some(work) = self.work_of(&stored.kind) else {
            return Err(Failure::invalid(format!(
                "replay task {id}: this program knows no agent of kind {}",
                stored.kind
            )));
        };
        let now = self.parts.clock.unix_ms();
        let time = stored.deadline_unix_ms.saturating_sub(stored.submitted_unix_ms);
        let allowed = stored.options.attempts_max.unwrap_or(self.parts.attempts.attempts_max);
        let mut entries = vec![Entry::Reopened {
            task: id,
            deadline_unix_ms: now.saturating_add(time),
            attempts_max: stored.attempts.saturating_add(allowed),
            unix_ms: now,
        }];
        // The failure that ended it joins the others.
        if let (Some(failure), Some(unix_ms)) = (stored.failure, stored.ended_unix_ms) {
            let attempt = FailedAttempt { attempt: stored.attempts, failure, unix_ms };
            entries.push(Entry::AttemptFailed { task: id, attempt });
        }
        let receptions = self.parts.journal.commit(entries).await?;
        if receptions.first() != Some(&Reception::Written) {
            return Err(not_a_dead_letter(id, TaskStatus::Queued));
        }
        let reopened = self.parts.journal.store().task(id).await?.ok_or_else(|| unknown_task(id))?;
        let task = self.reopen(reopened, work, Origin::Reopened);
        self.table.insert(id, Arc::clone(&task));
        self.begin(&task, None);
        Ok(())
    }

    /// Takes a task back that is open in the journal and that nobody works on. Returns whether it was open.
    ///
    /// # Errors
    /// Class `InvalidInput` for an unknown task; the journal's failure.
    pub(crate) async fn cancel_stored(&self, id: TaskId) -> Result<bool, Failure> {
        let stored = self.parts.journal.store().task(id).await?.ok_or_else(|| unknown_task(id))?;
        let end = TaskEnd {
            status: TaskStatus::Cancelled,
            reply: None,
            failure: Some(AgentError::Cancelled.into()),
            usage: stored.usage,
            attempts: stored.attempts,
            unix_ms: self.parts.clock.unix_ms(),
        };
        let entry = Entry::Ended { task: id, end: Box::new(end) };
        let receptions = self.parts.journal.commit_surely(vec![entry]).await?;
        Ok(receptions.first() == Some(&Reception::Written))
    }

    /// Removes a task that has ended, with its steps.
    ///
    /// # Errors
    /// Class `InvalidInput` for an unknown task and for an open one; the journal's failure.
    pub(crate) async fn discard(&self, id: TaskId) -> Result<(), Failure> {
        let receptions = self.parts.journal.commit(vec![Entry::Discarded { task: id }]).await?;
        if receptions.first() == Some(&Reception::Written) {
            return Ok(());
        }
        match self.parts.journal.store().task(id).await? {
            None => Err(unknown_task(id)),
            Some(stored) => Err(Failure::invalid(format!("discard task {id}: it is {}", stored.status))
                .with_hint("Only a task that has ended can be discarded; cancel it first.")),
        }
    }
}

fn not_a_dead_letter(id: TaskId, status: TaskStatus) -> Failure {
    Failure::invalid(format!("find dead letter {id}: the task is {status}"))
        .with_hint("Only a task that was given up after its attempts is a dead letter.")
}
