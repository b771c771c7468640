//! Where answers are kept.

use std::path::Path;

use super::ms_or;
use crate::error::{ConfigError, ConfigErrorKind};
use crate::key_path::KeyPath;
use crate::raw::{RawCache, RawRedis};
use crate::report::Report;
use crate::secret::{REDIS_HINT, SecretRef};
use crate::settings::{CacheConfig, RedisConfig};

/// The longest beginning of keys, in bytes: it is sent with each of them.
const PREFIX_LEN_MAX: usize = 64;

pub(super) fn cache(raw: RawCache, folder: &Path, report: &mut Report) -> CacheConfig {
    let default = CacheConfig::default();
    let path = KeyPath::of(["cache", "redis"]);
    CacheConfig {
        memory_bytes_max: raw.memory_bytes_max.unwrap_or(default.memory_bytes_max),
        age_max: ms_or(raw.age_max_ms, default.age_max),
        redis: raw.redis.and_then(|raw| redis(raw, folder, &path, report)),
    }
}

fn redis(raw: RawRedis, folder: &Path, path: &KeyPath, report: &mut Report) -> Option<RedisConfig> {
    let url_path = path.child("url");
    let Some(text) = raw.url else {
        let error = ConfigError::new(ConfigErrorKind::Missing, "a Redis server needs this key");
        report.key(&url_path, error.with_hint(REDIS_HINT));
        return None;
    };
    let Ok(url) = SecretRef::parse(&text, folder) else {
        let message = "this is not a reference; an address that may hold a password must not stand in a file of settings";
        let error = ConfigError::new(ConfigErrorKind::LiteralSecret, message).with_hint(REDIS_HINT);
        report.value(&url_path, error);
        return None;
    };
    let default = RedisConfig::new(url);
    let key_prefix = raw.key_prefix.unwrap_or(default.key_prefix);
    if key_prefix.len() > PREFIX_LEN_MAX || !key_prefix.bytes().all(|byte| byte.is_ascii_graphic()) {
        let error = ConfigError::new(ConfigErrorKind::Invalid, "keys cannot begin with it");
        let hint = format!("use 1 to {PREFIX_LEN_MAX} visible ASCII characters, without spaces");
        report.value(&path.child("key_prefix"), error.with_hint(hint));
    }
    Some(RedisConfig { timeout: ms_or(raw.timeout_ms, default.timeout), key_prefix, url: default.url })
}
