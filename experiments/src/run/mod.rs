//! A run of an experiment: what it is made of, what is asked, what was answered.
//!
//! Read in this order: [`Manifest`] is what a run is made of and [`Record`] what was answered; [`RunStore`] keeps both; `trials`
//! is what is asked, and [`Runner`] asks it.

mod batch;
mod combine;
mod engine;
mod error;
mod manifest;
mod record;
mod store;
mod trials;

pub use combine::combine;
pub use engine::{Progress, RunError, Runner};
pub use error::RunStoreError;
pub use manifest::{CodeVersion, Machine, Manifest, ManifestParts, ModelFor, ModelVersion};
pub use record::{Ending, Evidence, Record};
pub use store::{OpenRun, RunStore, StoredRun};
