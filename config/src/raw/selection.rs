//! The selection of models as it is written.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which model answers what.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawSelection {
    /// The model for every task type that nothing else names: a name of the catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) default: Option<String>,
    /// The model by task type (`generate`, `review`, `develop`, `compress`, or an agent's own): names of the catalog.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) by_task: Option<BTreeMap<String, Option<String>>>,
    /// Weights of models by task type: of all tasks of the type each named model gets its share, the same task always the
    /// same model. Stands above `constraints` and `by_task`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) split: Option<BTreeMap<String, Option<RawWeights>>>,
    /// A test, by task type, whether the models of a `split` do better or worse than one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) ab: Option<BTreeMap<String, Option<RawAb>>>,
    /// What a model must fulfil, by task type. Stands above `by_task`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) constraints: Option<BTreeMap<String, Option<RawConstraints>>>,
    /// When a model is passed over because it has become worse.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) demotion: Option<RawDemotion>,
}

/// Weights by model.
pub(crate) type RawWeights = BTreeMap<String, Option<RawWeight>>;

/// The share of a model, beside the others of its task type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub(crate) struct RawWeight(
    #[schemars(range(min = 1, max = 1_000_000), extend("x-reason" = "a model without a share is left out"))]
    pub(crate) u32,
);

/// A test of the models of a split against one of them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawAb {
    /// The model that the others are held against: one of the split.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) baseline: Option<String>,
    /// The chance that any model is called better or worse that is neither, over all comparisons of this type of task.
    #[schemars(range(max = 0.5), extend("exclusiveMinimum" = 0, "x-reason" = "a coin would do as well"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) false_winners: Option<f64>,
    /// What becomes of a model that does worse: `stop` takes it out of the split (when left out), `tell` only tells of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) harmful: Option<RawHarmful>,
    /// Outcomes that both models must have before there is a verdict.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-reason" = "a verdict needs outcomes, and must come one day"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) outcomes_min: Option<u32>,
}

/// What becomes of a model that does worse than the baseline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawHarmful {
    Stop,
    Tell,
}

/// What a model must fulfil to be chosen. A key that is left out asks for nothing.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawConstraints {
    /// The models that are considered: names of the catalog. Left out, all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) among: Option<Vec<String>>,
    /// Tokens of prompt and answer that it must hold.
    #[schemars(range(min = 1, max = 10_000_000), extend("x-reason" = "no model holds more"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) context_tokens_min: Option<u32>,
    /// The longest measured time of a call (95th percentile), in milliseconds.
    #[schemars(range(min = 1, max = 86_400_000), extend("x-reason" = "at most a day"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_max_ms: Option<u64>,
    /// The highest price, in US dollars, of a call with 1,000 tokens of prompt and 1,000 of answer.
    #[schemars(range(min = 0, max = 1_000_000), extend("x-reason" = "at most a million dollars"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cost_usd_max: Option<f64>,
    /// The lowest quality.
    #[schemars(range(min = 0, max = 1), extend("x-reason" = "1 is the best that can be"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quality_min: Option<f64>,
    /// Which of those that fulfil the rest is best: the one of the highest `quality` (when left out), the lowest `cost` or
    /// the shortest `latency`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prefer: Option<RawPreference>,
}

/// Which of several fit models is best.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawPreference {
    Quality,
    Cost,
    Latency,
}

/// When a model is passed over because it has become worse.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawDemotion {
    /// The share of failed calls among the last ones that demotes it: above 0, at most 1.
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0, "x-reason" = "it is a share"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error_ratio_max: Option<f64>,
    /// How many times its usual time the last calls (their median) may take: above 1.
    #[schemars(range(max = 1_000), extend("exclusiveMinimum" = 1, "x-reason" = "more is out of service"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) latency_factor_max: Option<f64>,
    /// The number of last calls that are looked at; fewer demote nobody.
    #[schemars(range(min = 1, max = 512), extend("x-reason" = "so many calls of a model are remembered"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) calls: Option<u32>,
    /// How long it stays demoted at least, in milliseconds.
    #[schemars(range(min = 1_000, max = 86_400_000), extend("x-reason" = "a second to a day"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) duration_ms: Option<u64>,
}
