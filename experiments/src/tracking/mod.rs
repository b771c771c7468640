//! Telling what a run was and what came of it: parameters, metrics, tags, files.
//!
//! 1. [`ExperimentTracker`] is the face of every tracker; [`error`] what can go wrong;
//! 2. [`EmbeddedTracker`] keeps everything in the run's own folder: the default;
//! 3. [`MlflowTracker`] writes operations into a [`spool`], from which a [`SpoolWorker`] sends them to an MLflow server
//!    ([`mlflow`]) when it is there;
//! 4. [`track_begin`], [`track_end`] and [`track_files`] are what a tracker is told of a run. Numbers of a report are never made of
//!    what was tracked.

pub mod error;
pub mod mlflow;
pub mod spool;

mod embedded;
mod exact;
mod of_run;
mod tracker;
mod validity;

#[cfg(test)]
mod tests;

pub use embedded::{EmbeddedTracker, TrackedRun, read};
pub use error::TrackingError;
pub use mlflow::{MlflowClient, MlflowClientArgs, MlflowTracker};
pub use of_run::{track_begin, track_end, track_files};
pub use spool::{Delivery, Spool, SpoolLimits, SpoolWorker};
pub use tracker::{ExperimentTracker, MetricPoint, RunStart, RunStatus};
pub use validity::{ARTIFACT_BYTES_MAX, VALUE_BYTES_MAX};
