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
    /// In this process, where nothing has to be waited for.
    near: Option<MemoryStore>,
    /// What several processes share, in the order in which it is asked.
    far: Vec<Arc<dyn AnswerStore>>,
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
        let near = (config.memory_bytes_max > 0).then(|| MemoryStore::new(config.memory_bytes_max));
        let far = config.redis.as_ref().map(super::redis_store).transpose()?;
        let nothing_kept = (near.is_none() && far.is_none()) || config.age_max.is_zero();
        let far = far.into_iter().collect();
        Ok((!nothing_kept).then(|| Self::with_stores(near, far, config.age_max, clock)))
    }

    /// A cache of these stores, of which `near` is looked into first. Nothing older than `age_max` is given.
    pub fn with_stores(
        near: Option<MemoryStore>,
        far: Vec<Arc<dyn AnswerStore>>,
        age_max: Duration,
        clock: Arc<dyn WallClock>,
    ) -> Self {
        Self { near, far, age_max, clock, flights: Arc::default() }
    }

    /// What is kept in this process.
    pub(crate) fn get_near(&self, key: &CacheKey, told: Told<'_>) -> Option<Arc<KeptAnswer>> {
        let answer = self.near.as_ref()?.get(key)?;
        if self.time_left(&answer).is_zero() {
            return None;
        }
        told.tell(&CallEvent::CacheHit { store: CacheStore::Memory });
        Some(answer)
    }

    /// What is kept outside of this process. It is kept near from then on.
    pub(crate) async fn get_far(&self, key: &CacheKey, told: Told<'_>) -> Option<Arc<KeptAnswer>> {
        for (place, store) in self.far.iter().enumerate() {
            let answer = match store.get(key).await {
                Ok(Some(answer)) => answer,
                Ok(None) => continue,
                Err(error) => {
                    told.passed_by(store.kind(), &error);
                    continue;
                }
            };
            let time_left = self.time_left(&answer);
            if time_left.is_zero() {
                continue;
            }
            self.put_into(&self.far[..place], key, &answer, time_left, told).await;
            told.tell(&CallEvent::CacheHit { store: store.kind() });
            return Some(answer);
        }
        None
    }

    /// Keeps an answer that was just given.
    pub(crate) async fn put(&self, key: &CacheKey, completion: &Completion, told: Told<'_>) {
        let answer =
            Arc::new(KeptAnswer { kept_unix_ms: self.clock.unix_ms(), completion: completion.clone() });
        self.put_into(&self.far, key, &answer, self.age_max, told).await;
    }

    fn time_left(&self, answer: &KeptAnswer) -> Duration {
        answer.time_left(self.clock.unix_ms(), self.age_max)
    }

    /// Keeps an answer near, and in some of the others.
    async fn put_into(
        &self,
        far: &[Arc<dyn AnswerStore>],
        key: &CacheKey,
        answer: &Arc<KeptAnswer>,
        time: Duration,
        told: Told<'_>,
    ) {
        if let Some(near) = &self.near {
            near.put(key, answer);
        }
        for store in far {
            if let Err(error) = store.put(key, answer, time).await {
                told.passed_by(store.kind(), &error);
            }
        }
    }
}
