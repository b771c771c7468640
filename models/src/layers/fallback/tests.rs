use std::time::Duration;

use playhouse_protocol::completion::{ChatMessage, PassedOver};
use tokio::time::timeout;

use super::*;
use crate::error::{Awaited, ModelErrorKind};
use crate::layers::{Observed, RetryPolicy, Retrying};
use crate::observer::{CallEvent, NoObserver};
use crate::testing::{Always, FakeModel, Noted, Step, ask_streamed, hello};

/// A candidate whose client is there, or cannot be made.
#[derive(Debug)]
struct Fixed(&'static str, Option<Arc<FakeModel>>);

impl Candidate for Fixed {
    fn name(&self) -> &str {
        self.0
    }

    fn made(&self) -> Option<Arc<dyn ModelClient>> {
        self.1.clone().map(observed)
    }

    fn make(&self) -> Result<Arc<dyn ModelClient>, String> {
        Err("its key is missing".to_owned())
    }
}

fn observed(model: Arc<FakeModel>) -> Arc<dyn ModelClient> {
    Arc::new(Observed::new(model, Arc::default(), Arc::new(NoObserver)))
}

fn falling_back(
    first: Step,
    others: Vec<(&'static str, Option<FakeModel>)>,
) -> (FallingBack, Vec<Option<Arc<FakeModel>>>, Arc<Noted>) {
    let noted = Arc::<Noted>::default();
    let models: Vec<_> = others.into_iter().map(|(name, model)| (name, model.map(Arc::new))).collect();
    let candidates = models
        .iter()
        .map(|(name, model)| Arc::new(Fixed(name, model.clone())) as Arc<dyn Candidate>)
        .collect();
    let first = observed(Arc::new(FakeModel::named("a", [first.clone(), first])));
    let client = FallingBack::new(first, candidates, noted.clone());
    (client, models.into_iter().map(|(_, model)| model).collect(), noted)
}

fn server_error() -> ModelErrorKind {
    ModelErrorKind::ServerError { message: "down".to_owned() }
}

fn fail(kind: ModelErrorKind) -> Step {
    Step::Fail(vec![], kind, None)
}

async fn both_ways(client: &FallingBack) -> [Result<Completion, ModelError>; 2] {
    [client.complete(hello()).await, ask_streamed(client).await]
}

#[tokio::test]
async fn the_next_model_answers_and_the_answer_tells_who_failed() {
    let answers = [Step::Answer("hi"), Step::Answer("hi")];
    let failures = [fail(ModelErrorKind::Rejected { message: "no".to_owned() }), fail(server_error())];
    let others =
        vec![("b", Some(FakeModel::named("b", failures))), ("c", Some(FakeModel::named("c", answers)))];
    let (client, _, noted) = falling_back(fail(server_error()), others);
    for (answer, failure) in both_ways(&client)
        .await
        .into_iter()
        .zip(["the request was rejected: no", "the provider failed: down"])
    {
        let answer = answer.unwrap();
        assert_eq!((&*answer.text, &*answer.origin.model, answer.route.attempts), ("hi", "c", 3));
        let over =
            |model: &str, failure: &str| PassedOver { model: model.to_owned(), failure: failure.to_owned() };
        assert_eq!(answer.route.passed_over, [over("a", "the provider failed: down"), over("b", failure)]);
        let fell_back = |to: &str| CallEvent::FellBack { to: to.to_owned() };
        let told = noted.take();
        assert!(told.is_empty() || told == [fell_back("b"), fell_back("c"), fell_back("b"), fell_back("c")]);
    }
}

#[tokio::test]
async fn failures_that_another_model_need_not_have_lead_on_and_others_do_not() {
    let message = String::new;
    let leads_on = [
        ModelErrorKind::Unreachable { endpoint: message(), reason: message() },
        ModelErrorKind::RateLimited { message: message() },
        ModelErrorKind::BreakerOpen { retry_in_ms: 1 },
        ModelErrorKind::Paced { wait_ms: 1 },
        ModelErrorKind::Unauthorized { message: "quota spent".to_owned() },
        ModelErrorKind::TimedOut { what: Awaited::Answer, limit_ms: 1 },
    ];
    for kind in leads_on {
        let other = FakeModel::named("b", [Step::Answer("hi"), Step::Answer("hi")]);
        let (client, _, _) = falling_back(fail(kind), vec![("b", Some(other))]);
        assert!(both_ways(&client).await.iter().all(Result::is_ok));
    }
    for kind in [
        ModelErrorKind::Rejected { message: message() },
        ModelErrorKind::ContextExceeded { prompt_tokens: 2, context_tokens: 1 },
        ModelErrorKind::Internal { reason: message() },
    ] {
        let (client, _, noted) =
            falling_back(fail(kind.clone()), vec![("b", Some(FakeModel::named("b", [])))]);
        for outcome in both_ways(&client).await {
            let error = outcome.unwrap_err();
            assert_eq!((&*error.kind, error.also_failed), (&kind, vec![]));
        }
        assert_eq!(noted.take(), []);
    }
}

#[tokio::test]
async fn when_all_fail_the_first_error_tells_of_the_others() {
    let failures = [fail(server_error()), fail(server_error())];
    let others = vec![("b", None), ("c", Some(FakeModel::named("c", failures)))];
    let limited = ModelErrorKind::RateLimited { message: "slow down".to_owned() };
    let (client, _, _) = falling_back(Step::Fail(vec![], limited, Some(Duration::from_secs(9))), others);
    for outcome in both_ways(&client).await {
        let error = outcome.unwrap_err();
        insta::allow_duplicates! {
            insta::assert_snapshot!(error, @"ask model a (open_ai): too many requests: slow down; also failed: b (its key is missing); c (the provider failed: down)");
        }
        assert_eq!((error.attempts, error.retry_after), (2, Some(Duration::from_secs(9))));
    }
}

#[tokio::test]
async fn a_model_that_does_not_hold_the_prompt_is_passed_over() {
    // A byte is a token for the fake models, and an answer takes up to 64.
    let small = FakeModel::named("b", []).holding(99);
    let large = FakeModel::named("c", [Step::Answer("hi")]).holding(100);
    let (client, _, _) = falling_back(fail(server_error()), vec![("b", Some(small)), ("c", Some(large))]);
    let prompt = "x".repeat(36);
    let answer = client.complete(CompletionRequest::new(vec![ChatMessage::user(prompt)])).await.unwrap();
    assert_eq!(answer.origin.model, "c");
    assert_eq!(
        answer.route.passed_over[1].failure,
        "it holds 99 tokens, and the prompt has 36, its answer up to 64"
    );
}

#[tokio::test]
async fn text_of_the_model_that_failed_is_taken_back_before_the_next_gives_its_own() {
    let half = Step::Fail(vec!["ha"], ModelErrorKind::BrokenStream { reason: "cut".to_owned() }, None);
    let (client, _, _) = falling_back(half, vec![("b", Some(FakeModel::named("b", [Step::Answer("hi")])))]);
    let events: Vec<_> = client.stream(hello()).map(Result::unwrap).collect().await;
    let delta = |text: &str| CompletionEvent::Delta(text.to_owned());
    let reason = "the answer broke off: cut".to_owned();
    assert_eq!(events[..3], [delta("ha"), CompletionEvent::Restarted { reason }, delta("hi")]);
    let CompletionEvent::Finished(completion) = &events[3] else { panic!() };
    assert_eq!((completion.route.restarts, completion.route.attempts), (1, 2));
}

#[tokio::test(start_paused = true)]
async fn restarts_of_a_model_that_failed_count_too() {
    let half = Step::Fail(vec!["ha"], ModelErrorKind::BrokenStream { reason: "cut".to_owned() }, None);
    let policy = RetryPolicy {
        attempts_max: 2,
        backoff_initial: Duration::ZERO,
        backoff_max: Duration::ZERO,
        total: Duration::MAX,
    };
    let first = observed(FakeModel::new([half.clone(), half]));
    let first = Arc::new(Retrying::new(first, policy, Arc::new(Always(0))));
    let other = Fixed("b", Some(FakeModel::new([Step::Answer("hi")])));
    let client = FallingBack::new(first, vec![Arc::new(other)], Arc::new(NoObserver));
    let answer = ask_streamed(&client).await.unwrap();
    assert_eq!((answer.route.restarts, answer.route.attempts), (2, 3));
}

#[tokio::test(start_paused = true)]
async fn dropping_the_call_drops_the_model_that_is_asked() {
    let (client, models, _) =
        falling_back(fail(server_error()), vec![("b", Some(FakeModel::named("b", [Step::Hang])))]);
    assert!(timeout(Duration::from_secs(1), client.complete(hello())).await.is_err());
    let other = models[0].as_ref().unwrap();
    assert_eq!((other.asked_ms().len(), other.running()), (1, 0));
}
