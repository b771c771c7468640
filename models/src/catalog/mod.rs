//! The catalog: every configured model by its name, and which one answers what.
//!
//! The runtime makes one from the settings and hands it to whoever asks models. An entry's client is built when it
//! is first asked for, and shared from then on, with its connection pool or loaded file; so a missing key or file
//! of a model that nobody uses harms nobody.

mod build;
mod entry;
mod error;
mod selection;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use playhouse_config::Config;
use playhouse_config::settings::{ModelConfig, SelectionConfig};
use playhouse_protocol::{RandomSource, WallClock};

use crate::client::ModelClient;
use crate::layers::RetryBudget;
use crate::observer::CallObserver;
use crate::openai::Connections;
use crate::stats::ModelStats;

pub use entry::{CatalogEntry, EntryState};
pub use error::CatalogError;
pub use selection::{Selection, SelectionReason};

/// What a catalog is given beside the settings.
#[derive(Debug, Clone)]
pub struct CatalogParts {
    /// Where the jitter of retries comes from.
    pub random: Arc<dyn RandomSource>,
    /// The time of day, for `Retry-After` dates.
    pub wall_clock: Arc<dyn WallClock>,
    /// Is told what happens around calls.
    pub observer: Arc<dyn CallObserver>,
    /// The folder with the files of the embedded models, as [`crate::pull`] fills it.
    pub models_dir: PathBuf,
}

/// Every configured model by its name.
#[derive(Debug)]
pub struct Catalog {
    slots: BTreeMap<String, Slot>,
    selection: SelectionConfig,
    parts: CatalogParts,
    connections: Connections,
    retry_budget: Arc<RetryBudget>,
}

/// One entry: its settings, and its client once somebody has asked for it.
#[derive(Debug)]
struct Slot {
    config: ModelConfig,
    client: Mutex<Option<Arc<dyn ModelClient>>>,
    stats: Arc<ModelStats>,
}

impl Catalog {
    /// The catalog that the settings describe. Opens nothing.
    pub fn new(config: &Config, parts: CatalogParts) -> Self {
        let slot = |config: &ModelConfig| Slot {
            config: config.clone(),
            client: Mutex::new(None),
            stats: Arc::default(),
        };
        Self {
            slots: config.models.iter().map(|(name, config)| (name.clone(), slot(config))).collect(),
            selection: config.selection.clone(),
            parts,
            connections: Connections::default(),
            retry_budget: Arc::new(RetryBudget::new(config.retry_budget)),
        }
    }

    /// The client of an entry, built at the first call. A failure is not kept: the next call tries again, so that a
    /// file fetched or a key set meanwhile is found.
    ///
    /// May read a small file (a script, a key, the head of a model file): call it where that is bearable.
    ///
    /// # Errors
    /// When there is no such entry, or its key, script or model file cannot be used.
    pub fn client(&self, name: &str) -> Result<Arc<dyn ModelClient>, CatalogError> {
        let slot = self.slot(name)?;
        let mut client = slot.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*client {
            return Ok(Arc::clone(client));
        }
        let built = build::client(name, slot, self)?;
        *client = Some(Arc::clone(&built));
        Ok(built)
    }

    /// The settings of an entry.
    ///
    /// # Errors
    /// When there is no such entry.
    pub fn config(&self, name: &str) -> Result<&ModelConfig, CatalogError> {
        self.slot(name).map(|slot| &slot.config)
    }

    /// What has been measured of an entry; empty until it was asked. The same for as long as the catalog lives.
    ///
    /// # Errors
    /// When there is no such entry.
    pub fn stats(&self, name: &str) -> Result<Arc<ModelStats>, CatalogError> {
        self.slot(name).map(|slot| Arc::clone(&slot.stats))
    }

    /// Every entry by name, with what is known of it without asking it. Looks whether files are there.
    pub fn entries(&self) -> Vec<CatalogEntry> {
        let describe = |(name, slot): (&String, &Slot)| {
            entry::describe(name, &slot.config, &self.parts.models_dir, *name == self.selection.default)
        };
        self.slots.iter().map(describe).collect()
    }

    /// Chooses the model for a task of type `task` (an agent's kind): the one that was asked for, else the one
    /// that the settings name for the task type, else the default.
    ///
    /// # Errors
    /// When the model that was asked for is not in the catalog.
    pub fn select(&self, task: &str, wanted: Option<&str>) -> Result<Selection, CatalogError> {
        let selection = selection::select(&self.selection, task, wanted);
        self.slot(&selection.model)?;
        Ok(selection)
    }

    fn slot(&self, name: &str) -> Result<&Slot, CatalogError> {
        self.slots.get(name).ok_or_else(|| CatalogError::unknown(name, self.slots.keys()))
    }
}
