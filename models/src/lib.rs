//! Language models behind one trait.
//!
//! Only this crate opens a connection to a model. Read in this order:
//!
//! 1. [`client`] is the face of every model, [`error`] what can go wrong, [`tokens`] how text is counted,
//!    [`price`] what a call costs;
//! 2. [`openai`], [`anthropic`] and [`ollama`] (all three over [`http`], whose traffic `traffic` writes down and plays
//!    back), `local` (with the feature of that name) and [`scripted`] are the providers;
//! 3. [`layers`] wrap a provider: retries, prices;
//! 4. [`catalog`] puts both together as the settings say and chooses a model for a task;
//! 5. [`pull`] fetches the files of the embedded models; [`probe`] notices servers on this machine.

pub mod client;
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

pub mod layers;

pub mod catalog;
pub mod probe;
pub mod pull;

mod network;
mod traffic;
mod yaml;

#[cfg(test)]
mod testing;

pub use catalog::{Catalog, CatalogEntry, CatalogError, CatalogParts, EntryState, Selection};
pub use client::{CompletionEvent, CompletionStream, ModelClient, ModelInfo};
pub use error::{Awaited, ModelError, ModelErrorKind};
pub use observer::{CallEvent, CallObserver, NoObserver};
pub use price::cost_nano_usd;
