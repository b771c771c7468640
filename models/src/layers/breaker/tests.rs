use futures::StreamExt;
use tokio::time::{advance, timeout};

use super::*;
use crate::testing::{FakeModel, Noted, Step, ask_streamed, hello};

const SECOND: Duration = Duration::from_secs(1);

fn config() -> BreakerConfig {
    BreakerConfig { failure_ratio: 1.0, calls_min: 2, window: 10 * SECOND, open: 5 * SECOND, probes: 1 }
}

fn breaking(steps: impl IntoIterator<Item = Step>) -> (Breaking, Arc<FakeModel>, Arc<Noted>) {
    let (model, noted) = (FakeModel::new(steps), Arc::<Noted>::default());
    (Breaking::new(model.clone(), Arc::new(Breaker::new(config())), noted.clone()), model, noted)
}

fn fail() -> Step {
    Step::Status(500, ModelErrorKind::ServerError { message: String::new() })
}

#[tokio::test(start_paused = true)]
async fn plain_and_streamed_failures_open_it_and_both_are_refused_then() {
    let (client, model, noted) = breaking([fail(), fail()]);
    assert!(client.complete(hello()).await.is_err());
    assert!(ask_streamed(&client).await.is_err());
    assert_eq!(noted.take(), [CallEvent::BreakerChanged { state: BreakerState::Open }]);
    advance(SECOND).await;
    for refused in [client.complete(hello()).await, ask_streamed(&client).await] {
        let error = refused.unwrap_err();
        assert_eq!(*error.kind, ModelErrorKind::BreakerOpen { retry_in_ms: 4_000 });
        assert_eq!((error.retry_after, error.attempts), (Some(4 * SECOND), 0));
    }
    assert_eq!(noted.take(), [CallEvent::BreakerRefused, CallEvent::BreakerRefused]);
    assert_eq!((client.breaker.state(), model.asked_ms().len()), (BreakerState::Open, 2));
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_answers_closes_it() {
    let (client, _, noted) = breaking([fail(), fail(), Step::Answer("a"), Step::Answer("b")]);
    for _ in 0..2 {
        assert!(client.complete(hello()).await.is_err());
    }
    advance(5 * SECOND).await;
    assert!(ask_streamed(&client).await.is_ok());
    assert!(client.complete(hello()).await.is_ok());
    let states = noted.take().into_iter().map(|event| match event {
        CallEvent::BreakerChanged { state } => state,
        other => panic!("{other:?}"),
    });
    let wanted = [BreakerState::Open, BreakerState::HalfOpen, BreakerState::Closed];
    assert_eq!(states.collect::<Vec<_>>(), wanted);
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_frees_its_place_and_decides_nothing() {
    let (client, _, _) = breaking([fail(), fail(), Step::Hang, Step::Hang, Step::Answer("a")]);
    for _ in 0..2 {
        assert!(client.complete(hello()).await.is_err());
    }
    advance(5 * SECOND).await;
    let mut probe = client.stream(hello());
    assert!(timeout(SECOND, probe.next()).await.is_err());
    assert!(matches!(*client.complete(hello()).await.unwrap_err().kind, ModelErrorKind::BreakerOpen { .. }));
    drop(probe);
    assert!(timeout(SECOND, client.complete(hello())).await.is_err());
    assert_eq!(client.breaker.state(), BreakerState::HalfOpen);
    assert!(client.complete(hello()).await.is_ok());
    assert_eq!(client.breaker.state(), BreakerState::Closed);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_after_text_counts_as_a_failure() {
    let broken = ModelErrorKind::BrokenStream { reason: "cut".to_owned() };
    let half = Step::Fail(vec!["half"], broken, None);
    let (client, _, _) = breaking([half.clone(), half]);
    for _ in 0..2 {
        assert!(ask_streamed(&client).await.is_err());
    }
    assert_eq!(client.breaker.state(), BreakerState::Open);
}
