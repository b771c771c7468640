//! What comes back: the head of an answer, and its body part by part.

use std::collections::VecDeque;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Response, StatusCode};
use tokio_util::bytes::Bytes;

use crate::error::ModelErrorKind;
use crate::traffic::{Played, Recording};

/// An answer of which the head has arrived.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    body: Body,
    /// Set where the answer is written down.
    recording: Option<Recording>,
}

#[derive(Debug)]
enum Body {
    Network(Response),
    Recorded {
        parts: VecDeque<Vec<u8>>,
        /// Whether the recorded connection broke behind them.
        is_broken: bool,
    },
}

/// Why the next part cannot be read.
#[derive(Debug)]
pub(super) enum ReplyError {
    Network(reqwest::Error),
    /// The connection broke here when the answer was recorded.
    Recorded,
}

impl Reply {
    pub(super) fn from_network(mut response: Response, mut recording: Option<Recording>) -> Self {
        let headers = std::mem::take(response.headers_mut());
        if let Some(recording) = &mut recording {
            recording.head(response.status(), &headers);
        }
        Self { status: response.status(), headers, body: Body::Network(response), recording }
    }

    pub(super) fn from_recording(played: Played) -> Self {
        let Played { status, headers, parts, is_broken } = played;
        Self { status, headers, body: Body::Recorded { parts: parts.into(), is_broken }, recording: None }
    }

    /// The next part of the body; `None` behind the last.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, ReplyError> {
        match &mut self.body {
            Body::Network(response) => {
                let part = response.chunk().await;
                if let Some(recording) = &mut self.recording {
                    match &part {
                        Ok(Some(bytes)) => recording.part(bytes),
                        Ok(None) => {}
                        Err(_) => recording.broke(),
                    }
                }
                part.map_err(ReplyError::Network)
            }
            Body::Recorded { parts, is_broken } => match parts.pop_front() {
                Some(part) => Ok(Some(part.into())),
                None if *is_broken => Err(ReplyError::Recorded),
                None => Ok(None),
            },
        }
    }

    /// The media type without its parameters, in lower case; empty when the server does not say.
    pub(super) fn content_type(&self) -> String {
        let value = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    /// Writes the answer down where that is wanted. To be called when it has been read as far as it is needed: an
    /// answer whose caller has left is not written down, since it would be given again as if it were whole.
    pub(super) async fn close(&mut self) -> Result<(), ModelErrorKind> {
        match self.recording.take() {
            Some(recording) => recording.write().await,
            None => Ok(()),
        }
    }
}
