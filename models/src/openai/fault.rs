//! Understands what servers say when they fail. The forms differ:
//!
//! | server | body |
//! |---|---|
//! | OpenAI, Azure | `{"error": {"message", "type", "code": "a_string"}}` |
//! | llama.cpp | `{"error": {"code": 400, "message", "type", "n_prompt_tokens", "n_ctx"}}` |
//! | Ollama | the first, or `{"error": "a text"}` |
//! | vLLM, Mistral | `{"object": "error", "message", "type", "code": 404}` |
//! | `FastAPI` | `{"detail": "a text"}` or `{"detail": [{"loc", "msg"}]}` |
//! | Google's | the first, in a list of one |
//! | proxies | HTML, plain text, or nothing |

use reqwest::StatusCode;
use serde_json::Value;

use super::scrub::scrub;
use crate::error::ModelErrorKind;

/// What a server said, before it is judged.
#[derive(Debug, Default, PartialEq, Eq)]
struct Said {
    message: String,
    /// The code where it is a word, else the type.
    words: Vec<String>,
    /// The code where it is a number.
    status: Option<u16>,
    prompt_tokens: Option<u64>,
    context_tokens: Option<u64>,
}

/// The kind of a failure that came with an HTTP status.
pub(super) fn from_response(
    status: StatusCode,
    body: &[u8],
    key: Option<&str>,
    context_tokens: u32,
) -> ModelErrorKind {
    let said = match serde_json::from_slice::<Value>(body) {
        Ok(value) => read(&value),
        Err(_) => Said { message: plain(&String::from_utf8_lossy(body)), ..Said::default() },
    };
    judge(status, &said, key, context_tokens)
}

/// The kind of a failure that came inside an answer whose status was 200.
pub(super) fn from_answer(error: &Value, key: Option<&str>, context_tokens: u32) -> ModelErrorKind {
    let said = read_error(error);
    let status = said.status.and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.filter(|status| status.is_client_error() || status.is_server_error());
    let is_rate_limit = said.words.iter().any(|word| word.contains("rate_limit"));
    let assumed =
        if is_rate_limit { StatusCode::TOO_MANY_REQUESTS } else { StatusCode::INTERNAL_SERVER_ERROR };
    judge(status.unwrap_or(assumed), &said, key, context_tokens)
}

fn judge(status: StatusCode, said: &Said, key: Option<&str>, context_tokens: u32) -> ModelErrorKind {
    let message = match scrub(&said.message, key) {
        message if message.is_empty() => status.canonical_reason().unwrap_or("no explanation").to_owned(),
        message => message,
    };
    let has_word = |wanted: &str| said.words.iter().any(|word| word == wanted);
    let mentions = |part: &str| message.to_ascii_lowercase().contains(part);
    if status.is_client_error()
        && (has_word("context_length_exceeded")
            || has_word("exceed_context_size_error")
            || mentions("maximum context length"))
    {
        let (limit, prompt) = numbers_of_context(&said.message);
        return ModelErrorKind::ContextExceeded {
            prompt_tokens: said.prompt_tokens.or(prompt).unwrap_or(0),
            context_tokens: said.context_tokens.or(limit).unwrap_or(u64::from(context_tokens)),
        };
    }
    match status.as_u16() {
        401..=403 => ModelErrorKind::Unauthorized { message },
        // A spent balance comes as 429 too, but waiting does not fill it.
        429 if has_word("insufficient_quota") || has_word("billing_hard_limit_reached") => {
            ModelErrorKind::Unauthorized { message }
        }
        429 => ModelErrorKind::RateLimited { message },
        _ if has_word("model_not_found") => ModelErrorKind::NoSuchModel { message },
        404 if mentions("model") => ModelErrorKind::NoSuchModel { message },
        // Too early, a timeout or a conflict on the server's side: what OpenAI's own clients try again.
        408 | 409 | 425 => ModelErrorKind::ServerError { message },
        // Not implemented and version not supported stay so.
        501 | 505 => ModelErrorKind::Rejected { message },
        500.. => ModelErrorKind::ServerError { message },
        _ => ModelErrorKind::Rejected { message },
    }
}

fn read(value: &Value) -> Said {
    match value {
        Value::Array(items) => items.first().map(read).unwrap_or_default(),
        Value::Object(fields) => match (fields.get("error"), fields.get("detail")) {
            (Some(error), _) if !error.is_null() => read_error(error),
            (_, Some(detail)) => Said { message: read_detail(detail), ..Said::default() },
            _ => read_error(value),
        },
        Value::String(text) => Said { message: text.clone(), ..Said::default() },
        Value::Null | Value::Bool(_) | Value::Number(_) => Said::default(),
    }
}

fn read_error(error: &Value) -> Said {
    if let Value::String(text) = error {
        return Said { message: text.clone(), ..Said::default() };
    }
    let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
    let count = |name: &str| error.get(name).and_then(Value::as_u64);
    Said {
        message: text("message")
            .or_else(|| error.get("message").and_then(|message| message.get("detail")).map(read_detail))
            .unwrap_or_default(),
        words: ["code", "type"].into_iter().filter_map(text).collect(),
        status: count("code").and_then(|code| u16::try_from(code).ok()),
        prompt_tokens: count("n_prompt_tokens"),
        context_tokens: count("n_ctx"),
    }
}

/// `FastAPI`'s list tells where and what; the value that was wrong, which may be a prompt, is left out.
fn read_detail(detail: &Value) -> String {
    match detail {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let item = |item: &Value| {
                let place: Vec<_> = item
                    .get("loc")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned))
                    .collect();
                let text = item.get("msg").and_then(Value::as_str).unwrap_or_default();
                format!("{}: {text}", place.join("."))
            };
            items.iter().map(item).collect::<Vec<_>>().join("; ")
        }
        _ => String::new(),
    }
}

/// A body that is not JSON: the title of a page, or the text itself.
fn plain(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if let Some(begin) = lower.find("<title>").map(|begin| begin + "<title>".len()) {
        let end = lower[begin..].find("</title>").map_or(text.len(), |end| begin + end);
        return format!("an HTML page: {}", &text[begin..end]);
    }
    if lower.trim_start().starts_with("<!doctype") || lower.contains("<html") {
        return "an HTML page".to_owned();
    }
    text.to_owned()
}

/// The limit and the prompt's size out of "maximum context length is 8192 tokens. However, your messages resulted
/// in 9000 tokens": the first two numbers after those words.
fn numbers_of_context(message: &str) -> (Option<u64>, Option<u64>) {
    let Some(begin) = message.to_ascii_lowercase().find("maximum context length") else {
        return (None, None);
    };
    let mut numbers =
        message[begin..].split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse::<u64>().ok());
    (numbers.next(), numbers.next())
}

#[cfg(test)]
mod tests;
