use std::time::Duration;

use futures::TryStreamExt;

use super::*;
use crate::testing::{Always, FakeModel, Step, hello};

const SECOND: Duration = Duration::from_secs(1);

fn policy() -> RetryPolicy {
    RetryPolicy { attempts_max: 4, backoff_initial: SECOND, backoff_max: 3 * SECOND, total: 60 * SECOND }
}

fn server_error() -> ModelErrorKind {
    ModelErrorKind::ServerError { message: "overloaded".to_owned() }
}

fn fail(kind: ModelErrorKind) -> Step {
    Step::Fail(vec![], kind, None)
}

fn hinted(seconds: u64) -> Step {
    Step::Fail(
        vec![],
        ModelErrorKind::RateLimited { message: String::new() },
        Some(Duration::from_secs(seconds)),
    )
}

/// Asks in both ways and gives the outcome, which must be the same, and when the model was asked.
async fn ask(
    steps: &[Step],
    policy: RetryPolicy,
    random: u64,
) -> (Result<String, ModelErrorKind>, Vec<u128>) {
    let mut outcomes = Vec::new();
    for streamed in [false, true] {
        let model = FakeModel::new(steps.to_vec());
        let retrying = Retrying::new(model.clone(), policy, Arc::new(Always(random)));
        let answer = if streamed {
            let events = retrying.stream(hello()).try_collect::<Vec<_>>().await;
            events.map(|events| match events.last() {
                Some(CompletionEvent::Finished(completion)) => completion.text.clone(),
                other => panic!("{other:?}"),
            })
        } else {
            retrying.complete(hello()).await.map(|completion| completion.text)
        };
        outcomes.push((answer.map_err(|error| *error.kind), model.asked_ms()));
    }
    assert_eq!(outcomes[0], outcomes[1]);
    outcomes.remove(0)
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_may_pass_is_tried_again() {
    let steps = [fail(server_error()), fail(server_error()), Step::Answer("done")];
    let (answer, asked_ms) = ask(&steps, policy(), u64::MAX).await;
    assert_eq!(answer.unwrap(), "done");
    assert_eq!(asked_ms, [0, 1_000, 3_000]);
}

#[tokio::test(start_paused = true)]
async fn waits_double_up_to_their_limit_and_are_drawn_from_zero() {
    let steps = vec![fail(server_error()); 4];
    assert_eq!(ask(&steps, policy(), u64::MAX).await.1, [0, 1_000, 3_000, 6_000]);
    assert_eq!(ask(&steps, policy(), u64::MAX / 2).await.1, [0, 500, 1_500, 3_000]);
    assert_eq!(ask(&steps, policy(), 0).await.1, [0, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn the_last_failure_is_given_when_attempts_run_out() {
    let steps = [fail(server_error()), fail(server_error()), fail(server_error()), hinted(0)];
    assert!(matches!(ask(&steps, policy(), 0).await.0, Err(ModelErrorKind::RateLimited { .. })));
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_stays_is_not_tried_again() {
    let message = String::new;
    for kind in [
        ModelErrorKind::Unauthorized { message: message() },
        ModelErrorKind::Rejected { message: message() },
        ModelErrorKind::NoSuchModel { message: message() },
        ModelErrorKind::ContextExceeded { prompt_tokens: 2, context_tokens: 1 },
        ModelErrorKind::TimedOut { what: Awaited::Answer, limit_ms: 1 },
        ModelErrorKind::Internal { reason: message() },
    ] {
        let (answer, asked_ms) = ask(&[fail(kind.clone())], policy(), 0).await;
        assert_eq!(answer, Err(kind));
        assert_eq!(asked_ms.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_never_undercut() {
    let steps = [hinted(7), hinted(0), Step::Answer("done")];
    assert_eq!(ask(&steps, policy(), 0).await.1, [0, 7_000, 7_000]);
    assert_eq!(ask(&steps, policy(), u64::MAX).await.1, [0, 8_000, 9_000]);
}

#[tokio::test(start_paused = true)]
async fn a_hint_beyond_the_total_time_fails_at_once() {
    let begin = Instant::now();
    let (answer, asked_ms) = ask(&[hinted(61)], policy(), 0).await;
    assert!(matches!(answer, Err(ModelErrorKind::RateLimited { .. })));
    assert_eq!((asked_ms.len(), begin.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn the_total_time_ends_a_call_that_hangs() {
    let begin = Instant::now();
    let (answer, asked_ms) = ask(&[fail(server_error()), Step::Hang], policy(), u64::MAX).await;
    assert_eq!(answer, Err(ModelErrorKind::TimedOut { what: Awaited::Answer, limit_ms: 60_000 }));
    assert_eq!(asked_ms, [0, 1_000]);
    assert_eq!(begin.elapsed(), 2 * 60 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_final_once_text_was_given() {
    let broken = ModelErrorKind::BrokenStream { reason: "cut".to_owned() };
    let model = FakeModel::new([Step::Fail(vec!["half"], broken.clone(), None)]);
    let retrying = Retrying::new(model.clone(), policy(), Arc::new(Always(0)));
    let mut events = retrying.stream(hello());
    assert_eq!(events.next().await, Some(Ok(CompletionEvent::Delta("half".to_owned()))));
    assert_eq!(*events.next().await.unwrap().unwrap_err().kind, broken);
    assert_eq!(events.next().await, None);
    assert_eq!(model.asked_ms().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_total_time_without_end_does_not_overflow_the_clock() {
    let policy = RetryPolicy { total: Duration::MAX, ..policy() };
    assert_eq!(ask(&[Step::Answer("done")], policy, 0).await.0.unwrap(), "done");
}

#[test]
fn jitter_is_drawn_from_its_whole_range() {
    let draws = |random| draw(SECOND, &Always(random)).as_nanos();
    assert_eq!((draws(0), draws(1 << 63), draws(u64::MAX)), (0, 500_000_000, 1_000_000_000));
    assert_eq!(draw(Duration::MAX, &Always(0)), Duration::ZERO);
}
