//! One batch: handed in as a durable plan, waited for, and made into records.

use std::sync::Arc;

use playhouse_config::experiments::{ExperimentTask, ExperimentTemplate};
use playhouse_protocol::plan::Policy;
use playhouse_protocol::task::{TaskOptions, TaskStatus, TaskSummary};
use playhouse_protocol::{Failure, TaskId, Usage, envelope};
use playhouse_runtime::actors::develop::Developer;
use playhouse_runtime::actors::riddles::RiddleEvaluator;
use playhouse_runtime::models::is_task_budget_exceeded;
use playhouse_runtime::store::TaskFilter;
use playhouse_runtime::{Agent, PartReply, PlanHandle, PlanPart};
use tokio::sync::mpsc;

use super::engine::Runner;
use super::record::{Evidence, Record};
use super::trials::{Ask, Trial};

/// Trials that are asked together.
pub(super) struct Batch<'a> {
    pub(super) runner: &'a Runner,
    pub(super) design: &'a ExperimentTemplate,
    pub(super) trials: Vec<Trial<'a>>,
}

/// What came of a batch.
pub(super) struct Answered {
    /// One for each trial.
    pub(super) records: Vec<Record>,
    /// Whether the budget did not allow one.
    pub(super) is_budget_spent: bool,
}

/// What a plan's part says when it has just ended.
struct Ended {
    number: usize,
    usage: Usage,
    is_failed: bool,
    unix_ms: u64,
}

impl Batch<'_> {
    /// Asks, and waits for all answers. `observe` is told what each has used and whether it failed.
    ///
    /// # Errors
    /// When the plan was not accepted, was taken back, or is left to another process by a shutdown.
    pub(super) async fn ask(
        &self,
        options: TaskOptions,
        observe: &mut (dyn FnMut(Usage, bool) + Send),
    ) -> Result<Answered, Failure> {
        match self.design.task {
            ExperimentTask::Riddle => self.ask_of::<RiddleEvaluator>(options, observe).await,
            ExperimentTask::Develop => self.ask_of::<Developer>(options, observe).await,
        }
    }

    async fn ask_of<A: Asked>(
        &self,
        options: TaskOptions,
        observe: &mut (dyn FnMut(Usage, bool) + Send),
    ) -> Result<Answered, Failure> {
        let requests: Vec<_> = self.trials.iter().map(|trial| A::request(trial.ask(self.design))).collect();
        let requests: Vec<_> = requests.into_iter().collect::<Option<_>>().ok_or_else(|| {
            Failure::internal("ask a batch: an item is of another task than the experiment")
        })?;
        let parts = requests.iter().map(PlanPart::task::<A>).collect::<Result<Vec<_>, _>>()?;
        let plan = PlanPart::parallel(parts, self.design.width as usize, Policy::Collect);
        // Each part is sent once, so that sending never finds the queue full.
        let (sender, mut ended) = mpsc::channel(requests.len().max(1));
        let handle = self.begin::<A>(plan, options, &sender).await?;
        drop(sender);
        let mut ended_unix_ms = vec![None; requests.len()];
        let mut note = |one: Ended| {
            observe(one.usage, one.is_failed);
            if let Some(slot) = ended_unix_ms.get_mut(one.number) {
                *slot = Some(one.unix_ms);
            }
        };
        let result = loop {
            tokio::select! {
                biased;
                Some(one) = ended.recv() => note(one),
                result = handle.result() => break result?,
            }
        };
        if let Some(failure) = result.failure {
            return Err(failure);
        }
        let mut outcomes: Vec<_> = (0..requests.len()).map(|number| result.reply::<A>(number)).collect();
        let used = self.used_by_failed::<A>(handle.id(), &requests, &outcomes).await?;
        let now = self.runner.clock.unix_ms();
        let mut answered = Answered { records: Vec::with_capacity(requests.len()), is_budget_spent: false };
        for (number, (trial, outcome)) in self.trials.iter().zip(outcomes.drain(..)).enumerate() {
            let evidence = match outcome {
                Ok(reply) => A::evidence(reply),
                Err(failure) if is_task_budget_exceeded(&failure) => {
                    answered.is_budget_spent = true;
                    Evidence::Failed { failure, usage: used.get(number).copied().unwrap_or_default() }
                }
                Err(failure) => {
                    Evidence::Failed { failure, usage: used.get(number).copied().unwrap_or_default() }
                }
            };
            let (variant, item, repeat) = trial.owned_key();
            let ended_unix_ms = ended_unix_ms.get(number).copied().flatten().unwrap_or(now);
            answered.records.push(Record {
                variant,
                item,
                repeat,
                task: Some(handle.id()),
                ended_unix_ms,
                evidence,
            });
        }
        Ok(answered)
    }

    /// Hands the plan in. One of an earlier process goes on; one that was given up or taken back is opened again.
    async fn begin<A: Asked>(
        &self,
        plan: PlanPart,
        options: TaskOptions,
        sender: &mpsc::Sender<Ended>,
    ) -> Result<PlanHandle, Failure> {
        let runtime = &self.runner.runtime;
        let submit = || {
            let (sender, clock) = (sender.clone(), Arc::clone(&self.runner.clock));
            let tell = move |number: usize, outcome: Result<PartReply<'_>, &Failure>| {
                let evidence = outcome.ok().and_then(|reply| reply.read::<A>().ok()).map(A::evidence);
                let usage = evidence.as_ref().map(Evidence::usage).unwrap_or_default();
                let (is_failed, unix_ms) = (evidence.is_none(), clock.unix_ms());
                // The receiver lives as long as the batch is waited for.
                let _ = sender.try_send(Ended { number, usage, is_failed, unix_ms });
            };
            runtime.submit_plan_observed(plan.clone(), options.clone(), tell)
        };
        let handle = submit().await?;
        match handle.summary().status {
            TaskStatus::DeadLettered => {
                runtime.replay(handle.id()).await?;
                runtime.attach_plan(handle.id()).await
            }
            TaskStatus::Cancelled | TaskStatus::Failed => {
                runtime.discard(handle.id()).await?;
                submit().await
            }
            TaskStatus::Queued | TaskStatus::Running | TaskStatus::Completed => Ok(handle),
        }
    }

    /// What trials without an answer have used, by the tasks that the runtime keeps of them; a task is known by what it was
    /// asked.
    async fn used_by_failed<A: Asked>(
        &self,
        plan: TaskId,
        requests: &[A::Request],
        outcomes: &[Result<A::Reply, Failure>],
    ) -> Result<Vec<Usage>, Failure> {
        let mut used = vec![Usage::default(); requests.len()];
        let mut open: Vec<_> =
            (0..requests.len()).filter(|number| outcomes.get(*number).is_some_and(Result::is_err)).collect();
        if open.is_empty() {
            return Ok(used);
        }
        let runtime = &self.runner.runtime;
        let filter = TaskFilter {
            statuses: vec![TaskStatus::Failed, TaskStatus::DeadLettered, TaskStatus::Cancelled],
            parent: Some(plan),
            limit: requests.len(),
            ..TaskFilter::default()
        };
        for TaskSummary { id, usage, .. } in runtime.tasks(filter).await? {
            let Some(payload) = runtime.store().request(id).await? else { continue };
            let bytes = payload.as_single().map_or(&[][..], |bytes| bytes);
            let asked: A::Request = envelope::decode_agent_value(A::VERSION, bytes)?;
            if let Some(place) = open.iter().position(|number| requests.get(*number) == Some(&asked)) {
                let number = open.swap_remove(place);
                used[number] = usage;
            }
        }
        Ok(used)
    }
}

/// An agent that experiments ask.
trait Asked: Agent<Request: PartialEq + Sync> {
    /// Its request, where the item is of its task.
    fn request(ask: Ask) -> Option<Self::Request>;

    /// What its reply is kept as.
    fn evidence(reply: Self::Reply) -> Evidence;
}

impl Asked for RiddleEvaluator {
    fn request(ask: Ask) -> Option<Self::Request> {
        match ask {
            Ask::Riddle(request) => Some(*request),
            Ask::Develop(_) => None,
        }
    }

    fn evidence(reply: Self::Reply) -> Evidence {
        Evidence::Riddle(Box::new(reply))
    }
}

impl Asked for Developer {
    fn request(ask: Ask) -> Option<Self::Request> {
        match ask {
            Ask::Develop(request) => Some(*request),
            Ask::Riddle(_) => None,
        }
    }

    fn evidence(reply: Self::Reply) -> Evidence {
        Evidence::Developed(Box::new(reply))
    }
}
