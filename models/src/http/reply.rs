//! What comes back: the head of an answer, and its body part by part.

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Response, StatusCode};
use tokio_util::bytes::Bytes;

/// An answer of which the head has arrived.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Response,
}

impl Reply {
    pub(super) fn from_network(mut response: Response) -> Self {
        let headers = std::mem::take(response.headers_mut());
        Self { status: response.status(), headers, body: response }
    }

    /// The next part of the body; `None` behind the last.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, reqwest::Error> {
        self.body.chunk().await
    }

    /// The media type without its parameters, in lower case; empty when the server does not say.
    pub(super) fn content_type(&self) -> String {
        let value = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }
}
