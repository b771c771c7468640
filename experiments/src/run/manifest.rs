//! What a run is made of.

use std::collections::BTreeMap;
use std::fmt;

use playhouse_config::experiments::{ExperimentTask, ExperimentTemplate};
use playhouse_config::reasoning::prompt_sha256;
use playhouse_protocol::{Failure, WallClock};
use playhouse_runtime::models::Catalog;
use serde::{Deserialize, Serialize};

use super::trials;
use crate::digest::sha256_hex;

/// The task types that select the models of riddles, judges and developed code.
const RIDDLE: &str = "riddle";
const JUDGE: &str = "judge";
const GENERATE: &str = "generate";

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

/// Task type and the name that was given, if any, to the name of a model.
pub type ModelFor<'a> = dyn Fn(&str, Option<&str>) -> Result<String, Failure> + 'a;

/// What a manifest is made of.
pub struct ManifestParts<'a> {
    /// What is compared.
    pub design: ExperimentTemplate,
    /// The template as it was written, where it came from a file.
    pub template_yaml: Option<String>,
    /// The models.
    pub catalog: &'a Catalog,
    /// Gives the model that a task of a type asks: the one that is named, or the one that is selected.
    pub model_for: &'a ModelFor<'a>,
    /// The time of day.
    pub clock: &'a dyn WallClock,
}

impl fmt::Debug for ManifestParts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ManifestParts").field("experiment", &self.design.name).finish_non_exhaustive()
    }
}

impl Manifest {
    /// The version of the forms of manifest and records that this program writes.
    pub const VERSION: u32 = 1;

    /// What makes a manifest of a run's name. Where the design leaves a model to the selection, the one that is selected now is
    /// written down, so that all of the run is about the same one.
    ///
    /// # Errors
    /// When a model is not in the catalog, none can be selected, or a question would be refused by the agent.
    pub fn of(parts: ManifestParts<'_>) -> Result<impl FnOnce(String) -> Self + use<>, Failure> {
        let ManifestParts { mut design, template_yaml, catalog, model_for, clock } = parts;
        let mut models = BTreeMap::new();
        let mut pin = |model: &mut Option<String>, task_type: &str| -> Result<(), Failure> {
            let selected = model_for(task_type, model.as_deref())?;
            models.insert(selected.clone(), ModelVersion::of(&selected, catalog));
            *model = Some(selected);
            Ok(())
        };
        let task_type = match design.task {
            ExperimentTask::Riddle => RIDDLE,
            ExperimentTask::Develop => GENERATE,
        };
        for variant in &mut design.variants {
            pin(&mut variant.model, task_type)?;
        }
        if let Some(judge) = &mut design.judge {
            pin(&mut judge.model, JUDGE)?;
        }
        trials::check(&design)?;
        let prompts =
            design.variants.iter().map(|variant| (variant.name.clone(), prompt_sha256(&variant.mode)));
        let prompts_sha256 = match design.task {
            ExperimentTask::Riddle => prompts.collect(),
            ExperimentTask::Develop => BTreeMap::new(),
        };
        let created_unix_ms = clock.unix_ms();
        Ok(move |run| Self {
            version: Self::VERSION,
            run,
            created_unix_ms,
            design,
            template_yaml,
            prompts_sha256,
            models,
            code: CodeVersion { playhouse: env!("CARGO_PKG_VERSION").to_owned() },
            machine: Machine::this(),
        })
    }

    /// Makes sure that the models are still what they were when the run began: answers of others would not be comparable.
    ///
    /// # Errors
    /// Class `InvalidInput`, with every model that has changed.
    pub fn check_models(&self, catalog: &Catalog) -> Result<(), Failure> {
        let changed =
            self.models.iter().filter(|(name, version)| ModelVersion::of(name, catalog) != **version);
        let changed: Vec<_> = changed.map(|(name, _)| name.as_str()).collect();
        if changed.is_empty() {
            return Ok(());
        }
        let message =
            format!("go on with run {}: the settings of {} have changed since", self.run, changed.join(", "));
        Err(Failure::invalid(message).with_hint("Take the changes back, or begin a new run."))
    }

    /// A hash of all of it, in hexadecimal: runs of the same name in different folders are told apart by it.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(super) fn sha256(&self) -> Result<String, Failure> {
        let json = serde_json::to_vec(self);
        let json = json.map_err(|error| Failure::internal(format!("write down the manifest: {error}")))?;
        Ok(sha256_hex(&json))
    }
}

impl ModelVersion {
    /// One of the embedder's own has no settings.
    fn of(model: &str, catalog: &Catalog) -> Self {
        let entry = catalog.entries().into_iter().find(|entry| entry.name == model);
        let (Some(entry), Ok(config)) = (entry, catalog.config(model)) else {
            return Self {
                provider: "own".to_owned(),
                model: model.to_owned(),
                config_sha256: String::new(),
            };
        };
        // Secrets are in the settings as references, and shown as such.
        let config_sha256 = sha256_hex(playhouse_config::entry_yaml(config));
        Self { provider: entry.provider.as_str().to_owned(), model: entry.location, config_sha256 }
    }
}

impl Machine {
    /// The one that this process runs on.
    fn this() -> Self {
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self {
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            threads: u32::try_from(threads).unwrap_or(u32::MAX),
        }
    }
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
