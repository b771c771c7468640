//! Endpoints as they are written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Time limits of one call.
#[expect(clippy::struct_field_names, reason = "units stand last, and all of these are times")]
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawTimeouts {
    /// To connect, in milliseconds.
    #[schemars(range(min = 10, max = 300_000), extend("x-reason" = "a hundredth of a second to 5 minutes"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) connect_ms: Option<u64>,
    /// From the request to the first token, in milliseconds.
    #[schemars(range(min = 10, max = 86_400_000), extend("x-reason" = "a hundredth of a second to a day"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first_token_ms: Option<u64>,
    /// Between two parts of a streamed answer, in milliseconds.
    #[schemars(range(min = 10, max = 86_400_000), extend("x-reason" = "a hundredth of a second to a day"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) between_tokens_ms: Option<u64>,
    /// One attempt, from the request to the end of its answer, in milliseconds.
    #[schemars(range(min = 10, max = 86_400_000), extend("x-reason" = "a hundredth of a second to a day"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempt_ms: Option<u64>,
    /// From the first attempt's start to the end, retries included, in milliseconds.
    #[schemars(range(min = 10, max = 86_400_000), extend("x-reason" = "a hundredth of a second to a day"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) total_ms: Option<u64>,
}

/// Retries of one call.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawRetries {
    /// Attempts in all, the first included.
    #[schemars(range(min = 1, max = 10), extend("x-reason" = "more attempts only burden a server that is down"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempts_max: Option<u32>,
    /// The wait before the second attempt is drawn from zero to this, in milliseconds; it doubles each time.
    #[schemars(range(min = 1, max = 60_000), extend("x-reason" = "at most a minute"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backoff_initial_ms: Option<u64>,
    /// The wait is never drawn from more than this, in milliseconds.
    #[schemars(range(min = 1, max = 600_000), extend("x-reason" = "at most 10 minutes"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backoff_max_ms: Option<u64>,
}

/// After too many failures calls are refused for a while, then a few try whether it has passed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawBreaker {
    /// Whether there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) enabled: Option<bool>,
    /// The share of failed calls in the window that opens it: above 0, at most 1.
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0, "x-reason" = "it is a share"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) failure_ratio: Option<f64>,
    /// Calls that must have ended in the window before their share counts.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-reason" = "each is remembered"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) calls_min: Option<u32>,
    /// The window, in milliseconds.
    #[schemars(range(min = 100, max = 3_600_000), extend("x-reason" = "a tenth of a second to an hour"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) window_ms: Option<u64>,
    /// How long it stays open, in milliseconds; doubled each time its probes fail, up to eight times this.
    #[schemars(range(min = 10, max = 3_600_000), extend("x-reason" = "a hundredth of a second to an hour"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) open_ms: Option<u64>,
    /// Calls that try whether it has passed, and must all succeed.
    #[schemars(range(min = 1, max = 1_000), extend("x-reason" = "more are no trial"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) probes: Option<u32>,
}

/// How many calls of a model run at once. Further ones wait.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawConcurrency {
    /// Never more than these.
    #[schemars(range(min = 1, max = 100_000), extend("x-reason" = "each is a connection or a stream"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) max: Option<u32>,
    /// Whether the limit falls below `max` while the server refuses or slows down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) adaptive: Option<bool>,
}

/// How fast calls of a model are begun.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawPacing {
    /// Requests in a minute.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-reason" = "left out, there is no limit"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) requests_per_minute: Option<u32>,
    /// Tokens of prompts, and of the longest answers that were allowed, in a minute.
    #[schemars(range(min = 1, max = 1_000_000_000), extend("x-reason" = "left out, there is no limit"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tokens_per_minute: Option<u32>,
}

/// A second call that is sent when the first takes longer than most; the first answer counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawHedging {
    /// The second call is sent after this quantile of the observed times to the first token: above 0, below 1.
    #[schemars(range(max = 0.999), extend("exclusiveMinimum" = 0, "x-reason" = "hardly any call takes longer"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after_quantile: Option<f64>,
    /// Never sooner than this, in milliseconds.
    #[schemars(range(min = 0, max = 3_600_000), extend("x-reason" = "at most an hour"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) after_min_ms: Option<u64>,
    /// The most of such calls as a share of all.
    #[schemars(range(min = 0, max = 1), extend("x-reason" = "it is a share"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) extra_ratio_max: Option<f64>,
}

/// Recorded traffic of a server: one of the two keys.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawTraffic {
    /// Asks the server and writes down in this folder what it answers, without secrets. A relative path begins at this
    /// file's folder.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) record: Option<String>,
    /// Answers from what was written down in this folder; the server is never asked.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) replay: Option<String>,
}
