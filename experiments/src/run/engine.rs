//! Asks what a run asks, and writes down what is answered.
//!
//! Batch after batch is handed to the runtime as a durable plan under a key of the run's own. Whoever takes the run up again hands
//! in the same batches under the same keys: answers that are in the runtime's journal come back, and nothing is paid twice.

use std::collections::BTreeSet;
use std::sync::Arc;

use playhouse_protocol::plan::Policy;
use playhouse_protocol::task::TaskOptions;
use playhouse_protocol::{Budget, Failure, FailureClass, IdempotencyKey, TaskId, Usage, WallClock};
use playhouse_runtime::actors::develop::Developer;
use playhouse_runtime::actors::riddles::RiddleEvaluator;
use playhouse_runtime::models::is_task_budget_exceeded;
use playhouse_runtime::{PartReply, PlanPart, PlanResult, Runtime};
use tokio::sync::mpsc;

use super::error::RunStoreError;
use super::record::{Ending, Evidence, Record};
use super::store::OpenRun;
use super::trials::{Ask, Trial, batches};
use crate::analysis::{AnalysisError, Verdict as Sequential, Watch};
use crate::scorer;

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
    pub async fn run(&self, run: &mut OpenRun, observe: &mut (dyn FnMut(&Progress) + Send)) -> Result<Ending, RunError> {
        let manifest = run.run().manifest.clone();
        let design = &manifest.design;
        let name = format!("experiment:{}:{}", manifest.run, &manifest.sha256()?[..16]);
        let batches = batches(design);
        let mut progress = Progress::of(&run.run().records, batches.iter().map(Vec::len).sum());
        let mut watch = Watch::new(design)?;
        for record in &run.run().records {
            if let Some(watch) = &mut watch {
                watch.see(record, &scorer)?;
            }
        }
        let done: BTreeSet<_> = run.run().records.iter().map(|record| key_of(record)).collect();
        observe(&progress);
        let mut ending = Ending::Complete;
        for (number, batch) in batches.iter().enumerate() {
            let Some(wanted) = wanted(batch, watch.as_ref()) else {
                ending = Ending::Decided;
                break;
            };
            if wanted.iter().all(|trial| done.contains(&owned(trial.key()))) {
                continue;
            }
            let Some(budget) = share(&design.budget, &progress.usage, wanted.len()) else {
                ending = Ending::BudgetSpent;
                break;
            };
            let options = TaskOptions {
                budget,
                idempotency_key: Some(IdempotencyKey::try_from(format!("{name}:{number}"))?),
                ..self.options.clone()
            };
            let asked = Asked { design, trials: &wanted, options };
            let (records, is_spent) = self.batch(asked, &done, &mut progress, observe).await?;
            for record in &records {
                if let Some(watch) = &mut watch {
                    watch.see(record, &scorer)?;
                }
            }
            run.append(records)?;
            if is_spent {
                ending = Ending::BudgetSpent;
                break;
            }
        }
        if ending == Ending::Complete && watch.is_some_and(|watch| watch.stopping().is_decided) {
            ending = Ending::Decided;
        }
        run.end(ending.clone())?;
        Ok(ending)
    }
}
