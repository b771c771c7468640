//! An MLflow server that is told of runs and registered models, over REST.
//!
//! [`MlflowTracker`] only writes into the spool; [`MlflowClient`] sends: `http` is one request, `send` one operation, `runs`
//! finds or makes runs, `registry` mirrors registered models; `names` says how our keys are written there and what fits.
//!
//! Source: MLflow 3.17.2, REST API and what its server answered.

mod client;
mod http;
mod names;
mod registry;
mod runs;
mod send;
mod tracker;

pub use client::{MlflowClient, MlflowClientArgs};
pub use tracker::MlflowTracker;

pub(super) use http::SendError;
pub(super) use send::Sent;
