//! The cache of answers as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where answers are kept to be given again. Which ones: the key `cache` of each model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawCache {
    /// The most that is kept in memory, in bytes; 0 keeps nothing there.
    #[schemars(range(min = 0, max = 1_099_511_627_776_u64), extend("x-reason" = "at most a terabyte"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) memory_bytes_max: Option<u64>,
    /// How long an answer is kept, in milliseconds.
    #[schemars(range(min = 1, max = 31_536_000_000_u64), extend("x-reason" = "at most a year"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) age_max_ms: Option<u64>,
    /// A Redis server that several processes share. Left out, answers are kept in memory alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) redis: Option<RawRedis>,
}

/// A Redis server.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawRedis {
    /// Where its address (`redis://…` or `rediss://…`) is: `env:NAME` or `file:PATH`, since it may hold a password.
    #[schemars(regex(pattern = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) url: Option<String>,
    /// How long it is waited for before it is passed by, in milliseconds.
    #[schemars(range(min = 1, max = 10_000), extend("x-reason" = "whoever waits longer had better ask the model"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeout_ms: Option<u64>,
    /// What its keys begin with.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) key_prefix: Option<String>,
}
