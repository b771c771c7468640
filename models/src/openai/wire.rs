//! What comes back. Servers differ in what they leave out, so almost everything is optional.

use std::fmt;

use playhouse_protocol::Usage;
use playhouse_protocol::completion::StopReason;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::error::ModelErrorKind;
use crate::http::form::{Part, ReadError, Reader, broken, invalid};
use crate::http::lenient::lenient_json;

/// The data with which a stream ends.
const END_MARK: &str = "[DONE]";

/// A whole answer, or a chunk of a streamed one.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    id: Option<String>,
    choices: Vec<Choice>,
    #[serde(deserialize_with = "lenient_json")]
    usage: Option<WireUsage>,
    /// A failure inside an answer whose status was 200.
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Choice {
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
#[derive(Debug)]
struct Text(String);

#[derive(Debug, Deserialize)]
struct TextPart {
    #[serde(default)]
    text: Option<String>,
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of parts")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Text, E> {
        Ok(Text(text.to_owned()))
    }

    fn visit_string<E: de::Error>(self, text: String) -> Result<Text, E> {
        Ok(Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Text, A::Error> {
        let mut text = String::new();
        while let Some(part) = parts.next_element::<TextPart>()? {
            text.push_str(part.text.as_deref().unwrap_or_default());
        }
        Ok(Text(text))
    }
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct WireUsage {
    prompt_tokens: u64,
    completion_tokens: u64,
    #[serde(deserialize_with = "lenient_json")]
    prompt_tokens_details: Option<PromptDetails>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct PromptDetails {
    cached_tokens: Option<u64>,
}

impl WireUsage {
    /// The usage, unless it cannot be true: no prompt has no tokens.
    fn checked(self) -> Option<Usage> {
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

/// Reads whole answers and chunks alike.
#[derive(Debug)]
pub(super) struct ChatReader;

impl Reader for ChatReader {
    fn event(&mut self, data: &str) -> Result<Vec<Part>, ReadError> {
        if data.trim() == END_MARK {
            return Ok(vec![Part::End]);
        }
        let mut parts = Vec::new();
        let choice = serde_json::from_str::<Answer>(data)?.into_choice(&mut parts)?;
        if let Some(choice) = choice {
            choice.into_parts(&mut parts)?;
        }
        Ok(parts)
    }

    fn whole(&mut self, body: &[u8]) -> Result<Vec<Part>, ReadError> {
        let mut parts = Vec::new();
        let choice = serde_json::from_slice::<Answer>(body)?.into_choice(&mut parts)?;
        choice.ok_or_else(|| invalid("it has no choices"))?.into_parts(&mut parts)?;
        Ok(parts)
    }
}

impl Answer {
    /// The first choice: the only one, since only one is asked for.
    fn into_choice(self, parts: &mut Vec<Part>) -> Result<Option<Choice>, ReadError> {
        if let Some(error) = self.error {
            return Err(ReadError::Said(error));
        }
        parts.extend(self.id.map(Part::Id));
        parts.extend(self.usage.and_then(WireUsage::checked).map(Part::Usage));
        Ok(self.choices.into_iter().find(|choice| choice.index == 0))
    }
}

impl Choice {
    /// The text, the refusal in its place included, and whether it is a refusal.
    fn take_text(&mut self) -> (String, bool) {
        let Some(content) = self.message.as_mut().or(self.delta.as_mut()) else {
            return (String::new(), false);
        };
        let text = content.text.take().map_or_else(String::new, |Text(text)| text);
        match content.refusal.take() {
            Some(refusal) if text.is_empty() && !refusal.is_empty() => (refusal, true),
            _ => (text, false),
        }
    }

    /// Whether the model is at work without a text: its thoughts come.
    fn thinks(&self) -> bool {
        let is_text = |value: &Option<Value>| {
            value.as_ref().and_then(Value::as_str).is_some_and(|text| !text.is_empty())
        };
        self.delta
            .as_ref()
            .is_some_and(|content| is_text(&content.thoughts) || is_text(&content.thoughts_elsewhere))
    }

    /// Why the answer ended, where it did.
    ///
    /// Source: `finish_reason` in OpenAI's API reference; `abort` is vLLM's, `error` is `OpenRouter`'s,
    /// `insufficient_system_resource` is `DeepSeek`'s. A reason that nobody knows ends the answer like `stop`.
    fn finish(&self) -> Result<Option<StopReason>, ModelErrorKind> {
        match self.finish_reason.as_deref() {
            None | Some("") => Ok(None),
            Some("length" | "max_tokens") => Ok(Some(StopReason::Length)),
            Some("content_filter") => Ok(Some(StopReason::ContentFilter)),
            Some("abort" | "error" | "insufficient_system_resource") => Err(broken("the provider gave up")),
            Some(_) => Ok(Some(StopReason::Stop)),
        }
    }

    fn into_parts(mut self, parts: &mut Vec<Part>) -> Result<(), ModelErrorKind> {
        let (text, is_refusal) = self.take_text();
        parts.push(if text.is_empty() && self.thinks() { Part::Thought } else { Part::Text(text) });
        parts.extend(is_refusal.then_some(Part::Refused));
        parts.extend(self.finish()?.map(Part::Finish));
        Ok(())
    }
}
