//! Stages, derived from a history.

use std::collections::BTreeMap;

use playhouse_config::RegisteredModel;
use playhouse_config::aliases::version_entry;

use super::{Event, EventKind, RegistryModel, Stage};

/// Where the versions of a model stand after some events.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stages {
    /// By version.
    pub stages: BTreeMap<u32, Stage>,
    /// The version in production.
    pub production: Option<u32>,
    /// Versions that were in production before and can be gone back to, the latest last.
    pub before: Vec<u32>,
}

impl Stages {
    /// Those after all events of a model.
    pub fn of(model: &RegistryModel) -> Self {
        let mut stages = Self::default();
        model.history.iter().for_each(|event| stages.apply(event));
        stages
    }

    /// The candidate with the highest number.
    pub fn newest_candidate(&self) -> Option<u32> {
        let mut newest = self.stages.iter().rev();
        newest.find(|(_, stage)| **stage == Stage::Candidate).map(|(version, _)| *version)
    }

    fn apply(&mut self, event: &Event) {
        let version = event.version;
        match event.kind {
            EventKind::Registered => {
                self.stages.insert(version, Stage::Candidate);
            }
            EventKind::Promoted => {
                self.before.retain(|before| *before != version);
                self.before.extend(self.production);
                self.produce(version);
            }
            EventKind::RolledBack => {
                self.before.retain(|before| *before != version);
                self.produce(version);
            }
            EventKind::Archived => {
                self.before.retain(|before| *before != version);
                self.stages.insert(version, Stage::Archived);
            }
        }
    }

    fn produce(&mut self, version: u32) {
        if let Some(replaced) = self.production.replace(version) {
            self.stages.insert(replaced, Stage::Archived);
        }
        self.stages.insert(version, Stage::Production);
    }
}

/// What the aliases of a model lead to, at every time.
pub(super) fn aliases(name: &str, model: &RegistryModel) -> RegisteredModel {
    let entries = model.versions.iter().map(|one| (one.version, version_entry(name, one.version)));
    let mut aliases = RegisteredModel { versions: entries.collect(), ..RegisteredModel::default() };
    let mut stages = Stages::default();
    for event in &model.history {
        stages.apply(event);
        let note = |changes: &mut Vec<(u64, Option<u32>)>, version: Option<u32>| {
            if changes.last().map_or(version.is_some(), |(_, last)| *last != version) {
                changes.push((event.unix_ms, version));
            }
        };
        note(&mut aliases.production, stages.production);
        note(&mut aliases.candidate, stages.newest_candidate());
    }
    aliases
}
