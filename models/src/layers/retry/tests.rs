use std::time::Duration;

use futures::TryStreamExt;
use playhouse_config::settings::RetryBudgetConfig;

use super::*;
use crate::layers::Observed;
use crate::testing::{Always, FakeModel, Noted, Step, ask_both_ways, ask_streamed, hello};

const SECOND: Duration = Duration::from_secs(1);

fn policy() -> RetryPolicy {
    RetryPolicy { attempts_max: 4, backoff_initial: SECOND, backoff_max: 3 * SECOND, total: 60 * SECOND }
}

fn budget(ratio_max: f64, free: u32) -> Arc<RetryBudget> {
    Arc::new(RetryBudget::new(RetryBudgetConfig { ratio_max, free, window: 3600 * SECOND }))
}

fn server_error() -> ModelErrorKind {
    ModelErrorKind::ServerError { message: "overloaded".to_owned() }
}

fn broken(reason: &str) -> ModelErrorKind {
    ModelErrorKind::BrokenStream { reason: reason.to_owned() }
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

/// Failures of which no two in a row are the same.
fn various(count: usize) -> Vec<Step> {
    ["a", "b", "c", "d", "e"].into_iter().cycle().map(|reason| fail(broken(reason))).take(count).collect()
}

fn retrying(
    model: Arc<FakeModel>,
    policy: RetryPolicy,
    budget: Arc<RetryBudget>,
    random: u64,
) -> (Retrying, Arc<Noted>) {
    let noted = Arc::<Noted>::default();
    let observed = Observed::new(model, Arc::default(), Arc::new(NoObserver));
    let retrying = Retrying::new(Arc::new(observed), policy, Arc::new(Always(random)));
    (retrying.within(budget).told_to(noted.clone()), noted)
}

struct Asked {
    outcome: Result<String, ModelErrorKind>,
    /// When the model was asked.
    at_ms: Vec<u128>,
    /// Requests as the outcome tells them.
    attempts: u32,
    noted: Vec<CallEvent>,
}

/// Asks in both ways and gives what came of it, which must be the same.
async fn ask(steps: &[Step], policy: RetryPolicy, random: u64) -> Asked {
    let (outcomes, beside) = ask_both_ways(steps, |model| {
        let (retrying, noted) = retrying(model.clone(), policy, budget(0.0, 100), random);
        (Arc::new(retrying), (model, noted))
    })
    .await;
    let mut asked = outcomes.into_iter().zip(beside).map(|(outcome, (model, noted))| Asked {
        attempts: outcome.as_ref().map_or_else(|error| error.attempts, |answer| answer.route.attempts),
        outcome: outcome.map(|completion| completion.text).map_err(|error| *error.kind),
        at_ms: model.asked_ms(),
        noted: noted.take(),
    });
    let (plain, streamed) = (asked.next().unwrap(), asked.next().unwrap());
    assert_eq!(plain.outcome, streamed.outcome);
    assert_eq!(plain.at_ms, streamed.at_ms);
    assert_eq!(plain.attempts, streamed.attempts);
    assert_eq!(plain.noted, streamed.noted);
    assert_eq!(plain.attempts as usize, plain.at_ms.len());
    plain
}

async fn asked_ms(steps: &[Step], policy: RetryPolicy, random: u64) -> Vec<u128> {
    ask(steps, policy, random).await.at_ms
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_may_pass_is_tried_again() {
    let steps = [fail(server_error()), fail(server_error()), Step::Answer("done")];
    let asked = ask(&steps, policy(), u64::MAX).await;
    assert_eq!(asked.outcome.unwrap(), "done");
    assert_eq!(asked.at_ms, [0, 1_000, 3_000]);
    let retried = |attempt, wait| CallEvent::Retried { attempt, wait };
    assert_eq!(asked.noted, [retried(1, SECOND), retried(2, 2 * SECOND)]);
}

#[tokio::test(start_paused = true)]
async fn waits_double_up_to_their_limit_and_are_drawn_from_zero() {
    let steps = various(4);
    assert_eq!(asked_ms(&steps, policy(), u64::MAX).await, [0, 1_000, 3_000, 6_000]);
    assert_eq!(asked_ms(&steps, policy(), u64::MAX / 2).await, [0, 500, 1_500, 3_000]);
    assert_eq!(asked_ms(&steps, policy(), 0).await, [0, 0, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn the_last_failure_is_given_when_attempts_run_out() {
    let steps = [fail(server_error()), fail(server_error()), fail(broken("x")), hinted(0)];
    assert!(matches!(ask(&steps, policy(), 0).await.outcome, Err(ModelErrorKind::RateLimited { .. })));
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
        let asked = ask(&[fail(kind.clone())], policy(), 0).await;
        assert_eq!(asked.outcome, Err(kind));
        assert_eq!(asked.at_ms.len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn an_identical_failure_is_given_back_after_the_third_however_many_attempts_are_left() {
    let many = RetryPolicy { attempts_max: 10, ..policy() };
    let asked = ask(&vec![fail(server_error()); 10], many, 0).await;
    assert_eq!((asked.outcome, asked.attempts), (Err(server_error()), 3));
    assert_eq!(asked.noted.last(), Some(&CallEvent::RetryFutile));
    assert_eq!(ask(&vec![hinted(0); 10], many, 0).await.attempts, 10);
}

#[tokio::test(start_paused = true)]
async fn a_hint_is_never_undercut() {
    let steps = [hinted(7), hinted(0), Step::Answer("done")];
    assert_eq!(asked_ms(&steps, policy(), 0).await, [0, 7_000, 7_000]);
    assert_eq!(asked_ms(&steps, policy(), u64::MAX).await, [0, 8_000, 9_000]);
}

#[tokio::test(start_paused = true)]
async fn a_hint_beyond_the_total_time_fails_at_once() {
    let begin = Instant::now();
    let asked = ask(&[hinted(61)], policy(), 0).await;
    assert!(matches!(asked.outcome, Err(ModelErrorKind::RateLimited { .. })));
    assert_eq!((asked.attempts, begin.elapsed()), (1, Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn the_total_time_ends_a_call_that_hangs() {
    let begin = Instant::now();
    let asked = ask(&[fail(server_error()), Step::Hang], policy(), u64::MAX).await;
    assert_eq!(asked.outcome, Err(ModelErrorKind::TimedOut { what: Awaited::Answer, limit_ms: 60_000 }));
    assert_eq!(asked.at_ms, [0, 1_000]);
    assert_eq!(begin.elapsed(), 2 * 60 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_breaks_after_text_is_begun_anew_and_the_caller_told_at_once() {
    let half = Step::Fail(vec!["ha", "lf"], broken("cut"), None);
    let (retrying, noted) =
        retrying(FakeModel::new([half, Step::Answer("whole")]), policy(), budget(1.0, 0), u64::MAX);
    let begin = Instant::now();
    let mut events = retrying.stream(hello());
    let delta = |text: &str| Some(Ok(CompletionEvent::Delta(text.to_owned())));
    assert_eq!(events.next().await, delta("ha"));
    assert_eq!(events.next().await, delta("lf"));
    let reason = "the answer broke off: cut".to_owned();
    assert_eq!(events.next().await, Some(Ok(CompletionEvent::Restarted { reason })));
    assert_eq!(begin.elapsed(), Duration::ZERO);
    assert_eq!(events.next().await, delta("whole"));
    assert_eq!(begin.elapsed(), SECOND);
    let Some(Ok(CompletionEvent::Finished(completion))) = events.next().await else { panic!() };
    assert_eq!((completion.route.attempts, completion.route.restarts), (2, 1));
    assert_eq!(events.next().await, None);
    assert_eq!(noted.take(), [CallEvent::Retried { attempt: 1, wait: SECOND }, CallEvent::Restarted]);
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_begun_anew_no_more_often_than_there_are_attempts() {
    let halves = ["a", "b", "c", "d"].map(|reason| Step::Fail(vec!["half"], broken(reason), None));
    let model = FakeModel::new(halves);
    let (retrying, _) = retrying(model.clone(), policy(), budget(0.0, 100), 0);
    let events: Vec<_> = retrying.stream(hello()).collect().await;
    let restarts = events.iter().filter(|event| matches!(event, Ok(CompletionEvent::Restarted { .. })));
    assert_eq!(restarts.count(), 3);
    assert_eq!(events.last().unwrap().as_ref().unwrap_err().attempts, 4);
    assert_eq!(model.asked_ms().len(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_failure_after_a_restart_and_before_text_is_no_second_restart() {
    let half = Step::Fail(vec!["half"], broken("cut"), None);
    let model = FakeModel::new([half, fail(server_error()), Step::Answer("whole")]);
    let (retrying, _) = retrying(model, policy(), budget(0.0, 100), 0);
    let answer = ask_streamed(&retrying).await.unwrap();
    assert_eq!((answer.route.attempts, answer.route.restarts), (3, 1));
}

#[tokio::test(start_paused = true)]
async fn without_a_budget_the_failure_is_given_back_at_once_with_its_own_class() {
    for streamed in [false, true] {
        let model = FakeModel::new([fail(server_error())]);
        let (retrying, noted) = retrying(model, policy(), budget(0.0, 0), 0);
        let asked = if streamed { ask_streamed(&retrying).await } else { retrying.complete(hello()).await };
        let error = asked.unwrap_err();
        assert_eq!((&*error.kind, error.attempts), (&server_error(), 1));
        assert_eq!(noted.take(), [CallEvent::RetryBudgetSpent]);
    }
}

/// Half of all calls fail. Without a budget that would be half as many calls again.
#[tokio::test(start_paused = true)]
async fn when_half_of_two_thousand_calls_fail_at_most_a_tenth_more_are_sent() {
    let steps =
        (0..4_000).map(|number| if number % 2 == 0 { fail(server_error()) } else { Step::Answer("done") });
    let budget = Arc::new(RetryBudget::new(RetryBudgetConfig {
        window: 3600 * SECOND,
        ..RetryBudgetConfig::default()
    }));
    let models = [FakeModel::new(steps.clone()), FakeModel::new(steps)];
    let clients: Vec<_> =
        models.iter().map(|model| retrying(model.clone(), policy(), Arc::clone(&budget), 0).0).collect();
    let mut given_back = 0;
    for number in 0..2_000 {
        let client = &clients[number % 2];
        let answer =
            if number % 3 == 0 { ask_streamed(client).await } else { client.complete(hello()).await };
        given_back += usize::from(answer.is_err());
    }
    let sent: usize = models.iter().map(|model| model.asked_ms().len()).sum();
    assert!(sent <= 2_200, "{sent} requests for 2,000 calls");
    // The budget was used, not merely kept.
    assert!(sent >= 2_190 && given_back > 700, "{sent} requests, {given_back} failures");
}

#[tokio::test(start_paused = true)]
async fn a_total_time_without_end_does_not_overflow_the_clock() {
    let policy = RetryPolicy { total: Duration::MAX, ..policy() };
    assert_eq!(ask(&[Step::Answer("done")], policy, 0).await.outcome.unwrap(), "done");
}

#[tokio::test(start_paused = true)]
async fn a_stream_is_not_begun_before_it_is_polled() {
    let model = FakeModel::new([Step::Answer("done")]);
    let (retrying, _) = retrying(model.clone(), policy(), budget(0.0, 0), 0);
    let events = retrying.stream(hello());
    tokio::time::advance(100 * SECOND).await;
    assert_eq!(events.try_collect::<Vec<_>>().await.unwrap().len(), 2);
    assert_eq!(model.asked_ms(), [100_000]);
}
