//! What comes back. Servers differ in what they leave out, so almost everything is optional.

use playhouse_protocol::Usage;
use playhouse_protocol::completion::StopReason;
use serde::Deserialize;
use serde_json::Value;

use crate::http::form::{Part, ReadError, Reader, invalid};
use crate::http::lenient::lenient;

/// A whole answer, or the head of a streamed one.
#[derive(Debug, Deserialize)]
struct Message {
    id: Option<String>,
    #[serde(default)]
    content: Vec<Block>,
    stop_reason: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    usage: Option<WireUsage>,
    /// A failure inside an answer whose status was 200.
    error: Option<Value>,
}

/// A part of the answer. Thoughts and the use of tools are kinds of their own, which have no text.
#[derive(Debug, Deserialize)]
struct Block {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
}

/// An event of a streamed answer.
///
/// Source: "Streaming messages" in Anthropic's documentation, which also says that events of new kinds are to be
/// passed over.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Message,
    },
    ContentBlockStart {
        index: u64,
        content_block: Block,
    },
    ContentBlockDelta {
        index: u64,
        delta: Delta,
    },
    MessageDelta {
        delta: MessageEnd,
        #[serde(default, deserialize_with = "lenient")]
        usage: Option<WireUsage>,
    },
    MessageStop,
    Error {
        error: Value,
    },
    #[serde(other)]
    Other,
}

/// A failure as some proxies tell it: without saying that the event is one.
#[derive(Debug, Deserialize)]
struct Failure {
    error: Value,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Delta {
    TextDelta {
        text: String,
    },
    /// A thought, the use of a tool, a signature: the model is at work.
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct MessageEnd {
    stop_reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default)]
struct WireUsage {
    #[serde(rename = "input_tokens", deserialize_with = "lenient")]
    input: Option<u64>,
    #[serde(rename = "cache_creation_input_tokens", deserialize_with = "lenient")]
    cache_created: Option<u64>,
    #[serde(rename = "cache_read_input_tokens", deserialize_with = "lenient")]
    cache_read: Option<u64>,
    #[serde(rename = "output_tokens", deserialize_with = "lenient")]
    output: Option<u64>,
}

impl WireUsage {
    /// What is known when a later report has come: its counts stand above the earlier ones.
    fn and_later(self, later: Self) -> Self {
        Self {
            input: later.input.or(self.input),
            cache_created: later.cache_created.or(self.cache_created),
            cache_read: later.cache_read.or(self.cache_read),
            output: later.output.or(self.output),
        }
    }

    /// The usage, unless it cannot be true: no prompt has no tokens. The tokens that were read from the provider's
    /// cache or put into it are counted apart from the others there, and not here.
    fn checked(self) -> Option<Usage> {
        let cached = self.cache_read.unwrap_or(0);
        let prompt = self.input?.saturating_add(cached).saturating_add(self.cache_created.unwrap_or(0));
        let completion_tokens = self.output?;
        (prompt > 0).then_some(Usage {
            model_calls: 1,
            prompt_tokens: prompt,
            cached_prompt_tokens: cached,
            completion_tokens,
            cost_nano_usd: 0,
        })
    }
}

/// Why an answer ended.
///
/// Source: "Handling stop reasons" in Anthropic's documentation. A paused turn waits for the rest of a tool of the
/// provider, of which we use none; should it come, the text is what there is so far. A reason that nobody knows ends
/// the answer like `end_turn`.
fn stop_reason(reason: &str) -> StopReason {
    match reason {
        "max_tokens" | "model_context_window_exceeded" | "pause_turn" => StopReason::Length,
        "refusal" => StopReason::ContentFilter,
        _ => StopReason::Stop,
    }
}

/// Reads one answer.
#[derive(Debug, Default)]
pub(super) struct MessageReader {
    begun: bool,
    /// The block that has begun last.
    block: Option<u64>,
    usage: WireUsage,
}

impl Reader for MessageReader {
    fn event(&mut self, data: &str) -> Result<Vec<Part>, ReadError> {
        let event = serde_json::from_str::<Event>(data).map_err(|error| {
            let failure = serde_json::from_str::<Failure>(data);
            failure.map_or(ReadError::Json(error), |failure| ReadError::Said(failure.error))
        })?;
        match event {
            Event::MessageStart { .. } if self.begun => Err(out_of_order("message_start")),
            Event::MessageStart { message } => {
                self.begun = true;
                self.usage = message.usage.unwrap_or_default();
                Ok(message.id.map(Part::Id).into_iter().collect())
            }
            Event::ContentBlockStart { .. } if !self.begun => Err(out_of_order("content_block_start")),
            Event::ContentBlockStart { index, content_block } => {
                self.block = Some(index);
                Ok(vec![Part::Text(content_block.into_text())])
            }
            Event::ContentBlockDelta { index, .. } if self.block != Some(index) => {
                Err(out_of_order("content_block_delta"))
            }
            Event::ContentBlockDelta { delta: Delta::TextDelta { text }, .. } => Ok(vec![Part::Text(text)]),
            Event::ContentBlockDelta { .. } => Ok(vec![Part::Thought]),
            Event::MessageDelta { .. } if !self.begun => Err(out_of_order("message_delta")),
            Event::MessageDelta { delta, usage } => {
                let mut parts = Vec::new();
                if let Some(usage) = usage {
                    self.usage = self.usage.and_later(usage);
                    parts.extend(self.usage.checked().map(Part::Usage));
                }
                parts.extend(delta.stop_reason.map(|reason| Part::Finish(stop_reason(&reason))));
                Ok(parts)
            }
            Event::MessageStop => Ok(vec![Part::End]),
            Event::Error { error } => Err(ReadError::Said(error)),
            Event::Other => Ok(Vec::new()),
        }
    }

    fn whole(&mut self, body: &[u8]) -> Result<Vec<Part>, ReadError> {
        let message: Message = serde_json::from_slice(body)?;
        if let Some(error) = message.error {
            return Err(ReadError::Said(error));
        }
        let mut parts: Vec<_> = message.id.map(Part::Id).into_iter().collect();
        parts.extend(message.content.into_iter().map(|block| Part::Text(block.into_text())));
        parts.extend(message.usage.and_then(WireUsage::checked).map(Part::Usage));
        parts.extend(message.stop_reason.map(|reason| Part::Finish(stop_reason(&reason))));
        Ok(parts)
    }
}

impl Block {
    fn into_text(self) -> String {
        if self.kind == "text" { self.text } else { String::new() }
    }
}

fn out_of_order(event: &str) -> ReadError {
    invalid(format!("the event {event} is out of order")).into()
}
