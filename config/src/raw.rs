//! Settings as they are written in YAML.
//!
//! The comments here are the descriptions of the JSON schema, and the limits here are the ones that are
//! checked: there is no second list of either. A key without a value counts as not written.

mod agents;
mod budgets;
mod cache;
mod endpoint;
mod experiments;
mod model;
mod selection;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(crate) use agents::{RawAgent, RawAgents, RawDevelop};
pub(crate) use budgets::{RawBudgets, RawRetryBudget, RawUsageLimits};
pub(crate) use cache::{RawCache, RawRedis};
pub(crate) use endpoint::{
    RawBreaker, RawConcurrency, RawHedging, RawPacing, RawRetries, RawTimeouts, RawTraffic,
};
pub(crate) use experiments::RawExperiments;
pub(crate) use model::{RawCacheMode, RawModel, RawOverflow, RawPrice, RawProvider};
pub(crate) use selection::{
    RawAb, RawConstraints, RawDemotion, RawHarmful, RawPreference, RawSelection, RawWeight, RawWeights,
};

/// Settings of Playhouse. Every key may be left out.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(title = "playhouse.yaml")]
pub(crate) struct RawConfig {
    /// The catalog of models, by name. The embedded models `qwen2.5-coder-0.5b` and `smollm2-135m` are always in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) models: Option<BTreeMap<String, Option<RawModel>>>,
    /// Which model answers what.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) selection: Option<RawSelection>,
    /// Settings of the shipped agents.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agents: Option<RawAgents>,
    /// Bounds of the runtime.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) limits: Option<RawLimits>,
    /// Attempts at a task that fails.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempts: Option<RawAttempts>,
    /// Where tasks are written down, and for how long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) journal: Option<RawJournal>,
    /// Where answers are kept to be given again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache: Option<RawCache>,
    /// What may be used in a task and in a day. Left out, all there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) budgets: Option<RawBudgets>,
    /// How much of the calls of all models together may be retries.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retry_budget: Option<RawRetryBudget>,
    /// Where prompt templates come from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompts: Option<RawPrompts>,
    /// Where experiments and the registry of models are kept.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) experiments: Option<RawExperiments>,
}

/// Bounds of the runtime.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawLimits {
    /// Agents alive at once; further requests wait.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-reason" = "each live agent takes several kilobytes"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) agents_live_max: Option<usize>,
    /// Tasks that may wait or run at once; further ones are refused.
    #[schemars(range(min = 1, max = 10_000_000), extend("x-reason" = "waiting tasks are kept in memory"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tasks_open_max: Option<usize>,
    /// Tasks of one tenant that may wait or run at once; left out, as many as of all.
    #[schemars(range(min = 1, max = 10_000_000), extend("x-reason" = "waiting tasks are kept in memory"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) tenant_tasks_open_max: Option<usize>,
    /// How long a task may take when its submitter does not say, in milliseconds.
    #[schemars(range(min = 100, max = 604_800_000), extend("x-reason" = "a tenth of a second to a week"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) task_timeout_ms: Option<u64>,
    /// How long a shutdown waits for running tasks, in milliseconds; 0 stops them at once.
    #[schemars(range(min = 0, max = 3_600_000), extend("x-reason" = "at most an hour"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) shutdown_grace_ms: Option<u64>,
}

/// Attempts at a task that fails in a way that another attempt may mend.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawAttempts {
    /// Attempts in all, the first included, when a task's submitter does not say.
    #[schemars(range(min = 1, max = 100), extend("x-reason" = "1 tries nothing again"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) attempts_max: Option<u32>,
    /// The wait before the second attempt is drawn from 0 to this, in milliseconds; it doubles with each attempt.
    #[schemars(range(min = 0, max = 3_600_000), extend("x-reason" = "at most an hour"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backoff_initial_ms: Option<u64>,
    /// The wait is never drawn from more than this, in milliseconds.
    #[schemars(range(min = 0, max = 3_600_000), extend("x-reason" = "at most an hour"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) backoff_max_ms: Option<u64>,
}

/// Where tasks are written down, and for how long.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawJournal {
    /// The file; it is made when it is not there. Left out, tasks are kept in memory and end with the process. A
    /// relative path begins at this file's folder.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) path: Option<String>,
    /// How long a task is kept after its end, in milliseconds; 0 keeps it for ever. Dead letters are always kept.
    #[schemars(range(min = 0, max = 3_153_600_000_000_u64), extend("x-reason" = "at most a hundred years"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_age_max_ms: Option<u64>,
    /// How many ended tasks are kept, dead letters left aside; 0 keeps all.
    #[schemars(range(min = 0, max = 1_000_000_000), extend("x-reason" = "0 keeps all"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ended_max: Option<u64>,
}

/// Where prompt templates come from.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawPrompts {
    /// A folder with templates (`generate.v1.j2`, `review.v1.j2`, …) that stand above the built-in ones. A
    /// relative path begins at this file's folder.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) folder: Option<String>,
}
