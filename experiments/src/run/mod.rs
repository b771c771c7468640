//! A run of an experiment: what it is made of and what was answered.

mod manifest;
mod record;

pub use manifest::{CodeVersion, Machine, Manifest, ModelVersion};
pub use record::{Ending, Evidence, Record};
