//! What can be wrong with the settings of a cache.

use playhouse_config::error::ConfigError;
use playhouse_protocol::FailureClass;

/// A cache that the settings do not describe rightly. A server that is down is none: it is passed by.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The reference to the address cannot be followed.
    #[error("use the cache: cache.redis.url: {}", .0.line())]
    Address(ConfigError),
    /// The address is none. It may hold a password, so it is not told.
    #[error("use the cache: cache.redis.url refers to something that is no address of a Redis server")]
    NoAddress,
    /// This program was built without Redis.
    #[error("use the cache: cache.redis is configured, and this build has no Redis")]
    NoRedis,
}

impl CacheError {
    /// What to decide on.
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::Address(_) => FailureClass::Denied,
            Self::NoAddress | Self::NoRedis => FailureClass::InvalidInput,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Address(source) => source.hint.clone(),
            Self::NoAddress => {
                Some("It looks like redis://HOST:6379/0 or rediss://:PASSWORD@HOST:6380/0.".to_owned())
            }
            Self::NoRedis => Some(
                "Build with the feature `redis`, or leave `cache.redis` out of playhouse.yaml.".to_owned(),
            ),
        }
    }
}
