//! A registered model as it is kept.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Versions of one model: each becomes an entry of the catalog.
pub(super) const VERSIONS_MAX: usize = 1_000;

/// Changes of one model that are kept: all of them, since stages are derived from them.
pub(super) const HISTORY_MAX: usize = 10_000;

/// A registered model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RegistryModel {
    /// Its versions; the first is number 1.
    pub versions: Vec<RegistryVersion>,
    /// What was done, in the order of time. Stages are derived from it.
    pub history: Vec<Event>,
}

/// A version of a registered model. It never changes, but for what was measured of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegistryVersion {
    /// Its number, from 1.
    pub version: u32,
    /// The catalog entry as YAML with nothing left to defaults; secrets are in it as references alone.
    pub entry_yaml: String,
    /// The SHA-256 of that text, in hexadecimal.
    pub sha256: String,
    /// What was measured of it.
    pub evaluations: Vec<RegistryEvaluation>,
}

/// What a run has measured of a version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RegistryEvaluation {
    /// The run of an experiment.
    pub run: String,
    /// When it was attached, in milliseconds since 1970.
    pub unix_ms: u64,
    /// Values by metric.
    pub metrics: BTreeMap<String, f64>,
}

/// Something that was done to a version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// When, in milliseconds since 1970; never before the event in front of it.
    pub unix_ms: u64,
    /// What.
    pub kind: EventKind,
    /// To which version; for a step back, the one that it leads to.
    pub version: u32,
    /// By whom and why.
    #[serde(flatten)]
    pub why: Why,
}

/// What can be done to a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// It was registered, as a candidate.
    Registered,
    /// It went into production.
    Promoted,
    /// It came back into production.
    RolledBack,
    /// It was put away.
    Archived,
}

impl EventKind {
    /// The name used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Registered => "registered",
            Self::Promoted => "promoted",
            Self::RolledBack => "rolled back",
            Self::Archived => "archived",
        }
    }
}

/// By whom and why something is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Why {
    /// By whom, where that is known.
    pub who: Option<String>,
    /// Why; not empty.
    pub reason: String,
}

/// Where a version stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It may go into production.
    Candidate,
    /// It is what `@NAME` leads to.
    Production,
    /// It was replaced or put away.
    Archived,
}

impl Stage {
    /// The name used in reports.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Candidate => "candidate",
            Self::Production => "production",
            Self::Archived => "archived",
        }
    }
}
