use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use futures::{FutureExt, TryStreamExt};
use playhouse_config::settings::{CacheConfig, HttpConfig, ModelConfig, ProviderConfig};
use playhouse_protocol::completion::{Origin, Sampling};
use playhouse_protocol::{Usage, WallClock};
use tokio::time::sleep;

use super::*;
use crate::cache::{AnswerStore, KeptAnswer, MemoryStore, StoreError};
use crate::error::ModelErrorKind;
use crate::testing::{FakeModel, Step, completion, hello, info};

/// A clock that a test turns.
#[derive(Debug, Default)]
struct Clock(AtomicU64);

impl WallClock for Clock {
    fn unix_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Writes down what is told.
#[derive(Debug, Default)]
struct Notes(Mutex<Vec<CallEvent>>);

impl CallObserver for Notes {
    fn observe(&self, model: &str, event: &CallEvent) {
        assert_eq!(model, "m");
        self.0.lock().unwrap().push(event.clone());
    }
}

impl Notes {
    fn take(&self) -> Vec<CallEvent> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// A model that takes a second for an answer or a failure.
#[derive(Debug)]
struct Slow(Arc<FakeModel>, ModelInfo);

impl ModelClient for Slow {
    fn info(&self) -> &ModelInfo {
        &self.1
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let events = self.0.stream(request);
        stream::once(sleep(Duration::from_secs(1)).map(|()| events)).flatten().boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        self.0.ping()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        self.0.tokens()
    }
}

struct Bench {
    model: Arc<FakeModel>,
    clock: Arc<Clock>,
    notes: Arc<Notes>,
    cached: Cached,
}

fn bench_with(mode: CacheMode, provider: ProviderKind, far: Option<&Arc<Far>>, steps: Vec<Step>) -> Bench {
    let (model, clock, notes) = (FakeModel::new(steps), Arc::<Clock>::default(), Arc::<Notes>::default());
    let config = CacheConfig { age_max: Duration::from_secs(60), ..CacheConfig::default() };
    let cache = match far {
        None => AnswerCache::new(&config, clock.clone()).unwrap().unwrap(),
        Some(far) => {
            let near = MemoryStore::new(config.memory_bytes_max);
            AnswerCache::with_stores(Some(near), vec![far.clone()], config.age_max, clock.clone())
        }
    };
    let entry = ModelConfig::new(ProviderConfig::OpenAi(HttpConfig::new("http://h/v1", "x")));
    let cached = Cached::new(
        Arc::new(Slow(Arc::clone(&model), info(provider))),
        CachedParts { mode, scope: CacheScope::new(&entry), cache: Arc::new(cache), observer: notes.clone() },
    );
    Bench { model, clock, notes, cached }
}

fn bench(steps: impl Into<Vec<Step>>) -> Bench {
    bench_with(CacheMode::Exact, ProviderKind::OpenAi, None, steps.into())
}

fn greedy() -> CompletionRequest {
    CompletionRequest { sampling: Sampling { temperature: Some(0.0), ..Sampling::default() }, ..hello() }
}

fn failure() -> Step {
    Step::Fail(vec![], ModelErrorKind::ServerError { message: "busy".to_owned() }, None)
}

#[tokio::test(start_paused = true)]
async fn an_equal_request_is_answered_without_asking_and_for_nothing() {
    let Bench { model, notes, cached, .. } = bench([Step::Answer("hi")]);
    let first = cached.complete(greedy()).await.unwrap();
    assert_eq!((first.route.cached, first.usage.prompt_tokens), (false, 10));
    let again = cached.complete(greedy()).await.unwrap();
    assert_eq!((again.text.as_str(), again.usage, again.route.attempts), ("hi", Usage::default(), 0));
    assert!(again.route.cached);
    let events: Vec<_> = cached.stream(greedy()).try_collect().await.unwrap();
    assert_eq!(events, [CompletionEvent::Delta("hi".into()), CompletionEvent::Finished(again)]);
    assert_eq!(model.asked_ms(), [0]);
    let hit = CallEvent::CacheHit { store: CacheStore::Memory };
    assert_eq!(notes.take(), [CallEvent::CacheMiss, hit.clone(), hit]);
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_came_as_a_stream_is_kept_too() {
    let Bench { model, cached, .. } = bench([Step::Answer("hi")]);
    let events: Vec<_> = cached.stream(greedy()).try_collect().await.unwrap();
    assert_eq!(events.len(), 2);
    assert!(cached.complete(greedy()).await.unwrap().route.cached);
    assert_eq!(model.asked_ms().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn sampled_requests_are_asked_each_time_unless_the_settings_say_otherwise() {
    let sampled =
        CompletionRequest { sampling: Sampling { temperature: Some(0.7), ..Sampling::default() }, ..hello() };
    let check = async |mode, provider, request: &CompletionRequest, asked| {
        let bench = bench_with(mode, provider, None, vec![Step::Answer("a"), Step::Answer("b")]);
        for _ in 0..2 {
            bench.cached.complete(request.clone()).await.unwrap();
        }
        assert_eq!(bench.model.asked_ms().len(), asked, "{mode:?} {provider:?} {request:?}");
    };
    check(CacheMode::Off, ProviderKind::OpenAi, &greedy(), 2).await;
    check(CacheMode::Exact, ProviderKind::OpenAi, &greedy(), 1).await;
    check(CacheMode::Exact, ProviderKind::OpenAi, &sampled, 2).await;
    check(CacheMode::Exact, ProviderKind::OpenAi, &hello(), 2).await;
    check(CacheMode::Exact, ProviderKind::Local, &hello(), 1).await;
    check(CacheMode::Exact, ProviderKind::Local, &sampled, 2).await;
    check(CacheMode::Sampled, ProviderKind::OpenAi, &sampled, 1).await;
    check(CacheMode::Sampled, ProviderKind::OpenAi, &hello(), 1).await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_no_longer_than_its_time() {
    let Bench { model, clock, cached, .. } = bench([Step::Answer("a"), Step::Answer("b")]);
    let ask = || async { cached.complete(greedy()).await.unwrap().text };
    assert_eq!(ask().await, "a");
    clock.0.store(59_999, Ordering::Relaxed);
    assert_eq!(ask().await, "a");
    clock.0.store(60_000, Ordering::Relaxed);
    assert_eq!((ask().await.as_str(), model.asked_ms().len()), ("b", 2));
}

#[tokio::test(start_paused = true)]
async fn failures_and_cut_answers_are_not_kept() {
    let Bench { model, cached, .. } = bench([failure(), Step::Answer("ab"), Step::Answer("abc")]);
    assert!(cached.complete(greedy()).await.is_err());
    let cut = |answer| Completion { stop_reason: StopReason::Length, ..answer };
    let cutting = cached.around(Arc::new(Changed(Arc::clone(&model), cut)));
    assert_eq!(cutting.complete(greedy()).await.unwrap().text, "ab");
    assert_eq!(cached.complete(greedy()).await.unwrap().text, "abc");
    assert!(cached.complete(greedy()).await.unwrap().route.cached);
    assert_eq!(model.asked_ms().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn equal_requests_at_one_time_are_asked_once() {
    let Bench { model, cached, .. } = bench([Step::Answer("hi")]);
    let plain = join_all((0..50).map(|_| cached.complete(greedy())));
    let streamed = join_all((0..50).map(|_| cached.stream(greedy()).try_collect::<Vec<_>>()));
    let (plain, streamed) = futures::join!(plain, streamed);
    let answers: Vec<_> = plain.into_iter().map(Result::unwrap).collect();
    assert!(answers.iter().all(|answer| answer.text == "hi"));
    assert_eq!(answers.iter().filter(|answer| !answer.route.cached).count(), 1);
    assert!(streamed.into_iter().all(|events| events.unwrap().len() == 2));
    assert_eq!(model.asked_ms(), [0]);
}

#[tokio::test(start_paused = true)]
async fn other_requests_do_not_wait() {
    let Bench { model, cached, .. } = bench([Step::Answer("a"), Step::Answer("b")]);
    let other = CompletionRequest { completion_tokens_max: Some(3), ..greedy() };
    let (a, b) = futures::join!(cached.complete(greedy()), cached.complete(other));
    assert!(!a.unwrap().route.cached && !b.unwrap().route.cached);
    assert_eq!(model.asked_ms(), [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn when_the_one_that_asks_is_dropped_another_one_asks() {
    let Bench { model, cached, .. } = bench([Step::Answer("never read"), Step::Answer("hi")]);
    let mut first = cached.complete(greedy());
    assert!(futures::poll!(&mut first).is_pending());
    let others = join_all((0..10).map(|_| cached.complete(greedy())));
    let dropped = async {
        sleep(Duration::from_millis(500)).await;
        drop(first);
    };
    let (others, ()) = futures::join!(others, dropped);
    assert!(others.into_iter().all(|answer| answer.unwrap().text == "hi"));
    assert_eq!(model.asked_ms(), [0, 500]);
}

#[tokio::test(start_paused = true)]
async fn a_dropped_stream_lets_another_one_ask() {
    let Bench { model, cached, .. } = bench([Step::Answer("never read"), Step::Answer("hi")]);
    let mut first = cached.stream(greedy());
    assert!(futures::poll!(first.next()).is_pending());
    let mut second = cached.stream(greedy());
    assert!(futures::poll!(second.next()).is_pending());
    drop(first);
    let events: Vec<_> = second.try_collect().await.unwrap();
    assert_eq!(events.len(), 2);
    assert_eq!(model.asked_ms().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_the_failure_of_the_one_that_asked_and_nobody_waits_for_more_than_two() {
    let steps: Vec<_> = (0..10).map(|_| failure()).collect();
    let Bench { model, cached, .. } = bench(steps);
    let answers = join_all((0..10).map(|_| cached.complete(greedy()))).await;
    assert!(answers.iter().all(Result::is_err));
    // The first, the second, and then all that waited twice.
    assert_eq!(model.asked_ms(), [0, 1_000, 2_000, 2_000, 2_000, 2_000, 2_000, 2_000, 2_000, 2_000]);
}

#[tokio::test(start_paused = true)]
async fn who_waits_is_not_held_up_by_a_stream_that_nobody_reads() {
    let Bench { model, cached, .. } = bench([Step::Answer("unread"), Step::Answer("hi")]);
    let mut unread = cached.stream(greedy());
    assert!(futures::poll!(unread.next()).is_pending());
    let answer = cached.complete(greedy()).await.unwrap();
    assert_eq!(answer.text, "hi");
    assert_eq!(model.asked_ms().len(), 2);
    drop(unread);
}

#[tokio::test(start_paused = true)]
async fn a_failed_stream_that_is_still_held_lets_another_one_ask() {
    let Bench { model, cached, .. } = bench([failure(), Step::Answer("hi")]);
    let mut failed = cached.stream(greedy());
    assert!(failed.next().await.unwrap().is_err());
    assert_eq!(cached.complete(greedy()).await.unwrap().text, "hi");
    assert_eq!(model.asked_ms(), [0, 1_000]);
    drop(failed);
}

/// A model whose answers are changed.
#[derive(Debug)]
struct Changed(Arc<FakeModel>, fn(Completion) -> Completion);

impl ModelClient for Changed {
    fn info(&self) -> &ModelInfo {
        self.0.info()
    }

    fn stream(&self, request: CompletionRequest) -> CompletionStream {
        let change = self.1;
        let events = self.0.stream(request).map(move |event| match event? {
            CompletionEvent::Finished(completion) => Ok(CompletionEvent::Finished(change(completion))),
            event => Ok(event),
        });
        events.boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        self.0.ping()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        self.0.tokens()
    }
}

impl Cached {
    /// The same cache around another model.
    fn around(&self, inner: Arc<dyn ModelClient>) -> Self {
        Self { inner, parts: Arc::clone(&self.parts) }
    }
}

#[tokio::test(start_paused = true)]
async fn the_answer_of_a_fallback_is_not_kept_as_the_models_own() {
    let Bench { model, cached, .. } = bench([Step::Answer("a"), Step::Answer("b")]);
    let fallen_back = |answer: Completion| Completion {
        origin: Origin { model: "other".to_owned(), ..answer.origin.clone() },
        ..answer
    };
    let cached = cached.around(Arc::new(Changed(Arc::clone(&model), fallen_back)));
    assert_eq!(cached.complete(greedy()).await.unwrap().text, "a");
    assert_eq!(cached.complete(greedy()).await.unwrap().text, "b");
}

/// A store that is far away: it holds what it was given, and fails when it is told to.
#[derive(Debug, Default)]
struct Far {
    answers: Mutex<BTreeMap<CacheKey, (Arc<KeptAnswer>, Duration)>>,
    broken: Mutex<Option<StoreError>>,
}

impl Far {
    fn broken<T>(&self, value: T) -> Result<T, StoreError> {
        self.broken.lock().unwrap().clone().map_or(Ok(value), Err)
    }
}

impl AnswerStore for Far {
    fn kind(&self) -> CacheStore {
        CacheStore::Redis
    }

    fn get<'a>(&'a self, key: &'a CacheKey) -> BoxFuture<'a, Result<Option<Arc<KeptAnswer>>, StoreError>> {
        let found = self.answers.lock().unwrap().get(key).map(|(answer, _)| answer.clone());
        std::future::ready(self.broken(found)).boxed()
    }

    fn put<'a>(
        &'a self,
        key: &'a CacheKey,
        answer: &'a Arc<KeptAnswer>,
        time: Duration,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let put = self.broken(()).map(|()| {
            self.answers.lock().unwrap().insert(*key, (answer.clone(), time));
        });
        std::future::ready(put).boxed()
    }
}

#[tokio::test(start_paused = true)]
async fn what_another_process_kept_is_found_and_then_kept_near_for_the_rest_of_its_time() {
    let far = Arc::<Far>::default();
    let one = bench_with(CacheMode::Exact, ProviderKind::OpenAi, Some(&far), vec![Step::Answer("hi")]);
    let other = bench_with(CacheMode::Exact, ProviderKind::OpenAi, Some(&far), vec![Step::Answer("new")]);
    one.cached.complete(greedy()).await.unwrap();
    assert_eq!(far.answers.lock().unwrap().values().next().unwrap().1, Duration::from_secs(60));
    other.clock.0.store(40_000, Ordering::Relaxed);
    for store in [CacheStore::Redis, CacheStore::Memory] {
        assert!(other.cached.complete(greedy()).await.unwrap().route.cached);
        assert_eq!(other.notes.take(), [CallEvent::CacheHit { store }]);
    }
    other.clock.0.store(60_000, Ordering::Relaxed);
    assert_eq!(other.cached.complete(greedy()).await.unwrap().text, "new");
}

#[tokio::test(start_paused = true)]
async fn a_cache_that_is_down_or_damaged_is_passed_by_and_counted() {
    let bypassed = CallEvent::CacheBypassed { store: CacheStore::Redis };
    for error in [
        StoreError::Down { reason: "refused".to_owned() },
        StoreError::Slow { limit_ms: 50 },
        StoreError::LeftAlone,
        StoreError::Damaged { reason: "checksum".to_owned() },
    ] {
        let far = Arc::<Far>::default();
        *far.broken.lock().unwrap() = Some(error);
        let bench = bench_with(CacheMode::Exact, ProviderKind::OpenAi, Some(&far), vec![Step::Answer("hi")]);
        assert_eq!(bench.cached.complete(greedy()).await.unwrap().text, "hi");
        assert_eq!(bench.notes.take(), [bypassed.clone(), CallEvent::CacheMiss, bypassed.clone()]);
        assert!(bench.cached.complete(greedy()).await.unwrap().route.cached, "memory still answers");
    }
}

#[tokio::test(start_paused = true)]
async fn an_entry_of_another_name_with_the_same_endpoint_finds_the_answer_under_its_own_name() {
    let Bench { cached, .. } = bench([Step::Answer("hi")]);
    cached.complete(greedy()).await.unwrap();
    let other = ModelInfo { name: "other".to_owned(), ..info(ProviderKind::OpenAi) };
    let parts = CachedParts {
        mode: CacheMode::Exact,
        scope: cached.parts.scope.clone(),
        cache: Arc::clone(&cached.parts.cache),
        observer: Arc::new(crate::observer::NoObserver),
    };
    let other = Cached::new(Arc::new(Slow(FakeModel::new([]), other)), parts);
    let answer = other.complete(greedy()).await.unwrap();
    assert_eq!((answer.origin.model.as_str(), answer.text), ("other", completion("hi").text));
}
