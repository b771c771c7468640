//! Letting a task in.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use playhouse_actors::agent::AgentError;
use playhouse_actors::task::EventLog;
use playhouse_protocol::event::TaskEventKind;
use playhouse_protocol::journal::Payload;
use playhouse_protocol::task::TaskOptions;
use playhouse_protocol::{Failure, FailureClass, TaskId};
use playhouse_supervisors::catch_panic;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use super::ledger::Origin;
use super::open_task::{OpenTask, OpenTaskArgs, Settled, Work};
use crate::store::{Entry, Reception, StoreError, StoreErrorKind, StoredTask};

/// How often an acceptance is written again when the writer was restarted under it.
const WRITER_RESTARTS_MAX: u32 = 3;

/// How often a task that was accepted before is looked up in the journal while that fails for now, and the wait behind the
/// first time, which doubles: some five seconds in all.
const LOOKS_MAX: u32 = 8;
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A task that somebody wants done. It has been checked.
pub(crate) struct Submission {
    pub(crate) work: Work,
    pub(crate) request: Payload,
    pub(crate) options: TaskOptions,
    pub(crate) parent: Option<TaskId>,
    pub(crate) timeout: Duration,
    /// Whether somebody may watch it.
    pub(crate) is_watched: bool,
    /// Takes it back when whoever asks goes away, also while it is being accepted.
    pub(crate) take_back: Option<TakeBack>,
}

/// Takes a task back when it is dropped, whether the task has begun or not. Its other half is the submission.
#[derive(Debug, Default)]
pub(crate) struct TakeBackOnDrop {
    half: TakeBack,
    /// When this is cancelled, whoever asks was lost and will ask again: the task goes on.
    lost: CancellationToken,
}

/// The half of a [`TakeBackOnDrop`] that goes with the submission.
#[derive(Debug, Clone, Default)]
pub(crate) struct TakeBack(Arc<Mutex<Asker>>);

#[derive(Debug, Default)]
enum Asker {
    #[default]
    Waits,
    WaitsFor(Arc<OpenTask>),
    Gone,
}

impl TakeBackOnDrop {
    /// One that takes nothing back when `lost` is cancelled before it is dropped.
    pub(crate) fn unless(lost: CancellationToken) -> Self {
        Self { half: TakeBack::default(), lost }
    }

    pub(crate) fn submission_half(&self) -> TakeBack {
        self.half.clone()
    }
}

impl TakeBack {
    /// Tells whose task it is, when it has begun.
    pub(crate) fn begun(&self, task: &Arc<OpenTask>) {
        let mut asker = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *asker {
            Asker::Gone => task.take_back(),
            Asker::Waits | Asker::WaitsFor(_) => *asker = Asker::WaitsFor(Arc::clone(task)),
        }
    }
}

impl Drop for TakeBackOnDrop {
    fn drop(&mut self) {
        if self.lost.is_cancelled() {
            return;
        }
        let mut asker = self.half.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Asker::WaitsFor(task) = std::mem::replace(&mut *asker, Asker::Gone)
            // Whoever goes away because all is shut down takes nothing back.
            && !task.scope.cancel().is_cancelled()
        {
            task.take_back();
        }
    }
}

impl Engine {
    /// Lets a task in and begins to work on it. Returns when its acceptance is durable. A task that is under way
    /// when the future is dropped may have been accepted all the same, and is worked on then.
    ///
    /// # Errors
    /// Class `Overloaded` when no slot is free or the journal has no room; `InvalidInput` when its idempotency
    /// key belongs to a task that asks something else. Nothing was accepted then.
    pub(crate) async fn submit(self: &Arc<Self>, submission: Submission) -> Result<Arc<OpenTask>, Failure> {
        self.try_submit(submission).await.map_err(|refused| self.refuse(refused))
    }

    /// [`submit`](Self::submit) for parts of something that was accepted: one that finds no room waits until there
    /// is, as long as the runtime takes tasks at all. Such a wait is no refusal.
    ///
    /// # Errors
    /// As [`submit`](Self::submit) but for want of room.
    pub(crate) async fn submit_when_there_is_room(
        self: &Arc<Self>,
        make: impl Fn() -> Result<Submission, Failure>,
    ) -> Result<Arc<OpenTask>, Failure> {
        loop {
            let submission = make()?;
            let slots = Arc::clone(self.slots(&submission.work));
            let refused = match self.try_submit(submission).await {
                Ok(task) => return Ok(task),
                Err(refused) => refused,
            };
            if refused.class != FailureClass::Overloaded || slots.is_closed() {
                return Err(self.refuse(refused));
            }
            slots.wait_for_room(&refused).await;
        }
    }

    async fn try_submit(self: &Arc<Self>, submission: Submission) -> Result<Arc<OpenTask>, Failure> {
        let slot = self.slots(&submission.work).take(&submission.options.tenant)?;
        let Submission { work, request, options, parent, timeout, is_watched, take_back } = submission;
        let id = self.next_task_id();
        let events = is_watched.then(|| EventLog::new(id));
        let scope = self.scope(id, &options, timeout, Duration::ZERO, events.clone());
        let timeout_ms = u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX);
        let task = OpenTask::new(OpenTaskArgs {
            scope,
            events,
            work,
            parent,
            submitted_unix_ms: id.unix_ms(),
            deadline_unix_ms: id.unix_ms().saturating_add(timeout_ms),
            origin: Origin::Accepted,
            slot: Some(slot),
            request: Some(request),
            attempts_max: options.attempts_max.unwrap_or(self.parts.attempts.attempts_max),
            failed_attempts: Vec::new(),
            options,
        });
        if !task.is_journaled() {
            self.table.insert(id, Arc::clone(&task));
            self.begin(&task, take_back);
            return Ok(task);
        }
        // Owned by the runtime: what is written is worked on, whether or not anybody waits for this.
        let (sender, accepted) = oneshot::channel();
        let engine = Arc::clone(self);
        self.tracker.spawn(async move {
            let accepted = catch_panic(engine.accept(Arc::clone(&task), take_back)).await;
            let accepted = accepted.unwrap_or_else(|panic| {
                engine.withdraw(&task);
                Err(Failure::internal(format!("accept a task: {panic}")))
            });
            let _ = sender.send(accepted);
        });
        accepted.await.unwrap_or_else(|_| Err(AgentError::Cancelled.into()))
    }

    async fn accept(
        self: &Arc<Self>,
        task: Arc<OpenTask>,
        take_back: Option<TakeBack>,
    ) -> Result<Arc<OpenTask>, Failure> {
        // In the table first: whoever submits the same key in this moment finds it here.
        self.table.insert(task.id(), Arc::clone(&task));
        match self.write_acceptance(&task).await {
            Ok(Reception::Written) => {
                self.begin(&task, take_back);
                Ok(task)
            }
            Ok(Reception::KeyTaken { task: first, same_request }) => {
                self.withdraw(&task);
                if same_request {
                    return self.attach_in_time(first).await;
                }
                Err(key_conflict(&task, first))
            }
            Ok(Reception::Settled(_) | Reception::NotApplicable) => {
                self.withdraw(&task);
                Err(Failure::internal(format!("accept a task: the id {} is taken", task.id())))
            }
            Err(error) => {
                self.withdraw(&task);
                Err(error.into())
            }
        }
    }

    async fn write_acceptance(&self, task: &OpenTask) -> Result<Reception, StoreError> {
        let mut restarts = 0;
        loop {
            let entry = Entry::Accepted(Box::new(task.accepted_entry()));
            match self.parts.journal.commit(vec![entry]).await {
                Ok(receptions) => return Ok(receptions.first().copied().unwrap_or(Reception::NotApplicable)),
                // Whether it was written is not known, and writing it again does no harm.
                Err(error) if is_restart(&error) && restarts < WRITER_RESTARTS_MAX => restarts += 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// Puts an accepted task to work.
    pub(super) fn begin(self: &Arc<Self>, task: &Arc<OpenTask>, take_back: Option<TakeBack>) {
        task.confirm();
        self.parts.ledger.opened(task.origin);
        task.scope.emit(|| TaskEventKind::Accepted { kind: task.work.kind().to_owned() });
        if let Some(take_back) = take_back {
            take_back.begun(task);
        }
        self.tracker.spawn(Arc::clone(self).drive(Arc::clone(task)));
    }

    /// Undoes what was prepared for a task that was not accepted.
    fn withdraw(&self, task: &OpenTask) {
        self.table.remove(&task.id());
    }

    /// Counts a refusal.
    pub(crate) fn refuse(&self, failure: Failure) -> Failure {
        self.parts.ledger.refused(failure.class);
        failure
    }

    /// [`attach`](Self::attach), tried again while the journal cannot be read for now: whoever asks would take that for
    /// the failure of a task that may have an answer.
    async fn attach_in_time(&self, id: TaskId) -> Result<Arc<OpenTask>, Failure> {
        // What cannot be read after that is told by the look itself.
        let _ = self.look_up(id).await;
        self.attach(id).await
    }

    /// A task as it is in the journal, looked for again while that cannot be read for now.
    ///
    /// # Errors
    /// The last look's.
    pub(super) async fn look_up(&self, id: TaskId) -> Result<Option<StoredTask>, StoreError> {
        let store = self.parts.journal.store();
        let mut again = LOOK_AGAIN;
        for _ in 1..LOOKS_MAX {
            match store.task(id).await {
                Err(error) if error.is_transient() => tokio::time::sleep(again).await,
                looked => return looked,
            }
            again *= 2;
        }
        store.task(id).await
    }

    /// A task that was accepted before: an open one of this process, or one that has ended.
    ///
    /// # Errors
    /// Class `InvalidInput` for an unknown task; `Retryable` for one that is open in the journal and not
    /// worked on by this process; the journal's failure.
    pub(crate) async fn attach(&self, id: TaskId) -> Result<Arc<OpenTask>, Failure> {
        if let Some(task) = self.find(id) {
            return Ok(task);
        }
        let store = self.parts.journal.store();
        let stored = store.task(id).await?.ok_or_else(|| unknown_task(id))?;
        if stored.status.is_open() {
            // It ended, or was begun, between the two looks.
            return self.find(id).ok_or_else(|| {
                Failure::new(
                    FailureClass::Retryable,
                    format!("find task {id}: it is open in the journal and this process does not work on it"),
                )
                .with_hint("Its kind may be unknown to this program, or recovery is off.")
            });
        }
        let Some(work) = self.work_of(&stored.kind) else {
            return Err(Failure::invalid(format!(
                "find task {id}: this program knows no agent of kind {}",
                stored.kind
            )));
        };
        let end = self.stored_end(id).await?.ok_or_else(|| unknown_task(id))?;
        let events = EventLog::new(id);
        let scope =
            self.scope(id, &stored.options, Duration::ZERO, Duration::ZERO, Some(Arc::clone(&events)));
        scope.emit(|| TaskEventKind::Finished {
            status: end.status,
            usage: end.usage,
            failure: end.failure.clone(),
        });
        let task = OpenTask::new(OpenTaskArgs {
            scope,
            events: Some(events),
            work,
            options: stored.options,
            parent: stored.parent,
            submitted_unix_ms: stored.submitted_unix_ms,
            deadline_unix_ms: stored.deadline_unix_ms,
            origin: Origin::Accepted,
            slot: None,
            request: None,
            attempts_max: 0,
            failed_attempts: stored.failed_attempts,
        });
        task.settle(Settled::Ended(end));
        Ok(task)
    }
}

fn is_restart(error: &StoreError) -> bool {
    matches!(error.kind, StoreErrorKind::Interrupted)
}

fn key_conflict(task: &OpenTask, first: TaskId) -> Failure {
    let key = task.options.idempotency_key.as_ref().map(ToString::to_string).unwrap_or_default();
    Failure::invalid(format!(
        "accept a task: idempotency_key {key} belongs to task {first}, which asks something else"
    ))
    .with_hint("Use a key of its own for each request.")
}

pub(crate) fn unknown_task(id: TaskId) -> Failure {
    Failure::invalid(format!("find task {id}: no task has this id"))
        .with_hint("It may have been removed after its time; `journal.ended_age_max_ms` says how long ended tasks are kept.")
}
