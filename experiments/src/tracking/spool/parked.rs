//! Operations that the server has refused for good.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::Operation;
use crate::files;
use crate::tracking::TrackingError;

/// An operation that the server has refused for good. It stands in nobody's way, and is not sent again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Parked {
    /// Its number.
    pub seq: u64,
    /// What was refused; of several things in one operation, only the refused ones.
    pub operation: Operation,
    /// Why.
    pub refusal: Refusal,
}

/// Why an operation was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Refusal {
    /// A parameter has another value on the server already.
    #[error("the server has another value of parameter {key:?}, and parameters never change")]
    ParamChanged {
        /// The parameter.
        key: String,
    },
    /// The server refused it.
    #[error("the server answered with status {status}: {message}")]
    Status {
        /// The status.
        status: u16,
        /// What it said, cut short.
        message: String,
    },
    /// What it builds on was refused or is gone.
    #[error("{missing}")]
    Missing {
        /// What is missing, as a sentence without its end.
        missing: String,
    },
}

pub(super) fn append(path: &Path, parked: &[Parked]) -> Result<(), TrackingError> {
    let mut lines = Vec::new();
    // What a crash has cut off of the last line ends here.
    if files::read_if_there(path)
        .ok()
        .flatten()
        .is_some_and(|bytes| bytes.last().is_some_and(|last| *last != b'\n'))
    {
        lines.push(b'\n');
    }
    for one in parked {
        serde_json::to_writer(&mut lines, one)
            .map_err(|error| TrackingError::file("write", path, error.into()))?;
        lines.push(b'\n');
    }
    files::append(path, &lines).map_err(|error| TrackingError::file("write", path, error))
}

/// Every parked operation; one that a crash has let be parked twice counts once, a line that was cut off not at all.
pub(super) fn read(path: &Path) -> Result<Vec<Parked>, TrackingError> {
    let bytes = files::read_if_there(path).map_err(|error| TrackingError::file("read", path, error))?;
    let bytes = bytes.unwrap_or_default();
    let lines = bytes.split(|byte| *byte == b'\n');
    let mut parked = BTreeMap::<(u64, String), Parked>::new();
    for one in lines.filter_map(|line| serde_json::from_slice::<Parked>(line).ok()) {
        let text = serde_json::to_string(&one.operation).unwrap_or_default();
        parked.insert((one.seq, text), one);
    }
    Ok(parked.into_values().collect())
}
