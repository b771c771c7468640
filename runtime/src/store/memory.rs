//! temporary
use std::collections::BTreeMap;
use std::sync::Mutex;

use futures::future::{BoxFuture, FutureExt, ready};
use playhouse_protocol::journal::{Payload, RecordedStep, StepPath, FailedAttempt};
use playhouse_protocol::task::TaskStatus;
use playhouse_protocol::{TaskId, Usage};

use super::*;

#[derive(Debug)]
struct Rec { a: AcceptedTask, failed: Vec<FailedAttempt>, steps: Vec<(RecordedStep, Payload)>, end: Option<TaskEnd> }

/// temporary
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<(BTreeMap<TaskId, Rec>, BTreeMap<(String, String), TaskId>)>);

fn stored(r: &Rec) -> StoredTask {
    StoredTask { id: r.a.id, kind: r.a.kind.clone(), options: r.a.options.clone(), parent: r.a.parent, submitted_unix_ms: r.a.submitted_unix_ms, deadline_unix_ms: r.a.deadline_unix_ms,
        status: r.end.as_ref().map_or(TaskStatus::Queued, |e| e.status), failed_attempts: r.failed.clone(), steps_len: r.steps.len() as u64, attempts: r.end.as_ref().map_or(r.failed.len() as u32, |e| e.attempts),
        ended_unix_ms: r.end.as_ref().map(|e| e.unix_ms), usage: r.end.as_ref().map_or(Usage::default(), |e| e.usage), failure: r.end.as_ref().and_then(|e| e.failure.clone()) }
}

impl MemoryStore {
    fn one(&self, e: Entry) -> Reception {
        let mut g = self.0.lock().unwrap();
        let (m, keys) = &mut *g;
        match e {
            Entry::Accepted(a) => {
                if m.contains_key(&a.id) { return Reception::Written; }
                if let Some(k) = &a.options.idempotency_key {
                    let key = (a.options.tenant.to_string(), k.to_string());
                    if let Some(t) = keys.get(&key) { return Reception::KeyTaken { task: *t, same_request: m[t].a.kind == a.kind && m[t].a.request == a.request }; }
                    keys.insert(key, a.id);
                }
                m.insert(a.id, Rec { a: *a, failed: vec![], steps: vec![], end: None });
                Reception::Written
            }
            Entry::StepEnded { task, step, input } => {
                let Some(r) = m.get_mut(&task) else { return Reception::NotApplicable };
                if let Some(e) = &r.end { return Reception::Settled(e.status); }
                if r.steps.iter().any(|(s, _)| s.path == step.path && s.outcome.is_answered()) { return Reception::Settled(TaskStatus::Running); }
                r.steps.retain(|(s, _)| s.path != step.path);
                r.steps.push((*step, input));
                Reception::Written
            }
            Entry::AttemptFailed { task, attempt } => {
                let Some(r) = m.get_mut(&task) else { return Reception::NotApplicable };
                if let Some(e) = &r.end { return Reception::Settled(e.status); }
                if !r.failed.contains(&attempt) { r.failed.push(attempt); }
                Reception::Written
            }
            Entry::Ended { task, end } => {
                let Some(r) = m.get_mut(&task) else { return Reception::NotApplicable };
                if let Some(e) = &r.end { return if *e == *end { Reception::Written } else { Reception::Settled(e.status) }; }
                r.end = Some(*end);
                Reception::Written
            }
            Entry::Reopened { task, deadline_unix_ms, attempts_max, .. } => {
                let Some(r) = m.get_mut(&task) else { return Reception::NotApplicable };
                if r.end.as_ref().is_none_or(|e| e.status != TaskStatus::DeadLettered) { return Reception::NotApplicable; }
                r.end = None; r.a.deadline_unix_ms = deadline_unix_ms; r.a.options.attempts_max = Some(attempts_max);
                if let Some(at) = r.steps.iter().position(|(s, _)| !s.outcome.is_answered()) { r.steps.truncate(at); }
                Reception::Written
            }
            Entry::Discarded { task } => { if m.get(&task).is_some_and(|r| r.end.is_some()) { m.remove(&task); keys.retain(|_, t| *t != task); Reception::Written } else { Reception::NotApplicable } }
        }
    }
}

impl TaskStore for MemoryStore {
    fn commit(&self, group: Vec<Entry>) -> BoxFuture<'_, Result<Vec<Reception>, StoreError>> { ready(Ok(group.into_iter().map(|e| self.one(e)).collect())).boxed() }
    fn open_tasks(&self, after: Option<TaskId>, limit: usize) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>> {
        ready(Ok(self.0.lock().unwrap().0.values().filter(|r| r.end.is_none() && after.is_none_or(|a| r.a.id > a)).take(limit).map(stored).collect())).boxed()
    }
    fn task(&self, task: TaskId) -> BoxFuture<'_, Result<Option<StoredTask>, StoreError>> { ready(Ok(self.0.lock().unwrap().0.get(&task).map(stored))).boxed() }
    fn request(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> { ready(Ok(self.0.lock().unwrap().0.get(&task).map(|r| r.a.request.clone()))).boxed() }
    fn reply(&self, task: TaskId) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> { ready(Ok(self.0.lock().unwrap().0.get(&task).and_then(|r| r.end.as_ref()?.reply.clone()))).boxed() }
    fn steps(&self, task: TaskId) -> BoxFuture<'_, Result<Vec<RecordedStep>, StoreError>> { ready(Ok(self.0.lock().unwrap().0.get(&task).map(|r| r.steps.iter().map(|s| s.0.clone()).collect()).unwrap_or_default())).boxed() }
    fn step_input(&self, task: TaskId, path: StepPath) -> BoxFuture<'_, Result<Option<Payload>, StoreError>> { ready(Ok(self.0.lock().unwrap().0.get(&task).and_then(|r| r.steps.iter().find(|s| s.0.path == path).map(|s| s.1.clone())))).boxed() }
    fn list(&self, f: TaskFilter) -> BoxFuture<'_, Result<Vec<StoredTask>, StoreError>> {
        ready(Ok(self.0.lock().unwrap().0.values().rev().map(stored).filter(|t| (f.statuses.is_empty() || f.statuses.contains(&t.status)) && f.parent.is_none_or(|p| t.parent == Some(p)) && f.before.is_none_or(|b| t.id < b)).take(f.limit).collect())).boxed()
    }
    fn counts(&self) -> BoxFuture<'_, Result<StatusCounts, StoreError>> {
        let mut c = StatusCounts::default();
        for r in self.0.lock().unwrap().0.values() { match r.end.as_ref().map(|e| e.status) { None => c.open += 1, Some(TaskStatus::Completed) => c.completed += 1, Some(TaskStatus::Cancelled) => c.cancelled += 1, Some(TaskStatus::DeadLettered) => c.dead_lettered += 1, _ => c.failed += 1 } }
        ready(Ok(c)).boxed()
    }
    fn prune(&self, _r: Retention, _l: usize) -> BoxFuture<'_, Result<u64, StoreError>> { ready(Ok(0)).boxed() }
    fn checkpoint(&self) -> BoxFuture<'_, Result<(), StoreError>> { ready(Ok(())).boxed() }
    fn close(&self) -> BoxFuture<'_, Result<(), StoreError>> { ready(Ok(())).boxed() }
    fn bytes_len(&self) -> BoxFuture<'_, Result<u64, StoreError>> { ready(Ok(0)).boxed() }
    fn is_durable(&self) -> bool { false }
}
