//! Cuts a streamed answer into its events.

use super::LINE_BYTES_MAX;
use super::form::invalid;
use super::lines::LineDecoder;
use super::sse::SseDecoder;
use crate::error::ModelErrorKind;

/// How a streamed answer is cut into events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Server-sent events.
    Sse,
    /// A JSON text in each line.
    Lines,
}

impl Framing {
    /// Whether an answer of this media type is a stream: some servers do not stream, whatever they are asked. A
    /// whole answer in one line is a stream of one line.
    pub(super) fn streams(self, content_type: &str) -> bool {
        match self {
            Self::Sse => matches!(content_type, "text/event-stream" | "" | "application/octet-stream"),
            Self::Lines => true,
        }
    }

    pub(super) fn decoder(self) -> Decoder {
        match self {
            Self::Sse => Decoder::Sse(SseDecoder::default()),
            Self::Lines => Decoder::Lines(LineDecoder::default()),
        }
    }
}

/// Why bytes are not a stream of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum FrameError {
    #[error("a line is longer than {LINE_BYTES_MAX} bytes")]
    TooLong,
    #[error("a line is not UTF-8")]
    NotUtf8,
}

impl From<FrameError> for ModelErrorKind {
    fn from(error: FrameError) -> Self {
        invalid(error.to_string())
    }
}

/// Decodes events from bytes as they arrive.
#[derive(Debug)]
pub(super) enum Decoder {
    Sse(SseDecoder),
    Lines(LineDecoder),
}

impl Decoder {
    /// Takes bytes and gives every event that they complete.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Result<Vec<String>, FrameError> {
        match self {
            Self::Sse(decoder) => decoder.push(bytes),
            Self::Lines(decoder) => decoder.push(bytes),
        }
    }

    /// Ends the stream and gives the event that had not been completed.
    pub(super) fn finish(&mut self) -> Result<Option<String>, FrameError> {
        match self {
            Self::Sse(decoder) => std::mem::take(decoder).finish(),
            Self::Lines(decoder) => std::mem::take(decoder).finish(),
        }
    }
}
