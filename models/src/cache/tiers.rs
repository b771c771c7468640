//! Memory first, then what several processes share.

use std::sync::Arc;
use std::time::Duration;

use playhouse_config::settings::CacheConfig;
use playhouse_protocol::WallClock;
use playhouse_protocol::completion::Completion;

use super::flights::Flights;
use super::{AnswerStore, CacheError, CacheKey, KeptAnswer, MemoryStore, StoreError};
use crate::observer::{CacheStore, CallEvent, CallObserver};

/// The answers that are kept for all models of a catalog.
#[derive(Debug)]
pub struct AnswerCache {
    /// Nearest first.
    stores: Vec<Arc<dyn AnswerStore>>,
    age_max: Duration,
    clock: Arc<dyn WallClock>,
    pub(crate) flights: Arc<Flights>,
}

/// Who is told what happens, and of which model.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Told<'a> {
    pub(crate) observer: &'a dyn CallObserver,
    pub(crate) model: &'a str,
}

impl Told<'_> {
    pub(crate) fn tell(&self, event: &CallEvent) {
        self.observer.observe(self.model, event);
    }

    fn passed_by(&self, store: CacheStore, error: &StoreError) {
        match error {
            // It was said when it failed.
            StoreError::LeftAlone => tracing::debug!(store = store.as_str(), "a cache is passed by"),
            error => tracing::warn!(store = store.as_str(), %error, "a cache is passed by"),
        }
        self.tell(&CallEvent::CacheBypassed { store });
    }
}

impl AnswerCache {
    /// The cache that the settings describe; `None` when they keep nothing. Connects to nothing yet.
    ///
    /// # Errors
    /// When the address of the Redis server cannot be read, or this program is built without Redis.
    pub fn new(config: &CacheConfig, clock: Arc<dyn WallClock>) -> Result<Option<Self>, CacheError> {
        let mut stores: Vec<Arc<dyn AnswerStore>> = Vec::new();
        if config.memory_bytes_max > 0 {
            stores.push(Arc::new(MemoryStore::new(config.memory_bytes_max)));
        }
        if let Some(redis) = &config.redis {
            stores.push(super::redis_store(redis)?);
        }
        let nothing_kept = stores.is_empty() || config.age_max.is_zero();
        Ok((!nothing_kept).then(|| Self::with_stores(stores, config.age_max, clock)))
    }

    /// A cache of these stores, nearest first. Nothing older than `age_max` is given.
    pub fn with_stores(
        stores: Vec<Arc<dyn AnswerStore>>,
        age_max: Duration,
        clock: Arc<dyn WallClock>,
    ) -> Self {
        Self { stores, age_max, clock, flights: Arc::default() }
    }

    /// What is kept in this process, where nothing has to be waited for.
    pub(crate) async fn get_near(&self, key: &CacheKey, told: Told<'_>) -> Option<KeptAnswer> {
        let near = self.stores.iter().take_while(|store| store.kind() == CacheStore::Memory).count();
        self.get_from(&self.stores[..near], key, told).await
    }

    /// What is kept anywhere. What was found far away is kept near from then on.
    pub(crate) async fn get(&self, key: &CacheKey, told: Told<'_>) -> Option<KeptAnswer> {
        self.get_from(&self.stores, key, told).await
    }

    async fn get_from(
        &self,
        stores: &[Arc<dyn AnswerStore>],
        key: &CacheKey,
        told: Told<'_>,
    ) -> Option<KeptAnswer> {
        for (place, store) in stores.iter().enumerate() {
            let answer = match store.get(key).await {
                Ok(Some(answer)) => answer,
                Ok(None) => continue,
                Err(error) => {
                    told.passed_by(store.kind(), &error);
                    continue;
                }
            };
            let time_left = answer.time_left(self.clock.unix_ms(), self.age_max);
            if time_left.is_zero() {
                continue;
            }
            self.put_into(&stores[..place], key, &answer, time_left, told).await;
            told.tell(&CallEvent::CacheHit { store: store.kind() });
            return Some(answer);
        }
        None
    }

    /// Keeps an answer that was just given.
    pub(crate) async fn put(&self, key: &CacheKey, completion: &Completion, told: Told<'_>) {
        let answer = KeptAnswer { kept_unix_ms: self.clock.unix_ms(), completion: completion.clone() };
        self.put_into(&self.stores, key, &answer, self.age_max, told).await;
    }

    async fn put_into(
        &self,
        stores: &[Arc<dyn AnswerStore>],
        key: &CacheKey,
        answer: &KeptAnswer,
        time: Duration,
        told: Told<'_>,
    ) {
        for store in stores {
            if let Err(error) = store.put(key, answer, time).await {
                told.passed_by(store.kind(), &error);
            }
        }
    }
}
