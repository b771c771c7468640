//! Language models behind one trait.
//!
//! Only this crate opens a connection to a model. Read in this order:
//!
//! 1. [`client`] is the face of every model, [`error`] what can go wrong, [`tokens`] how text is counted,
//!    [`price`] what a call costs, [`budget`] what a day may cost;
//! 2. [`openai`], [`anthropic`] and [`ollama`] (all three over [`http`], whose traffic `traffic` writes down and plays
//!    back), `local` (with the feature of that name) and [`scripted`] are the providers;
//! 3. [`layers`] wrap a provider: retries, breaker, limits, prices, the [`cache`] of answers; [`stats`] is what they
//!    measure;
//! 4. [`catalog`] puts both together as the settings say, [`selection`] chooses a model for a task;
//! 5. [`pull`] fetches the files of the embedded models; [`probe`] notices servers on this machine.

pub mod budget;
pub mod client;
pub mod digest;
pub mod error;
pub mod observer;
pub mod price;
pub mod tokens;

pub mod anthropic;
pub mod http;
pub mod ollama;
pub mod openai;
pub mod scripted;

#[cfg(feature = "local")]
pub mod local;

pub mod cache;
pub mod layers;
pub mod stats;

pub mod catalog;
pub mod probe;
pub mod pull;
pub mod selection;

mod network;
mod traffic;
mod yaml;

#[cfg(test)]
mod testing;

pub use budget::{BudgetExceeded, BudgetLedger, BudgetScope, is_task_budget_exceeded};
pub use catalog::{
    Catalog, CatalogEntry, CatalogError, CatalogParts, ConcurrencyHealth, EntryState, ModelHealth,
    QualityObserver,
};
pub use client::{CompletionEvent, CompletionStream, ModelClient, ModelInfo};
pub use error::{Awaited, ModelError, ModelErrorKind};
pub use observer::{ArmStanding, BreakerState, CallEvent, CallObserver, DriftKind, NoObserver};
pub use price::cost_nano_usd;
pub use selection::{ModelWish, Selection};
pub use stats::{AttemptRecord, Drift, DriftStanding, ModelStats, StatsSnapshot};
