mod arms;
mod stack;

use std::sync::Arc;

use insta::assert_snapshot;
use std::time::Duration;

use playhouse_config::settings::{
    BreakerConfig, HttpConfig, LocalConfig, LocalSource, PriceConfig, ProviderConfig, RetriesConfig,
};
use playhouse_config::{Config, SecretRef};
use playhouse_protocol::completion::ProviderKind;
use playhouse_protocol::{Failure, FailureClass};

use super::*;
use crate::observer::BreakerState;
use crate::testing::{Always, Server, StoppedClock, hello, json};

fn http(base_url: &str, model: &str) -> HttpConfig {
    HttpConfig { structured_output: true, ..HttpConfig::new(base_url, model) }
}

fn open_ai(base_url: &str, model: &str) -> ModelConfig {
    ModelConfig::new(ProviderConfig::OpenAi(http(base_url, model)))
}

fn catalog_in(models_dir: &str, models: impl IntoIterator<Item = (&'static str, ModelConfig)>) -> Catalog {
    let mut config = Config::default();
    config.models.extend(models.into_iter().map(|(name, model)| (name.to_owned(), model)));
    config.selection.by_task.insert("review".to_owned(), "smollm2-135m".to_owned());
    let parts = CatalogParts {
        random: Arc::new(Always(0)),
        wall_clock: Arc::new(StoppedClock),
        models_dir: models_dir.into(),
        observer: Arc::new(crate::observer::NoObserver),
    };
    Catalog::new(&config, parts)
}

fn catalog(models: impl IntoIterator<Item = (&'static str, ModelConfig)>) -> Catalog {
    catalog_in("/nowhere", models)
}

#[test]
fn an_unknown_model_is_told_with_the_nearest_and_all_known_names() {
    let error = catalog([]).client("qwen2.5-coder-0.5").unwrap_err();
    assert_snapshot!(error, @r#"find model "qwen2.5-coder-0.5": the catalog has qwen2.5-coder-0.5b, smollm2-135m"#);
    assert_snapshot!(error.hint().unwrap(), @"Did you mean qwen2.5-coder-0.5b?");
    assert_snapshot!(catalog([]).client("gpt-4o").unwrap_err().hint().unwrap(), @"Add it under `models` in playhouse.yaml, or see: playhouse models list");
    assert_eq!(Failure::from(error).class, FailureClass::InvalidInput);
}

#[test]
fn the_wish_stands_above_the_task_and_that_above_the_default() {
    let catalog = catalog([("big", open_ai("http://127.0.0.1:1/v1", "x"))]);
    let check = |task, wanted| {
        let selection = catalog.select(&ModelWish::of(task).named(wanted)).unwrap();
        format!("{}: {}", selection.model, selection.reason)
    };
    assert_snapshot!(check("review", Some("big")), @"big: The request names this model.");
    assert_snapshot!(check("review", None), @"smollm2-135m: The settings name this model for review (selection.by_task.review).");
    assert_snapshot!(check("generate", None), @"qwen2.5-coder-0.5b: The settings name no model for generate, and this one is selection.default.");
    assert!(matches!(
        catalog.select(&ModelWish::of("review").named(Some("huge"))),
        Err(CatalogError::UnknownModel { .. })
    ));
}

#[test]
fn entries_tell_what_is_known_without_asking() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("smollm2-135m.gguf"), "x").unwrap();
    let catalog = catalog_in(
        folder.path().to_str().unwrap(),
        [
            ("gpt", open_ai("https://host/v1", "gpt-4o")),
            ("served", open_ai("http://127.0.0.1:1/v1", "qwen3")),
            ("canned", ModelConfig::new(ProviderConfig::Scripted { script: "/nowhere/s.yaml".into() })),
        ],
    );
    let entries = catalog.entries();
    let entry = |name: &str| entries.iter().find(|entry| entry.name == name).unwrap();
    assert_eq!(entry("gpt").location, "https://host/v1 (gpt-4o)");
    assert_eq!((entry("gpt").context_tokens, entry("served").context_tokens), (Some(128_000), Some(8_192)));
    assert_eq!(entry("served").state, EntryState::Ready);
    assert_eq!(entry("canned").state, EntryState::FileMissing { path: "/nowhere/s.yaml".into(), pull: None });
    let qwen = entry("qwen2.5-coder-0.5b");
    assert_eq!(
        (qwen.provider, qwen.context_tokens, qwen.is_default),
        (ProviderKind::Local, Some(32_768), true)
    );
    if cfg!(feature = "local") {
        let path = folder.path().join("qwen2.5-coder-0.5b.gguf");
        assert_eq!(qwen.state, EntryState::FileMissing { path, pull: Some(qwen.name.clone()) });
        assert_eq!(entry("smollm2-135m").state, EntryState::Ready);
    } else {
        assert_eq!(qwen.state, EntryState::NotBuiltIn);
    }
}

#[test]
fn a_local_model_that_the_manifest_does_not_have_is_an_error() {
    let source = LocalSource::Known("llama".to_owned());
    let config = ModelConfig::new(ProviderConfig::Local(LocalConfig { source, threads: None }));
    let error = catalog([("x", config)]).client("x").unwrap_err();
    if cfg!(feature = "local") {
        assert!(matches!(error, CatalogError::UnknownFile { .. }), "{error}");
    } else {
        assert!(matches!(error, CatalogError::NoLocal { .. }) && error.hint().is_some(), "{error}");
    }
}

#[test]
fn a_key_that_cannot_be_read_is_an_error_of_that_model_alone() {
    let key = SecretRef::File("/nowhere/key".into());
    let keyed = HttpConfig { api_key: Some(key), ..http("http://127.0.0.1:1/v1", "x") };
    let catalog = catalog([
        ("keyed", ModelConfig::new(ProviderConfig::OpenAi(keyed))),
        ("free", open_ai("http://127.0.0.1:1/v1", "x")),
    ]);
    let error = catalog.client("keyed").unwrap_err();
    assert!(error.to_string().starts_with("use model keyed: its key: "), "{error}");
    assert_eq!(error.class(), FailureClass::Denied);
    assert!(catalog.client("free").is_ok());
}

#[test]
fn an_unknown_encoding_is_told_with_all_known_ones() {
    let config = ModelConfig { encoding: Some("o300k".to_owned()), ..open_ai("http://127.0.0.1:1/v1", "x") };
    assert_snapshot!(catalog([("x", config)]).client("x").unwrap_err(), @r#"use model x: there is no encoding "o300k" (known: r50k_base, p50k_base, cl100k_base, o200k_base, o200k_harmony)"#);
}

#[test]
fn a_client_is_built_once() {
    let catalog = catalog([("x", open_ai("http://127.0.0.1:1/v1", "x"))]);
    assert!(Arc::ptr_eq(&catalog.client("x").unwrap(), &catalog.client("x").unwrap()));
}

#[test]
fn a_script_is_found_once_it_is_there() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("s.yaml");
    let catalog = catalog([("x", ModelConfig::new(ProviderConfig::Scripted { script: script.clone() }))]);
    assert!(matches!(catalog.client("x"), Err(CatalogError::Script { .. })));
    std::fs::write(script, "default: { answer: yes }").unwrap();
    assert_eq!(catalog.client("x").unwrap().info().provider, ProviderKind::Scripted);
}

#[tokio::test]
async fn answers_out_of_the_catalog_are_retried_and_priced() {
    let server = Server::start(vec![json(503, ""), json(200, ANSWER)]).await;
    let price = PriceConfig { prompt_nano_usd_per_token: 100, completion_nano_usd_per_token: 1_000 };
    let catalog = catalog([("x", ModelConfig { price, ..open_ai(&server.url("/v1"), "x") })]);
    let answer = catalog.client("x").unwrap().complete(hello()).await.unwrap();
    assert_eq!(answer.usage.cost_nano_usd, 12 * 100 + 2 * 1_000);
    assert_eq!(answer.origin.model, "x");
    let stats = catalog.stats("x").unwrap().snapshot();
    assert_eq!((stats.calls, stats.failures), (2, 1));
}

const ANSWER: &str = r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":12,"completion_tokens":2}}"#;

#[tokio::test]
async fn an_entry_falls_back_on_others_and_each_keeps_its_own_health() {
    let (down, up) = (Server::start(vec![json(401, "")]).await, Server::start(vec![json(200, ANSWER)]).await);
    let fallbacks = vec!["broken".to_owned(), "up".to_owned()];
    let key = SecretRef::File("/nowhere/key".into());
    let keyed = HttpConfig { api_key: Some(key), ..http("http://127.0.0.1:1/v1", "x") };
    let catalog = catalog([
        ("down", ModelConfig { fallbacks, ..open_ai(&down.url("/v1"), "x") }),
        // Fallbacks of a fallback are not followed, and its missing key is a failure like others.
        ("broken", ModelConfig::new(ProviderConfig::OpenAi(keyed))),
        ("up", ModelConfig { fallbacks: vec!["down".to_owned()], ..open_ai(&up.url("/v1"), "x") }),
    ]);
    let answer = catalog.client("down").unwrap().complete(hello()).await.unwrap();
    assert_eq!((&*answer.origin.model, answer.route.attempts), ("up", 2));
    let passed_over: Vec<_> = answer.route.passed_over.iter().map(|over| &*over.model).collect();
    assert_eq!(passed_over, ["down", "broken"]);
    let health = |name| catalog.health(name).unwrap();
    assert_eq!((health("down").stats.failures, health("up").stats.failures), (1, 0));
    assert_eq!(health("up").breaker, Some(BreakerState::Closed));
    assert_eq!(health("up").concurrency, Some(ConcurrencyHealth { limit: 256, in_use: 0 }));
    assert_eq!((health("up").pacing_wait, health("smollm2-135m").pacing_wait), (Some(Duration::ZERO), None));
}

#[tokio::test]
async fn an_open_breaker_passes_calls_on_without_asking_the_model() {
    let down = Server::start(vec![json(500, "")]).await;
    let up = Server::start(vec![json(200, ANSWER), json(200, ANSWER)]).await;
    let breaker = BreakerConfig { calls_min: 1, ..BreakerConfig::default() };
    let retries = RetriesConfig { attempts_max: 1, ..RetriesConfig::default() };
    let http = HttpConfig { breaker: Some(breaker), retries, ..http(&down.url("/v1"), "x") };
    let first = ModelConfig::new(ProviderConfig::OpenAi(http));
    let catalog = catalog([
        ("down", ModelConfig { fallbacks: vec!["up".to_owned()], ..first }),
        ("up", open_ai(&up.url("/v1"), "x")),
    ]);
    let client = catalog.client("down").unwrap();
    assert_eq!(client.complete(hello()).await.unwrap().route.attempts, 2);
    let answer = client.complete(hello()).await.unwrap();
    assert_eq!((answer.route.attempts, down.requests().len()), (1, 1));
    assert!(answer.route.passed_over[0].failure.contains("left alone"), "{:?}", answer.route);
    assert_eq!(catalog.health("down").unwrap().breaker, Some(BreakerState::Open));
    assert_eq!(catalog.health("up").unwrap().breaker, Some(BreakerState::Closed));
}

#[test]
fn a_fallback_that_is_no_entry_is_an_error() {
    let first = open_ai("http://127.0.0.1:1/v1", "x");
    let catalog = catalog([("x", ModelConfig { fallbacks: vec!["y".to_owned()], ..first })]);
    assert!(matches!(catalog.client("x"), Err(CatalogError::UnknownModel { .. })));
}
