//! The face of every tracker.

use std::fmt;

use futures::future::BoxFuture;
use serde::{Deserialize, Serialize};

use super::{TrackingError, exact};

/// Is told what a run was and what came of it. Every call can be made again, also by another process: the same call changes
/// nothing. [`begin`](Self::begin) comes before all others of its run, in each process.
pub trait ExperimentTracker: Send + Sync + fmt::Debug {
    /// A run begins.
    fn begin<'a>(&'a self, start: &'a RunStart) -> BoxFuture<'a, Result<(), TrackingError>>;

    /// What a run was made with, as key and value. A parameter never changes: another value for the same key is an error.
    fn params<'a>(
        &'a self,
        run: &'a str,
        params: &'a [(String, String)],
    ) -> BoxFuture<'a, Result<(), TrackingError>>;

    /// What was measured. A point is known by its key, step and time.
    fn metrics<'a>(
        &'a self,
        run: &'a str,
        points: &'a [MetricPoint],
    ) -> BoxFuture<'a, Result<(), TrackingError>>;

    /// Notes on a run, as key and value; the last value of a key holds.
    fn tags<'a>(
        &'a self,
        run: &'a str,
        tags: &'a [(String, String)],
    ) -> BoxFuture<'a, Result<(), TrackingError>>;

    /// A file of a run. `name` is relative, its parts of letters, digits, `.`, `-` and `_`.
    fn artifact<'a>(
        &'a self,
        run: &'a str,
        name: &'a str,
        bytes: &'a [u8],
    ) -> BoxFuture<'a, Result<(), TrackingError>>;

    /// A run has ended.
    fn finish<'a>(
        &'a self,
        run: &'a str,
        status: RunStatus,
        ended_unix_ms: u64,
    ) -> BoxFuture<'a, Result<(), TrackingError>>;
}

/// A run that begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStart {
    /// What it is a run of.
    pub experiment: String,
    /// Our id of it: the name of its folder.
    pub run: String,
    /// When it began, in milliseconds since 1970.
    pub started_unix_ms: u64,
}

/// One measured value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricPoint {
    /// What was measured.
    pub key: String,
    /// The value; finite.
    #[serde(deserialize_with = "exact::deserialize")]
    pub value: f64,
    /// Which of several in a row, counted from 0.
    pub step: i64,
    /// When it was measured, in milliseconds since 1970.
    pub unix_ms: u64,
}

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// It has not ended.
    Running,
    /// It has come to its end.
    Finished,
    /// It has failed.
    Failed,
    /// Somebody stopped it.
    Killed,
}
