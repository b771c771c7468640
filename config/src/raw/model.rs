//! The catalog as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where answers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawProvider {
    // Variants without doc comments become one plain `enum` in the schema.
    Local,
    OpenAi,
    Scripted,
}

/// One model. Which keys it may have depends on its provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawModel {
    /// Where the answers come from: `local` (the embedded model), `open_ai` (any server that speaks
    /// OpenAI's chat completions, such as Ollama, vLLM or llama.cpp) or `scripted` (answers from a file).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) provider: Option<RawProvider>,

    /// `local`: a model that Playhouse knows and fetches itself: `qwen2.5-coder-0.5b` or `smollm2-135m`.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) known: Option<String>,
    /// `local`: a GGUF file. A relative path begins at this file's folder.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) file: Option<String>,
    /// `local`: threads that compute. Left out, model size and machine decide.
    #[schemars(range(min = 1, max = 256), extend("x-reason" = "more threads than cores only wait for each other"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) threads: Option<usize>,

    /// `open_ai`: the endpoint up to and without `/chat/completions`, for example `http://127.0.0.1:11434/v1`.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base_url: Option<String>,
    /// `open_ai`: the provider's name of the model.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    /// `open_ai`: where the key is: `env:NAME` or `file:PATH`, never the key itself.
    #[schemars(regex(pattern = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) api_key: Option<String>,
    /// `open_ai`: time limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeouts: Option<RawTimeouts>,
    /// `open_ai`: retries of calls that failed in a way that may pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retries: Option<RawRetries>,
    /// `open_ai`: whether the server makes answers fit a JSON schema (`response_format`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) structured_output: Option<bool>,

    /// `scripted`: the YAML file with the answers. A relative path begins at this file's folder.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) script: Option<String>,

    /// Tokens of prompt and answer together. Left out, the model's own limit.
    #[schemars(range(min = 256, max = 10_000_000), extend("x-reason" = "the shipped prompts need more than 255"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) context_tokens: Option<u32>,
    /// The longest answer, in tokens, when a request does not say.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-reason" = "no model writes more at once"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion_tokens_default: Option<u32>,
    /// The tiktoken encoding to count with. Left out, the model's name decides.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) encoding: Option<String>,
    /// What the model costs. Left out, nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) price: Option<RawPrice>,
    /// Requests that may wait or run at once before a new one is refused.
    #[schemars(range(min = 1, max = 100_000), extend("x-reason" = "waiting requests are kept in memory"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) queue_len_max: Option<usize>,
}

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

/// What a model costs, in US dollars per million tokens, in steps of a tenth of a cent.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawPrice {
    /// For a million tokens of prompts.
    #[schemars(range(min = 0, max = 1_000_000), extend("x-reason" = "no model costs more than a dollar a token"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) prompt_usd_per_million_tokens: Option<f64>,
    /// For a million tokens of answers.
    #[schemars(range(min = 0, max = 1_000_000), extend("x-reason" = "no model costs more than a dollar a token"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) completion_usd_per_million_tokens: Option<f64>,
}
