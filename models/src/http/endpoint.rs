//! One endpoint: sends requests and turns what fails into typed errors.

use std::sync::Arc;
use std::time::Duration;

use playhouse_config::Secret;
use playhouse_config::settings::{TimeoutsConfig, TrafficConfig};
use playhouse_protocol::WallClock;
use playhouse_protocol::completion::CompletionRequest;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION};
use reqwest::{Method, Url};

use super::fault::Fault;
use super::form::{Call, Form, ReadError, broken, invalid};
use super::hint::retry_hint;
use super::reply::{Reply, ReplyError};
use super::schema::{SchemaCheck, Schemas};
use super::scrub::scrub;
use super::{ANSWER_BYTES_MAX, Connections, HttpArgs};
use crate::client::ModelInfo;
use crate::error::{Awaited, ModelError, ModelErrorKind};
use crate::network::root_cause;
use crate::tokens::TokenCounter;
use crate::traffic::{Player, Recorder};

/// The most of a failed answer's body that is read, in bytes: enough for any explanation.
const FAULT_BYTES_MAX: usize = 64 * 1024;

/// What is sent.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// The headers in which servers name a request.
const REQUEST_ID_HEADERS: [&str; 2] = ["x-request-id", "request-id"];

/// The longest name of a request that is kept, in bytes.
const REQUEST_ID_BYTES_MAX: usize = 128;

/// Where answers come from.
#[derive(Debug)]
enum Wire {
    Network { client: reqwest::Client, recorder: Option<Recorder> },
    Recorded(Player),
}

/// One endpoint and what is asked of it. Shared by the calls that run.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) info: ModelInfo,
    pub(super) timeouts: TimeoutsConfig,
    pub(super) tokens: Arc<dyn TokenCounter>,
    pub(super) form: Box<dyn Form>,
    schemas: Schemas,
    /// The provider's name of the model.
    model: String,
    /// Scheme, host and port, for errors.
    origin: String,
    chat_url: Url,
    ping_url: Url,
    key: Option<Secret>,
    /// Of every request, the key's among them.
    headers: HeaderMap,
    wire: Wire,
    wall_clock: Arc<dyn WallClock>,
}

impl Endpoint {
    pub(super) fn new(
        args: HttpArgs,
        form: Box<dyn Form>,
        connections: &Connections,
    ) -> Result<Self, ModelError> {
        let HttpArgs { info, base_url, model, api_key, timeouts, traffic, tokens, wall_clock } = args;
        let error = |kind| ModelError::new(&info, kind);
        let wrong = |reason: String| ModelErrorKind::InvalidRequest { field: "base_url", reason };
        let base =
            Url::parse(base_url.trim_end_matches('/')).map_err(|cause| error(wrong(cause.to_string())))?;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(error(wrong("it is not of the form http://HOST or https://HOST".to_owned())));
        }
        let origin = base.origin().ascii_serialization();
        let wire = match traffic {
            Some(TrafficConfig::Replay(folder)) => Wire::Recorded(Player::new(folder)),
            Some(TrafficConfig::Record(_)) | None => {
                let client = connections.client(&base, timeouts.connect).map_err(|reason| {
                    error(ModelErrorKind::Connector {
                        endpoint: origin.clone(),
                        reason: scrub(&reason, None),
                    })
                })?;
                let recorder = match traffic {
                    Some(TrafficConfig::Record(folder)) => Some(Recorder::new(folder, api_key.as_ref())),
                    _ => None,
                };
                Wire::Network { client, recorder }
            }
        };
        let headers = headers(&*form, api_key.as_ref()).map_err(error)?;
        Ok(Self {
            chat_url: below(&base, form.chat_path()),
            ping_url: below(&base, form.ping_path()),
            info,
            timeouts,
            tokens,
            form,
            schemas: Schemas::default(),
            model,
            origin,
            key: api_key,
            headers,
            wire,
            wall_clock,
        })
    }

    /// Sends a request and waits for the head of the answer. A status other than 2xx is an error.
    pub(super) async fn send(&self, request: &CompletionRequest, stream: bool) -> Result<Reply, ModelError> {
        let host = self.chat_url.host_str().unwrap_or_default();
        let call = Call { request, info: &self.info, model: &self.model, host, stream };
        let body = self.form.body(&call).map_err(|kind| self.error(kind))?;
        let reply = match &self.wire {
            Wire::Network { client, recorder } => {
                let path = self.chat_url.path();
                let recording = recorder.as_ref().map(|recorder| recorder.begin("POST", path, &body));
                let mut request = reqwest::Request::new(Method::POST, self.chat_url.clone());
                request.headers_mut().clone_from(&self.headers);
                request.headers_mut().insert(CONTENT_TYPE, JSON);
                *request.body_mut() = Some(body.into());
                let response = client.execute(request).await;
                let response = response.map_err(|error| self.error(self.transport_fault(&error)))?;
                Reply::from_network(response, recording)
            }
            Wire::Recorded(player) => {
                let played = player.play("POST", self.chat_url.path(), &body).await;
                Reply::from_recording(played.map_err(|kind| self.error(kind))?)
            }
        };
        self.judge(reply).await
    }

    /// Asks for the list of models, which costs nothing. A server without that list has been reached all the same.
    pub(super) async fn ping(&self) -> Result<(), ModelError> {
        let client = match &self.wire {
            Wire::Network { client, .. } => client,
            Wire::Recorded(player) => return player.ping().await.map_err(|kind| self.error(kind)),
        };
        let response = client.get(self.ping_url.clone()).headers(self.headers.clone()).send().await;
        let response = response.map_err(|error| self.error(self.transport_fault(&error)))?;
        match self.judge(Reply::from_network(response, None)).await {
            Err(error) if matches!(error.status, Some(404 | 405 | 501)) => Ok(()),
            answer => answer.map(drop),
        }
    }

    async fn judge(&self, mut reply: Reply) -> Result<Reply, ModelError> {
        if reply.status.is_success() {
            return Ok(reply);
        }
        let kind = if reply.status.is_redirection() {
            let target = reply.headers.get(LOCATION).and_then(|value| value.to_str().ok());
            ModelErrorKind::Rejected { message: redirection(target, &self.chat_url) }
        } else {
            let body = read_start(&mut reply, FAULT_BYTES_MAX).await;
            self.fault().kind_of_response(reply.status, &body)
        };
        // The failure stands above one to write it down.
        let _ = reply.close().await;
        let mut error = self.error(kind);
        error.status = Some(reply.status.as_u16());
        error.retry_after = retry_hint(reply.status, &reply.headers, self.wall_clock.unix_ms());
        error.request_id = self.request_id(&reply.headers);
        Err(error)
    }

    /// Reads a whole body.
    pub(super) async fn read_body(&self, reply: &mut Reply) -> Result<Vec<u8>, ModelErrorKind> {
        let mut body = Vec::new();
        while let Some(part) = reply.chunk().await.map_err(|error| self.reply_fault(&error))? {
            if body.len() + part.len() > ANSWER_BYTES_MAX {
                return Err(too_long());
            }
            body.extend_from_slice(&part);
        }
        Ok(body)
    }

    /// The check of the answer to a request.
    pub(super) fn schema_check(
        &self,
        request: &CompletionRequest,
    ) -> Result<Option<SchemaCheck>, ModelError> {
        self.schemas.check_of(request, &self.info).map_err(|kind| self.error(kind))
    }

    pub(super) fn error(&self, kind: ModelErrorKind) -> ModelError {
        ModelError::new(&self.info, kind)
    }

    /// What stands in place of an answer that cannot be read.
    pub(super) fn read_fault(&self, error: ReadError, content_type: &str) -> ModelErrorKind {
        match error {
            ReadError::Kind(kind) => kind,
            ReadError::Said(said) => self.fault().kind_of_answer(&said),
            ReadError::Json(error) => not_json(&error, content_type),
        }
    }

    /// Why the next part of an answer cannot be read.
    pub(super) fn reply_fault(&self, error: &ReplyError) -> ModelErrorKind {
        match error {
            ReplyError::Network(error) => self.transport_fault(error),
            ReplyError::Recorded => broken("the connection broke here when it was recorded"),
        }
    }

    /// What the network did.
    fn transport_fault(&self, error: &reqwest::Error) -> ModelErrorKind {
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

    fn fault(&self) -> Fault<'_> {
        Fault {
            words: self.form.fault_words(),
            key: self.key(),
            context_tokens: u64::from(self.info.context_tokens),
        }
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
    invalid(format!("it is longer than {ANSWER_BYTES_MAX} bytes"))
}

/// The headers of every request of a form.
fn headers(form: &dyn Form, key: Option<&Secret>) -> Result<HeaderMap, ModelErrorKind> {
    let mut headers = HeaderMap::new();
    for (name, value) in form.headers() {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(key) = key {
        let (name, value) = form.key_header(key.reveal());
        let mut value = HeaderValue::try_from(value).map_err(|_| {
            let message = format!("the key of {} has characters that no header can hold", key.reference());
            ModelErrorKind::Unauthorized { message }
        })?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

/// The address of `path` under the base, whose own path and query are kept.
fn below(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{path}", base.path().trim_end_matches('/')));
    url
}

/// Reads the start of a body. What cannot be read is left out: the failure is known already.
async fn read_start(reply: &mut Reply, limit: usize) -> Vec<u8> {
    let mut body = Vec::new();
    while body.len() < limit {
        match reply.chunk().await {
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

/// Says where JSON ends to make sense, and not what stands there, which may be an answer's text.
fn not_json(error: &serde_json::Error, content_type: &str) -> ModelErrorKind {
    let what = if error.is_data() { "it is JSON of another form" } else { "it is not JSON" };
    let content_type = scrub(content_type, None);
    invalid(format!(
        "{what} (line {}, column {}, content type {content_type:?})",
        error.line(),
        error.column()
    ))
}
