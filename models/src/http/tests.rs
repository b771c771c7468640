//! The clients against servers that we did not write.

mod aimock;
mod llama_server;

use std::sync::Arc;

use playhouse_config::Config;
use playhouse_config::settings::{HttpConfig, ModelConfig, ProviderConfig};
use playhouse_protocol::completion::ProviderKind;

use super::*;
use crate::catalog::{Catalog, CatalogParts};
use crate::observer::NoObserver;
use crate::testing::{Always, Server, StoppedClock, hello, json};
use crate::{anthropic, ollama, openai};

/// A client of this form, with a key that no server asks for.
fn client(provider: ProviderKind, args: HttpArgs) -> HttpModel {
    let connections = Connections::default();
    match provider {
        ProviderKind::Anthropic => anthropic::client(args, &connections).unwrap(),
        ProviderKind::Ollama => ollama::client(args, &connections).unwrap(),
        _ => openai::client(args, &connections).unwrap(),
    }
}

#[tokio::test]
async fn an_entry_of_the_catalog_speaks_the_form_that_the_settings_name() {
    let forms = ["POST /v1/chat/completions ", "POST /v1/messages ", "POST /v1/api/chat "];
    for (number, begin) in forms.into_iter().enumerate() {
        let server = Server::start(vec![json(400, "{}")]).await;
        let mut config = Config::default();
        let http = HttpConfig::new(server.url("/v1"), "x");
        let model = ModelConfig::new(match number {
            0 => ProviderConfig::OpenAi(http),
            1 => ProviderConfig::Anthropic(http),
            _ => ProviderConfig::Ollama(http),
        });
        config.models.insert("x".to_owned(), model);
        let parts = CatalogParts {
            random: Arc::new(Always(0)),
            wall_clock: Arc::new(StoppedClock),
            observer: Arc::new(NoObserver),
            models_dir: "/nowhere".into(),
        };
        let model = Catalog::new(&config, parts).client("x").unwrap();
        let error = model.complete(hello()).await.unwrap_err();
        assert_eq!((error.status, error.provider), (Some(400), model.info().provider));
        assert!(server.requests()[0].starts_with(begin), "{:?}", server.requests());
    }
}
