use futures::StreamExt;
use futures::future::join_all;
use playhouse_config::settings::{ConcurrencyConfig, PacingConfig};
use playhouse_protocol::completion::ChatMessage;
use tokio::time::{Instant, timeout};

use super::*;
use crate::layers::{Concurrency, Limited, Observed};
use crate::observer::NoObserver;
use crate::testing::{FakeModel, Noted, Step, ask_streamed, hello};

const SECOND: Duration = Duration::from_secs(1);

fn requests(requests_per_minute: u32) -> PacingConfig {
    PacingConfig { requests_per_minute: Some(requests_per_minute), tokens_per_minute: None }
}

fn tokens(tokens_per_minute: u32) -> PacingConfig {
    PacingConfig { requests_per_minute: None, tokens_per_minute: Some(tokens_per_minute) }
}

fn paced(model: &Arc<FakeModel>, config: PacingConfig, total: Duration) -> (Paced, Arc<Noted>) {
    let noted = Arc::<Noted>::default();
    let observed = Observed::new(model.clone(), Arc::default(), Arc::new(NoObserver));
    (Paced::new(Arc::new(observed), Pace::new(config), total, noted.clone()), noted)
}

/// A request whose prompt takes `prompt` tokens of the fake model and whose answer may take `answer`.
fn request(prompt: usize, answer: u32) -> CompletionRequest {
    let mut request = CompletionRequest::new(vec![ChatMessage::user("x".repeat(prompt))]);
    request.completion_tokens_max = Some(answer);
    request
}

fn rate_limited(hint: Duration) -> Step {
    Step::Fail(vec![], ModelErrorKind::RateLimited { message: String::new() }, Some(hint))
}

#[tokio::test(start_paused = true)]
async fn calls_are_begun_at_the_pace_and_in_order() {
    let model = FakeModel::always(Step::Answer("a"));
    let (client, noted) = paced(&model, requests(2), 600 * SECOND);
    let calls = (0..5).map(|number| {
        let client = &client;
        async move {
            let streamed = number % 2 == 0;
            let answer = if streamed { ask_streamed(client).await } else { client.complete(hello()).await };
            assert!(answer.is_ok());
        }
    });
    join_all(calls).await;
    // The clock of the runtime ticks in milliseconds, so a turn may come one later.
    assert_eq!(model.asked_ms().iter().map(|ms| ms / 1_000).collect::<Vec<_>>(), [0, 0, 30, 60, 90]);
    let waits = noted.take().into_iter().map(|event| match event {
        CallEvent::Waited { what: WaitedFor::Pacing, wait } => wait.as_secs(),
        other => panic!("{other:?}"),
    });
    assert_eq!(waits.collect::<Vec<_>>(), [30, 60, 90]);
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_would_come_too_late_is_refused_at_once() {
    let model = FakeModel::always(Step::Answer("a"));
    let (client, _) = paced(&model, requests(1), 90 * SECOND);
    let begin = Instant::now();
    let (first, second, third) = tokio::join!(client.complete(hello()), client.complete(hello()), async {
        let refused = client.complete(hello()).await;
        (refused.unwrap_err(), begin.elapsed())
    });
    assert!(first.is_ok() && second.is_ok());
    let (error, after) = third;
    assert_eq!((*error.kind, after), (ModelErrorKind::Paced { wait_ms: 120_000 }, Duration::ZERO));
    assert_eq!(error.retry_after.unwrap().as_secs(), 120);
}

#[tokio::test(start_paused = true)]
async fn tokens_are_counted_before_and_settled_after() {
    // An answer of the fake model uses 12 tokens.
    let model = FakeModel::always(Step::Answer("a").after(10 * SECOND));
    let (client, _) = paced(&model, tokens(600), 600 * SECOND);
    let begin = Instant::now();
    let first = client.complete(request(400, 100));
    // 500 are set aside and 200 are wanted: 10 s at 10 a second, but the first gives back its rest just then.
    let second = async {
        tokio::task::yield_now().await;
        client.complete(request(100, 400)).await
    };
    let (first, second) = tokio::join!(first, second);
    assert!(first.is_ok() && second.is_ok());
    assert_eq!(model.asked_ms(), [0, 10_000]);
    assert_eq!(begin.elapsed(), 20 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_fits_is_an_error_that_names_the_setting() {
    let model = FakeModel::always(Step::Answer("a"));
    let (client, _) = paced(&model, tokens(600), 600 * SECOND);
    let error = client.complete(request(500, 101)).await.unwrap_err();
    insta::assert_snapshot!(error, @"ask model m (open_ai): pacing.tokens_per_minute is wrong: it is 600, and this request may take 601 tokens (500 of its prompt, 101 of its answer)");
    assert!(client.complete(request(500, 100)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_the_server_refused_costs_no_tokens() {
    let refused = Step::Status(500, ModelErrorKind::ServerError { message: String::new() });
    let model = FakeModel::new([refused, Step::Answer("a")]);
    let (client, _) = paced(&model, tokens(600), SECOND);
    assert!(client.complete(request(300, 300)).await.is_err());
    assert!(client.complete(request(300, 300)).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_hint_pauses_everybody() {
    let model = FakeModel::new([rate_limited(7 * SECOND), Step::Answer("a"), Step::Answer("a")]);
    let (client, _) = paced(&model, PacingConfig::default(), 600 * SECOND);
    assert!(client.complete(hello()).await.is_err());
    assert_eq!(client.pace.expected_wait(), 7 * SECOND);
    let (plain, streamed) = tokio::join!(client.complete(hello()), ask_streamed(&client));
    assert!(plain.is_ok() && streamed.is_ok());
    assert_eq!(model.asked_ms(), [0, 7_000, 7_000]);
}

#[tokio::test(start_paused = true)]
async fn a_hint_also_pauses_calls_that_have_had_their_turn_and_wait_for_a_place() {
    let steps = [rate_limited(7 * SECOND).after(SECOND), Step::Answer("a")];
    let model = FakeModel::new(steps);
    let (Paced { pace, .. }, _) = paced(&model, PacingConfig::default(), SECOND);
    let places = Concurrency::new(ConcurrencyConfig { max: 1, adaptive: true });
    let limited = Limited::new(model.clone(), places, Arc::new(NoObserver)).pausing_with(Arc::clone(&pace));
    let client = Paced::new(Arc::new(limited), pace, 600 * SECOND, Arc::new(NoObserver));
    let (first, second) = tokio::join!(client.complete(hello()), client.complete(hello()));
    assert!(first.is_err() && second.is_ok());
    assert_eq!(model.asked_ms(), [0, 8_000]);
}

#[tokio::test(start_paused = true)]
async fn a_pause_beyond_its_time_refuses_a_call_that_waits_already() {
    let model = FakeModel::new([Step::Answer("a"), rate_limited(300 * SECOND)]);
    let (client, _) = paced(&model, requests(1), 100 * SECOND);
    assert!(client.complete(hello()).await.is_ok());
    let begin = Instant::now();
    let (second, third) = tokio::join!(client.complete(hello()), async {
        tokio::time::sleep(30 * SECOND).await;
        client.complete(hello()).await
    });
    assert!(matches!(*second.unwrap_err().kind, ModelErrorKind::RateLimited { .. }));
    assert!(matches!(*third.unwrap_err().kind, ModelErrorKind::Paced { wait_ms: 300_000 }));
    assert_eq!(begin.elapsed().as_secs(), 60);
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_while_it_waits_leaves_the_queue() {
    let model = FakeModel::always(Step::Answer("a"));
    let (client, _) = paced(&model, requests(1), 600 * SECOND);
    assert!(client.complete(hello()).await.is_ok());
    let mut first = client.stream(hello());
    assert!(timeout(SECOND, first.next()).await.is_err());
    assert!(timeout(SECOND, client.complete(hello())).await.is_err());
    assert_eq!(client.pace.expected_wait().as_secs(), 58 + 60);
    drop(first);
    assert_eq!(client.pace.expected_wait().as_secs(), 58);
    assert!(client.complete(hello()).await.is_ok());
    assert_eq!(model.asked_ms().last().unwrap() / 1_000, 60);
}
