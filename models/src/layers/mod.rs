//! Layers: each wraps any [`ModelClient`](crate::ModelClient) and is one, so they can be put around each other
//! in any order. [`Retrying`] tries again, [`Priced`] fills in what an answer cost, [`Cached`] gives an
//! answer again.

mod cached;
mod priced;
mod retry;

pub use cached::{Cached, CachedParts};
pub use priced::Priced;
pub use retry::{RetryPolicy, Retrying};
