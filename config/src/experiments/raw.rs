//! Templates as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::reasoning::RawMode;
use crate::riddles::RawRiddle;

/// A template.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawTemplate {
    pub(super) version: Option<u32>,
    #[schemars(length(min = 1))]
    pub(super) name: Option<String>,
    pub(super) description: Option<String>,
    pub(super) task: Option<String>,
    #[schemars(length(min = 1))]
    pub(super) dataset: Option<String>,
    pub(super) riddles: Option<Vec<RawRiddle>>,
    pub(super) specs: Option<Vec<RawSpec>>,
    pub(super) modes: Option<Vec<RawMode>>,
    pub(super) select: Option<RawSelect>,
    #[schemars(range(min = 1, max = 10_000), extend("x-reason" = "no set has more riddles"))]
    pub(super) sample: Option<u32>,
    pub(super) variants: Option<Vec<RawVariant>>,
    #[schemars(length(min = 1))]
    pub(super) baseline: Option<String>,
    pub(super) metrics: Option<Vec<String>>,
    #[schemars(range(min = 1, max = 1_000), extend("x-reason" = "without one there is no answer"))]
    pub(super) repeats: Option<u32>,
    #[schemars(range(min = 1, max = 1_024), extend("x-reason" = "so many answers are waited for at once"))]
    pub(super) width: Option<u32>,
    #[schemars(range(min = 0, max = u64::MAX), extend("x-reason" = "it has 64 bits"))]
    pub(super) seed: Option<u64>,
    #[schemars(range(min = 0.5, max = 0.9999), extend("x-reason" = "0.95 is usual"))]
    pub(super) confidence: Option<f64>,
    pub(super) judge: Option<RawJudge>,
    pub(super) budget: Option<RawBudget>,
    pub(super) stopping: Option<RawStopping>,
}

/// A spec for code.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSpec {
    #[schemars(length(min = 1))]
    pub(super) id: Option<String>,
    pub(super) group: Option<String>,
    #[schemars(length(min = 1))]
    pub(super) spec: Option<String>,
    pub(super) language: Option<String>,
}

/// Which riddles of a dataset are taken.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSelect {
    pub(super) difficulty: Option<Vec<String>>,
    pub(super) forms: Option<Vec<String>>,
    pub(super) tags: Option<Vec<String>>,
}

/// What is compared.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawVariant {
    #[schemars(length(min = 1))]
    pub(super) name: Option<String>,
    #[schemars(length(min = 1))]
    pub(super) model: Option<String>,
    #[schemars(length(min = 1))]
    pub(super) mode: Option<String>,
    pub(super) prompt: Option<RawPrompt>,
    pub(super) compression: Option<RawCompression>,
    pub(super) sampling: Option<RawSampling>,
    #[schemars(range(min = 1, max = 1_000_000), extend("x-reason" = "no model writes more at once"))]
    pub(super) completion_tokens_max: Option<u32>,
    #[schemars(range(min = 1, max = 20), extend("x-reason" = "each round is at least two model calls"))]
    pub(super) rounds: Option<u32>,
}

/// A prompt of one's own.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawPrompt {
    #[schemars(length(min = 1))]
    pub(super) name: Option<String>,
    #[schemars(range(min = 1, max = 1_000_000), extend("x-reason" = "versions are counted from 1"))]
    pub(super) version: Option<u32>,
    pub(super) system: Option<String>,
    #[schemars(length(min = 1))]
    pub(super) text: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawCompression {
    pub(super) strategy: Option<String>,
    #[schemars(range(min = 8, max = 10_000_000), extend("x-reason" = "less holds no text"))]
    pub(super) limit_tokens: Option<u64>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawSampling {
    #[schemars(range(min = 0, max = 2), extend("x-reason" = "above 2 answers are noise"))]
    pub(super) temperature: Option<f32>,
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0, "x-reason" = "it is a probability"))]
    pub(super) top_p: Option<f32>,
    #[schemars(range(min = 1, max = 1_000_000), extend("x-reason" = "vocabularies are smaller"))]
    pub(super) top_k: Option<u32>,
    #[schemars(range(min = 0, max = u64::MAX), extend("x-reason" = "it has 64 bits"))]
    pub(super) seed: Option<u64>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawJudge {
    #[schemars(length(min = 1))]
    pub(super) model: Option<String>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawBudget {
    #[schemars(range(min = 1, max = u64::MAX), extend("x-reason" = "nothing could be asked"))]
    pub(super) tokens: Option<u64>,
    #[schemars(range(max = 1_000_000), extend("exclusiveMinimum" = 0, "x-reason" = "nothing could be asked"))]
    pub(super) usd: Option<f64>,
    #[schemars(range(min = 1, max = u64::MAX), extend("x-reason" = "nothing could be asked"))]
    pub(super) model_calls: Option<u64>,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct RawStopping {
    #[schemars(range(max = 0.99), extend("exclusiveMinimum" = 0.5, "x-reason" = "at one half neither is better"))]
    pub(super) wins: Option<f64>,
    #[schemars(range(max = 0.5), extend("exclusiveMinimum" = 0, "x-reason" = "it is a chance"))]
    pub(super) false_winners: Option<f64>,
    #[schemars(range(max = 0.9), extend("exclusiveMinimum" = 0, "x-reason" = "it is a chance"))]
    pub(super) missed_winners: Option<f64>,
}
