//! One entry with the layers around its provider, but without its fallbacks.

use std::sync::{Arc, Mutex, PoisonError};

use playhouse_config::settings::ModelConfig;

use super::health::Instruments;
use super::{CatalogError, CatalogParts, build};
use crate::cache::LazyCache;
use crate::client::ModelClient;
use crate::http::Connections;
use crate::layers::{Candidate, RetryBudget};

/// What all entries of a catalog share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) parts: CatalogParts,
    pub(super) connections: Connections,
    pub(super) retry_budget: Arc<RetryBudget>,
    pub(super) cache: LazyCache,
}

/// One entry: its settings, what its layers measure, and its client once somebody has asked for it. Belongs to the
/// catalog, and to the chains in which the entry is a fallback; it knows no other entry.
#[derive(Debug)]
pub(super) struct Stack {
    pub(super) name: String,
    pub(super) config: ModelConfig,
    pub(super) instruments: Instruments,
    pub(super) shared: Arc<Shared>,
    client: Mutex<Option<Arc<dyn ModelClient>>>,
}

impl Stack {
    pub(super) fn new(name: &str, config: &ModelConfig, shared: &Arc<Shared>) -> Self {
        Self {
            name: name.to_owned(),
            config: config.clone(),
            instruments: Instruments::new(config),
            shared: Arc::clone(shared),
            client: Mutex::new(None),
        }
    }

    /// The client, built at the first call. A failure is not kept.
    pub(super) fn client(&self) -> Result<Arc<dyn ModelClient>, CatalogError> {
        let mut client = self.lock();
        if let Some(client) = &*client {
            return Ok(Arc::clone(client));
        }
        let built = build::stack(self)?;
        *client = Some(Arc::clone(&built));
        Ok(built)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Arc<dyn ModelClient>>> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Candidate for Stack {
    fn name(&self) -> &str {
        &self.name
    }

    fn made(&self) -> Option<Arc<dyn ModelClient>> {
        self.lock().clone()
    }

    fn make(&self) -> Result<Arc<dyn ModelClient>, String> {
        self.client().map_err(|error| error.to_string())
    }
}
