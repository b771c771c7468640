//! One thread per loaded model, and the bounded queue in front of it.
//!
//! Started by the provider with its first request; ends when the provider is dropped and the queue is empty.
//! It loads the model on the first job. A panic while it works on a job fails that job alone: the model is
//! dropped and loaded anew for the next one.

mod job;
mod queue;
mod run;

pub(super) use job::{Job, Settings};
pub(super) use queue::JobQueue;
pub(super) use run::run;
