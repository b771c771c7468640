//! Answers that are kept to be given again: exact match on the whole request.
//!
//! [`AnswerCache`] looks into [`MemoryStore`] first, then into each [`AnswerStore`]: `RedisStore`, where one is
//! configured. A store that is down, slow or holds damaged bytes is passed by and counted, and never a caller's
//! error. [`CacheKey`] says which requests are equal, `flights` lets equal requests at one time ask once. The layer
//! [`Cached`](crate::layers::Cached) puts all this around a model.

mod answer;
mod error;
mod flights;
mod key;
mod lazy;
mod memory;
#[cfg(feature = "redis")]
mod redis;
mod store;
mod tiers;

use std::sync::Arc;

use playhouse_config::settings::RedisConfig;

pub use answer::KeptAnswer;
pub use error::CacheError;
pub use key::{CacheKey, CacheScope};
pub use memory::MemoryStore;
#[cfg(feature = "redis")]
pub use redis::RedisStore;
pub use store::{AnswerStore, StoreError};
pub use tiers::AnswerCache;

pub(crate) use answer::given_again;
pub(crate) use flights::{Flight, Place};
pub(crate) use lazy::LazyCache;
pub(crate) use tiers::Told;

#[cfg(feature = "redis")]
fn redis_store(config: &RedisConfig) -> Result<Arc<dyn AnswerStore>, CacheError> {
    Ok(Arc::new(RedisStore::new(config)?))
}

#[cfg(not(feature = "redis"))]
fn redis_store(_: &RedisConfig) -> Result<Arc<dyn AnswerStore>, CacheError> {
    Err(CacheError::NoRedis)
}
