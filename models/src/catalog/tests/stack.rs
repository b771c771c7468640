//! All layers of one model together.

use futures::future::join_all;
use futures::{StreamExt, TryStreamExt};
use playhouse_config::settings::{ConcurrencyConfig, HedgingConfig, PacingConfig, TimeoutsConfig};
use playhouse_protocol::{RandomSource, SeededSource};
use tokio::time::{sleep, timeout};

use super::*;
use crate::cache::LazyCache;
use crate::catalog::stack::{Shared, Stack};
use crate::error::ModelErrorKind;
use crate::http::Connections;
use crate::layers::{Observed, RetryBudget};
use crate::observer::NoObserver;

use crate::testing::{FakeModel, Step, ask_streamed};

const MS: Duration = Duration::from_millis(1);

fn every_layer() -> HttpConfig {
    HttpConfig {
        breaker: Some(BreakerConfig { calls_min: 5, ..BreakerConfig::default() }),
        concurrency: ConcurrencyConfig { max: 8, adaptive: true },
        pacing: PacingConfig { requests_per_minute: Some(3_000), tokens_per_minute: Some(200_000) },
        hedging: Some(HedgingConfig { extra_ratio_max: 0.5, ..HedgingConfig::default() }),
        timeouts: TimeoutsConfig { total: Duration::from_secs(20), ..TimeoutsConfig::default() },
        ..HttpConfig::new("http://127.0.0.1:1", "m")
    }
}

fn stack(http: HttpConfig) -> Stack {
    let shared = Shared {
        parts: CatalogParts {
            random: Arc::new(SeededSource::from_seed(1)),
            wall_clock: Arc::new(StoppedClock),
            observer: Arc::new(NoObserver),
            models_dir: PathBuf::new(),
        },
        cache: LazyCache::new(Config::default().cache, Arc::new(StoppedClock)),
        connections: Connections::default(),
        retry_budget: Arc::new(RetryBudget::new(Config::default().retry_budget)),
    };
    Stack::new("m", &ModelConfig::new(ProviderConfig::OpenAi(http)), &Arc::new(shared))
}

fn any_step(random: &SeededSource) -> Step {
    let wait = MS * u32::try_from(random.next_u64() % 800).unwrap();
    let message = "x".to_owned();
    let step = match random.next_u64() % 12 {
        0 => Step::Status(500, ModelErrorKind::ServerError { message }),
        1 => Step::Status(503, ModelErrorKind::ServerError { message }),
        2 => Step::Fail(vec![], ModelErrorKind::RateLimited { message }, Some(2 * wait)),
        3 => Step::Fail(vec!["half"], ModelErrorKind::BrokenStream { reason: message }, None),
        4 => Step::Status(400, ModelErrorKind::Rejected { message }),
        5 => Step::Hang,
        6 => Step::Slow(vec![(wait, "a"), (wait, "b"), (3 * wait, "c")]),
        _ => Step::Answer("a"),
    };
    step.after(wait)
}

/// Calls that fail in every way, wait, are hedged, tried again, and dropped at any moment.
#[tokio::test(start_paused = true)]
async fn whatever_happens_to_calls_everything_they_held_is_given_back() {
    for seed in 0..20 {
        let random = SeededSource::from_seed(seed);
        let model = FakeModel::new((0..5_000).map(|_| any_step(&random)));
        let stack = stack(every_layer());
        let observed = Observed::new(model.clone(), stack.instruments.stats.clone(), Arc::new(NoObserver));
        let client = build::reliable(Arc::new(observed), &every_layer(), &stack);
        let calls = (0..300).map(|number| {
            let (client, random) = (&client, &random);
            async move {
                sleep(MS * u32::try_from(random.next_u64() % 20_000).unwrap()).await;
                let patience = MS * u32::try_from(random.next_u64() % 30_000).unwrap();
                let call = async {
                    let answer = if number % 2 == 0 {
                        ask_streamed(&**client).await
                    } else {
                        client.complete(hello()).await
                    };
                    answer.is_ok()
                };
                timeout(patience, call).await.unwrap_or(false)
            }
        });
        let answered = join_all(calls).await.into_iter().filter(|answered| *answered).count();
        assert!(answered > 0, "{answered} answers with seed {seed}");
        let health = stack.instruments.health();
        assert_eq!(health.concurrency.unwrap().in_use, 0, "seed {seed}");
        assert_eq!(model.running(), 0, "seed {seed}");
        assert!(model.running_most() <= 8);
        sleep(Duration::from_secs(600)).await;
        assert_eq!(stack.instruments.health().pacing_wait, Some(Duration::ZERO), "seed {seed}");
        // Nothing is stuck: once the server works, so does the client.
        let model = FakeModel::always(Step::Answer("a"));
        let observed = Observed::new(model, stack.instruments.stats.clone(), Arc::new(NoObserver));
        let client = build::reliable(Arc::new(observed), &every_layer(), &stack);
        for _ in 0..40 {
            assert!(client.complete(hello()).await.is_ok(), "seed {seed}");
        }
        assert_eq!(stack.instruments.health().breaker, Some(BreakerState::Closed), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_through_all_layers_gives_its_text_as_it_comes() {
    let model = FakeModel::new([Step::Slow(vec![(MS, "a"), (MS, "b")])]);
    let stack = stack(every_layer());
    let observed = Observed::new(model, stack.instruments.stats.clone(), Arc::new(NoObserver));
    let client = build::reliable(Arc::new(observed), &every_layer(), &stack);
    let begin = tokio::time::Instant::now();
    let times = client.stream(hello()).map(|event| event.map(|_| begin.elapsed()));
    assert_eq!(times.try_collect::<Vec<_>>().await.unwrap(), [MS, 2 * MS, 2 * MS]);
}
