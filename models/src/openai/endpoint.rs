//! One endpoint: sends requests and turns what fails into typed errors.

use std::sync::Arc;
use std::time::Duration;

use playhouse_config::Secret;
use playhouse_config::settings::TimeoutsConfig;
use playhouse_protocol::WallClock;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Response, Url};
use serde_json::Value;

use super::request::{self, ChatRequest, Dialect};
use super::retry_after::retry_after;
use super::scrub::scrub;
use super::{ANSWER_BYTES_MAX, Connections, OpenAiArgs, fault};
use crate::client::ModelInfo;
use crate::error::{Awaited, ModelError, ModelErrorKind};
use crate::network::root_cause;
use crate::tokens::TokenCounter;
use playhouse_protocol::completion::CompletionRequest;

/// The most of a failed answer's body that is read, in bytes: enough for any explanation.
const FAULT_BYTES_MAX: usize = 64 * 1024;

/// The headers in which servers name a request.
const REQUEST_ID_HEADERS: [&str; 2] = ["x-request-id", "request-id"];

/// The longest name of a request that is kept, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// One endpoint and what is asked of it. Shared by the calls that run.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) info: ModelInfo,
    pub(super) timeouts: TimeoutsConfig,
    pub(super) tokens: Arc<dyn TokenCounter>,
    /// The provider's name of the model.
    model: String,
    dialect: Dialect,
    /// Scheme, host and port, for errors.
    origin: String,
    completions_url: Url,
    models_url: Url,
    key: Option<Secret>,
    authorization: Option<HeaderValue>,
    client: reqwest::Client,
    wall_clock: Arc<dyn WallClock>,
}

impl Endpoint {
    pub(super) fn new(args: OpenAiArgs, connections: &Connections) -> Result<Self, ModelError> {
        let OpenAiArgs { info, base_url, model, api_key, timeouts, tokens, wall_clock } = args;
        let error = |kind| ModelError::new(&info, kind);
        let wrong = |reason: String| ModelErrorKind::InvalidRequest { field: "base_url", reason };
        let base =
            Url::parse(base_url.trim_end_matches('/')).map_err(|cause| error(wrong(cause.to_string())))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(error(wrong("it is not of the form http://HOST or https://HOST".to_owned())));
        }
        let origin = base.origin().ascii_serialization();
        let client = connections.client(&base, timeouts.connect).map_err(|reason| {
            error(ModelErrorKind::Connector { endpoint: origin.clone(), reason: scrub(&reason, None) })
        })?;
        let authorization = match &api_key {
            None => None,
            Some(key) => {
                let value = HeaderValue::try_from(format!("Bearer {}", key.reveal()));
                let mut value = value.map_err(|_| {
                    let message =
                        format!("the key of {} has characters that no header can hold", key.reference());
                    error(ModelErrorKind::Unauthorized { message })
                })?;
                value.set_sensitive(true);
                Some(value)
            }
        };
        Ok(Self {
            dialect: Dialect::of_host(base.host_str().unwrap_or_default()),
            completions_url: below(&base, "chat/completions"),
            models_url: below(&base, "models"),
            info,
            timeouts,
            tokens,
            model,
            origin,
            key: api_key,
            authorization,
            client,
            wall_clock,
        })
    }

    /// Sends a request and waits for the head of the answer. A status other than 2xx is an error.
    pub(super) async fn send(
        &self,
        request: &CompletionRequest,
        stream: bool,
    ) -> Result<Response, ModelError> {
        let body: ChatRequest<'_> = request::body(request, &self.info, &self.model, self.dialect, stream)
            .map_err(|kind| self.error(kind))?;
        let body = serde_json::to_vec(&body)
            .map_err(|cause| self.error(ModelErrorKind::Internal { reason: cause.to_string() }))?;
        let request = self.client.post(self.completions_url.clone()).header(CONTENT_TYPE, "application/json");
        self.judge(self.authorized(request).body(body).send().await).await
    }

    /// Asks for the list of models, which costs nothing. A server without that list has been reached all the same.
    pub(super) async fn ping(&self) -> Result<(), ModelError> {
        let response = self.authorized(self.client.get(self.models_url.clone())).send().await;
        match self.judge(response).await {
            Err(error) if matches!(error.status, Some(404 | 405 | 501)) => Ok(()),
            answer => answer.map(drop),
        }
    }

    fn authorized(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        match &self.authorization {
            Some(value) => request.header(AUTHORIZATION, value.clone()),
            None => request,
        }
    }

    async fn judge(&self, response: Result<Response, reqwest::Error>) -> Result<Response, ModelError> {
        let mut response = response.map_err(|error| self.error(self.transport_fault(&error)))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let kind = if status.is_redirection() {
            let target = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            ModelErrorKind::Rejected { message: redirection(target, &self.completions_url) }
        } else {
            let body = read_start(&mut response, FAULT_BYTES_MAX).await;
            fault::from_response(status, &body, self.key(), self.info.context_tokens)
        };
        let mut error = self.error(kind);
        error.status = Some(status.as_u16());
        error.retry_after = retry_after(response.headers(), self.wall_clock.unix_ms());
        error.request_id = self.request_id(response.headers());
        Err(error)
    }

    /// Reads a whole body.
    pub(super) async fn read_body(&self, response: &mut Response) -> Result<Vec<u8>, ModelErrorKind> {
        let mut body = Vec::new();
        while let Some(part) = response.chunk().await.map_err(|error| self.transport_fault(&error))? {
            if body.len() + part.len() > ANSWER_BYTES_MAX {
                return Err(too_long());
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }

    pub(super) fn error(&self, kind: ModelErrorKind) -> ModelError {
        ModelError::new(&self.info, kind)
    }

    pub(super) fn answer_fault(&self, error: &Value) -> ModelErrorKind {
        fault::from_answer(error, self.key(), self.info.context_tokens)
    }

    /// What the network did.
    pub(super) fn transport_fault(&self, error: &reqwest::Error) -> ModelErrorKind {
        let reason = scrub(&root_cause(error), self.key());
        if error.is_timeout() {
            timed_out(Awaited::Connection, self.timeouts.connect)
        } else if error.is_connect() {
            ModelErrorKind::Unreachable { endpoint: self.origin.clone(), reason }
        } else {
            ModelErrorKind::BrokenStream { reason }
        }
    }

    /// The server's name for a request, made fit to be shown.
    pub(super) fn request_id(&self, headers: &HeaderMap) -> Option<String> {
        let value = REQUEST_ID_HEADERS.into_iter().find_map(|name| headers.get(name))?;
        self.clean_id(value.to_str().ok()?)
    }

    pub(super) fn clean_id(&self, id: &str) -> Option<String> {
        let id = scrub(id, self.key());
        (!id.is_empty() && id.len() <= REQUEST_ID_BYTES_MAX).then_some(id)
    }

    fn key(&self) -> Option<&str> {
        self.key.as_ref().map(Secret::reveal)
    }
}

pub(super) fn timed_out(what: Awaited, limit: Duration) -> ModelErrorKind {
    let limit_ms = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
    ModelErrorKind::TimedOut { what, limit_ms }
}

pub(super) fn too_long() -> ModelErrorKind {
    ModelErrorKind::InvalidResponse { reason: format!("it is longer than {ANSWER_BYTES_MAX} bytes") }
}

/// The address of `path` under the base, whose own path and query are kept.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

/// Reads the start of a body. What cannot be read is left out: the failure is known already.
async fn read_start(response: &mut Response, limit: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < limit {
        match response.chunk().await {
            Ok(Some(part)) => body.extend_from_slice(&part),
            Ok(None) | Err(_) => break,
        }
    }
    body.truncate(limit);
    body
}

/// Tells where a redirect leads, by host only: the rest of the address may hold a key.
fn redirection(target: Option<&str>, from: &Url) -> String {
    match target.and_then(|target| from.join(target).ok()) {
        Some(target) => format!(
            "it redirects to {}, which is not followed: set `base_url` to the address that answers",
            target.origin().ascii_serialization()
        ),
        None => "it redirects to nowhere".to_owned(),
    }
}
