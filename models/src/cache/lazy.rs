//! The cache of a catalog, set up when it is first needed.

use std::sync::{Arc, Mutex, PoisonError};

use playhouse_config::settings::CacheConfig;
use playhouse_protocol::WallClock;

use super::{AnswerCache, CacheError};

/// The cache of a catalog, set up when it is first needed: so that a missing address harms nobody who only looks at models.
#[derive(Debug)]
pub(crate) struct LazyCache {
    config: CacheConfig,
    clock: Arc<dyn WallClock>,
    cache: Mutex<Option<Arc<AnswerCache>>>,
}

impl LazyCache {
    pub(crate) fn new(config: CacheConfig, clock: Arc<dyn WallClock>) -> Self {
        Self { config, clock, cache: Mutex::new(None) }
    }

    /// The cache; `None` when the settings keep nothing. A failure is not kept.
    pub(crate) fn get(&self) -> Result<Option<Arc<AnswerCache>>, CacheError> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if cache.is_none() {
            *cache = AnswerCache::new(&self.config, Arc::clone(&self.clock))?.map(Arc::new);
        }
        Ok(cache.clone())
    }
}
