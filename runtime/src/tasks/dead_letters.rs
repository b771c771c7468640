//! Tasks that were given up: looking at them, trying them again, throwing them away.

use std::sync::Arc;
use std::time::Duration;

use playhouse_actors::agent::AgentError;
use playhouse_protocol::journal::{FailedAttempt, RecordedStep};
use playhouse_protocol::task::{TaskStatus, TaskSummary};
use playhouse_protocol::{Failure, FailureClass, TaskId};
use tokio::sync::oneshot;

use super::accept::unknown_task;
use super::engine::Engine;
use super::ledger::Origin;
use super::open_task::{OpenTask, Settled, Work, overloaded_len};
use crate::admission::{ATTEMPTS_MAX, Slot, TASK_TIMEOUT_MAX};
use crate::handle::kept;
use crate::store::{Entry, Reception, StoreError, StoreErrorKind, StoredTask, TaskEnd};

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

    /// Opens a dead letter again, with as many attempts and as much time as it had at first, from its last step that
    /// was answered. Of a plan, what has failed is done again. Once it is under way it goes on, also when the future is
    /// dropped.
    ///
    /// # Errors
    /// As [`dead_letter`](Self::dead_letter); class `InvalidInput` when this program does not know its kind,
    /// `Overloaded` when no slot is free. The task is the dead letter that it was then.
    pub(crate) async fn replay(self: &Arc<Self>, id: TaskId) -> Result<(), Failure> {
        self.try_replay(id).await.map_err(|failure| match failure.class {
            FailureClass::Overloaded => self.refuse(failure),
            _ => failure,
        })
    }

    /// [`replay`](Self::replay), whose refusals are not counted.
    async fn try_replay(self: &Arc<Self>, id: TaskId) -> Result<(), Failure> {
        let stored = self.stored_dead_letter(id).await?;
        let Some(work) = self.work_of(&stored.kind) else {
            return Err(Failure::invalid(format!(
                "replay task {id}: this program knows no agent of kind {}",
                stored.kind
            )));
        };
        let slot = self.slots(&work).take(&stored.options.tenant)?;
        // Owned by the runtime: what is open again is worked on, whether or not anybody waits for this.
        let (sender, reopened) = oneshot::channel();
        let engine = Arc::clone(self);
        self.tracker.spawn(async move {
            let _ = sender.send(engine.open_again(stored, work, slot).await);
        });
        reopened.await.unwrap_or_else(|_| Err(AgentError::Cancelled.into()))
    }

    async fn open_again(self: &Arc<Self>, stored: StoredTask, work: Work, slot: Slot) -> Result<(), Failure> {
        let id = stored.id;
        let as_it_was = end_of(&stored);
        let (stored, entries) = self.reopened(stored, &work);
        let task = self.reopen(stored, work, Origin::Reopened, slot);
        // In the table first: whoever cancels it or opens it again in this moment finds it here.
        match self.table.entry(id) {
            dashmap::Entry::Occupied(_) => return Err(not_a_dead_letter(id, TaskStatus::Queued)),
            dashmap::Entry::Vacant(vacant) => drop(vacant.insert(Arc::clone(&task))),
        }
        // What still runs for it would be come by, and then be taken back.
        for part in self.parts_of(id) {
            part.take_back();
            let _ = part.settled.wait().await;
        }
        match self.write_reopening(id, entries).await {
            Ok(()) => {
                self.begin(&task, None);
                Ok(())
            }
            Err(failure) => {
                self.table.remove(&id);
                task.settle(Settled::Ended(as_it_was));
                Err(failure)
            }
        }
    }

    /// Writes that a task is open again. A writer that was restarted under it may have written that or not; nobody
    /// else can have, so the journal tells.
    async fn write_reopening(&self, id: TaskId, entries: Vec<Entry>) -> Result<(), Failure> {
        match self.parts.journal.commit(entries).await {
            Ok(receptions) if receptions.first() == Some(&Reception::Written) => return Ok(()),
            Ok(_) => {}
            Err(error) if matches!(error.kind, StoreErrorKind::Interrupted) => {}
            Err(error) => return Err(error.into()),
        }
        let stored = match self.look_up(id).await {
            Ok(stored) => stored.ok_or_else(|| unknown_task(id))?,
            // It may be open, and then nobody else works on it. If it is not, its end cannot be written, and what is
            // written stands.
            Err(error) => {
                tracing::warn!(task = %id, %error, "a replay goes on without knowing that it is written");
                return Ok(());
            }
        };
        match stored.status {
            status if status.is_open() => Ok(()),
            TaskStatus::DeadLettered => Err(StoreError {
                doing: "write to the journal",
                path: None,
                kind: StoreErrorKind::Interrupted,
            }
            .into()),
            status => Err(not_a_dead_letter(id, status)),
        }
    }

    /// A dead letter as it is when it is open again, and what is written for that.
    fn reopened(&self, mut stored: StoredTask, work: &Work) -> (StoredTask, Vec<Entry>) {
        let time = match work {
            Work::Plan(_) => TASK_TIMEOUT_MAX,
            Work::Agent(_) => {
                stored.options.timeout_ms.map_or(self.parts.limits.task_timeout, Duration::from_millis)
            }
        };
        let time_ms = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let now = self.parts.clock.unix_ms();
        // Behind its end in any case, so that what was before can be told from what is behind.
        let opened = stored.ended_unix_ms.map_or(now, |ended| now.max(ended.saturating_add(1)));
        let allowed = allowance(&stored, time_ms, self.parts.attempts.attempts_max);
        let last = stored.failure.take().zip(stored.ended_unix_ms.take()).map(|(failure, unix_ms)| {
            // The failure that ended it joins the others.
            FailedAttempt { attempt: stored.attempts, failure, unix_ms }
        });
        stored.failed_attempts.extend(last.clone());
        let counted = stored.attempts.saturating_sub(overloaded_len(&stored.failed_attempts));
        let attempts_max = counted.saturating_add(allowed);
        let (task, deadline_unix_ms) = (stored.id, opened.saturating_add(time_ms));
        stored.options.attempts_max = Some(attempts_max);
        stored.deadline_unix_ms = deadline_unix_ms;
        stored.status = TaskStatus::Queued;
        let mut entries = vec![Entry::Reopened { task, deadline_unix_ms, attempts_max, unix_ms: now }];
        entries.extend(last.map(|attempt| Entry::AttemptFailed { task, attempt }));
        (stored, entries)
    }

    /// Prepares a part that ended without an answer for being done again: a dead letter is opened again, as soon as
    /// there is room; one that has failed or was taken back leaves its key to another task.
    ///
    /// # Errors
    /// As [`replay`](Self::replay) but for want of room, and as [`discard`](Self::discard).
    pub(crate) async fn open_or_discard(self: &Arc<Self>, task: &OpenTask) -> Result<(), Failure> {
        if task.summary().status != TaskStatus::DeadLettered {
            return self.discard(task.id()).await;
        }
        let slots = self.slots(&task.work);
        loop {
            match self.try_replay(task.id()).await {
                Err(refused) if refused.class == FailureClass::Overloaded && !slots.is_closed() => {
                    slots.wait_for_room(&refused).await;
                }
                replayed => return replayed,
            }
        }
    }

    /// Takes an open task back and waits until that is written down. Returns whether it was open until then.
    ///
    /// # Errors
    /// Class `Retryable` when the runtime came down before that, and the task is left to the next process.
    pub(crate) async fn cancel(&self, task: &OpenTask) -> Result<bool, Failure> {
        task.take_back();
        match task.settled.wait().await {
            Settled::Ended(end) => Ok(end.status == TaskStatus::Cancelled),
            Settled::Kept => Err(kept(task.id())),
        }
    }

    /// Takes a task back that is open in the journal and that nobody works on. Returns whether it was open.
    ///
    /// # Errors
    /// Class `InvalidInput` for an unknown task; the journal's failure.
    pub(crate) async fn cancel_stored(&self, id: TaskId) -> Result<bool, Failure> {
        let stored = self.parts.journal.store().task(id).await?.ok_or_else(|| unknown_task(id))?;
        if !stored.status.is_open() {
            return Ok(false);
        }
        // It may have been opened again since the caller looked for it; then it is in the table since before that.
        if let Some(task) = self.find(id) {
            return self.cancel(&task).await;
        }
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

/// The attempts that a task had at first. Each time it was opened again it was given as many beyond those that it had
/// used; the last time began when its time did.
fn allowance(stored: &StoredTask, time_ms: u64, default: u32) -> u32 {
    let opened = stored.deadline_unix_ms.saturating_sub(time_ms);
    let before = stored.failed_attempts.iter().take_while(|attempt| attempt.unix_ms < opened).cloned();
    let before: Vec<_> = before.collect();
    let before_len = u32::try_from(before.len()).unwrap_or(u32::MAX).saturating_sub(overloaded_len(&before));
    let in_all = stored.options.attempts_max.unwrap_or(default);
    in_all.saturating_sub(before_len).clamp(1, ATTEMPTS_MAX)
}

fn end_of(stored: &StoredTask) -> TaskEnd {
    TaskEnd {
        status: stored.status,
        reply: None,
        failure: stored.failure.clone(),
        usage: stored.usage,
        attempts: stored.attempts,
        unix_ms: stored.ended_unix_ms.unwrap_or_default(),
    }
}

fn not_a_dead_letter(id: TaskId, status: TaskStatus) -> Failure {
    Failure::invalid(format!("find dead letter {id}: the task is {status}"))
        .with_hint("Only a task that was given up after its attempts is a dead letter.")
}
