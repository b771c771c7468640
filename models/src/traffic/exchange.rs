//! One exchange, as it stands in a file.

use std::collections::BTreeMap;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::redact::Redactor;
use crate::pull::hex;

/// The version of the files' form.
pub(super) const VERSION: u32 = 1;

/// Headers of answers that are written down: what the client looks at. Others name accounts, or hold cookies.
const HEADERS: [&str; 5] = ["content-type", "request-id", "retry-after", "retry-after-ms", "x-request-id"];

/// A part of the name of those that tell of limits.
const LIMIT_HEADERS: &str = "ratelimit-";

/// One exchange.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Exchange {
    pub(super) version: u32,
    pub(super) request: Request,
    pub(super) answer: Answer,
}

/// What was asked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Request {
    pub(super) method: String,
    /// The path without its query, which may hold a key.
    pub(super) path: String,
    /// The JSON, or the text where it is none.
    pub(super) body: Value,
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) parts: Vec<Part>,
    /// Whether the connection broke behind the last part.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) broke: bool,
}

/// A part of an answer's body, as it arrived.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Part {
    /// From the request, in milliseconds.
    pub(super) after_ms: u64,
    #[serde(flatten)]
    pub(super) bytes: Bytes,
}

/// Bytes in a readable form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Bytes {
    Text(String),
    /// Where they are not UTF-8: a part may end inside a character.
    Hex(String),
}

/// What is asked, in the form in which it is written down and found again.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Asked {
    pub(super) request: Request,
    /// A hash of the request: its file's name begins with it.
    pub(super) name: String,
}

impl Asked {
    pub(super) fn new(method: &str, path: &str, body: &[u8], redactor: &Redactor) -> Self {
        let body = redactor.bytes(body);
        let hash = Sha256::new().chain_update(method).chain_update(" ").chain_update(path);
        let hash = hash.chain_update("\n").chain_update(&body).finalize();
        let body = serde_json::from_slice(&body)
            .unwrap_or_else(|_| Value::from(String::from_utf8_lossy(&body).into_owned()));
        let request = Request { method: method.to_owned(), path: redactor.text(path), body };
        // Half of the hash tells more requests apart than any folder holds.
        Self { request, name: hex(&hash[..16]) }
    }
}

impl From<&[u8]> for Bytes {
    fn from(bytes: &[u8]) -> Self {
        match std::str::from_utf8(bytes) {
            Ok(text) => Self::Text(text.to_owned()),
            Err(_) => Self::Hex(hex(bytes)),
        }
    }
}

impl Bytes {
    /// The bytes; `None` when the file was changed by hand and makes none.
    pub(super) fn decode(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::Hex(hex) => {
                let digits: Option<Vec<u8>> =
                    hex.chars().map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok())).collect();
                let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
                Some(digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect())
            }
        }
    }
}

/// The headers of an answer that are written down.
pub(super) fn harmless(headers: &HeaderMap, redactor: &Redactor) -> BTreeMap<String, String> {
    let is_harmless =
        |name: &HeaderName| HEADERS.contains(&name.as_str()) || name.as_str().contains(LIMIT_HEADERS);
    let texts = headers
        .iter()
        .filter(|(name, _)| is_harmless(name))
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), redactor.text(value.to_str().ok()?))));
    texts.collect()
}

/// The headers of a recorded answer; what is no header is left out.
pub(super) fn to_header_map(headers: &BTreeMap<String, String>) -> HeaderMap {
    let pair = |(name, value): (&String, &String)| {
        Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
    };
    headers.iter().filter_map(pair).collect()
}
