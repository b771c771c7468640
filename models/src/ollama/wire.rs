//! What comes back.

use playhouse_protocol::Usage;
use playhouse_protocol::completion::StopReason;
use serde::Deserialize;
use serde_json::Value;

use crate::error::ModelErrorKind;
use crate::http::form::{Part, ReadError, Reader, broken, invalid};
use crate::http::lenient::lenient;

/// A whole answer, or a line of a streamed one; the last line says what was used.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Answer {
    message: Option<Message>,
    done: bool,
    done_reason: Option<String>,
    #[serde(deserialize_with = "lenient")]
    prompt_eval_count: Option<u64>,
    #[serde(deserialize_with = "lenient")]
    eval_count: Option<u64>,
    /// A failure inside an answer whose status was 200.
    error: Option<Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Message {
    content: Option<String>,
    thinking: Option<String>,
}

/// Reads whole answers and lines alike.
#[derive(Debug)]
pub(super) struct ChatReader;

impl Reader for ChatReader {
    fn event(&mut self, data: &str) -> Result<Vec<Part>, ReadError> {
        serde_json::from_str::<Answer>(data)?.into_parts()
    }

    fn whole(&mut self, body: &[u8]) -> Result<Vec<Part>, ReadError> {
        serde_json::from_slice::<Answer>(body)?.into_parts()
    }
}

impl Answer {
    fn into_parts(self) -> Result<Vec<Part>, ReadError> {
        if let Some(error) = self.error {
            return Err(ReadError::Said(error));
        }
        let mut parts = Vec::new();
        match self.message {
            Some(message) => {
                let thinks = message.thinking.is_some_and(|thought| !thought.is_empty());
                parts.extend(thinks.then_some(Part::Thought));
                parts.push(Part::Text(message.content.unwrap_or_default()));
            }
            // The last line of a stream may have nothing more to say.
            None if self.done => {}
            None => return Err(invalid("it has no message").into()),
        }
        if self.done {
            parts.extend(usage(self.prompt_eval_count, self.eval_count).map(Part::Usage));
            parts.push(Part::Finish(stop_reason(self.done_reason.as_deref())?));
            parts.push(Part::End);
        }
        Ok(parts)
    }
}

/// The usage, unless it cannot be true: no prompt has no tokens. Where all of the prompt was still in the server's
/// memory, some versions leave its count out.
fn usage(prompt_tokens: Option<u64>, completion_tokens: Option<u64>) -> Option<Usage> {
    let prompt_tokens = prompt_tokens.filter(|tokens| *tokens > 0)?;
    Some(Usage {
        model_calls: 1,
        prompt_tokens,
        cached_prompt_tokens: 0,
        completion_tokens: completion_tokens?,
        cost_nano_usd: 0,
    })
}

/// Why an answer ended. Older versions do not say; a reason that nobody knows ends the answer like `stop`.
fn stop_reason(reason: Option<&str>) -> Result<StopReason, ModelErrorKind> {
    match reason {
        Some("length") => Ok(StopReason::Length),
        Some(reason @ ("load" | "unload")) => {
            Err(broken(format!("the server {reason}ed the model instead of answering")))
        }
        _ => Ok(StopReason::Stop),
    }
}
