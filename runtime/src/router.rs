//! From a question to a model's actor.

use std::collections::BTreeMap;
use std::sync::Arc;

use dashmap::DashMap;
use futures::future::BoxFuture;
use playhouse_actors::context::{ModelRouter, SelectedModel};
use playhouse_actors::model_actor::{ModelHandle, ModelMessage};
use playhouse_config::settings::{OverflowPolicy, PriceConfig};
use playhouse_models::{Catalog, ModelClient, ModelWish};
use playhouse_protocol::Failure;
use playhouse_supervisors::Address;

use crate::error::StartError;

/// The catalog and, for each of its entries, where its actor is found.
#[derive(Debug)]
pub(crate) struct CatalogRouter {
    catalog: Arc<Catalog>,
    actors: BTreeMap<String, Address<ModelMessage>>,
    /// Clients that were made, so that only a first use leaves the async threads.
    clients: DashMap<String, Arc<dyn ModelClient>>,
    own: OwnModels,
}

/// Models that the embedder brings along.
#[derive(Debug, Default)]
pub(crate) struct OwnModels {
    /// By name.
    pub(crate) clients: BTreeMap<String, Arc<dyn ModelClient>>,
    /// The one that is asked where none is named.
    pub(crate) default: Option<String>,
}

impl OwnModels {
    /// Whether the default is one of them.
    pub(crate) fn check(&self) -> Result<(), StartError> {
        match &self.default {
            Some(name) if !self.clients.contains_key(name) => {
                Err(StartError::UnknownModel { name: name.clone() })
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The model that is asked, if it is one of these.
    fn select(&self, wanted: Option<&str>) -> Option<(&String, &Arc<dyn ModelClient>)> {
        self.clients.get_key_value(wanted.or(self.default.as_deref())?)
    }
}

impl CatalogRouter {
    pub(crate) fn new(
        catalog: Arc<Catalog>,
        actors: BTreeMap<String, Address<ModelMessage>>,
        own: OwnModels,
    ) -> Self {
        Self { catalog, actors, clients: DashMap::new(), own }
    }

    /// The name of the model that a wish leads to.
    pub(crate) fn name_for(&self, wish: &ModelWish<'_>) -> Result<String, Failure> {
        match self.own.select(wish.model) {
            Some((name, _)) => Ok(name.clone()),
            None => Ok(self.catalog.select(wish)?.model),
        }
    }

    async fn find(&self, wish: ModelWish<'_>) -> Result<SelectedModel, Failure> {
        if let Some((name, client)) = self.own.select(wish.model) {
            return Ok(SelectedModel {
                handle: ModelHandle::new(Arc::clone(client), self.actor(name)?),
                reason: "the embedder's own".to_owned(),
                price: PriceConfig::default(),
                overflow: OverflowPolicy::default(),
            });
        }
        let selection = self.catalog.select(&wish)?;
        let client = self.client(&selection.model).await?;
        Ok(SelectedModel {
            handle: ModelHandle::new(client, self.actor(&selection.model)?),
            reason: selection.reason.to_string(),
            price: self.price_at_most(&selection.model)?,
            overflow: self.catalog.config(&selection.model)?.overflow,
        })
    }

    /// The price of a model or of the dearest that may stand in for it.
    fn price_at_most(&self, model: &str) -> Result<PriceConfig, Failure> {
        let config = self.catalog.config(model)?;
        let mut most = config.price;
        for fallback in &config.fallbacks {
            let price = self.catalog.config(fallback)?.price;
            most.prompt_nano_usd_per_token =
                most.prompt_nano_usd_per_token.max(price.prompt_nano_usd_per_token);
            most.completion_nano_usd_per_token =
                most.completion_nano_usd_per_token.max(price.completion_nano_usd_per_token);
        }
        Ok(most)
    }

    fn actor(&self, model: &str) -> Result<Address<ModelMessage>, Failure> {
        self.actors
            .get(model)
            .cloned()
            .ok_or_else(|| Failure::internal(format!("ask model {model}: it has no actor")))
    }

    /// A model's client. Its first use may read files, so it is made off the async threads.
    async fn client(&self, model: &str) -> Result<Arc<dyn ModelClient>, Failure> {
        if let Some(client) = self.clients.get(model) {
            return Ok(Arc::clone(&client));
        }
        let (catalog, name) = (Arc::clone(&self.catalog), model.to_owned());
        let client = tokio::task::spawn_blocking(move || catalog.client(&name)).await.map_err(|_| {
            Failure::internal(format!("open model {model}: the thread that opens it ended"))
        })??;
        self.clients.insert(model.to_owned(), Arc::clone(&client));
        Ok(client)
    }
}

impl ModelRouter for CatalogRouter {
    fn select<'a>(&'a self, wish: ModelWish<'a>) -> BoxFuture<'a, Result<SelectedModel, Failure>> {
        Box::pin(self.find(wish))
    }

    fn record_quality(&self, model: &str, task_type: &str, score: f64) {
        self.catalog.record_quality(model, task_type, score);
    }
}
