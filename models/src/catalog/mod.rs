//! The catalog: every configured model by its name, and which one answers what.
//!
//! The runtime makes one from the settings and hands it to whoever asks models. An entry's client is built when it
//! is first asked for, and shared from then on, with its connection pool or loaded file; so a missing key or file
//! of a model that nobody uses harms nobody.

mod build;
mod entry;
mod error;
mod performance;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use playhouse_config::Config;
use playhouse_config::settings::{CacheConfig, ConstraintsConfig, ModelConfig};
use playhouse_protocol::{RandomSource, WallClock};

use crate::cache::AnswerCache;
use crate::client::ModelClient;
use crate::observer::CallObserver;
use crate::openai::Connections;
use crate::selection::{Explanation, ModelSelector, ModelWish, Performance, Selection};
use crate::stats::ModelStats;

pub use entry::{CatalogEntry, EntryState};
pub use error::CatalogError;

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
    selector: ModelSelector,
    performance: Performance,
    cache_config: CacheConfig,
    /// `None` inside when nothing is kept.
    cache: Mutex<Option<Option<Arc<AnswerCache>>>>,
    parts: CatalogParts,
    connections: Connections,
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
        let slots: BTreeMap<_, _> =
            config.models.iter().map(|(name, config)| (name.clone(), slot(config))).collect();
        Self {
            selector: performance::selector(config),
            performance: performance::watch(&slots, config, &parts),
            slots,
            cache_config: config.cache.clone(),
            cache: Mutex::new(None),
            parts,
            connections: Connections::default(),
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
        let built = build::client(name, &slot.config, &self.parts, &self.connections)?;
        let built = build::cached(built, &slot.config, self.cache()?, &self.parts);
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

    /// Every entry by name, with what is known of it without asking it. Looks whether files are there.
    pub fn entries(&self) -> Vec<CatalogEntry> {
        let describe = |(name, slot): (&String, &Slot)| {
            entry::describe(
                name,
                &slot.config,
                &self.parts.models_dir,
                *name == self.selector.config().default,
            )
        };
        self.slots.iter().map(describe).collect()
    }

    /// Chooses the model for a wish: the one that it names, else by the rules of [`ModelSelector`].
    ///
    /// # Errors
    /// When the model that was asked for is not in the catalog, or none fulfils the constraints that the settings name
    /// for the type of task.
    pub fn select(&self, wish: &ModelWish<'_>) -> Result<Selection, CatalogError> {
        let selection = self.selector.select(wish, &self.performance)?;
        self.slot(&selection.model)?;
        Ok(selection)
    }

    /// Chooses the best model that fulfils `constraints`, whatever the settings name for the type of task.
    ///
    /// # Errors
    /// When none fulfils them.
    pub fn select_by_constraints(
        &self,
        constraints: &ConstraintsConfig,
        wish: &ModelWish<'_>,
    ) -> Result<Selection, CatalogError> {
        Ok(self.selector.select_by_constraints(constraints, wish, &self.performance)?)
    }

    /// Every model that a wish without a task may lead to: several for a split.
    ///
    /// # Errors
    /// As [`select`](Self::select).
    pub fn reachable(&self, wish: &ModelWish<'_>) -> Result<Vec<String>, CatalogError> {
        let reachable = self.selector.reachable(wish, &self.performance)?;
        reachable.iter().try_for_each(|name| self.slot(name).map(|_| ()))?;
        Ok(reachable)
    }

    /// Why a wish leads where it does, with every model. `constraints`, where they are given, stand in the place of what the
    /// settings say.
    ///
    /// # Errors
    /// When the model that was asked for, or one that is to be considered, is not in the catalog. That none fits is no
    /// error here: it is in the explanation.
    pub fn explain(
        &self,
        wish: &ModelWish<'_>,
        constraints: Option<&ConstraintsConfig>,
    ) -> Result<Explanation, CatalogError> {
        let among = constraints.map_or(&[][..], |constraints| &constraints.among);
        among
            .iter()
            .map(String::as_str)
            .chain(wish.model)
            .try_for_each(|name| self.slot(name).map(|_| ()))?;
        Ok(self.selector.explain(wish, constraints, &self.performance))
    }

    /// What has been measured of an entry's attempts.
    ///
    /// # Errors
    /// When there is no such entry.
    pub fn stats(&self, name: &str) -> Result<Arc<ModelStats>, CatalogError> {
        self.slot(name).map(|slot| Arc::clone(&slot.stats))
    }

    /// What has been measured and judged of all models; models are chosen by it.
    pub fn performance(&self) -> &Performance {
        &self.performance
    }

    /// The answers that are kept, set up at the first call. A failure is not kept.
    fn cache(&self) -> Result<Option<Arc<AnswerCache>>, CatalogError> {
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(cache) = &*cache {
            return Ok(cache.clone());
        }
        let built = AnswerCache::new(&self.cache_config, Arc::clone(&self.parts.wall_clock))?.map(Arc::new);
        *cache = Some(built.clone());
        Ok(built)
    }

    fn slot(&self, name: &str) -> Result<&Slot, CatalogError> {
        self.slots.get(name).ok_or_else(|| CatalogError::unknown(name, self.slots.keys()))
    }
}
