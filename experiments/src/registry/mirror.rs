//! Registered models for a tracking server.

use super::{EventKind, Registry, RegistryError, Stages};
use crate::tracking::spool::{AliasChange, NewVersion, Operation};

impl Registry {
    /// What a tracking server is to be told of a model: every version, and where its aliases lead. Told again, nothing changes
    /// there.
    ///
    /// # Errors
    /// When there is no such model, or as [`Registry::list`].
    pub fn mirror(&self, name: &str) -> Result<Vec<Operation>, RegistryError> {
        let model = self.model(name)?;
        let registered = |version: u32| {
            let of = |kind, number| kind == EventKind::Registered && number == version;
            model.history.iter().find(|event| of(event.kind, event.version))
        };
        let mut operations: Vec<Operation> = Vec::new();
        for version in &model.versions {
            operations.push(Operation::Version(NewVersion {
                model: name.to_owned(),
                version: version.version,
                sha256: version.sha256.clone(),
                reason: registered(version.version).map(|event| event.why.reason.clone()).unwrap_or_default(),
            }));
        }
        let stages = Stages::of(&model);
        let unix_ms = model.history.last().map_or(0, |last| last.unix_ms);
        let leads = [("production", stages.production), ("candidate", stages.newest_candidate())];
        operations.extend(leads.map(|(alias, version)| {
            Operation::Alias(AliasChange {
                model: name.to_owned(),
                alias: alias.to_owned(),
                version,
                unix_ms,
            })
        }));
        Ok(operations)
    }
}
