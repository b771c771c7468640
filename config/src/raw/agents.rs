//! The agents as they are written.

use playhouse_protocol::develop::ROUNDS_MAX;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Settings of the shipped agents.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawAgents {
    /// The code generator.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) generate: Option<RawAgent>,
    /// The code reviewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) review: Option<RawAgent>,
    /// Generate, review, revise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) develop: Option<RawDevelop>,
}

/// Settings of one agent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawAgent {
    /// The longest answer, in tokens.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-reason" = "no model writes more at once"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion_tokens_max: Option<u32>,
    /// How freely tokens are chosen: 0 always takes the most probable. Left out, the provider decides (the
    /// embedded model takes the most probable).
    #[schemars(range(min = 0, max = 2), extend("x-reason" = "above 2 answers are noise"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) temperature: Option<f32>,
    /// Only the most probable tokens that together reach this probability are considered: above 0, at most 1.
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0, "x-reason" = "it is a probability"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top_p: Option<f32>,
    /// Only so many of the most probable tokens are considered.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-reason" = "vocabularies are smaller"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top_k: Option<u32>,
    /// The same seed and request give the same answer, where the provider can do so.
    #[schemars(range(min = 0, max = u64::MAX), extend("x-reason" = "it has 64 bits"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) seed: Option<u64>,
}

/// Settings of `develop`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawDevelop {
    /// Rounds of generation and review when a request does not say.
    #[schemars(range(min = 1, max = ROUNDS_MAX), extend("x-reason" = "each round is at least two model calls"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) rounds: Option<u32>,
}
