//! Against a real server; skipped, and said so, where there is none.

mod server;

use std::sync::Arc;

use playhouse_config::settings::{HttpConfig, ModelConfig, ProviderConfig};
use playhouse_config::{Config, SecretRef};
use playhouse_protocol::FailureClass;
use playhouse_protocol::completion::{CompletionRequest, Sampling};

use self::server::{Server, address_file};
use super::*;
use crate::cache::CacheScope;
use crate::catalog::{Catalog, CatalogParts};
use crate::observer::NoObserver;
use crate::testing::{Always, Server as Provider, StoppedClock, completion, hello, json};

/// Long enough for a busy machine.
const LIMIT: Duration = Duration::from_secs(5);

/// What a stopped server may cost.
const SHORT: Duration = Duration::from_millis(100);

fn config(url: &SecretRef, timeout: Duration) -> RedisConfig {
    RedisConfig { url: url.clone(), timeout, key_prefix: "playhouse:test:".to_owned() }
}

fn store(server: &Server, timeout: Duration) -> RedisStore {
    RedisStore::new(&config(&server.url, timeout)).unwrap()
}

fn key() -> CacheKey {
    let http = HttpConfig::new("http://h/v1", "x");
    CacheScope::new(&ModelConfig::new(ProviderConfig::OpenAi(http))).key(&hello())
}

fn answer() -> Arc<KeptAnswer> {
    Arc::new(KeptAnswer { kept_unix_ms: 7, completion: completion("hi") })
}

/// A connection of the test's own.
async fn ask<T: ::redis::FromRedisValue>(server: &Server, command: &[&[u8]]) -> T {
    let client = Client::open(server.url.resolve().unwrap().reveal()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut redis = ::redis::Cmd::new();
    for part in command {
        redis.arg(*part);
    }
    redis.query_async(&mut connection).await.unwrap()
}

#[tokio::test]
async fn what_one_store_keeps_another_one_finds_for_as_long_as_it_is_kept() {
    let Some(server) = Server::start().await else { return };
    let (one, other) = (store(&server, LIMIT), store(&server, LIMIT));
    assert_eq!(other.get(&key()).await.unwrap(), None);
    one.put(&key(), &answer(), Duration::from_secs(100)).await.unwrap();
    assert_eq!(other.get(&key()).await.unwrap(), Some(answer()));
    let name = format!("playhouse:test:{}", key().hex());
    let left_ms: i64 = ask(&server, &[b"PTTL", name.as_bytes()]).await;
    assert!((1..=100_000).contains(&left_ms), "{left_ms}");
}

#[tokio::test]
async fn an_answer_is_written_however_short_or_long_its_time_is() {
    let Some(server) = Server::start().await else { return };
    store(&server, LIMIT).put(&key(), &answer(), Duration::from_nanos(1)).await.unwrap();
    store(&server, LIMIT).put(&key(), &answer(), Duration::MAX).await.unwrap();
}

#[tokio::test]
async fn a_value_that_is_no_answer_is_damaged_and_is_written_over() {
    let Some(server) = Server::start().await else { return };
    let store = store(&server, LIMIT);
    let name = format!("playhouse:test:{}", key().hex());
    let mut flipped = envelope::encode(&*answer()).unwrap();
    *flipped.last_mut().unwrap() ^= 1;
    for garbage in [b"".as_slice(), b"garbage", &flipped] {
        let _: () = ask(&server, &[b"SET", name.as_bytes(), garbage]).await;
        assert!(matches!(store.get(&key()).await, Err(StoreError::Damaged { .. })));
    }
    store.put(&key(), &answer(), LIMIT).await.unwrap();
    assert_eq!(store.get(&key()).await.unwrap(), Some(answer()));
}

#[tokio::test]
async fn a_value_of_another_type_is_passed_by() {
    let Some(server) = Server::start().await else { return };
    let name = format!("playhouse:test:{}", key().hex());
    let _: u64 = ask(&server, &[b"RPUSH", name.as_bytes(), b"x"]).await;
    assert!(matches!(store(&server, LIMIT).get(&key()).await, Err(StoreError::Down { .. })));
}

#[tokio::test]
async fn a_killed_server_is_left_alone_and_found_again_when_it_is_back() {
    let Some(mut server) = Server::start().await else { return };
    let mut store = store(&server, LIMIT);
    store.put(&key(), &answer(), LIMIT).await.unwrap();
    server.kill();
    assert!(matches!(store.get(&key()).await, Err(StoreError::Down { .. })));
    assert_eq!(store.get(&key()).await, Err(StoreError::LeftAlone));
    assert_eq!(store.put(&key(), &answer(), LIMIT).await, Err(StoreError::LeftAlone));
    store.left_alone = Duration::ZERO;
    *store.link.lock().unwrap() = Link::default();
    assert!(matches!(store.get(&key()).await, Err(StoreError::Down { .. })));
    server.start_again().await;
    store.put(&key(), &answer(), LIMIT).await.unwrap();
    assert_eq!(store.get(&key()).await.unwrap(), Some(answer()));
}

#[tokio::test]
async fn a_stopped_server_costs_its_limit_once() {
    let Some(server) = Server::start().await else { return };
    let store = store(&server, SHORT);
    // Warm, so that only the stop can be slow.
    while store.put(&key(), &answer(), LIMIT).await.is_err() {
        *store.link.lock().unwrap() = Link::default();
    }
    server.signal("-STOP");
    let since = Instant::now();
    assert_eq!(store.get(&key()).await, Err(StoreError::Slow { limit_ms: 100 }));
    assert!(since.elapsed() >= SHORT);
    for _ in 0..100 {
        assert_eq!(store.get(&key()).await, Err(StoreError::LeftAlone));
    }
    server.signal("-CONT");
    *store.link.lock().unwrap() = Link::default();
    while store.get(&key()).await != Ok(Some(answer())) {
        *store.link.lock().unwrap() = Link::default();
    }
}

#[tokio::test]
async fn while_a_server_fails_one_call_at_a_time_tries_it() {
    // Nobody listens at this port.
    let (_folder, url) = address_file("redis://127.0.0.1:9/");
    let mut store = RedisStore::new(&config(&url, LIMIT)).unwrap();
    assert!(matches!(store.get(&key()).await, Err(StoreError::Down { .. })));
    store.left_alone = Duration::from_secs(3_600);
    store.link.lock().unwrap().alone_until = Some(Instant::now());
    let (store, wanted) = (Arc::new(store), key());
    let calls = (0..10).map(|_| store.get(&wanted));
    let answers = futures::future::join_all(calls).await;
    let tried = answers.iter().filter(|answer| matches!(answer, Err(StoreError::Down { .. }))).count();
    assert_eq!(tried, 1, "{answers:?}");
}

#[tokio::test]
async fn a_server_without_tls_is_passed_by_when_tls_is_asked_for() {
    let Some(server) = Server::start().await else { return };
    let plain = server.url.resolve().unwrap();
    let (_folder, url) = address_file(&plain.reveal().replace("redis://", "rediss://"));
    let store = RedisStore::new(&config(&url, SHORT)).unwrap();
    let error = store.get(&key()).await.unwrap_err();
    assert!(matches!(error, StoreError::Down { .. } | StoreError::Slow { .. }), "{error}");
}

#[test]
fn an_address_that_is_none_is_told_without_the_address() {
    let check = |text: &str| {
        let (_folder, url) = address_file(text);
        RedisStore::new(&config(&url, LIMIT)).unwrap_err()
    };
    let error = check("secret-password@host");
    assert!(matches!(error, CacheError::NoAddress) && !error.to_string().contains("secret"), "{error}");
    let missing = SecretRef::Env("PLAYHOUSE_TEST_NOT_SET".to_owned());
    let error = RedisStore::new(&config(&missing, LIMIT)).unwrap_err();
    assert!(matches!(error, CacheError::Address(_)), "{error}");
    let (_folder, url) = address_file("redis://:hunter2@127.0.0.1:1/");
    assert!(!format!("{:?}", RedisStore::new(&config(&url, LIMIT)).unwrap()).contains("hunter2"));
}

/// A catalog of one process, with a model at this address and this cache.
fn catalog(base_url: &str, redis: &SecretRef) -> Catalog {
    let mut config = Config::default();
    let http = HttpConfig::new(base_url, "x");
    config.models.insert("m".to_owned(), ModelConfig::new(ProviderConfig::OpenAi(http)));
    // Nothing is kept in the process, so that each hit is the server's.
    config.cache.memory_bytes_max = 0;
    config.cache.redis = Some(self::config(redis, LIMIT));
    let parts = CatalogParts {
        random: Arc::new(Always(0)),
        wall_clock: Arc::new(StoppedClock),
        models_dir: "/nowhere".into(),
        observer: Arc::new(NoObserver),
    };
    Catalog::new(&config, parts)
}

#[tokio::test]
async fn two_catalogs_share_answers_and_go_on_asking_when_the_server_is_gone() {
    let Some(mut server) = Server::start().await else { return };
    let whole = |text: &str| {
        let body = format!(r#"{{"choices":[{{"message":{{"content":"{text}"}},"finish_reason":"stop"}}]}}"#);
        json(200, &body)
    };
    let provider = Provider::start(vec![whole("first"), whole("second"), whole("third")]).await;
    let (one, other) =
        (catalog(&provider.url("/v1"), &server.url), catalog(&provider.url("/v1"), &server.url));
    let sampling = Sampling { temperature: Some(0.0), ..Sampling::default() };
    let request = CompletionRequest { sampling, ..hello() };
    let ask = async |catalog: &Catalog| {
        let answer = catalog.client("m").unwrap().complete(request.clone()).await.unwrap();
        (answer.text, answer.route.cached)
    };
    assert_eq!(ask(&one).await, ("first".to_owned(), false));
    assert_eq!(ask(&other).await, ("first".to_owned(), true));
    server.kill();
    assert_eq!(ask(&one).await, ("second".to_owned(), false));
    assert_eq!(ask(&other).await, ("third".to_owned(), false));
    assert_eq!(provider.requests().len(), 3);
}

#[test]
fn a_cache_whose_address_is_missing_is_an_error_that_names_its_key() {
    let missing = SecretRef::Env("PLAYHOUSE_TEST_NOT_SET".to_owned());
    let error = catalog("http://127.0.0.1:1/v1", &missing).client("m").unwrap_err();
    assert!(error.to_string().starts_with("use the cache: cache.redis.url: "), "{error}");
    assert_eq!(error.class(), FailureClass::Denied);
}
