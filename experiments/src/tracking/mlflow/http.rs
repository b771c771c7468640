//! One request and its answer.

use std::time::Duration;

use playhouse_config::ConfigError;
use reqwest::header::RETRY_AFTER;
use reqwest::{Method, RequestBuilder, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{MlflowClient, names};
use crate::tracking::spool::Refusal;

/// The longest answer that is read, in bytes: a page of a metric's history takes a megabyte.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// What is kept of the server's words about a refusal, in characters.
const MESSAGE_CHARS_MAX: usize = 300;

/// Why an operation was not sent.
#[derive(Debug)]
pub(in crate::tracking) enum SendError {
    /// The server is away or cannot now.
    Away {
        reason: String,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
        /// Whether it may have done what it was asked.
        is_unclear: bool,
    },
    /// It does not let us in.
    Denied { status: u16 },
    /// The token cannot be read.
    Token(ConfigError),
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum CallError {
    Send(SendError),
    /// It will be refused again.
    Refused(Refused),
}

/// A request that will be refused again.
#[derive(Debug)]
pub(super) struct Refused {
    /// 0 where it was not asked at all.
    status: u16,
    /// MLflow's own name of what is wrong.
    pub(super) code: String,
    message: String,
}

impl Refused {
    pub(super) fn into_refusal(self) -> Refusal {
        match self.status {
            0 => Refusal::Missing { missing: self.message },
            status => Refusal::Status { status, message: self.message },
        }
    }

    /// Whether a parameter has another value already. Source: MLflow, `sqlalchemy_store.py`.
    pub(super) fn is_changed_param(&self) -> bool {
        self.message.contains("Changing param values is not allowed")
    }
}

impl CallError {
    /// What would be refused, told before it is asked.
    pub(super) fn refused(message: &str) -> Self {
        Self::Refused(Refused { status: 0, code: String::new(), message: message.to_owned() })
    }
}

impl From<SendError> for CallError {
    fn from(error: SendError) -> Self {
        Self::Send(error)
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Complaint {
    error_code: String,
    message: String,
}

impl MlflowClient {
    /// A request below `/api/2.0/mlflow/`.
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}/api/2.0/mlflow/{path}", self.base))
    }

    /// A question below `/api/2.0/mlflow/` with these keys and values.
    pub(super) fn question(&self, path: &str, query: &[(&str, &str)]) -> RequestBuilder {
        let query: Vec<_> =
            query.iter().map(|(key, value)| format!("{key}={}", names::path_part(value))).collect();
        self.request(Method::GET, &format!("{path}?{}", query.join("&")))
    }

    /// Posts JSON and reads the JSON of the answer.
    pub(super) async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &serde_json::Value,
    ) -> Result<T, CallError> {
        self.answer(self.request(Method::POST, path).json(body)).await
    }

    /// Sends a request and reads the JSON of the answer.
    pub(super) async fn answer<T: DeserializeOwned>(&self, request: RequestBuilder) -> Result<T, CallError> {
        let body = self.exchange(request).await?;
        // A proxy in front of the server may answer with a page of its own.
        serde_json::from_slice(&body).map_err(|error| {
            let reason = format!("it answered with something else than JSON: {error}");
            CallError::Send(SendError::Away { reason, retry_after: None, is_unclear: true })
        })
    }

    /// Sends a request and gives the body of a good answer.
    pub(super) async fn exchange(&self, mut request: RequestBuilder) -> Result<Vec<u8>, CallError> {
        if let Some(token) = &self.token {
            let token = token.resolve().map_err(SendError::Token)?;
            request = request.bearer_auth(token.reveal());
        }
        let response = request.send().await.map_err(|error| away(&error))?;
        let status = response.status().as_u16();
        let retry_after = response
            .headers()
            .get(RETRY_AFTER)
            .and_then(|value| value.to_str().ok()?.trim().parse().ok())
            .map(Duration::from_secs);
        let body = read(response).await?;
        if (200..300).contains(&status) {
            return Ok(body);
        }
        let complaint: Complaint = serde_json::from_slice(&body).unwrap_or_default();
        Err(match status {
            401 | 403 => SendError::Denied { status }.into(),
            408 | 425 | 429 | 500.. => {
                let is_unclear = !matches!(status, 425 | 429);
                let reason = format!("it answered with status {status}");
                SendError::Away { reason, retry_after, is_unclear }.into()
            }
            // An answer that is not MLflow's: another server stands there, for example a proxy without it.
            300..=399 | 404 | 405 if complaint.error_code.is_empty() => {
                let reason = format!("it answered with status {status}, and not as MLflow does");
                SendError::Away { reason, retry_after, is_unclear: false }.into()
            }
            _ => {
                // The server's words come to terminals and logs.
                let printable = |c: char| if c.is_control() { '\u{fffd}' } else { c };
                let message = complaint.message.chars().take(MESSAGE_CHARS_MAX).map(printable).collect();
                CallError::Refused(Refused { status, code: complaint.error_code, message })
            }
        })
    }
}

async fn read(mut response: Response) -> Result<Vec<u8>, CallError> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| away(&error))? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            let reason = format!("its answer is longer than {ANSWER_BYTES_MAX} bytes");
            return Err(SendError::Away { reason, retry_after: None, is_unclear: true }.into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

/// What kept an answer from us. The address is left out: it could hold what is nobody's business.
fn away(error: &reqwest::Error) -> CallError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    let reason = match (error.is_timeout(), error.is_connect()) {
        (true, _) => "it did not answer in time".to_owned(),
        (_, true) => format!("it cannot be reached: {cause}"),
        _ => format!("the connection broke: {cause}"),
    };
    SendError::Away { reason, retry_after: None, is_unclear: !error.is_connect() }.into()
}
