//! What a run is made of.

use std::collections::BTreeMap;

use playhouse_config::experiments::ExperimentTemplate;
use serde::{Deserialize, Serialize};

/// Everything that a run's numbers depend on, apart from the answers. Written before the first question is asked, and never
/// changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of the forms of manifest and records.
    pub version: u32,
    /// The run's name: that of its folder.
    pub run: String,
    /// When it was begun, in milliseconds since 1970.
    pub created_unix_ms: u64,
    /// What is compared, with every item, prompt and rule in full.
    pub design: ExperimentTemplate,
    /// The template as it was written, where it came from a file.
    pub template_yaml: Option<String>,
    /// The SHA-256 of each variant's prompt templates, in hexadecimal, by the variant's name.
    pub prompts_sha256: BTreeMap<String, String>,
    /// The models that are asked, by their catalog entry.
    pub models: BTreeMap<String, ModelVersion>,
    /// What runs it.
    pub code: CodeVersion,
    /// Where it runs.
    pub machine: Machine,
}

/// What is behind a catalog entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelVersion {
    /// The kind of provider.
    pub provider: String,
    /// The provider's name of the model, or its file.
    pub model: String,
    /// The SHA-256 of the entry's settings, in hexadecimal; secrets are in it as references alone.
    pub config_sha256: String,
}

/// What runs an experiment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeVersion {
    /// The version of Playhouse.
    pub playhouse: String,
}

/// Where an experiment runs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The operating system.
    pub os: String,
    /// The kind of processor.
    pub arch: String,
    /// Threads that can run at once.
    pub threads: u32,
}
