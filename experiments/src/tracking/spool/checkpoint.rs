//! How far the journal was sent.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::files;
use crate::tracking::TrackingError;

/// The version of the form of the file.
const VERSION: u32 = 1;

/// How far the journal was sent, and what the server calls our runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Checkpoint {
    version: u32,
    /// The number of the last operation that was sent or parked.
    pub(super) delivered: u64,
    /// By our id, those that the journal knows.
    pub(super) runs: BTreeMap<String, RunHandle>,
}

/// A run on the server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::tracking) struct RunHandle {
    /// The server's id of it.
    pub(in crate::tracking) run_id: String,
    /// Where its files go.
    pub(in crate::tracking) artifact_uri: String,
    /// Whether it was there before: then what is sent may be there, too.
    pub(in crate::tracking) is_found: bool,
}

pub(super) fn read(dir: &Path) -> Result<Checkpoint, TrackingError> {
    let path = path(dir);
    let bytes = files::read_if_there(&path).map_err(|error| TrackingError::file("read", &path, error))?;
    let Some(bytes) = bytes else {
        return Ok(Checkpoint { version: VERSION, delivered: 0, runs: BTreeMap::new() });
    };
    let read: Checkpoint = serde_json::from_slice(&bytes)
        .map_err(|error| TrackingError::damaged(&path, error.line(), &error))?;
    if read.version != VERSION {
        return Err(TrackingError::Version { path, found: read.version, known: VERSION });
    }
    Ok(read)
}

impl Checkpoint {
    pub(super) fn write(&self, dir: &Path) -> Result<(), TrackingError> {
        let path = path(dir);
        let bytes =
            serde_json::to_vec(self).map_err(|error| TrackingError::file("write", &path, error.into()))?;
        files::write_whole(&path, &bytes).map_err(|error| TrackingError::file("write", &path, error))
    }
}

fn path(dir: &Path) -> PathBuf {
    dir.join("checkpoint.json")
}
