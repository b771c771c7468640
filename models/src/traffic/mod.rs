//! Traffic of HTTP providers, written down and played back: for tests that need a real server's answers without the
//! server, its key and its price.
//!
//! Each exchange is one JSON file, readable and fit to be kept beside tests: what was asked, and the answer with its
//! parts as they arrived. The name is made of a hash of the request and a number, so that equal requests are answered
//! in the order in which they were recorded.
//!
//! Read in this order: `exchange` is a file, `redact` keeps keys out of it, `recorder` writes and `player` reads.
//!
//! What it does not do: write down the headers of a request, of an answer any but the harmless ones, and the key
//! anywhere. A key that an answer spells over several of its events is not recognised. Connections that fail before
//! an answer begins, and calls whose caller leaves or whose time passes before it ends, are not recorded. Answers are
//! played back as fast as they are read: the times are there for the reader.

mod exchange;
mod player;
mod recorder;
mod redact;

#[cfg(test)]
mod tests;

pub(crate) use player::{Played, Player};
pub(crate) use recorder::{Recorder, Recording};

use crate::error::ModelErrorKind;

/// The most that is written down of an answer, in bytes: more than any answer that is read to its end.
const ANSWER_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Equal requests in a folder that are told apart.
const EQUAL_REQUESTS_MAX: u32 = 10_000;

/// The file of the exchange with this number, from 0, among those of equal requests.
fn file_name(request: &str, number: u32) -> String {
    format!("{request}-{number:04}.json")
}

fn unusable(path: &std::path::Path, reason: impl std::fmt::Display) -> ModelErrorKind {
    ModelErrorKind::Traffic { path: path.display().to_string(), reason: reason.to_string() }
}
