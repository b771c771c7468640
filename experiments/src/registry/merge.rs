//! Registered models as settings: an entry of the catalog for each version, and what aliases lead to.

use playhouse_config::aliases::version_entry;
use playhouse_config::{Config, ConfigErrors, RegisteredModels, parse_entry};

use super::{Registry, RegistryError, stages};

/// A version whose settings this program cannot read. It is in no catalog, and no alias leads to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// The name that it would have in the catalog.
    pub entry: String,
    /// What is wrong with it.
    pub errors: ConfigErrors,
}

impl Registry {
    /// Adds an entry for each version to the catalog, and the aliases. What cannot be read is left out and told.
    ///
    /// # Errors
    /// As [`Registry::list`]; then nothing is added.
    pub fn merge_into(&self, config: &mut Config) -> Result<Vec<LeftOut>, RegistryError> {
        let mut left_out = Vec::new();
        for (name, model) in self.list()? {
            for version in &model.versions {
                let entry = version_entry(&name, version.version);
                match parse_entry(&entry, &version.entry_yaml) {
                    Ok(parsed) => {
                        config.models.insert(entry, parsed);
                    }
                    Err(errors) => left_out.push(LeftOut { entry, errors }),
                }
            }
        }
        config.registered = self.aliases()?;
        let models = &config.models;
        for model in config.registered.values_mut() {
            model.versions.retain(|_, entry| models.contains_key(entry));
        }
        Ok(left_out)
    }

    /// What the aliases of all registered models lead to: for a process that lives on while the registry changes.
    ///
    /// # Errors
    /// As [`Registry::list`].
    pub fn aliases(&self) -> Result<RegisteredModels, RegistryError> {
        let models = self.list()?;
        Ok(models.iter().map(|(name, model)| (name.clone(), stages::aliases(name, model))).collect())
    }
}
