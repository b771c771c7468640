//! Versions of models, and which of them is in production.
//!
//! A version is an entry of the catalog as text, so that a step back brings the old settings back. [`Registry`] is the file
//! (`registry.json` in the folder of experiments) and what can be done; [`RegistryModel`] one model with its [`history`](Event),
//! of which stages are derived; [`merge`](Registry::merge_into) puts versions and aliases into settings; `mirror` tells a tracking
//! server; [`RegistryError`] is what can go wrong.

mod error;
mod evaluate;
mod merge;
mod mirror;
mod model;
mod stages;
mod store;

pub use error::RegistryError;
pub use merge::LeftOut;
pub use model::{Event, EventKind, RegistryEvaluation, RegistryModel, RegistryVersion, Stage, Why};
pub use stages::Stages;
pub use store::{Registered, Registry};

#[cfg(test)]
mod tests;
