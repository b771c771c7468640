//! Tracking by a server, by way of the spool.

use std::sync::Arc;

use futures::future::BoxFuture;
use serde::Serialize;

use crate::digest::sha256_hex;
use crate::tracking::spool::{Operation, Spool};
use crate::tracking::{ExperimentTracker, MetricPoint, RunStart, RunStatus, TrackingError, validity};

/// Points of one request. Source: MLflow, REST API, `runs/log-batch`; and the two below.
const METRICS_MAX: usize = 1_000;

/// Parameters of one request.
const PARAMS_MAX: usize = 100;

/// Tags of one request.
const TAGS_MAX: usize = 100;

/// Bytes of one request as JSON: a megabyte, less what stands around the items.
const BYTES_MAX: usize = 900_000;

/// Tells an MLflow server of runs. Never talks to it: operations go into a spool, from which they are sent.
#[derive(Debug, Clone)]
pub struct MlflowTracker {
    spool: Arc<Spool>,
}

impl MlflowTracker {
    /// A tracker that writes into this spool.
    pub const fn new(spool: Arc<Spool>) -> Self {
        Self { spool }
    }
}

impl ExperimentTracker for MlflowTracker {
    fn begin<'a>(&'a self, start: &'a RunStart) -> BoxFuture<'a, Result<(), TrackingError>> {
        Box::pin(async move {
            validity::check_start(start)?;
            self.spool.append(vec![Operation::Begin(start.clone())]).await
        })
    }

    fn params<'a>(
        &'a self,
        run: &'a str,
        params: &'a [(String, String)],
    ) -> BoxFuture<'a, Result<(), TrackingError>> {
        Box::pin(async move {
            validity::check_run(run)?;
            validity::check_pairs(params)?;
            let parts = packed(params, PARAMS_MAX);
            let parts = parts.map(|params| Operation::Params { run: run.to_owned(), params });
            self.spool.append(parts.collect()).await
        })
    }

    fn metrics<'a>(
        &'a self,
        run: &'a str,
        points: &'a [MetricPoint],
    ) -> BoxFuture<'a, Result<(), TrackingError>> {
        Box::pin(async move {
            validity::check_run(run)?;
            validity::check_points(points)?;
            let parts = packed(points, METRICS_MAX);
            let parts = parts.map(|points| Operation::Metrics { run: run.to_owned(), points });
            self.spool.append(parts.collect()).await
        })
    }

    fn tags<'a>(
        &'a self,
        run: &'a str,
        tags: &'a [(String, String)],
    ) -> BoxFuture<'a, Result<(), TrackingError>> {
        Box::pin(async move {
            validity::check_run(run)?;
            validity::check_pairs(tags)?;
            let parts = packed(tags, TAGS_MAX).map(|tags| Operation::Tags { run: run.to_owned(), tags });
            self.spool.append(parts.collect()).await
        })
    }

    fn artifact<'a>(
        &'a self,
        run: &'a str,
        name: &'a str,
        bytes: &'a [u8],
    ) -> BoxFuture<'a, Result<(), TrackingError>> {
        Box::pin(async move {
            validity::check_run(run)?;
            validity::check_artifact(name, bytes.len() as u64)?;
            let sha256 = sha256_hex(bytes);
            let operation =
                Operation::Artifact { run: run.to_owned(), name: name.to_owned(), sha256: sha256.clone() };
            self.spool.append_file(operation, sha256, bytes.to_vec()).await
        })
    }

    fn finish<'a>(
        &'a self,
        run: &'a str,
        status: RunStatus,
        ended_unix_ms: u64,
    ) -> BoxFuture<'a, Result<(), TrackingError>> {
        Box::pin(async move {
            validity::check_run(run)?;
            self.spool.append(vec![Operation::Finish { run: run.to_owned(), status, ended_unix_ms }]).await
        })
    }
}

/// Items in as few parts as fit into a request each, in their order.
fn packed<T: Clone + Serialize>(items: &[T], count_max: usize) -> impl Iterator<Item = Vec<T>> {
    let mut parts: Vec<Vec<T>> = Vec::new();
    let mut bytes = 0;
    for item in items {
        let item_bytes = serde_json::to_vec(item).map_or(0, |json| json.len() + 64);
        match parts.last_mut() {
            Some(part) if part.len() < count_max && bytes + item_bytes <= BYTES_MAX => {
                part.push(item.clone());
                bytes += item_bytes;
            }
            _ => {
                parts.push(vec![item.clone()]);
                bytes = item_bytes;
            }
        }
    }
    parts.into_iter()
}
