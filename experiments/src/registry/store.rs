//! The file of the registry.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use playhouse_config::aliases::is_registered_name;
use playhouse_config::entry_yaml;
use playhouse_config::settings::{LocalSource, ModelConfig, ProviderConfig};
use playhouse_protocol::WallClock;
use serde::{Deserialize, Serialize};

use super::model::{HISTORY_MAX, VERSIONS_MAX};
use super::{
    Event, EventKind, RegistryError, RegistryEvaluation, RegistryModel, RegistryVersion, Stages, Why,
};
use crate::digest::sha256_hex;
use crate::files;

/// The version of the form of the file.
const VERSION: u32 = 1;

/// The registry of a folder of experiments. Every change is read, made and written under a lock that processes share, as a whole
/// or not at all. Files are worked on: call it where that is bearable.
#[derive(Debug, Clone)]
pub struct Registry {
    path: PathBuf,
    clock: Arc<dyn WallClock>,
}

/// A version that was registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registered {
    /// Its number.
    pub version: u32,
    /// Whether it was not there before.
    pub is_new: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct SavedRegistry {
    version: u32,
    models: BTreeMap<String, RegistryModel>,
}

impl Registry {
    /// The registry of a folder of experiments; the file is made with the first version.
    pub fn new(experiments_dir: &Path, clock: Arc<dyn WallClock>) -> Self {
        Self { path: experiments_dir.join("registry.json"), clock }
    }

    /// Registers an entry of the catalog as a new version, a candidate. The same settings again are the version that they
    /// are already. Relative paths in the entry are made absolute.
    ///
    /// # Errors
    /// When the name or the reason cannot be used, or the file fails.
    pub fn register(&self, name: &str, entry: &ModelConfig, why: &Why) -> Result<Registered, RegistryError> {
        if !is_registered_name(name) {
            return Err(RegistryError::Name { name: name.chars().take(60).collect() });
        }
        let entry_yaml = entry_yaml(&with_absolute_paths(entry.clone()));
        let sha256 = sha256_hex(&entry_yaml);
        self.change(name, why, |models, event| {
            let model = models.entry(name.to_owned()).or_default();
            if let Some(same) = model.versions.iter().find(|version| version.sha256 == sha256) {
                return Ok((Registered { version: same.version, is_new: false }, false));
            }
            let version = model.versions.last().map_or(1, |last| last.version + 1);
            let evaluations = Vec::new();
            model.versions.push(RegistryVersion { version, entry_yaml, sha256, evaluations });
            push(name, model, event(EventKind::Registered, version))?;
            Ok((Registered { version, is_new: true }, true))
        })
    }

    /// Puts a version into production; the one that was there is archived. Nothing changes when it is there already.
    ///
    /// # Errors
    /// When there is no such version, no reason, or the file fails.
    pub fn promote(&self, name: &str, version: u32, why: &Why) -> Result<(), RegistryError> {
        self.change(name, why, |models, event| {
            let model = known_version(models, name, version)?;
            if Stages::of(model).production == Some(version) {
                return Ok(((), false));
            }
            push(name, model, event(EventKind::Promoted, version))?;
            Ok(((), true))
        })
    }

    /// Puts the version back that was in production before, and gives its number. A second step back goes one further.
    ///
    /// # Errors
    /// When there was none, there is no such model, no reason, or the file fails.
    pub fn rollback(&self, name: &str, why: &Why) -> Result<u32, RegistryError> {
        self.change(name, why, |models, event| {
            let model = known(models, name)?;
            let before = Stages::of(model).before.last().copied();
            let version = before.ok_or_else(|| RegistryError::NothingBefore { name: name.to_owned() })?;
            push(name, model, event(EventKind::RolledBack, version))?;
            Ok((version, true))
        })
    }

    /// Puts a version away: it is no candidate any more, and no step back leads to it.
    ///
    /// # Errors
    /// When it is in production, there is no such version, no reason, or the file fails.
    pub fn archive(&self, name: &str, version: u32, why: &Why) -> Result<(), RegistryError> {
        self.change(name, why, |models, event| {
            let model = known_version(models, name, version)?;
            if Stages::of(model).production == Some(version) {
                return Err(RegistryError::InProduction { name: name.to_owned(), version });
            }
            push(name, model, event(EventKind::Archived, version))?;
            Ok(((), true))
        })
    }

    /// Attaches what a run has measured to a version. Another result of the same run takes the place of the first.
    ///
    /// # Errors
    /// When there is no such version, or the file fails.
    pub fn evaluated(
        &self,
        name: &str,
        version: u32,
        run: &str,
        metrics: BTreeMap<String, f64>,
    ) -> Result<(), RegistryError> {
        let unix_ms = self.clock.unix_ms();
        self.with_models(|models| {
            let model = known_version(models, name, version)?;
            let found = model.versions.iter_mut().find(|one| one.version == version);
            if let Some(found) = found {
                found.evaluations.retain(|one| one.run != run);
                found.evaluations.push(RegistryEvaluation { run: run.to_owned(), unix_ms, metrics });
            }
            Ok(((), true))
        })
    }

    /// Every registered model by its name.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged, or another version wrote it.
    pub fn list(&self) -> Result<BTreeMap<String, RegistryModel>, RegistryError> {
        let bytes = files::read_if_there(&self.path).map_err(|error| self.file("read", error))?;
        let Some(bytes) = bytes else { return Ok(BTreeMap::new()) };
        let damaged = |reason: String| RegistryError::Damaged { path: self.path.clone(), reason };
        let saved: SavedRegistry =
            serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
        if saved.version != VERSION {
            let (found, known) = (saved.version, VERSION);
            return Err(RegistryError::Version { path: self.path.clone(), found, known });
        }
        for (name, model) in &saved.models {
            check(name, model).map_err(damaged)?;
        }
        Ok(saved.models)
    }

    /// One registered model.
    ///
    /// # Errors
    /// When there is none of this name, or as [`list`](Self::list).
    pub fn model(&self, name: &str) -> Result<RegistryModel, RegistryError> {
        known(&mut self.list()?, name).cloned()
    }

    /// What was done to a model, in the order of time.
    ///
    /// # Errors
    /// As [`model`](Self::model).
    pub fn history(&self, name: &str) -> Result<Vec<Event>, RegistryError> {
        Ok(self.model(name)?.history)
    }

    /// A change with a reason. `work` says whether it changed something.
    fn change<T>(
        &self,
        name: &str,
        why: &Why,
        work: impl FnOnce(
            &mut BTreeMap<String, RegistryModel>,
            &dyn Fn(EventKind, u32) -> Event,
        ) -> Result<(T, bool), RegistryError>,
    ) -> Result<T, RegistryError> {
        if why.reason.trim().is_empty() {
            return Err(RegistryError::NoReason { name: name.to_owned() });
        }
        let unix_ms = self.clock.unix_ms();
        self.with_models(|models| {
            // A clock that was set back does not change the order of what was done.
            let last = models.get(name).and_then(|model| model.history.last()).map_or(0, |last| last.unix_ms);
            let event = |kind, version| Event { unix_ms: unix_ms.max(last), kind, version, why: why.clone() };
            work(models, &event)
        })
    }

    fn with_models<T>(
        &self,
        work: impl FnOnce(&mut BTreeMap<String, RegistryModel>) -> Result<(T, bool), RegistryError>,
    ) -> Result<T, RegistryError> {
        let _lock =
            files::lock(&self.path.with_extension("lock")).map_err(|error| self.file("lock", error))?;
        let mut models = self.list()?;
        let (done, is_changed) = work(&mut models)?;
        if is_changed {
            let saved = SavedRegistry { version: VERSION, models };
            let mut bytes =
                serde_json::to_vec_pretty(&saved).map_err(|error| self.file("write", error.into()))?;
            bytes.push(b'\n');
            files::write_whole(&self.path, &bytes).map_err(|error| self.file("write", error))?;
        }
        Ok(done)
    }

    fn file(&self, what: &'static str, source: std::io::Error) -> RegistryError {
        RegistryError::File { what, path: self.path.clone(), source }
    }
}

/// What is wrong with a model that was read.
fn check(name: &str, model: &RegistryModel) -> Result<(), String> {
    if !is_registered_name(name) {
        return Err(format!("{name:?} is no name of a model"));
    }
    for (number, version) in (1..).zip(&model.versions) {
        if version.version != number {
            return Err(format!("version {number} of model {name} is missing"));
        }
        if version.sha256 != sha256_hex(&version.entry_yaml) {
            return Err(format!("the settings of version {number} of model {name} do not have its hash"));
        }
    }
    let last = model.versions.len();
    let unknown = |event: &&Event| event.version == 0 || event.version as usize > last;
    match model.history.iter().find(unknown) {
        Some(event) => {
            Err(format!("the history of model {name} has version {}, which is not there", event.version))
        }
        None if !model.history.is_sorted_by_key(|event| event.unix_ms) => {
            Err(format!("the history of model {name} is not in the order of time"))
        }
        None => Ok(()),
    }
}

fn push(name: &str, model: &mut RegistryModel, event: Event) -> Result<(), RegistryError> {
    if model.versions.len() > VERSIONS_MAX || model.history.len() >= HISTORY_MAX {
        return Err(RegistryError::Full { name: name.to_owned() });
    }
    model.history.push(event);
    Ok(())
}

fn known<'a>(
    models: &'a mut BTreeMap<String, RegistryModel>,
    name: &str,
) -> Result<&'a mut RegistryModel, RegistryError> {
    let names: Vec<String> = models.keys().cloned().collect();
    models
        .get_mut(name)
        .ok_or_else(|| RegistryError::UnknownModel { name: name.chars().take(60).collect(), known: names })
}

fn known_version<'a>(
    models: &'a mut BTreeMap<String, RegistryModel>,
    name: &str,
    version: u32,
) -> Result<&'a mut RegistryModel, RegistryError> {
    let model = known(models, name)?;
    if model.versions.iter().any(|one| one.version == version) {
        return Ok(model);
    }
    let last = model.versions.last().map_or(0, |last| last.version);
    Err(RegistryError::UnknownVersion { name: name.to_owned(), version, last })
}

/// The entry as it is meant from every working folder.
fn with_absolute_paths(mut entry: ModelConfig) -> ModelConfig {
    match &mut entry.provider {
        ProviderConfig::Scripted { script: path } => make_absolute(path),
        ProviderConfig::Local(local) => {
            if let LocalSource::File(path) = &mut local.source {
                make_absolute(path);
            }
        }
        ProviderConfig::OpenAi(http) | ProviderConfig::Anthropic(http) | ProviderConfig::Ollama(http) => {
            use playhouse_config::SecretRef;
            use playhouse_config::settings::TrafficConfig;
            if let Some(SecretRef::File(path)) = &mut http.api_key {
                make_absolute(path);
            }
            if let Some(TrafficConfig::Record(path) | TrafficConfig::Replay(path)) = &mut http.traffic {
                make_absolute(path);
            }
        }
    }
    entry
}

/// Where there is no working folder, a path stays as it is.
fn make_absolute(path: &mut PathBuf) {
    if let Ok(absolute) = std::path::absolute(&*path) {
        *path = absolute;
    }
}
