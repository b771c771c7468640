//! Language models behind one trait.
//!
//! Only this crate opens a connection to a model. Read in this order: [`client`] is the face of every model,
//! [`error`] what can go wrong, [`tokens`] how text is counted.

pub mod client;
pub mod error;
pub mod tokens;

#[cfg(feature = "local")]
pub mod local;

pub use client::{CompletionEvent, CompletionStream, ModelClient, ModelInfo};
pub use error::{ModelError, ModelErrorKind};
