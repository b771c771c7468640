//! Finding or making experiments and runs.

use serde::Deserialize;
use serde_json::json;

use super::MlflowClient;
use super::http::{CallError, SendError};
use crate::tracking::RunStart;
use crate::tracking::spool::{Refusal, RunHandle};

/// The tag that says which of our runs one is: by it a run is found again that was made just before a crash.
pub(super) const RUN_TAG: &str = "playhouse.run";

/// The tag that tells runs of one name apart: when ours began, in milliseconds since 1970. Folders elsewhere have runs of the same
/// names.
const STARTED_TAG: &str = "playhouse.started";

#[derive(Debug, Deserialize)]
struct ExperimentReply {
    experiment: Experiment,
}

#[derive(Debug, Deserialize)]
struct Experiment {
    experiment_id: String,
    #[serde(default)]
    lifecycle_stage: String,
}

#[derive(Debug, Deserialize)]
struct Created {
    experiment_id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Found {
    runs: Vec<Run>,
}

#[derive(Debug, Deserialize)]
struct RunReply {
    run: Run,
}

#[derive(Debug, Deserialize)]
struct Run {
    info: RunInfo,
}

#[derive(Debug, Deserialize)]
struct RunInfo {
    run_id: String,
    #[serde(default)]
    artifact_uri: String,
}

/// A run that is not there, and why.
pub(super) enum NoRun {
    Send(SendError),
    Refused(Refusal),
}

impl From<CallError> for NoRun {
    fn from(error: CallError) -> Self {
        match error {
            CallError::Send(error) => Self::Send(error),
            CallError::Refused(refused) => Self::Refused(refused.into_refusal()),
        }
    }
}

impl MlflowClient {
    /// The run on the server: the one that has our tag, else a new one.
    pub(super) async fn begin(&self, start: &RunStart) -> Result<RunHandle, NoRun> {
        let experiment_id = self.experiment(&start.experiment).await?;
        // Our ids hold no quotes.
        let (run, started) = (&start.run, start.started_unix_ms);
        let filter = format!("tags.`{RUN_TAG}` = '{run}' and tags.`{STARTED_TAG}` = '{started}'");
        let body = json!({ "experiment_ids": [experiment_id], "filter": filter, "max_results": 1 });
        let found: Found = self.post("runs/search", &body).await?;
        if let Some(run) = found.runs.into_iter().next() {
            return Ok(handle(run, true));
        }
        let body = json!({
            "experiment_id": experiment_id,
            "run_name": start.run,
            "start_time": start.started_unix_ms,
            "tags": [
                { "key": RUN_TAG, "value": start.run },
                { "key": STARTED_TAG, "value": started.to_string() },
            ],
        });
        let created: RunReply = self.post("runs/create", &body).await?;
        Ok(handle(created.run, false))
    }

    async fn experiment(&self, name: &str) -> Result<String, NoRun> {
        if let Some(id) = self.find_experiment(name).await? {
            return Ok(id);
        }
        match self.post::<Created>("experiments/create", &json!({ "name": name })).await {
            Ok(created) => Ok(created.experiment_id),
            // Another process was faster.
            Err(CallError::Refused(refused)) if refused.code == "RESOURCE_ALREADY_EXISTS" => {
                let missing = || Refusal::Missing { missing: format!("experiment {name:?} comes and goes") };
                self.find_experiment(name).await?.ok_or_else(|| NoRun::Refused(missing()))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn find_experiment(&self, name: &str) -> Result<Option<String>, NoRun> {
        let request = self.question("experiments/get-by-name", &[("experiment_name", name)]);
        match self.answer::<ExperimentReply>(request).await {
            Ok(reply) if reply.experiment.lifecycle_stage == "deleted" => {
                let missing = format!("experiment {name:?} is deleted on the server");
                Err(NoRun::Refused(Refusal::Missing { missing }))
            }
            Ok(reply) => Ok(Some(reply.experiment.experiment_id)),
            Err(CallError::Refused(refused)) if refused.code == "RESOURCE_DOES_NOT_EXIST" => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

fn handle(run: Run, is_found: bool) -> RunHandle {
    RunHandle { run_id: run.info.run_id, artifact_uri: run.info.artifact_uri, is_found }
}
