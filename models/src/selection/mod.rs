//! Which model answers what, and why.
//!
//! 1. [`ModelSelector`] is the rules: pure, it knows the settings ([`ModelFacts`]) and is handed what was measured
//!    ([`Measurements`]); [`Selection`] is its answer with its [reason](SelectionReason), [`SelectionError`] its error,
//!    [`Explanation`] both with every candidate and [`Check`]; [`AliasTable`] is what names of registered models lead to;
//! 2. [`Performance`] is what was measured: it reads [`ModelStats`](crate::stats::ModelStats), keeps [`QualityBook`]s, demotes
//!    models that have become worse, and survives the process in a file.

mod aliases;
mod arms;
mod check;
mod demotion;
mod error;
mod explain;
mod facts;
mod performance;
mod quality;
mod reason;
mod saved;
mod selector;
mod split;
mod wish;
mod words;

pub use aliases::{AliasTable, FollowedAlias, UnknownAlias};
pub use check::Check;
pub use demotion::{Demotion, DemotionReason};
pub use error::{NoModelFits, SelectionError};

pub(crate) use aliases::{follow, is_alias};
pub use explain::{Candidate, Explanation};
pub use facts::{Measured, Measurements, ModelFacts};
pub use performance::{Performance, PerformanceArgs, WatchedModel};
pub use quality::QualityBook;
pub use reason::{PassedOver, Rule, Selection, SelectionReason};
pub use saved::PerformanceFileError;
pub use selector::ModelSelector;
pub use wish::ModelWish;
