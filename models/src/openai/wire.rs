//! What comes back. Servers differ in what they leave out, so almost everything is optional.

use playhouse_protocol::Usage;
use playhouse_protocol::completion::StopReason;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// A whole answer, or a chunk of a streamed one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Answer {
    pub(super) id: Option<String>,
    pub(super) choices: Vec<Choice>,
    #[serde(deserialize_with = "lenient")]
    pub(super) usage: Option<WireUsage>,
    /// A failure inside an answer whose status was 200.
    pub(super) error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Choice {
    index: u64,
    /// In a whole answer.
    message: Option<Content>,
    /// In a chunk.
    delta: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Content {
    #[serde(rename = "content")]
    text: Option<Text>,
    refusal: Option<String>,
    #[serde(rename = "reasoning_content")]
    thoughts: Option<Value>,
    #[serde(rename = "reasoning")]
    thoughts_elsewhere: Option<Value>,
}

/// A text, or a list of parts of which those with a text count.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Text {
    Plain(String),
    Parts(Vec<Part>),
}

#[derive(Debug, Deserialize)]
struct Part {
    #[serde(default)]
    text: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
pub(super) struct WireUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    #[serde(deserialize_with = "lenient")]
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

/// Reads a value that may be of a wrong form: then it counts as missing, and the tokens are estimated.
fn lenient<'de, D: Deserializer<'de>, T: serde::de::DeserializeOwned>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    let value = Option::<Value>::deserialize(deserializer)?;
    Ok(value.and_then(|value| serde_json::from_value(value).ok()))
}

impl WireUsage {
    /// The usage, unless it cannot be true: no prompt has no tokens.
    pub(super) fn checked(self) -> Option<Usage> {
        let cached = self.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or(0);
        (self.prompt_tokens > 0).then(|| Usage {
            model_calls: 1,
            prompt_tokens: self.prompt_tokens,
            cached_prompt_tokens: cached.min(self.prompt_tokens),
            completion_tokens: self.completion_tokens,
            cost_nano_usd: 0,
        })
    }
}

/// Why an answer ended, as far as it did as it should.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finish {
    /// It ended.
    Ended(StopReason),
    /// The server gave up.
    Aborted,
}

impl Answer {
    /// The first choice: the only one, since only one is asked for.
    pub(super) fn into_first_choice(self) -> Option<Choice> {
        self.choices.into_iter().find(|choice| choice.index == 0)
    }
}

impl Choice {
    /// The text, the refusal in its place included, and whether it is a refusal.
    pub(super) fn text(&self) -> (String, bool) {
        let Some(content) = self.message.as_ref().or(self.delta.as_ref()) else {
            return (String::new(), false);
        };
        let text = match &content.text {
            Some(Text::Plain(text)) => text.clone(),
            Some(Text::Parts(parts)) => parts.iter().filter_map(|part| part.text.as_deref()).collect(),
            None => String::new(),
        };
        match &content.refusal {
            Some(refusal) if text.is_empty() && !refusal.is_empty() => (refusal.clone(), true),
            _ => (text, false),
        }
    }

    /// Whether the model is at work, text or not: thoughts count.
    pub(super) fn shows_progress(&self) -> bool {
        let thinks = |content: &Content| {
            let is_text = |value: &Option<Value>| {
                value.as_ref().and_then(Value::as_str).is_some_and(|text| !text.is_empty())
            };
            is_text(&content.thoughts) || is_text(&content.thoughts_elsewhere)
        };
        !self.text().0.is_empty() || self.delta.as_ref().is_some_and(thinks)
    }

    /// Why the answer ended, where it did.
    ///
    /// Source: `finish_reason` in OpenAI's API reference; `abort` is vLLM's, `error` is `OpenRouter`'s,
    /// `insufficient_system_resource` is `DeepSeek`'s. A reason that nobody knows ends the answer like `stop`.
    pub(super) fn finish(&self) -> Option<Finish> {
        match self.finish_reason.as_deref() {
            None | Some("") => None,
            Some("length" | "max_tokens") => Some(Finish::Ended(StopReason::Length)),
            Some("content_filter") => Some(Finish::Ended(StopReason::ContentFilter)),
            Some("abort" | "error" | "insufficient_system_resource") => Some(Finish::Aborted),
            Some(_) => Some(Finish::Ended(StopReason::Stop)),
        }
    }
}
