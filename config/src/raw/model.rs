//! The catalog as it is written.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::endpoint::{
    RawBreaker, RawConcurrency, RawHedging, RawPacing, RawRetries, RawTimeouts, RawTraffic,
};

/// Where answers come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawProvider {
    // Variants without doc comments become one plain `enum` in the schema.
    Local,
    OpenAi,
    Anthropic,
    Ollama,
    Scripted,
}

impl RawProvider {
    /// The name in settings.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::OpenAi => "open_ai",
            Self::Anthropic => "anthropic",
            Self::Ollama => "ollama",
            Self::Scripted => "scripted",
        }
    }
}

/// Which answers of a model are kept to be given again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawCacheMode {
    Off,
    Exact,
    Sampled,
}

/// What becomes of a conversation that does not fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RawOverflow {
    Condense,
    Refuse,
}

/// One model. Which keys it may have depends on its provider.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawModel {
    /// Where the answers come from: `local` (the embedded model), `open_ai` (any server that speaks
    /// OpenAI's chat completions, such as vLLM, llama.cpp or LiteLLM), `anthropic` (Anthropic's messages), `ollama`
    /// (Ollama's own chat) or `scripted` (answers from a file). The middle three are endpoints.
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

    /// Endpoints: the address up to and without the path of the protocol (`/chat/completions`, `/messages`,
    /// `/api/chat`). Left out, `https://api.anthropic.com/v1` for `anthropic` and `http://127.0.0.1:11434` for `ollama`.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) base_url: Option<String>,
    /// Endpoints: the provider's name of the model.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) model: Option<String>,
    /// Endpoints: where the key is: `env:NAME` or `file:PATH`, never the key itself.
    #[schemars(regex(pattern = r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) api_key: Option<String>,
    /// Endpoints: time limits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) timeouts: Option<RawTimeouts>,
    /// Endpoints: retries of calls that failed in a way that may pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) retries: Option<RawRetries>,
    /// Endpoints: whether the server makes answers fit a JSON schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) structured_output: Option<bool>,
    /// Endpoints: when calls are refused at once because others failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) breaker: Option<RawBreaker>,
    /// Endpoints: how many calls run at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) concurrency: Option<RawConcurrency>,
    /// Endpoints: how fast calls are begun. Left out, without a limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) pacing: Option<RawPacing>,
    /// Endpoints: a second call when the first takes longer than most. Left out, never; `{}` takes the defaults.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) hedging: Option<RawHedging>,
    /// Endpoints: a folder with recorded traffic, for tests.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) traffic: Option<RawTraffic>,

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
    /// Models that are asked, in this order, when this one fails in a way that may pass: names of the catalog. Their
    /// own fallbacks are not followed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) fallbacks: Option<Vec<String>>,
    /// Which answers are kept to be given again: `off` (none), `exact` (those to requests that are not sampled) or
    /// `sampled` (all, also where another call would give another answer). Left out, `exact`, and `off` for `scripted`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cache: Option<RawCacheMode>,
    /// What becomes of a conversation that does not fit into the context: `condense` (older messages are shortened or left
    /// out, and the answer says so) or `refuse`. Left out, `condense`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) overflow: Option<RawOverflow>,
    /// How good its answers are, from 0 to 1, until enough of them have been judged. Left out, not known.
    #[schemars(range(min = 0, max = 1), extend("x-reason" = "1 is the best that can be"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) quality: Option<f64>,
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
