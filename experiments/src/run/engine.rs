//! Asks what a run asks, and writes down what is answered.
//!
//! Batch after batch is handed to the runtime as a durable plan under a key of the run's own. Whoever takes the run up again hands
//! in the same batches under the same keys: answers that are in the runtime's journal come back, and nothing is paid twice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use playhouse_config::experiments::{ExperimentBudget, ExperimentTemplate};
use playhouse_protocol::task::TaskOptions;
use playhouse_protocol::{Budget, Failure, IdempotencyKey, Usage, WallClock};
use playhouse_runtime::Runtime;
use playhouse_runtime::actors::riddles::scoring::score;

use super::batch::Batch;
use super::error::RunStoreError;
use super::record::{Ending, Evidence, Record};
use super::store::OpenRun;
use super::trials::{Trial, batches};
use crate::analysis::{AnalysisError, Watch};
use crate::statistics::sequential::Verdict;

/// Asks what a run asks. Made for one run at a time.
#[derive(Debug)]
pub struct Runner {
    /// Where agents are asked. Its answers outlive this process where its journal does.
    pub runtime: Runtime,
    /// The time of day.
    pub clock: Arc<dyn WallClock>,
    /// Options for each answer's task: its time, its tenant. The budget is the run's.
    pub options: TaskOptions,
}

/// Where a run stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Questions that have ended, those of earlier processes included.
    pub ended: u64,
    /// All questions. Fewer are asked where a rule stops the run.
    pub planned: u64,
    /// Of those that have ended, the ones without an answer.
    pub failed: u64,
    /// What answers have used.
    pub usage: Usage,
}

/// Why a run did not come to its end. What was answered is kept; it can be taken up again.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The run's folder cannot be written.
    #[error(transparent)]
    Store(#[from] RunStoreError),
    /// The records contradict the manifest.
    #[error(transparent)]
    Analysis(#[from] AnalysisError),
    /// The runtime cannot run the plan, or was shut down meanwhile.
    #[error(transparent)]
    Runtime(#[from] Failure),
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Store(error) => error.into(),
            RunError::Analysis(error) => error.into(),
            RunError::Runtime(failure) => failure,
        }
    }
}

impl Runner {
    /// Asks what is left to ask, and ends the run. `observe` is told where it stands after each answer.
    ///
    /// Dropping the future leaves the run as it stands; answers that are under way are kept by the runtime.
    ///
    /// # Errors
    /// When it did not come to its end.
    pub async fn run(
        &self,
        run: &mut OpenRun,
        observe: &mut (dyn FnMut(&Progress) + Send),
    ) -> Result<Ending, RunError> {
        let manifest = run.run().manifest.clone();
        let design = &manifest.design;
        let name = format!("experiment:{}:{}", manifest.run, &manifest.sha256()?[..16]);
        let batches = batches(design);
        let mut watch = Watch::new(design)?;
        let mut progress = Progress::of(&run.run().records, batches.iter().map(Vec::len).sum());
        // Places of records: answers are only ever added behind them.
        let done: BTreeMap<_, _> =
            run.run().records.iter().enumerate().map(|(place, record)| (owned_key(record), place)).collect();
        observe(&progress);
        for (number, batch) in batches.iter().enumerate() {
            let Some(wanted) = wanted(batch, watch.as_ref()) else { break };
            // Those that were written down before a crash are there already, perhaps a part of a batch.
            let places = wanted.iter().filter_map(|trial| done.get(&trial.owned_key()));
            let known: Vec<_> = places.filter_map(|place| run.run().records.get(*place)).collect();
            if known.len() == wanted.len() {
                see(&mut watch, known)?;
                continue;
            }
            if calls_needed(design, &wanted) > calls_left(&design.budget, &progress.usage) {
                return Ok(finish(run, Ending::BudgetSpent)?);
            }
            let Some(budget) = share(&design.budget, &progress.usage, wanted.len()) else {
                return Ok(finish(run, Ending::BudgetSpent)?);
            };
            let key = IdempotencyKey::try_from(format!("{name}:{number}"))?;
            let options = TaskOptions { budget, idempotency_key: Some(key), ..self.options.clone() };
            let batch = Batch { runner: self, design, trials: wanted };
            let before = progress;
            let mut note = |usage, is_failed| {
                progress.add(usage, is_failed);
                observe(&progress);
            };
            let answered = batch.ask(options, &mut note).await?;
            let is_new = |record: &Record| !done.contains_key(&owned_key(record));
            let records: Vec<_> = answered.records.into_iter().filter(is_new).collect();
            // The rule sees a batch as a whole: what it says decides what the next one asks.
            see(&mut watch, known)?;
            see(&mut watch, &records)?;
            progress = before;
            progress.take(&records);
            run.append(records)?;
            observe(&progress);
            if answered.is_budget_spent {
                return Ok(finish(run, Ending::BudgetSpent)?);
            }
        }
        let is_decided = watch.is_some_and(|watch| watch.stopping().is_decided);
        Ok(finish(run, if is_decided { Ending::Decided } else { Ending::Complete })?)
    }
}

fn finish(run: &mut OpenRun, ending: Ending) -> Result<Ending, RunStoreError> {
    run.end(ending)?;
    Ok(ending)
}

fn see<'a>(
    watch: &mut Option<Watch<'_>>,
    records: impl IntoIterator<Item = &'a Record>,
) -> Result<(), AnalysisError> {
    match watch {
        Some(watch) => records.into_iter().try_for_each(|record| watch.see(record, &score)),
        None => Ok(()),
    }
}

/// The trials of a batch that are still asked: none of variants on which the stopping rule has its verdict. `None` when it has
/// all. Rests on the records of the batches before alone, so that a run that is taken up again asks the same.
fn wanted<'a>(batch: &[Trial<'a>], watch: Option<&Watch<'_>>) -> Option<Vec<Trial<'a>>> {
    let Some(stopping) = watch.map(Watch::stopping) else { return Some(batch.to_vec()) };
    if stopping.is_decided {
        return None;
    }
    let decided: BTreeSet<_> = stopping
        .comparisons
        .iter()
        .filter(|comparison| comparison.verdict != Verdict::GoOn)
        .map(|comparison| comparison.variant.as_str())
        .collect();
    Some(batch.iter().filter(|trial| !decided.contains(trial.variant.name.as_str())).copied().collect())
}

/// What each of so many answers may use, so that all together stay within what is left; `None` when a share would be nothing.
fn share(budget: &ExperimentBudget, used: &Usage, answers: usize) -> Option<Budget> {
    let part = |limit: Option<u64>, used: u64| match limit {
        None => Some(None),
        Some(limit) => {
            let part = limit.saturating_sub(used) / (answers as u64).max(1);
            (part > 0).then_some(Some(part))
        }
    };
    Some(Budget {
        tokens_max: part(budget.tokens_max, used.total_tokens())?,
        cost_nano_usd_max: part(budget.cost_nano_usd_max, used.cost_nano_usd)?,
        // What answers need is known before, so it need not be shared out.
        model_calls_max: None,
    })
}

/// The model calls that trials make at most.
fn calls_needed(design: &ExperimentTemplate, trials: &[Trial<'_>]) -> u64 {
    trials.iter().map(|trial| trial.variant.calls_max(design)).sum()
}

fn calls_left(budget: &ExperimentBudget, used: &Usage) -> u64 {
    budget.model_calls_max.map_or(u64::MAX, |limit| limit.saturating_sub(used.model_calls))
}

impl Progress {
    fn of(records: &[Record], planned: usize) -> Self {
        let mut progress = Self { planned: planned as u64, ..Self::default() };
        progress.take(records);
        progress
    }

    fn take(&mut self, records: &[Record]) {
        for record in records {
            self.add(record.evidence.usage(), matches!(record.evidence, Evidence::Failed { .. }));
        }
    }

    fn add(&mut self, usage: Usage, is_failed: bool) {
        self.ended += 1;
        self.failed += u64::from(is_failed);
        self.usage += usage;
    }
}

fn owned_key(record: &Record) -> (String, String, u32) {
    (record.variant.clone(), record.item.clone(), record.repeat)
}
