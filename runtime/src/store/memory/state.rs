//! What a store in memory holds.

use std::collections::{BTreeMap, BTreeSet};

use playhouse_protocol::journal::{FailedAttempt, Payload, RecordedStep, StepKind, StepOutcome, StepPath};
use playhouse_protocol::task::TaskStatus;
use playhouse_protocol::{IdempotencyKey, TaskId, TenantId, Usage};

use super::payloads::{Chain, Payloads};
use crate::store::{
    AcceptedTask, Entry, Reception, Retention, StatusCounts, StoredTask, TaskEnd, TaskFilter,
};

#[derive(Debug, Default)]
pub(super) struct State {
    tasks: BTreeMap<TaskId, Task>,
    keys: BTreeMap<(TenantId, IdempotencyKey), TaskId>,
    open: BTreeSet<TaskId>,
    /// Ended tasks that are no dead letters, the first one to end in front.
    ended: BTreeSet<(u64, TaskId)>,
    counts: StatusCounts,
    payloads: Payloads,
}

#[derive(Debug)]
struct Task {
    /// Without its request, which is beside it.
    accepted: AcceptedTask,
    request: Chain,
    failed_attempts: Vec<FailedAttempt>,
    /// In the order in which they were written.
    steps: Vec<Step>,
    /// Without its reply, which is beside it.
    end: Option<(TaskEnd, Option<Chain>)>,
}

#[derive(Debug)]
struct Step {
    /// Without its output, which is beside it.
    recorded: RecordedStep,
    input: Chain,
    output: Option<Chain>,
}

fn count(counts: &mut StatusCounts, status: TaskStatus) -> &mut u64 {
    match status {
        TaskStatus::Queued | TaskStatus::Running => &mut counts.open,
        TaskStatus::Completed => &mut counts.completed,
        TaskStatus::Failed => &mut counts.failed,
        TaskStatus::Cancelled => &mut counts.cancelled,
        TaskStatus::DeadLettered => &mut counts.dead_lettered,
    }
}

impl Task {
    fn status(&self) -> TaskStatus {
        self.end.as_ref().map_or(TaskStatus::Queued, |(end, _)| end.status)
    }

    fn stored(&self) -> StoredTask {
        let accepted = &self.accepted;
        let end = self.end.as_ref().map(|(end, _)| end);
        let failed_len = u32::try_from(self.failed_attempts.len()).unwrap_or(u32::MAX);
        StoredTask {
            id: accepted.id,
            kind: accepted.kind.clone(),
            options: accepted.options.clone(),
            parent: accepted.parent,
            submitted_unix_ms: accepted.submitted_unix_ms,
            deadline_unix_ms: accepted.deadline_unix_ms,
            status: self.status(),
            failed_attempts: self.failed_attempts.clone(),
            steps_len: self.steps.len() as u64,
            attempts: end.map_or(failed_len, |end| end.attempts),
            ended_unix_ms: end.map(|end| end.unix_ms),
            usage: end.map_or_else(Usage::default, |end| end.usage),
            failure: end.and_then(|end| end.failure.clone()),
        }
    }
}

impl State {
    pub(super) fn apply(&mut self, entry: Entry) -> Reception {
        match entry {
            Entry::Accepted(task) => self.accept(*task),
            Entry::StepEnded { task, step, input } => self.end_step(task, *step, input),
            Entry::AttemptFailed { task, attempt } => self.fail_attempt(task, attempt),
            Entry::Ended { task, end } => self.end_task(task, *end),
            Entry::Reopened { task, deadline_unix_ms, attempts_max, .. } => {
                self.reopen(task, deadline_unix_ms, attempts_max)
            }
            Entry::Discarded { task } => match self.tasks.get(&task).map(Task::status) {
                Some(status) if !status.is_open() => {
                    self.remove(task);
                    Reception::Written
                }
                Some(_) | None => Reception::NotApplicable,
            },
        }
    }

    fn accept(&mut self, mut task: AcceptedTask) -> Reception {
        if self.tasks.contains_key(&task.id) {
            return Reception::Written;
        }
        let key = task.options.idempotency_key.clone().map(|key| (task.options.tenant.clone(), key));
        if let Some(key) = key {
            if let Some(first) = self.keys.get(&key).and_then(|id| self.tasks.get(id)) {
                let same_request =
                    first.accepted.kind == task.kind && self.payloads.read(first.request) == task.request;
                return Reception::KeyTaken { task: first.accepted.id, same_request };
            }
            self.keys.insert(key, task.id);
        }
        let request = self.payloads.hold(std::mem::take(&mut task.request));
        self.open.insert(task.id);
        self.counts.open += 1;
        let id = task.id;
        let task =
            Task { accepted: task, request, failed_attempts: Vec::new(), steps: Vec::new(), end: None };
        self.tasks.insert(id, task);
        Reception::Written
    }

    /// The task, if it is open; else what whoever writes to it is told.
    fn open_task(&mut self, task: TaskId) -> Result<(&mut Task, &mut Payloads), Reception> {
        let Some(found) = self.tasks.get_mut(&task) else { return Err(Reception::NotApplicable) };
        match found.status() {
            status if status.is_open() => Ok((found, &mut self.payloads)),
            status => Err(Reception::Settled(status)),
        }
    }

    fn end_step(&mut self, task: TaskId, mut step: RecordedStep, input: Payload) -> Reception {
        let (task, payloads) = match self.open_task(task) {
            Ok(open) => open,
            Err(reception) => return reception,
        };
        if let Some(at) = task.steps.iter().position(|known| known.recorded.path == step.path) {
            let known = &task.steps[at];
            if known.output.is_some() {
                let same = known.recorded.unix_ms == step.unix_ms && step.outcome.is_answered();
                return if same { Reception::Written } else { Reception::Settled(TaskStatus::Running) };
            }
            let known = task.steps.remove(at);
            payloads.release(known.input);
        }
        let input = payloads.hold(input);
        let output = match &mut step.outcome {
            StepOutcome::Answered { output, .. } => Some(payloads.hold(std::mem::take(output))),
            StepOutcome::Failed(_) => None,
        };
        task.steps.push(Step { recorded: step, input, output });
        Reception::Written
    }

    fn fail_attempt(&mut self, task: TaskId, attempt: FailedAttempt) -> Reception {
        let task = match self.open_task(task) {
            Ok((task, _)) => task,
            Err(reception) => return reception,
        };
        let at = task.failed_attempts.partition_point(|known| known.attempt < attempt.attempt);
        if task.failed_attempts.get(at).is_none_or(|known| known.attempt != attempt.attempt) {
            task.failed_attempts.insert(at, attempt);
        }
        Reception::Written
    }

    fn end_task(&mut self, id: TaskId, mut end: TaskEnd) -> Reception {
        let (task, payloads) = match self.open_task(id) {
            Ok(open) => open,
            Err(Reception::Settled(status)) => {
                let known = self.tasks.get(&id).and_then(|task| task.end.as_ref());
                let same = known
                    .is_some_and(|(known, _)| known.unix_ms == end.unix_ms && known.status == end.status);
                return if same { Reception::Written } else { Reception::Settled(status) };
            }
            Err(reception) => return reception,
        };
        let reply = end.reply.take().map(|reply| payloads.hold(reply));
        let (status, unix_ms) = (end.status, end.unix_ms);
        task.end = Some((end, reply));
        self.open.remove(&id);
        self.counts.open -= 1;
        *count(&mut self.counts, status) += 1;
        if status != TaskStatus::DeadLettered {
            self.ended.insert((unix_ms, id));
        }
        Reception::Written
    }

    fn reopen(&mut self, id: TaskId, deadline_unix_ms: u64, attempts_max: u32) -> Reception {
        let Some(task) = self.tasks.get_mut(&id).filter(|task| task.status() == TaskStatus::DeadLettered)
        else {
            return Reception::NotApplicable;
        };
        task.end = None;
        task.accepted.deadline_unix_ms = deadline_unix_ms;
        task.accepted.options.attempts_max = Some(attempts_max);
        if let Some(failed) = task.steps.iter().position(|step| step.output.is_none()) {
            for step in task.steps.drain(failed..) {
                self.payloads.release(step.input);
                step.output.into_iter().for_each(|output| self.payloads.release(output));
            }
        }
        self.open.insert(id);
        self.counts.dead_lettered -= 1;
        self.counts.open += 1;
        Reception::Written
    }

    fn remove(&mut self, id: TaskId) {
        let Some(task) = self.tasks.remove(&id) else { return };
        *count(&mut self.counts, task.status()) -= 1;
        if let Some(key) = task.accepted.options.idempotency_key {
            self.keys.remove(&(task.accepted.options.tenant, key));
        }
        if let Some((end, reply)) = task.end {
            self.ended.remove(&(end.unix_ms, id));
            reply.into_iter().for_each(|reply| self.payloads.release(reply));
        }
        self.payloads.release(task.request);
        for step in task.steps {
            self.payloads.release(step.input);
            step.output.into_iter().for_each(|output| self.payloads.release(output));
        }
    }

    pub(super) fn prune(&mut self, retention: Retention, limit: usize) -> u64 {
        let by_age = retention.ended_before_unix_ms.map_or(0, |before| self.remove_up_to(before, limit));
        let excess = retention
            .ended_max
            .map_or(0, |max| self.ended.len().saturating_sub(usize::try_from(max).unwrap_or(usize::MAX)));
        let by_count = self.remove_up_to(u64::MAX, excess.min(limit - by_age));
        (by_age + by_count) as u64
    }

    /// Removes ended tasks, the first one to end in front. Parts of a task that is still there stay.
    fn remove_up_to(&mut self, before: u64, limit: usize) -> usize {
        let is_free = |id: &TaskId| {
            let parent = self.tasks.get(id).and_then(|task| task.accepted.parent);
            parent.is_none_or(|parent| !self.tasks.contains_key(&parent))
        };
        let ended = self.ended.iter().take_while(|(unix_ms, _)| *unix_ms < before).map(|(_, id)| *id);
        let old: Vec<TaskId> = ended.filter(is_free).take(limit).collect();
        old.iter().for_each(|id| self.remove(*id));
        old.len()
    }

    pub(super) fn open_tasks(&self, after: Option<TaskId>, limit: usize) -> Vec<StoredTask> {
        let behind = self.open.iter().filter(|id| after.is_none_or(|after| **id > after));
        behind.take(limit).filter_map(|id| self.task(*id)).collect()
    }

    pub(super) fn task(&self, task: TaskId) -> Option<StoredTask> {
        self.tasks.get(&task).map(Task::stored)
    }

    pub(super) fn request(&self, task: TaskId) -> Option<Payload> {
        self.tasks.get(&task).map(|task| self.payloads.read(task.request))
    }

    pub(super) fn reply(&self, task: TaskId) -> Option<Payload> {
        let (_, reply) = self.tasks.get(&task)?.end.as_ref()?;
        reply.map(|reply| self.payloads.read(reply))
    }

    pub(super) fn steps(&self, task: TaskId) -> Vec<RecordedStep> {
        let steps = self.tasks.get(&task).map_or(&[][..], |task| &task.steps);
        let whole = |step: &Step| {
            let mut recorded = step.recorded.clone();
            if let (StepOutcome::Answered { output, .. }, Some(chain)) = (&mut recorded.outcome, step.output)
            {
                *output = self.payloads.read(chain);
            }
            recorded
        };
        steps.iter().map(whole).collect()
    }

    pub(super) fn step_input(&self, task: TaskId, path: &StepPath) -> Option<Payload> {
        let step = self.tasks.get(&task)?.steps.iter().find(|step| step.recorded.path == *path)?;
        Some(self.payloads.read(step.input))
    }

    pub(super) fn list(&self, filter: &TaskFilter) -> Vec<StoredTask> {
        let TaskFilter { statuses, tenant, kind, parent, before, limit } = filter;
        let has_status = |task: &Task| {
            let status = task.status();
            statuses.iter().any(|wanted| *wanted == status || (wanted.is_open() && status.is_open()))
        };
        self.tasks
            .values()
            .rev()
            .filter(|task| before.is_none_or(|before| task.accepted.id < before))
            .filter(|task| statuses.is_empty() || has_status(task))
            .filter(|task| tenant.as_ref().is_none_or(|tenant| task.accepted.options.tenant == *tenant))
            .filter(|task| kind.as_ref().is_none_or(|kind| task.accepted.kind == *kind))
            .filter(|task| parent.is_none_or(|parent| task.accepted.parent == Some(parent)))
            .take(*limit)
            .map(Task::stored)
            .collect()
    }

    pub(super) fn usage_since(&self, since_unix_ms: u64) -> BTreeMap<TenantId, Usage> {
        let mut by_tenant: BTreeMap<TenantId, Usage> = BTreeMap::new();
        for task in self.tasks.values() {
            for step in task.steps.iter().map(|step| &step.recorded) {
                let is_call = matches!(step.kind, StepKind::ModelCall { .. });
                if let StepOutcome::Answered { usage, .. } = &step.outcome
                    && is_call
                    && step.unix_ms >= since_unix_ms
                {
                    *by_tenant.entry(task.accepted.options.tenant.clone()).or_default() += *usage;
                }
            }
        }
        by_tenant
    }

    pub(super) const fn counts(&self) -> StatusCounts {
        self.counts
    }

    pub(super) const fn bytes_len(&self) -> u64 {
        self.payloads.bytes_len()
    }
}
