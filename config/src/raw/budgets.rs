//! Budgets as they are written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What may be used; days begin at midnight UTC.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawBudgets {
    /// By a task whose submitter does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task: Option<RawUsageLimits>,
    /// By all tenants together in a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) day: Option<RawUsageLimits>,
    /// By a tenant in a day, unless `tenants` names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant_day: Option<RawUsageLimits>,
    /// By certain tenants in a day, by their names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenants: Option<BTreeMap<String, Option<RawUsageLimits>>>,
}

/// The most that may be used. A key that is left out is without a limit.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawUsageLimits {
    /// Tokens of prompts and answers together; 0 allows none.
    #[schemars(range(min = 0, max = 1_000_000_000_000_u64), extend("x-reason" = "a trillion is more than anybody uses"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tokens: Option<u64>,
    /// US dollars; 0 allows only what costs nothing.
    #[schemars(range(min = 0, max = 1_000_000), extend("x-reason" = "at most a million dollars"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) usd: Option<f64>,
}

/// How much of the calls of all models together may be retries.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawRetryBudget {
    /// Retries as a share of first calls within the window.
    #[schemars(range(min = 0, max = 10), extend("x-reason" = "a call has at most 10 attempts"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ratio_max: Option<f64>,
    /// Retries within the window that are free, for runtimes that make few calls.
    #[schemars(range(min = 0, max = 1_000_000), extend("x-reason" = "more is no budget"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) free: Option<u32>,
    /// The window, in milliseconds.
    #[schemars(range(min = 100, max = 3_600_000), extend("x-reason" = "a tenth of a second to an hour"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) window_ms: Option<u64>,
}
