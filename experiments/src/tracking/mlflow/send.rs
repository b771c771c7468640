//! One operation, sent.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::header::CONTENT_TYPE;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::http::{CallError, Refused, SendError};
use super::runs::NoRun;
use super::{MlflowClient, names};
use crate::tracking::spool::{Operation, Refusal, RunHandle};
use crate::tracking::{MetricPoint, RunStatus, exact};

/// Points of a metric's history that are asked for at once.
const HISTORY_PAGE: u32 = 10_000;

/// Pages of a history that are read: ten million points.
const HISTORY_PAGES_MAX: usize = 1_000;

/// What became of an operation that the server has answered.
#[derive(Debug, Default)]
pub(in crate::tracking) struct Sent {
    /// The run that has begun.
    pub(in crate::tracking) run: Option<RunHandle>,
    /// What it refused for good, each part by itself.
    pub(in crate::tracking) refused: Vec<(Operation, Refusal)>,
}

/// A page of a metric's history.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct History {
    metrics: Vec<HistoryPoint>,
    next_page_token: String,
}

#[derive(Debug, Deserialize)]
struct HistoryPoint {
    #[serde(deserialize_with = "exact::deserialize")]
    value: f64,
    timestamp: u64,
    #[serde(default)]
    step: i64,
}

impl MlflowClient {
    /// Sends an operation. `is_unclear` says that it may have been sent before: then points are looked up first.
    pub(in crate::tracking) async fn send(
        &self,
        operation: &Operation,
        handle: Option<&RunHandle>,
        bytes: Option<&[u8]>,
        is_unclear: bool,
    ) -> Result<Sent, SendError> {
        if let Operation::Begin(start) = operation {
            return match self.begin(start).await {
                Ok(run) => Ok(Sent { run: Some(run), refused: Vec::new() }),
                Err(NoRun::Refused(refusal)) => Ok(refused(operation, refusal)),
                Err(NoRun::Send(error)) => Err(error),
            };
        }
        let sent = match operation {
            Operation::Version(version) => self.mirror_version(version).await,
            Operation::Alias(change) => return self.mirror_alias(change).await,
            _ => {
                let Some(handle) = handle else {
                    return Ok(refused(operation, missing("its run was refused")));
                };
                return self.send_of_run(operation, handle, bytes, is_unclear).await;
            }
        };
        answered(operation, sent)
    }

    async fn send_of_run(
        &self,
        operation: &Operation,
        handle: &RunHandle,
        bytes: Option<&[u8]>,
        is_unclear: bool,
    ) -> Result<Sent, SendError> {
        match operation {
            Operation::Params { run, params } => {
                let part = |params: &[(String, String)]| Operation::Params {
                    run: run.clone(),
                    params: params.to_vec(),
                };
                let body = |params: &[(String, String)]| json!({ "run_id": handle.run_id, "params": pairs(params, names::PARAM_CHARS_MAX) });
                self.log_batch(params, body, part).await
            }
            Operation::Tags { run, tags } => {
                let part =
                    |tags: &[(String, String)]| Operation::Tags { run: run.clone(), tags: tags.to_vec() };
                let body = |tags: &[(String, String)]| json!({ "run_id": handle.run_id, "tags": pairs(tags, names::TAG_CHARS_MAX) });
                self.log_batch(tags, body, part).await
            }
            Operation::Metrics { run, points } => {
                let points = if is_unclear || handle.is_found {
                    match self.points_not_there(&handle.run_id, points).await {
                        Ok(points) => points,
                        Err(error) => return answered(operation, Err(error)),
                    }
                } else {
                    points.clone()
                };
                let part =
                    |points: &[MetricPoint]| Operation::Metrics { run: run.clone(), points: points.to_vec() };
                let body = |points: &[MetricPoint]| json!({ "run_id": handle.run_id, "metrics": points.iter().map(metric).collect::<Vec<_>>() });
                self.log_batch(&points, body, part).await
            }
            Operation::Artifact { name, .. } => match bytes {
                None => Ok(refused(operation, missing("its bytes are gone"))),
                Some(bytes) => answered(operation, self.upload(handle, name, bytes).await),
            },
            Operation::Finish { status, ended_unix_ms, .. } => {
                let body =
                    json!({ "run_id": handle.run_id, "status": name_of(*status), "end_time": ended_unix_ms });
                answered(operation, self.post::<IgnoredAny>("runs/update", &body).await.map(|_| ()))
            }
            Operation::Begin(_) | Operation::Version(_) | Operation::Alias(_) => Ok(Sent::default()),
        }
    }

    /// Logs items together; when they are refused, each by itself, so that one does not take the others with it.
    async fn log_batch<T: Sync>(
        &self,
        items: &[T],
        body: impl Fn(&[T]) -> Value + Sync,
        part: impl Fn(&[T]) -> Operation + Sync,
    ) -> Result<Sent, SendError> {
        if items.is_empty() {
            return Ok(Sent::default());
        }
        let mut sent = Sent::default();
        match self.log(&body(items)).await? {
            None => return Ok(sent),
            Some(why) if items.len() == 1 => {
                sent.refused.push(told(part(items), why));
                return Ok(sent);
            }
            Some(_) => {}
        }
        for one in items.chunks(1) {
            if let Some(why) = self.log(&body(one)).await? {
                sent.refused.push(told(part(one), why));
            }
        }
        Ok(sent)
    }

    /// Logs a batch; `Some` when it was refused for good.
    async fn log(&self, body: &Value) -> Result<Option<Refused>, SendError> {
        match self.post::<IgnoredAny>("runs/log-batch", body).await {
            Ok(_) => Ok(None),
            Err(CallError::Send(error)) => Err(error),
            Err(CallError::Refused(why)) => Ok(Some(why)),
        }
    }

    /// The points that the server does not have yet.
    async fn points_not_there(
        &self,
        run_id: &str,
        points: &[MetricPoint],
    ) -> Result<Vec<MetricPoint>, CallError> {
        let keys: BTreeSet<&str> = points.iter().map(|point| point.key.as_str()).collect();
        let mut there = BTreeMap::new();
        for key in keys {
            there.insert(key, self.history(run_id, &names::key(key)).await?);
        }
        let is_there = |point: &MetricPoint| {
            let identity = (point.step, point.unix_ms, point.value.to_bits());
            there.get(point.key.as_str()).is_some_and(|history| history.contains(&identity))
        };
        Ok(points.iter().filter(|point| !is_there(point)).cloned().collect())
    }

    async fn history(&self, run_id: &str, key: &str) -> Result<BTreeSet<(i64, u64, u64)>, CallError> {
        let mut there = BTreeSet::new();
        let mut page_token = String::new();
        for _ in 0..HISTORY_PAGES_MAX {
            let max_results = HISTORY_PAGE.to_string();
            let mut query =
                vec![("run_id", run_id), ("metric_key", key), ("max_results", max_results.as_str())];
            if !page_token.is_empty() {
                query.push(("page_token", &page_token));
            }
            let request = self.question("metrics/get-history", &query);
            let page: History = self.answer(request).await?;
            there.extend(
                page.metrics.iter().map(|point| (point.step, point.timestamp, point.value.to_bits())),
            );
            if page.next_page_token.is_empty() {
                break;
            }
            page_token = page.next_page_token;
        }
        Ok(there)
    }

    async fn upload(&self, handle: &RunHandle, name: &str, bytes: &[u8]) -> Result<(), CallError> {
        // Servers that keep files elsewhere give an address that only their own clients know.
        let Some(folder) = handle.artifact_uri.strip_prefix("mlflow-artifacts:/") else {
            let reason = "the server does not take files itself: start it with --serve-artifacts";
            return Err(CallError::refused(reason));
        };
        let path: Vec<_> =
            folder.trim_matches('/').split('/').chain(name.split('/')).map(names::path_part).collect();
        let url = format!("{}/api/2.0/mlflow-artifacts/artifacts/{}", self.base, path.join("/"));
        let request =
            self.http.put(url).header(CONTENT_TYPE, "application/octet-stream").body(bytes.to_vec());
        self.exchange(request).await.map(|_| ())
    }
}

/// One refused item with the reason; that a parameter has changed is told by itself.
fn told(operation: Operation, why: Refused) -> (Operation, Refusal) {
    let refusal = match &operation {
        Operation::Params { params, .. } if why.is_changed_param() => {
            let key = params.first().map(|(key, _)| key.clone()).unwrap_or_default();
            Refusal::ParamChanged { key }
        }
        _ => why.into_refusal(),
    };
    (operation, refusal)
}

fn answered(operation: &Operation, sent: Result<(), CallError>) -> Result<Sent, SendError> {
    match sent {
        Ok(()) => Ok(Sent::default()),
        Err(CallError::Send(error)) => Err(error),
        Err(CallError::Refused(why)) => Ok(refused(operation, why.into_refusal())),
    }
}

pub(super) fn refused(operation: &Operation, refusal: Refusal) -> Sent {
    Sent { run: None, refused: vec![(operation.clone(), refusal)] }
}

pub(super) fn missing(missing: &str) -> Refusal {
    Refusal::Missing { missing: missing.to_owned() }
}

fn pairs(pairs: &[(String, String)], chars_max: usize) -> Vec<Value> {
    let pair = |(key, value): &(String, String)| json!({ "key": names::key(key), "value": names::value(value, chars_max) });
    pairs.iter().map(pair).collect()
}

fn metric(point: &MetricPoint) -> Value {
    json!({ "key": names::key(&point.key), "value": point.value, "timestamp": point.unix_ms, "step": point.step })
}

const fn name_of(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Running => "RUNNING",
        RunStatus::Finished => "FINISHED",
        RunStatus::Failed => "FAILED",
        RunStatus::Killed => "KILLED",
    }
}
