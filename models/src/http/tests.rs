//! The clients against servers that we did not write.

mod aimock;
mod llama_server;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::serve::ListenerExt;
use futures::future::join_all;
use playhouse_config::Config;
use playhouse_config::settings::{HttpConfig, ModelConfig, ProviderConfig};
use playhouse_protocol::completion::ProviderKind;
use reqwest::header::CONTENT_TYPE;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::*;
use crate::catalog::{Catalog, CatalogParts};
use crate::client::ModelClient;
use crate::observer::NoObserver;
use crate::testing::{Always, Server, StoppedClock, hello, http_args, json};
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

/// Answers every request at once over connections that stay open, and counts these.
async fn serve_forever() -> (String, Arc<AtomicUsize>, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/v1", listener.local_addr().unwrap());
    let connections = Arc::<AtomicUsize>::default();
    let counted = Arc::clone(&connections);
    let body =
        r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":1}}"#;
    let answer = move || async move { ([(CONTENT_TYPE, "application/json")], body) };
    let routes = axum::Router::new().route("/v1/chat/completions", axum::routing::post(answer));
    let listener = listener.tap_io(move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
    });
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, routes).await.unwrap() });
    (url, connections, tasks)
}

#[tokio::test]
async fn connections_of_many_calls_at_once_are_kept_for_the_next_ones() {
    let (url, connections, _tasks) = serve_forever().await;
    let client = client(ProviderKind::OpenAi, http_args(ProviderKind::OpenAi, url));
    let ask = || join_all((0..200).map(|_| client.complete(hello())));
    for _ in 0..3 {
        assert!(ask().await.iter().all(Result::is_ok));
    }
    // A connection more for a call that found one still closing its answer.
    let connections = connections.load(Ordering::Relaxed);
    assert!(connections < 300, "{connections}");
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
