//! The catalog: every configured model by its name, and which one answers what.
//!
//! The runtime makes one from the settings and hands it to whoever asks models. An entry's client is built when it
//! is first asked for, and shared from then on, with its connection pool or loaded file; so a missing key or file
//! of a model that nobody uses harms nobody.

mod arms;
mod build;
mod entry;
mod error;
mod facts;
mod health;
mod performance;
mod stack;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use playhouse_config::settings::{ConstraintsConfig, ModelConfig};
use playhouse_config::{Config, RegisteredModels};
use playhouse_protocol::{RandomSource, WallClock};

use crate::cache::LazyCache;
use crate::client::ModelClient;
use crate::http::Connections;
use crate::layers::{Candidate, RetryBudget};
use crate::observer::CallObserver;
use crate::selection::{Explanation, ModelSelector, ModelWish, Performance, Selection, follow, is_alias};
use crate::stats::ModelStats;
use crate::tokens::ModelFacts;
use stack::{Shared, Stack};

pub use arms::QualityObserver;
pub use entry::{CatalogEntry, EntryState};
pub use error::CatalogError;
pub use health::{ConcurrencyHealth, ModelHealth};

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
    quality_observers: OnceLock<Vec<Arc<dyn QualityObserver>>>,
    shared: Arc<Shared>,
}

/// One entry: itself, and its client with the fallbacks behind it once somebody has asked for it.
#[derive(Debug)]
struct Slot {
    stack: Arc<Stack>,
    client: Mutex<Option<Arc<dyn ModelClient>>>,
}

impl Catalog {
    /// The catalog that the settings describe. Opens nothing.
    pub fn new(config: &Config, parts: CatalogParts) -> Self {
        let shared = Arc::new(Shared {
            cache: LazyCache::new(config.cache.clone(), Arc::clone(&parts.wall_clock)),
            parts,
            connections: Connections::default(),
            retry_budget: Arc::new(RetryBudget::new(config.retry_budget)),
        });
        let slot = |(name, config): (&String, &ModelConfig)| {
            let stack = Arc::new(Stack::new(name, config, &shared));
            (name.clone(), Slot { stack, client: Mutex::new(None) })
        };
        let slots: BTreeMap<_, _> = config.models.iter().map(slot).collect();
        let performance = performance::watch(&slots, config, &shared.parts);
        Self {
            selector: performance::selector(config),
            performance,
            slots,
            quality_observers: OnceLock::new(),
            shared: Arc::clone(&shared),
        }
    }

    /// The client of an entry with its fallbacks, built at the first call. A failure is not kept: the next call tries
    /// again, so that a file fetched or a key set meanwhile is found. Clients of fallbacks are built when they are
    /// first asked.
    ///
    /// May read a small file (a script, a key, the head of a model file): call it where that is bearable.
    ///
    /// # Errors
    /// When there is no such entry, its key, script or model file cannot be used, or a fallback is no entry.
    pub fn client(&self, name: &str) -> Result<Arc<dyn ModelClient>, CatalogError> {
        let slot = self.slot(name)?;
        let mut client = slot.client.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*client {
            return Ok(Arc::clone(client));
        }
        let mut others: Vec<Arc<dyn Candidate>> = Vec::new();
        for fallback in &slot.stack.config.fallbacks {
            others.push(Arc::clone(&self.slot(fallback)?.stack) as Arc<dyn Candidate>);
        }
        let built = build::client(&slot.stack, others)?;
        *client = Some(Arc::clone(&built));
        Ok(built)
    }

    /// The settings of an entry.
    ///
    /// # Errors
    /// When there is no such entry.
    pub fn config(&self, name: &str) -> Result<&ModelConfig, CatalogError> {
        self.slot(name).map(|slot| &slot.stack.config)
    }

    /// What has been measured of an entry; empty until it was asked. The same for as long as the catalog lives.
    ///
    /// # Errors
    /// When there is no such entry.
    pub fn stats(&self, name: &str) -> Result<Arc<ModelStats>, CatalogError> {
        self.slot(name).map(|slot| Arc::clone(&slot.stack.instruments.stats))
    }

    /// How an entry is doing: its breaker, limits, and last attempts. Asks nobody.
    ///
    /// # Errors
    /// When there is no such entry.
    pub fn health(&self, name: &str) -> Result<ModelHealth, CatalogError> {
        self.slot(name).map(|slot| slot.stack.instruments.health())
    }

    /// Every entry by name, with what is known of it without asking it. Looks whether files are there.
    pub fn entries(&self) -> Vec<CatalogEntry> {
        let default = &self.selector.config().default;
        // A default that leads nowhere is nobody's.
        let default = self.entry_name(default).unwrap_or_else(|_| default.clone());
        let describe = |(name, slot): (&String, &Slot)| {
            let models_dir = &self.shared.parts.models_dir;
            let is_default = *name == default;
            entry::describe(name, &slot.stack.config, models_dir, is_default)
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
        self.note_arm(wish, &selection);
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

    /// What has been measured and judged of all models; models are chosen by it.
    pub fn performance(&self) -> &Performance {
        &self.performance
    }

    /// What counting for an entry takes: its window, prices and counter. Asks nobody and needs no key; a counter that has
    /// learned is the one that is given. An embedded model whose file is not here yet is estimated.
    ///
    /// May read the head of a model file: call it where that is bearable.
    ///
    /// # Errors
    /// When there is no such entry, it names an unknown encoding, or its model file cannot be read.
    pub fn facts(&self, name: &str) -> Result<ModelFacts, CatalogError> {
        facts::of(&self.slot(name)?.stack)
    }

    /// Replaces what names of registered models lead to; the next tasks go by it. Versions that were registered since this
    /// catalog was made are not in it: changes that lead to them are left out, and their entries are given back.
    pub fn swap_aliases(&self, mut registered: RegisteredModels) -> Vec<String> {
        let mut missing = Vec::new();
        for model in registered.values_mut() {
            let is_here = |_: &u32, entry: &mut String| {
                let is_here = self.slots.contains_key(entry);
                if !is_here {
                    missing.push(entry.clone());
                }
                is_here
            };
            model.versions.retain(is_here);
            let here = &model.versions;
            let leads_here =
                |(_, version): &(u64, Option<u32>)| version.is_none_or(|one| here.contains_key(&one));
            model.production.retain(leads_here);
            model.candidate.retain(leads_here);
        }
        self.selector.aliases().swap(registered);
        missing
    }

    /// The entry that a name means: itself, or where an alias leads now. Whether there is such an entry is not looked at.
    ///
    /// # Errors
    /// When an alias leads nowhere.
    pub fn entry_name(&self, name: &str) -> Result<String, CatalogError> {
        if is_alias(name) {
            return Ok(follow(&self.selector.aliases().current(), name, None)?);
        }
        Ok(name.to_owned())
    }

    fn slot(&self, name: &str) -> Result<&Slot, CatalogError> {
        let entry = self.entry_name(name)?;
        self.slots.get(&entry).ok_or_else(|| CatalogError::unknown(name, self.slots.keys()))
    }
}
