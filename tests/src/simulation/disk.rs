//! What survives a crash, and what must hold of it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::FutureExt as _;
use futures::future::BoxFuture;
use playhouse_runtime::Agent as _;
use playhouse_runtime::protocol::journal::{Payload, StepPath};
use playhouse_runtime::protocol::task::TaskStatus;
use playhouse_runtime::protocol::{Failure, IdempotencyKey, TaskId, TenantId, envelope};
use playhouse_runtime::store::{
    AcceptedTask, Entry, MemoryStore, Reception, StoreError, StoredTask, TaskFilter, TaskStore as _,
};

use super::draws::Draws;
use super::life::LifeStore;
use super::log::Log;
use super::orders::Player;
use super::world::Clock;

/// The disk of one world.
#[derive(Debug)]
pub struct Disk {
    /// What is written.
    pub store: Arc<MemoryStore>,
    pub(super) draws: Draws,
    pub(super) log: Log,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// The life that may write.
    pub(super) life: u64,
    pub(super) commits: u64,
    pub(super) reads: u64,
    /// Reads of this life that failed.
    pub(super) reads_failed: u64,
    /// How often the writer of this life died.
    pub(super) panics: u64,
    /// At which commit of this life the process dies, and whether the commit is written before.
    pub(super) crash: Option<(u64, bool)>,
    pub(super) full_until: u64,
    /// Questions of answered steps, by task: what was ever recorded is never asked or done again.
    recorded: BTreeMap<TaskId, BTreeMap<StepPath, String>>,
    /// The task of each key.
    keys: BTreeMap<(TenantId, IdempotencyKey), TaskId>,
    /// What the tasks came to that were removed for their age or number.
    pruned: BTreeMap<TaskId, String>,
}

/// When the process of a life dies, so that commits tell.
#[derive(Debug, Clone, Copy)]
pub struct Crash {
    /// The commit, counted from 1 within the life.
    pub commit: u64,
    /// Whether that commit is written; nobody is told.
    pub is_written: bool,
}

impl Disk {
    /// An empty disk.
    pub fn new(draws: Draws, log: Log) -> Arc<Self> {
        Arc::new(Self { store: Arc::default(), draws, log, state: Mutex::default() })
    }

    /// Begins a life: whatever an earlier one still has under way is never written.
    pub fn begin(self: &Arc<Self>, life: u64, crash: Option<Crash>, clock: Clock) -> Arc<LifeStore> {
        let mut state = self.state();
        state.life = life;
        (state.commits, state.reads, state.reads_failed, state.panics) = (0, 0, 0, 0);
        state.full_until = 0;
        state.crash = crash.map(|crash| (crash.commit, crash.is_written));
        drop(state);
        LifeStore::new(Arc::clone(self), life, clock)
    }

    /// The commits of this life so far.
    pub fn commits(&self) -> u64 {
        self.state().commits
    }

    /// The reads of this life that failed.
    pub fn reads_failed(&self) -> u64 {
        self.state().reads_failed
    }

    /// Whether a question has a recorded answer.
    pub fn is_recorded(&self, task: TaskId, question: &str) -> bool {
        self.state().recorded.get(&task).is_some_and(|known| known.values().any(|one| one == question))
    }

    /// Whether a task is written down.
    pub fn has_task(&self, task: TaskId) -> bool {
        now(self.store.task(task)).is_some()
    }

    /// Whether a step is written down, answered or failed.
    pub fn has_step(&self, task: TaskId, path: &str) -> bool {
        path.parse().is_ok_and(|path| now(self.store.step_input(task, path)).is_some())
    }

    /// Whether a step was ever written down as answered.
    pub fn is_answered(&self, task: TaskId, path: &str) -> bool {
        let Ok(path) = path.parse() else { return false };
        self.state().recorded.get(&task).is_some_and(|known| known.contains_key(&path))
    }

    /// What a task came to, also one that was removed since; `None` for an open and an unknown one.
    pub fn end(&self, task: TaskId) -> Option<String> {
        match now(self.store.task(task)) {
            Some(stored) => self.end_of(&stored),
            None => self.state().pruned.get(&task).cloned(),
        }
    }

    /// Whether a task was removed for its age or number.
    pub fn is_pruned(&self, task: TaskId) -> bool {
        self.state().pruned.contains_key(&task)
    }

    fn end_of(&self, stored: &StoredTask) -> Option<String> {
        stored.ended_unix_ms?;
        let reply = now(self.store.reply(stored.id));
        Some(told(reply.as_ref().map(answer_of), stored.failure.as_ref()))
    }

    /// Notes what a group writes.
    pub(super) fn note(&self, group: &[Entry], receptions: &[Reception]) {
        let mut state = self.state();
        for (entry, reception) in group.iter().zip(receptions) {
            match (entry, reception) {
                (Entry::Accepted(task), Reception::Written) => self.note_key(&mut state, task),
                (Entry::StepEnded { task, step, input }, Reception::Written)
                    if step.outcome.is_answered() =>
                {
                    let question = input.parts.last().map(|part| String::from_utf8_lossy(&part.bytes));
                    let known = state.recorded.entry(*task).or_default();
                    known.insert(step.path.clone(), question.unwrap_or_default().into_owned());
                }
                _ => {}
            }
        }
    }

    /// A key has one task, as long as that task is there.
    fn note_key(&self, state: &mut State, task: &AcceptedTask) {
        let Some(key) = task.options.idempotency_key.clone() else { return };
        let before = state.keys.insert((task.options.tenant.clone(), key.clone()), task.id);
        if before.is_some_and(|before| before != task.id && self.has_task(before)) {
            self.log.violate(format!("key {key} has a second task, {}", task.id));
        }
    }

    /// All tasks that have ended, with what they came to.
    pub(super) fn ends(&self) -> BTreeMap<TaskId, (TaskStatus, String)> {
        let all = TaskFilter { limit: usize::MAX, ..TaskFilter::default() };
        let listed = self.store.list(all).now_or_never().and_then(Result::ok).unwrap_or_default();
        let ended = listed.iter().filter_map(|task| Some((task.id, (task.status, self.end_of(task)?))));
        ended.collect()
    }

    /// Notes which of the tasks that had ended were removed.
    pub(super) fn note_pruned(&self, before: BTreeMap<TaskId, (TaskStatus, String)>) {
        for (task, (status, end)) in before {
            if self.has_task(task) {
                continue;
            }
            if status == TaskStatus::DeadLettered {
                self.log.violate(format!("dead letter {task} was removed"));
            }
            self.state().pruned.insert(task, end);
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What a task came to, as a text: its answer, or its failure.
pub fn told(answer: Option<String>, failure: Option<&Failure>) -> String {
    match failure {
        Some(failure) => format!("{}: {}", failure.class, failure.message),
        None => format!("answered {}", answer.unwrap_or_default()),
    }
}

/// The answer of an agent as it is told; that of a plan has many pieces, and is told as their number.
fn answer_of(payload: &Payload) -> String {
    let single =
        payload.as_single().map(|bytes| envelope::decode_agent_value::<Vec<String>>(Player::VERSION, bytes));
    match single {
        Some(Ok(answer)) => format!("{answer:?}"),
        Some(Err(_)) | None => "a plan".to_owned(),
    }
}

/// What the store in memory says at once.
fn now<T>(asked: BoxFuture<'_, Result<Option<T>, StoreError>>) -> Option<T> {
    asked.now_or_never().and_then(Result::ok).flatten()
}
