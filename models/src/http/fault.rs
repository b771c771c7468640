//! Understands what servers say when they fail. The forms differ:
//!
//! | server | body |
//! |---|---|
//! | OpenAI, Azure | `{"error": {"message", "type", "code": "a_string"}}` |
//! | llama.cpp | `{"error": {"code": 400, "message", "type", "n_prompt_tokens", "n_ctx"}}` |
//! | Ollama | `{"error": "a text"}`, where the text may be what llama.cpp said |
//! | vLLM, Mistral | `{"object": "error", "message", "type", "code": 404}` |
//! | `FastAPI` | `{"detail": "a text"}` or `{"detail": [{"loc", "msg"}]}` |
//! | Anthropic | `{"type": "error", "error": {"type", "message", "details": {"error_code"}}, "request_id"}` |
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
    /// The code where it is a word, the type, and the code of the details.
    words: Vec<String>,
    /// The code where it is a number.
    status: Option<u16>,
    prompt_tokens: Option<u64>,
    context_tokens: Option<u64>,
}

/// What servers of one form say when they fail, beyond what all of them say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FaultWords {
    /// The statuses that words stand for, where a failure comes inside an answer and has none.
    pub(crate) statuses: &'static [(&'static str, u16)],
    /// Words of a spent balance: it comes as too many requests, but waiting does not fill it.
    pub(crate) spent: &'static [&'static str],
    /// Words of a prompt that is too long.
    pub(crate) too_long: &'static [&'static str],
    /// Parts of a message, in lower case, that tell of a prompt that is too long.
    pub(crate) too_long_texts: &'static [TooLongText],
}

/// How a message tells that a prompt is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooLongText {
    /// What it says, in lower case.
    pub(crate) says: &'static str,
    /// What the numbers behind it are.
    pub(crate) numbers: Numbers,
}

/// What the numbers are that follow when a message tells that a prompt is too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Numbers {
    /// The tokens that the model holds, then the prompt's.
    LimitThenPrompt,
    /// The prompt's tokens, then those that the model holds.
    PromptThenLimit,
    /// Something else.
    Other,
}

/// What is known where a failure is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault<'a> {
    pub(super) words: &'static FaultWords,
    pub(super) key: Option<&'a str>,
    /// Tokens that the model holds, as far as we know.
    pub(super) context_tokens: u64,
}

impl Fault<'_> {
    /// The kind of a failure that came with an HTTP status.
    pub(super) fn kind_of_response(&self, status: StatusCode, body: &[u8]) -> ModelErrorKind {
        let said = match serde_json::from_slice::<Value>(body) {
            Ok(value) => read(&value),
            Err(_) => Said { message: plain(&String::from_utf8_lossy(body)), ..Said::default() },
        };
        self.judge(status, &said)
    }

    /// The kind of a failure that came inside an answer whose status was 200.
    pub(super) fn kind_of_answer(&self, error: &Value) -> ModelErrorKind {
        let said = read_error(error);
        let stands_for = |word: &String| {
            let known = self.words.statuses.iter().find(|(known, _)| known == word);
            known.map(|(_, status)| *status).or_else(|| word.contains("rate_limit").then_some(429))
        };
        let status = said.status.and_then(|status| StatusCode::from_u16(status).ok());
        let status = status.filter(|status| status.is_client_error() || status.is_server_error());
        let status = status.or_else(|| {
            let status = said.words.iter().find_map(stands_for)?;
            StatusCode::from_u16(status).ok()
        });
        self.judge(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &said)
    }

    fn judge(&self, status: StatusCode, said: &Said) -> ModelErrorKind {
        let message = match scrub(&said.message, self.key) {
            message if message.is_empty() => status.canonical_reason().unwrap_or("no explanation").to_owned(),
            message => message,
        };
        let has_word = |wanted: &[&str]| said.words.iter().any(|word| wanted.contains(&word.as_str()));
        let lower = said.message.to_ascii_lowercase();
        if status.is_client_error() {
            let told = self.words.too_long_texts.iter().find(|text| lower.contains(text.says));
            if told.is_some() || has_word(self.words.too_long) {
                return self.too_long(said, &lower, told);
            }
        }
        match status.as_u16() {
            401..=403 => ModelErrorKind::Unauthorized { message },
            429 if has_word(self.words.spent) => ModelErrorKind::Unauthorized { message },
            429 => ModelErrorKind::RateLimited { message },
            _ if has_word(&["model_not_found"]) => ModelErrorKind::NoSuchModel { message },
            404 if lower.contains("model") => ModelErrorKind::NoSuchModel { message },
            // Too early, a timeout or a conflict on the server's side: what OpenAI's own clients try again.
            408 | 409 | 425 => ModelErrorKind::ServerError { message },
            // Not implemented and version not supported stay so.
            501 | 505 => ModelErrorKind::Rejected { message },
            500.. => ModelErrorKind::ServerError { message },
            _ => ModelErrorKind::Rejected { message },
        }
    }

    fn too_long(&self, said: &Said, message: &str, told: Option<&TooLongText>) -> ModelErrorKind {
        let (limit, prompt) = told.map_or((None, None), |text| numbers_behind(message, text));
        ModelErrorKind::ContextExceeded {
            prompt_tokens: said.prompt_tokens.or(prompt).unwrap_or(0),
            context_tokens: said.context_tokens.or(limit).unwrap_or(self.context_tokens),
        }
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
        return match serde_json::from_str::<Value>(text) {
            // Some servers hand on what another one said, as a text.
            Ok(inner @ Value::Object(_)) => read(&inner),
            _ => Said { message: text.clone(), ..Said::default() },
        };
    }
    let text = |name: &str| error.get(name).and_then(Value::as_str).map(str::to_owned);
    let count = |name: &str| error.get(name).and_then(Value::as_u64);
    let detail = error.get("details").and_then(|details| details.get("error_code"));
    let detail = detail.and_then(Value::as_str).map(str::to_owned);
    Said {
        message: text("message")
            .or_else(|| error.get("message").and_then(|message| message.get("detail")).map(read_detail))
            .unwrap_or_default(),
        words: ["code", "type"].into_iter().filter_map(text).chain(detail).collect(),
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

/// The limit and the prompt's size: the first two numbers behind what a message says.
fn numbers_behind(message: &str, text: &TooLongText) -> (Option<u64>, Option<u64>) {
    let Some(begin) = message.find(text.says) else { return (None, None) };
    let mut numbers =
        message[begin..].split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse::<u64>().ok());
    let (first, second) = (numbers.next(), numbers.next());
    match text.numbers {
        Numbers::LimitThenPrompt => (first, second),
        Numbers::PromptThenLimit => (second, first),
        Numbers::Other => (None, None),
    }
}

#[cfg(test)]
mod tests;
