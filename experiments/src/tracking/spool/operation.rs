//! What is kept until it is sent.

use serde::{Deserialize, Serialize};

use crate::tracking::{MetricPoint, RunStart, RunStatus};

/// One thing that the server is to be told: at most what fits into one request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A run begins.
    Begin(RunStart),
    /// What a run was made with.
    Params {
        /// The run.
        run: String,
        /// Key and value.
        params: Vec<(String, String)>,
    },
    /// What was measured.
    Metrics {
        /// The run.
        run: String,
        /// The points.
        points: Vec<MetricPoint>,
    },
    /// Notes on a run.
    Tags {
        /// The run.
        run: String,
        /// Key and value.
        tags: Vec<(String, String)>,
    },
    /// A file of a run.
    Artifact {
        /// The run.
        run: String,
        /// Its name.
        name: String,
        /// The SHA-256 of its bytes, in hexadecimal.
        sha256: String,
    },
    /// A run has ended.
    Finish {
        /// The run.
        run: String,
        /// How.
        status: RunStatus,
        /// When, in milliseconds since 1970.
        ended_unix_ms: u64,
    },
    /// A version of a registered model.
    Version(NewVersion),
    /// An alias of a registered model leads elsewhere.
    Alias(AliasChange),
}

/// A version of a registered model that the server is told of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NewVersion {
    /// The registered model.
    pub model: String,
    /// Our number of it.
    pub version: u32,
    /// The SHA-256 of its settings, in hexadecimal.
    pub sha256: String,
    /// Why it was registered.
    pub reason: String,
}

/// An alias that leads to another version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AliasChange {
    /// The registered model.
    pub model: String,
    /// The alias: `production` or `candidate`.
    pub alias: String,
    /// Our number of the version; `None` takes the alias away.
    pub version: Option<u32>,
    /// When, in milliseconds since 1970: the same change at another time is another one.
    pub unix_ms: u64,
}

impl Operation {
    /// The run that it belongs to.
    pub fn run(&self) -> Option<&str> {
        match self {
            Self::Begin(start) => Some(&start.run),
            Self::Params { run, .. }
            | Self::Metrics { run, .. }
            | Self::Tags { run, .. }
            | Self::Artifact { run, .. }
            | Self::Finish { run, .. } => Some(run),
            Self::Version(_) | Self::Alias(_) => None,
        }
    }

    /// Whether the same operation again is left out as a whole. Of parameters and points, each is by itself; of the others
    /// the last one holds, so that the same may well be meant again.
    pub(super) const fn is_once(&self) -> bool {
        match self {
            Self::Begin(_) | Self::Version(_) | Self::Alias(_) => true,
            Self::Params { .. }
            | Self::Metrics { .. }
            | Self::Tags { .. }
            | Self::Artifact { .. }
            | Self::Finish { .. } => false,
        }
    }

    /// The bytes that it refers to.
    pub(super) fn blob(&self) -> Option<&str> {
        match self {
            Self::Artifact { sha256, .. } => Some(sha256),
            _ => None,
        }
    }
}
