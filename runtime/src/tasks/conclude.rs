//! What becomes of a task behind an attempt.

use std::sync::Arc;
use std::time::Duration;

use playhouse_actors::agent::AgentError;
use playhouse_protocol::event::TaskEventKind;
use playhouse_protocol::journal::{FailedAttempt, Payload};
use playhouse_protocol::task::TaskStatus;
use playhouse_protocol::{Failure, FailureClass, TaskId};
use tokio::time::Instant;

use super::attempts::{Failed, Next, next};
use super::engine::Engine;
use super::ledger::Origin;
use super::open_task::{OpenTask, Settled, Work};
use crate::store::{Entry, Reception, StoreError, TaskEnd};

impl Engine {
    /// Ends the task, or says after which wait another attempt follows. The end is written down before anybody
    /// is told.
    pub(super) async fn conclude(
        &self,
        task: &Arc<OpenTask>,
        outcome: Result<Payload, AgentError>,
    ) -> Option<Duration> {
        let error = match outcome {
            Ok(reply) => {
                self.end(task, TaskStatus::Completed, Some(reply), None).await;
                return None;
            }
            Err(error) => error,
        };
        let is_lost = matches!(error, AgentError::Lost { .. });
        let failure = Failure::from(error);
        if failure.class == FailureClass::Cancelled && self.is_left_to_the_next_process(task) {
            self.keep(task);
            return None;
        }
        let (overloaded, before) = task.failed_attempts();
        let attempt = task.attempts();
        let failed = Failed {
            attempt,
            overloaded,
            attempts_max: task.attempts_max(),
            failure: &failure,
            before: before.as_ref(),
            is_lost,
            time_left: task.scope.deadline().saturating_duration_since(Instant::now()),
            jitter: self.jitter(),
        };
        match next(&self.parts.attempts, &failed) {
            Next::Again { after } => {
                self.record_failed_attempt(task, attempt, failure, after).await;
                Some(after)
            }
            Next::End(status) => {
                self.end(task, status, None, Some(failure)).await;
                None
            }
        }
    }

    async fn record_failed_attempt(&self, task: &OpenTask, attempt: u32, failure: Failure, after: Duration) {
        self.parts.ledger.attempt_failed(failure.class);
        let retry_in_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
        task.scope.emit(|| TaskEventKind::AttemptFailed { attempt, failure: failure.clone(), retry_in_ms });
        let failed = FailedAttempt { attempt, failure, unix_ms: self.parts.clock.unix_ms() };
        task.push_failed_attempt(failed.clone());
        if task.is_journaled() {
            let entry = Entry::AttemptFailed { task: task.id(), attempt: failed };
            if let Err(error) = self.parts.journal.commit_surely(vec![entry]).await {
                // The next process counts one attempt less.
                tracing::warn!(task = %task.id(), %error, "a failed attempt could not be written down");
            }
        }
    }

    /// Ends a task: on disk, in the books, for those who wait, in this order.
    async fn end(
        &self,
        task: &OpenTask,
        status: TaskStatus,
        reply: Option<Payload>,
        failure: Option<Failure>,
    ) {
        let usage = task.scope.usage();
        let end = TaskEnd {
            status,
            reply,
            failure,
            usage,
            attempts: task.attempts(),
            unix_ms: self.parts.clock.unix_ms(),
        };
        let end = match self.write_end(task, end).await {
            Ok(end) => end,
            Err(error) => {
                tracing::error!(task = %task.id(), %error, "the end of a task could not be written down");
                self.keep(task);
                return;
            }
        };
        let (status, failure, usage) = (end.status, end.failure.clone(), end.usage);
        let is_first_and_whole =
            status == TaskStatus::Completed && task.attempts() == 1 && task.origin == Origin::Accepted;
        if matches!(task.work, Work::Plan(_)) && !is_first_and_whole {
            // Parts of an earlier attempt that this one did not come by.
            self.parts_of(task.id()).iter().for_each(|part| part.take_back());
        }
        let class = failure.as_ref().map(|failure| failure.class);
        let elapsed_ms = task.scope.elapsed().as_millis();
        // The failure's text may quote the request.
        tracing::debug!(task = %task.id(), kind = task.work.kind(), elapsed_ms, %status, ?class, "task ended");
        self.parts.ledger.ended(status, class);
        self.table.remove(&task.id());
        task.settle(Settled::Ended(end));
        task.scope.emit(|| TaskEventKind::Finished { status, usage, failure });
    }

    /// Writes the end down, and returns the one that stands: the journal may have another one already. An answer that
    /// can never be written is replaced by that failure, so that the task ends all the same.
    async fn write_end(&self, task: &OpenTask, end: TaskEnd) -> Result<TaskEnd, StoreError> {
        if !task.is_journaled() {
            return Ok(end);
        }
        let entry = |end: &TaskEnd| vec![Entry::Ended { task: task.id(), end: Box::new(end.clone()) }];
        let error = match self.parts.journal.commit_surely(entry(&end)).await {
            Ok(receptions) if matches!(receptions.first(), Some(Reception::Settled(_))) => {
                return Ok(self.stored_end(task.id()).await?.unwrap_or(end));
            }
            Ok(_) => return Ok(end),
            Err(error) if end.reply.is_some() && !error.is_closed() => error,
            Err(error) => return Err(error),
        };
        let unwritable =
            TaskEnd { status: TaskStatus::DeadLettered, reply: None, failure: Some(error.into()), ..end };
        self.parts.journal.commit_surely(entry(&unwritable)).await?;
        Ok(unwritable)
    }

    /// How a task ended, as the journal has it; `None` for an open one and for an unknown one.
    ///
    /// # Errors
    /// The journal's.
    pub(super) async fn stored_end(&self, id: TaskId) -> Result<Option<TaskEnd>, StoreError> {
        let store = self.parts.journal.store();
        let Some(stored) = store.task(id).await? else { return Ok(None) };
        let Some(unix_ms) = stored.ended_unix_ms else { return Ok(None) };
        Ok(Some(TaskEnd {
            status: stored.status,
            reply: store.reply(id).await?,
            failure: stored.failure,
            usage: stored.usage,
            attempts: stored.attempts,
            unix_ms,
        }))
    }

    /// Whether a task that was stopped is not at its end: a shutdown stopped it, and it is in a journal that
    /// outlives this process.
    fn is_left_to_the_next_process(&self, task: &OpenTask) -> bool {
        self.parts.slots.is_closed()
            && !task.is_taken_back()
            && task.is_journaled()
            && self.parts.journal.store().is_durable()
    }

    /// Leaves a task open in the journal.
    fn keep(&self, task: &OpenTask) {
        self.parts.ledger.kept();
        self.table.remove(&task.id());
        task.settle(Settled::Kept);
    }
}
