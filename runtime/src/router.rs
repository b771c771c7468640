//! From a question to a model's actor.

use std::collections::BTreeMap;
use std::sync::Arc;

use dashmap::DashMap;
use futures::future::BoxFuture;
use playhouse_actors::context::{ModelRouter, SelectedModel};
use playhouse_actors::model_actor::{ModelHandle, ModelMessage};
use playhouse_models::{Catalog, ModelClient};
use playhouse_protocol::Failure;
use playhouse_supervisors::Address;

/// The catalog and, for each of its entries, where its actor is found.
#[derive(Debug)]
pub(crate) struct CatalogRouter {
    catalog: Arc<Catalog>,
    actors: BTreeMap<String, Address<ModelMessage>>,
    /// Clients that were made, so that only a first use leaves the async threads.
    clients: DashMap<String, Arc<dyn ModelClient>>,
}

impl CatalogRouter {
    pub(crate) fn new(catalog: Arc<Catalog>, actors: BTreeMap<String, Address<ModelMessage>>) -> Self {
        Self { catalog, actors, clients: DashMap::new() }
    }

    async fn find(&self, task_type: &str, wanted: Option<&str>) -> Result<SelectedModel, Failure> {
        let selection = self.catalog.select(task_type, wanted)?;
        let client = self.client(&selection.model).await?;
        let actor = self
            .actors
            .get(&selection.model)
            .ok_or_else(|| Failure::internal(format!("ask model {}: it has no actor", selection.model)))?;
        Ok(SelectedModel {
            handle: ModelHandle::new(client, actor.clone()),
            reason: selection.reason.to_string(),
            price: self.catalog.config(&selection.model)?.price,
        })
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
    fn select<'a>(
        &'a self,
        task_type: &'a str,
        wanted: Option<&'a str>,
    ) -> BoxFuture<'a, Result<SelectedModel, Failure>> {
        Box::pin(self.find(task_type, wanted))
    }
}
