//! What a catalog's models are chosen by.

use std::collections::BTreeMap;
use std::sync::Arc;

use playhouse_config::Config;

use super::entry::{context_tokens, describe};
use super::{CatalogParts, Slot};
use crate::selection::{AliasTable, ModelFacts, ModelSelector, Performance, PerformanceArgs, WatchedModel};

/// The rules of these settings.
pub(super) fn selector(config: &Config) -> ModelSelector {
    let facts = config.models.iter().map(|(name, model)| {
        let facts = ModelFacts {
            context_tokens: context_tokens(model),
            price: model.price,
            fallbacks: model.fallbacks.clone(),
        };
        (name.clone(), facts)
    });
    let aliases = Arc::new(AliasTable::new(config.registered.clone()));
    ModelSelector::new(config.selection.clone(), facts.collect()).with_aliases(aliases)
}

/// What is measured of these models.
pub(super) fn watch(slots: &BTreeMap<String, Slot>, config: &Config, parts: &CatalogParts) -> Performance {
    let models = slots.iter().map(|(name, slot)| {
        let entry = describe(name, &slot.stack.config, &parts.models_dir, false);
        let watched = WatchedModel {
            identity: format!("{} {}", entry.provider.as_str(), entry.location),
            is_saved: !entry.provider.is_scripted(),
            quality: slot.stack.config.quality,
            stats: Arc::clone(&slot.stack.instruments.stats),
        };
        (name.clone(), watched)
    });
    Performance::new(PerformanceArgs {
        demotion: config.selection.demotion,
        observer: Arc::clone(&parts.observer),
        clock: Arc::clone(&parts.wall_clock),
        models: models.collect(),
    })
}
