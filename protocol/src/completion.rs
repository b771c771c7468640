//! What a model is asked and what it answers.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::usage::Usage;

/// Who says a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Instructions that stand above the conversation.
    System,
    /// The person or agent that asks.
    User,
    /// The model.
    Assistant,
}

impl Role {
    /// The name that chat templates and providers use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::User => "user",
            Self::Assistant => "assistant",
        }
    }
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

impl ChatMessage {
    /// A message of the system.
    pub fn system(content: impl Into<String>) -> Self {
        Self { role: Role::System, content: content.into() }
    }

    /// A message of the user.
    pub fn user(content: impl Into<String>) -> Self {
        Self { role: Role::User, content: content.into() }
    }

    /// A message of the model.
    pub fn assistant(content: impl Into<String>) -> Self {
        Self { role: Role::Assistant, content: content.into() }
    }
}

/// How the next token is chosen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sampling {
    /// 0.0 is greedy; at most 2.0. `None` leaves it to the provider (greedy for the embedded model).
    pub temperature: Option<f32>,
    /// Nucleus sampling: above 0.0, at most 1.0.
    pub top_p: Option<f32>,
    /// Only the `top_k` most probable tokens are considered; at least 1. Not every provider has it.
    pub top_k: Option<u32>,
    /// The same seed and request give the same answer, where the provider can do so.
    pub seed: Option<u64>,
}

/// The form that an answer must have.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseFormat {
    /// Any text.
    #[default]
    Text,
    /// JSON that fits a schema. Providers without it are asked in the prompt alone, and the answer is
    /// parsed tolerantly.
    JsonSchema {
        /// A name for the provider's logs: letters, digits, `_` and `-`.
        name: String,
        /// The JSON schema, as JSON text.
        schema: String,
    },
}

/// A question to a model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CompletionRequest {
    /// The conversation, oldest message first. At least one message. Shared, since every layer and attempt keeps the request.
    pub messages: Arc<[ChatMessage]>,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// The longest answer, in tokens; `None` leaves it to the model's own limit.
    pub completion_tokens_max: Option<u32>,
    /// The answer ends before any of these texts, which is not part of it.
    pub stop: Vec<String>,
    /// The form of the answer.
    pub format: ResponseFormat,
}

impl CompletionRequest {
    /// A question with default settings.
    pub fn new(messages: Vec<ChatMessage>) -> Self {
        Self { messages: messages.into(), ..Self::default() }
    }
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// The model had said all, or a stop text came.
    Stop,
    /// The longest answer, or the context window, was reached: the text may be cut.
    Length,
    /// The provider withheld the answer or a part of it.
    ContentFilter,
}

/// An answer of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Completion {
    /// The text.
    pub text: String,
    /// Why it ended.
    pub stop_reason: StopReason,
    /// What it used.
    pub usage: Usage,
    /// Whether `usage` is the provider's own count; otherwise it is our estimate.
    pub usage_reported: bool,
    /// Who answered.
    pub origin: Origin,
    /// How the answer came about.
    pub route: Route,
}

/// An answer as version 1 wrote it down: without how it came about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletionV1 {
    text: String,
    stop_reason: StopReason,
    usage: Usage,
    usage_reported: bool,
    origin: Origin,
}

impl From<CompletionV1> for Completion {
    fn from(old: CompletionV1) -> Self {
        let CompletionV1 { text, stop_reason, usage, usage_reported, origin } = old;
        Self { text, stop_reason, usage, usage_reported, origin, route: Route::default() }
    }
}

/// An answer as version 2 wrote it down: its route says nothing of conversations that were condensed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompletionV2 {
    text: String,
    stop_reason: StopReason,
    usage: Usage,
    usage_reported: bool,
    origin: Origin,
    route: RouteV2,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct RouteV2 {
    reason: String,
    attempts: u32,
    cached: bool,
    hedged: bool,
    restarts: u32,
    passed_over: Vec<PassedOver>,
}

impl From<CompletionV2> for Completion {
    fn from(old: CompletionV2) -> Self {
        let CompletionV2 { text, stop_reason, usage, usage_reported, origin, route } = old;
        let RouteV2 { reason, attempts, cached, hedged, restarts, passed_over } = route;
        let route = Route { reason, attempts, cached, hedged, restarts, passed_over, condensed: None };
        Self { text, stop_reason, usage, usage_reported, origin, route }
    }
}

/// How an answer came about: why this model, and what it took.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Route {
    /// Why the model was chosen, as a sentence; empty where nobody chose.
    pub reason: String,
    /// Requests that were sent for it; 0 when none was, as for an answer out of a cache.
    pub attempts: u32,
    /// Whether it was taken from a cache: nothing was asked and nothing paid.
    pub cached: bool,
    /// Whether it came from a second call that was sent while the first took long.
    pub hedged: bool,
    /// How many times a streamed answer broke half way and was begun anew.
    pub restarts: u32,
    /// Models that were asked before this one and failed, in order.
    pub passed_over: Vec<PassedOver>,
    /// What was made of the conversation before it was sent, where it did not fit into the model's context.
    pub condensed: Option<Box<Condensed>>,
}

/// What was made of a conversation that did not fit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Condensed {
    /// Tokens of the conversation as it was.
    pub tokens_before: u64,
    /// Tokens of what was sent.
    pub tokens_after: u64,
    /// Messages of which less is left.
    pub messages_shortened: u32,
    /// Messages that were left out.
    pub messages_dropped: u32,
    /// Facts (numbers, names, paths and the like) in those messages.
    pub facts_total: u32,
    /// Of these, the ones that are still there word for word.
    pub facts_kept: u32,
    /// The longest answer that was asked for, in tokens, where the conversation left less room than was wanted.
    pub answer_tokens_max: Option<u32>,
}

/// A model that was asked first and failed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PassedOver {
    /// The catalog entry.
    pub model: String,
    /// What went wrong.
    pub failure: String,
}

/// Who gave an answer: kept beside every result, so that a canned answer is never taken for a model's.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// The catalog entry.
    pub model: String,
    /// The kind of provider behind it.
    pub provider: ProviderKind,
    /// The provider's name for this request, where it gave one.
    pub request_id: Option<String>,
}

/// Kinds of providers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProviderKind {
    /// The embedded model, in this process.
    Local,
    /// An HTTP server that speaks OpenAI's chat completions.
    OpenAi,
    /// An HTTP server that speaks Anthropic's messages.
    Anthropic,
    /// Answers from a file: no model at all.
    Scripted,
    /// An HTTP server that speaks Ollama's own chat.
    Ollama,
}

impl ProviderKind {
    /// The name used in settings, metrics and reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::OpenAi => "open_ai",
            Self::Anthropic => "anthropic",
            Self::Scripted => "scripted",
            Self::Ollama => "ollama",
        }
    }

    /// Whether answers come from a file and not from a model.
    pub const fn is_scripted(self) -> bool {
        matches!(self, Self::Scripted)
    }
}
