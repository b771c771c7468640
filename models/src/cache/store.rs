//! Where answers are kept outside of this process.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;

use super::{CacheKey, KeptAnswer};
use crate::observer::CacheStore;

/// A place where answers are kept. None of its failures is ever a caller's: it is passed by.
pub trait AnswerStore: Send + Sync + fmt::Debug {
    /// Which one it is, for whoever counts.
    fn kind(&self) -> CacheStore;

    /// What is kept under `key`. It may be older than is wanted.
    fn get<'a>(&'a self, key: &'a CacheKey) -> BoxFuture<'a, Result<Option<Arc<KeptAnswer>>, StoreError>>;

    /// Keeps an answer for at most `time`.
    fn put<'a>(
        &'a self,
        key: &'a CacheKey,
        answer: &'a Arc<KeptAnswer>,
        time: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// Why a store was passed by. No text of a prompt or an answer, and no address, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It failed lately and is left alone for a while.
    #[error("it failed lately and is left alone")]
    LeftAlone,
    /// It did not answer in time.
    #[error("no answer within {limit_ms} ms")]
    Slow {
        /// The limit in milliseconds.
        limit_ms: u64,
    },
    /// It cannot be reached, or refuses.
    #[error("{reason}")]
    Down {
        /// What was seen.
        reason: String,
    },
    /// What it holds is no answer.
    #[error("what it holds is damaged: {reason}")]
    Damaged {
        /// What was seen.
        reason: String,
    },
    /// The answer cannot be written.
    #[error("the answer cannot be written: {reason}")]
    Unwritable {
        /// Why.
        reason: String,
    },
}
