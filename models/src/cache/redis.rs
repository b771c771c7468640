//! Answers that several processes share.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::aio::{ConnectionManager, ConnectionManagerConfig};
use ::redis::{Client, RedisError, SetExpiry, SetOptions};
use futures::FutureExt;
use futures::future::BoxFuture;
use playhouse_config::settings::RedisConfig;
use playhouse_protocol::envelope;
use tokio::time::{Instant, timeout};

use super::{AnswerStore, CacheError, CacheKey, KeptAnswer, StoreError};
use crate::observer::CacheStore;

/// How long the server is left alone after a failure, so that it does not cost its time limit at every call. One call
/// then tries it again.
const LEFT_ALONE: Duration = Duration::from_secs(5);

/// The longest time that an answer is kept: ten years. The server refuses one that it cannot add to its clock.
const TIME_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3_600);

/// Answers in a Redis server, each under the prefix and its key, with the rest of its time as the server's own limit.
///
/// Connects at the first use, and anew after a failure.
pub struct RedisStore {
    client: Client,
    limit: Duration,
    prefix: String,
    left_alone: Duration,
    link: Mutex<Link>,
}

/// The connection, and whether it may be used.
#[derive(Default)]
struct Link {
    manager: Option<ConnectionManager>,
    /// Set while the server fails.
    alone_until: Option<Instant>,
}

impl RedisStore {
    /// The store of the server that the settings name. Connects to nothing yet.
    ///
    /// # Errors
    /// When the reference to its address cannot be followed, or leads to no address.
    pub fn new(config: &RedisConfig) -> Result<Self, CacheError> {
        let url = config.url.resolve().map_err(CacheError::Address)?;
        let client = Client::open(url.reveal()).map_err(|_| CacheError::NoAddress)?;
        Ok(Self {
            client,
            limit: config.timeout,
            prefix: config.key_prefix.clone(),
            left_alone: LEFT_ALONE,
            link: Mutex::default(),
        })
    }

    fn name(&self, key: &CacheKey) -> String {
        format!("{}{}", self.prefix, key.hex())
    }

    /// The connection, unless the server is left alone. While it fails, one call in each such time may try it.
    fn manager(&self) -> Result<ConnectionManager, StoreError> {
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        match link.alone_until {
            Some(until) if now < until => return Err(StoreError::LeftAlone),
            Some(_) => link.alone_until = Some(now + self.left_alone),
            None => {}
        }
        if let Some(manager) = &link.manager {
            return Ok(manager.clone());
        }
        // Trying again is this store's own business.
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(self.limit))
            .set_response_timeout(Some(self.limit))
            .set_number_of_retries(0);
        let manager = ConnectionManager::new_lazy_with_config(self.client.clone(), config)
            .map_err(|error| down(&error))?;
        link.manager = Some(manager.clone());
        Ok(manager)
    }

    /// Runs a command within the time limit, connecting included.
    async fn run<T>(
        &self,
        command: impl AsyncFnOnce(ConnectionManager) -> Result<T, RedisError>,
    ) -> Result<T, StoreError> {
        let manager = self.manager()?;
        let slow =
            || StoreError::Slow { limit_ms: u64::try_from(self.limit.as_millis()).unwrap_or(u64::MAX) };
        let done = match timeout(self.limit, command(manager)).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) if error.is_timeout() => Err(slow()),
            Ok(Err(error)) => Err(down(&error)),
            Err(_) => Err(slow()),
        };
        let mut link = self.link.lock().unwrap_or_else(PoisonError::into_inner);
        *link = match &done {
            Ok(_) => Link { alone_until: None, manager: link.manager.take() },
            // A new connection is made then: an old one may hold answers that nobody waits for any more.
            Err(_) => Link { alone_until: Some(Instant::now() + self.left_alone), manager: None },
        };
        done
    }
}

/// What went wrong, in the kind's words alone: the whole text may hold an address.
fn down(error: &RedisError) -> StoreError {
    StoreError::Down { reason: error.category().to_owned() }
}

impl AnswerStore for RedisStore {
    fn kind(&self) -> CacheStore {
        CacheStore::Redis
    }

    fn get<'a>(&'a self, key: &'a CacheKey) -> BoxFuture<'a, Result<Option<Arc<KeptAnswer>>, StoreError>> {
        async move {
            let name = self.name(key);
            let found: Option<Vec<u8>> = self
                .run(async |mut manager| ::redis::cmd("GET").arg(&name).query_async(&mut manager).await)
                .await?;
            let decode = |bytes: Vec<u8>| {
                envelope::decode(&bytes)
                    .map(Arc::new)
                    .map_err(|error| StoreError::Damaged { reason: error.to_string() })
            };
            found.map(decode).transpose()
        }
        .boxed()
    }

    fn put<'a>(
        &'a self,
        key: &'a CacheKey,
        answer: &'a Arc<KeptAnswer>,
        time: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        async move {
            let bytes = envelope::encode(&**answer)
                .map_err(|error| StoreError::Unwritable { reason: error.to_string() })?;
            // The server takes no limit of zero.
            let time_ms = u64::try_from(time.min(TIME_MAX).as_millis()).unwrap_or(u64::MAX).max(1);
            let options = SetOptions::default().with_expiration(SetExpiry::PX(time_ms));
            let name = self.name(key);
            self.run(async |mut manager| {
                ::redis::cmd("SET").arg(&name).arg(&bytes).arg(options).query_async(&mut manager).await
            })
            .await
        }
        .boxed()
    }
}

impl fmt::Debug for RedisStore {
    /// Without the address, which may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("limit", &self.limit)
            .field("prefix", &self.prefix)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
