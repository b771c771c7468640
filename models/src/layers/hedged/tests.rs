use std::time::Duration;

use playhouse_config::settings::BreakerConfig;
use tokio::time::{Instant, timeout};

use super::*;
use crate::error::ModelErrorKind;
use crate::layers::{Breaking, Observed};
use crate::observer::NoObserver;
use crate::testing::{FakeModel, Noted, Step, ask_streamed, hello};

const MS: Duration = Duration::from_millis(1);

/// Calls after which enough is known, with times that make the quantile 100 ms.
const WARM_UP: usize = 64;

fn config(extra_ratio_max: f64) -> HedgingConfig {
    HedgingConfig { after_quantile: 0.95, after_min: 50 * MS, extra_ratio_max }
}

fn answer(text: &'static str, after: Duration) -> Step {
    Step::Answer(text).after(after)
}

fn server_error() -> ModelErrorKind {
    ModelErrorKind::ServerError { message: "down".to_owned() }
}

fn hedged(model: &Arc<FakeModel>, config: HedgingConfig) -> (Hedged, Arc<Noted>) {
    let noted = Arc::<Noted>::default();
    let observed = Observed::new(model.clone(), Arc::default(), Arc::new(NoObserver));
    let breaker = BreakerConfig { failure_ratio: 1.0, calls_min: 2, ..BreakerConfig::default() };
    let breaker = Arc::new(Breaker::new(breaker));
    let breaking = Breaking::new(Arc::new(observed), Arc::clone(&breaker), Arc::new(NoObserver));
    (Hedged::new(Arc::new(breaking), config, Some(breaker), noted.clone()), noted)
}

/// A model that is known to take 100 ms, streamed and plainly, and then does `steps`.
async fn warm(steps: impl IntoIterator<Item = Step>) -> (Hedged, Arc<FakeModel>, Arc<Noted>) {
    let warm_up = vec![answer("a", 100 * MS); 2 * WARM_UP];
    let model = FakeModel::new(warm_up.into_iter().chain(steps));
    let (client, noted) = hedged(&model, config(1.0));
    for _ in 0..WARM_UP {
        assert!(client.complete(hello()).await.is_ok());
        assert!(ask_streamed(&client).await.is_ok());
    }
    assert_eq!(noted.take(), []);
    (client, model, noted)
}

async fn ask(client: &Hedged, streamed: bool) -> Result<Completion, ModelError> {
    if streamed { ask_streamed(client).await } else { client.complete(hello()).await }
}

#[tokio::test(start_paused = true)]
async fn a_second_call_is_sent_after_the_quantile_and_the_first_to_answer_wins() {
    for streamed in [false, true] {
        let steps = [answer("slow", 900 * MS), answer("quick", 20 * MS)];
        let (client, model, noted) = warm(steps).await;
        let begin = Instant::now();
        let won = ask(&client, streamed).await.unwrap();
        assert_eq!((&*won.text, won.route.hedged, won.route.attempts), ("quick", true, 2));
        assert_eq!((begin.elapsed(), model.running()), (120 * MS, 0));
        assert_eq!(noted.take(), [CallEvent::Hedged, CallEvent::HedgeWon]);
    }
}

#[tokio::test(start_paused = true)]
async fn the_first_call_wins_when_it_answers_first_after_all() {
    for streamed in [false, true] {
        let (client, model, noted) = warm([answer("first", 150 * MS), answer("second", 100 * MS)]).await;
        let won = ask(&client, streamed).await.unwrap();
        assert_eq!((&*won.text, won.route.hedged, won.route.attempts), ("first", false, 2));
        assert_eq!((noted.take(), model.running()), (vec![CallEvent::Hedged], 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_has_given_text_is_not_hedged_however_long_it_takes() {
    let (client, model, noted) = warm([Step::Slow(vec![(90 * MS, "a"), (900 * MS, "b")])]).await;
    let asked = model.asked_ms().len();
    assert_eq!(ask_streamed(&client).await.unwrap().text, "ab");
    assert_eq!((noted.take(), model.asked_ms().len()), (vec![], asked + 1));
}

#[tokio::test(start_paused = true)]
async fn when_one_call_fails_the_other_is_waited_for() {
    for streamed in [false, true] {
        let fails = || Step::Fail(vec![], server_error(), None).after(120 * MS);
        let (client, _, _) = warm([fails(), answer("second", 300 * MS)]).await;
        let won = ask(&client, streamed).await.unwrap();
        assert_eq!((&*won.text, won.route.hedged, won.route.attempts), ("second", true, 2));
        let (client, _, _) =
            warm([answer("first", 300 * MS), Step::Fail(vec![], server_error(), None)]).await;
        let won = ask(&client, streamed).await.unwrap();
        assert_eq!((&*won.text, won.route.hedged, won.route.attempts), ("first", false, 2));
        let (client, model, _) = warm([fails(), fails()]).await;
        let error = ask(&client, streamed).await.unwrap_err();
        assert_eq!((*error.kind, error.attempts, model.running()), (server_error(), 2, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_first_call_that_fails_early_is_not_followed_by_a_second() {
    for streamed in [false, true] {
        let (client, _, noted) = warm([Step::Fail(vec![], server_error(), None)]).await;
        assert_eq!(ask(&client, streamed).await.unwrap_err().attempts, 1);
        assert_eq!(noted.take(), []);
    }
}

#[tokio::test(start_paused = true)]
async fn no_second_call_is_sent_unless_the_breaker_is_closed() {
    let fails = Step::Fail(vec![], server_error(), None);
    let probe = answer("probe", 500 * MS);
    let warm_up = vec![answer("a", 100 * MS); WARM_UP];
    let model = FakeModel::new(warm_up.into_iter().chain([fails.clone(), fails, probe]));
    let (client, noted) = hedged(&model, config(1.0));
    for _ in 0..WARM_UP {
        assert!(client.complete(hello()).await.is_ok());
    }
    // The successes leave the breaker's window first.
    tokio::time::advance(Duration::from_secs(60)).await;
    for _ in 0..2 {
        assert!(client.complete(hello()).await.is_err());
    }
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(client.complete(hello()).await.unwrap().text, "probe");
    assert_eq!(noted.take(), []);
}

#[tokio::test(start_paused = true)]
async fn second_calls_are_at_most_their_share_of_all() {
    // Every tenth call is slow, which is twice as many as may be hedged.
    let steps = (0..3_000).map(|number| answer("a", if number % 10 == 9 { 900 * MS } else { 100 * MS }));
    let model = FakeModel::new(steps);
    let config = HedgingConfig { after_quantile: 0.8, ..config(0.05) };
    let (client, noted) = hedged(&model, config);
    for number in 0..2_000 {
        assert!(ask(&client, number % 2 == 0).await.is_ok());
    }
    let extra = model.asked_ms().len() - 2_000;
    assert_eq!(noted.count(|event| *event == CallEvent::Hedged), extra);
    assert!((80..=100).contains(&extra), "{extra} second calls for 2,000");
}

#[tokio::test(start_paused = true)]
async fn dropping_the_call_drops_both() {
    for streamed in [false, true] {
        let (client, model, _) = warm([Step::Hang, Step::Hang]).await;
        assert!(timeout(Duration::from_secs(1), ask(&client, streamed)).await.is_err());
        assert_eq!((model.asked_ms().len(), model.running()), (2 * WARM_UP + 2, 0));
    }
}
