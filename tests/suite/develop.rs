//! The flagship job, on scripted models: what a caller gets for which answers.

use std::future::Future;
use std::time::Duration;

use playhouse_runtime::Runtime;
use playhouse_runtime::actors::develop::Developer;
use playhouse_runtime::config::parse_str;
use playhouse_runtime::protocol::code::Language;
use playhouse_runtime::protocol::develop::{Develop, DevelopStop, Developed};
use playhouse_runtime::protocol::event::TaskEventKind;
use playhouse_runtime::protocol::review::Verdict;
use playhouse_runtime::protocol::task::TaskOptions;
use playhouse_runtime::protocol::{Budget, Failure, FailureClass};

const GOOD: &str =
    "fn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n\n#[test]\nfn adds() {\n    assert_eq!(add(1, 2), 3);\n}";
const BETTER: &str = "/// Adds.\nfn add(a: i64, b: i64) -> i64 {\n    a + b\n}\n\n#[test]\nfn adds() {\n    assert_eq!(add(1, 2), 3);\n}";
const BROKEN: &str = "fn add(a: i32, b: i32) -> i32 {\n    a +\n}";

const APPROVE: &str = r#"{"verdict": "approve", "summary": "fine", "scores": {"functionality": 9, "quality": 9, "testing": 8, "maintainability": 9, "security": 9}, "findings": [], "recommendations": []}"#;
const CHANGES: &str = r#"{"verdict": "request_changes", "summary": "too narrow", "scores": {"functionality": 5, "quality": 5, "testing": 5, "maintainability": 5, "security": 5}, "findings": [{"severity": "major", "line": 1, "message": "i32 is too narrow", "suggestion": "Use i64."}], "recommendations": []}"#;

/// One answer of the script: for the n-th request of a task type.
struct Answer(&'static str, u32, String);

fn code(nth: u32, code: &str) -> Answer {
    Answer("programmer", nth, format!("Here it is:\n```rust\n{code}\n```\nIt adds."))
}

fn review(nth: u32, json: &str) -> Answer {
    Answer("reviewer", nth, json.to_owned())
}

fn script(answers: &[Answer], delay_ms: u64) -> String {
    let entry = |Answer(who, nth, text): &Answer| {
        let text = text.lines().map(|line| format!("      {line}\n")).collect::<String>();
        format!(
            "  - match: {{ task: {who}, nth: {nth} }}\n    delay_ms: {delay_ms}\n    tokens_per_chunk: 2\n    answer: |\n{text}"
        )
    };
    format!("entries:\n{}", answers.iter().map(entry).collect::<String>())
}

async fn with_script<F: Future<Output = ()>>(
    answers: &[Answer],
    delay_ms: u64,
    test: impl FnOnce(Runtime) -> F,
) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("script.yaml");
    std::fs::write(&path, script(answers, delay_ms)).unwrap();
    let settings = format!(
        "models:\n  demo:\n    provider: scripted\n    script: {}\nselection:\n  default: demo\n",
        path.display()
    );
    let config = parse_str("test.yaml", &settings).unwrap();
    let runtime = Runtime::builder().config(config).seed(1).start().await.unwrap();
    test(runtime.clone()).await;
    let ended = runtime.shutdown(Duration::from_secs(5)).await;
    assert_eq!((ended.cancelled_len, ended.killed.len()), (0, 0));
}

fn request(rounds: u32) -> Develop {
    Develop {
        spec: "a function that adds two numbers".to_owned(),
        language: Language::Rust,
        rounds,
        ..Develop::default()
    }
}

async fn develop(answers: &[Answer], rounds: u32) -> Result<Developed, Failure> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    with_script(answers, 0, |runtime| async move {
        let _ = sender.send(runtime.run::<Developer>(request(rounds)).await);
    })
    .await;
    receiver.await.unwrap()
}

#[tokio::test]
async fn an_approved_first_round_ends_the_job() {
    let developed = develop(&[code(1, GOOD), review(1, APPROVE)], 3).await.unwrap();
    assert!(developed.approved && developed.scripted);
    assert_eq!((developed.stop, developed.best_round, developed.rounds.len()), (DevelopStop::Approved, 1, 1));
    assert_eq!(developed.source().trim(), GOOD);
    assert_eq!(developed.usage.model_calls, 2);
    let review = developed.rounds[0].review.as_ref().unwrap();
    assert!((review.score - 8.8).abs() < 0.01, "{}", review.score);
    assert_eq!(review.facts.metrics.syntax.as_ref().unwrap().tests, 1);
}

#[tokio::test]
async fn requested_changes_lead_to_a_revision_that_is_reviewed_again() {
    let answers = [code(1, GOOD), review(1, CHANGES), code(2, BETTER), review(2, APPROVE)];
    let developed = develop(&answers, 3).await.unwrap();
    assert!(developed.approved);
    assert_eq!((developed.best_round, developed.rounds.len()), (2, 2));
    assert_eq!(developed.source().trim(), BETTER);
    assert_eq!(developed.rounds[0].review.as_ref().unwrap().verdict, Verdict::RequestChanges);
    assert_eq!(developed.usage.model_calls, 4);
}

#[tokio::test]
async fn code_that_does_not_parse_is_never_approved_whatever_the_model_says() {
    let developed = develop(&[code(1, BROKEN), review(1, APPROVE)], 1).await.unwrap();
    assert!(!developed.approved);
    assert_eq!(developed.stop, DevelopStop::RoundsUsed);
    let review = developed.rounds[0].review.as_ref().unwrap();
    assert_eq!(review.verdict, Verdict::RequestChanges);
    assert!(review.overruled.is_some());
    assert_eq!(review.facts.parses, Some(false));
}

#[tokio::test]
async fn a_broken_revision_does_not_replace_a_sound_attempt() {
    let answers = [code(1, GOOD), review(1, CHANGES), code(2, BROKEN), review(2, APPROVE)];
    let developed = develop(&answers, 2).await.unwrap();
    assert_eq!((developed.best_round, developed.rounds.len()), (1, 2));
    assert_eq!(developed.source().trim(), GOOD);
}

#[tokio::test]
async fn a_revision_that_changes_nothing_ends_the_job() {
    let developed = develop(&[code(1, GOOD), review(1, CHANGES), code(2, GOOD)], 5).await.unwrap();
    assert_eq!((developed.stop, developed.rounds.len()), (DevelopStop::NoChange, 1));
}

#[tokio::test]
async fn a_failed_review_keeps_the_attempt_and_says_why() {
    // The script has no answer for the reviewer.
    let developed = develop(&[code(1, GOOD)], 1).await.unwrap();
    assert!(!developed.approved);
    let round = &developed.rounds[0];
    assert!(round.review.is_none());
    assert!(round.review_failure.as_ref().unwrap().contains("has no answer"), "{round:?}");
}

#[tokio::test]
async fn a_failed_later_round_keeps_the_earlier_one_and_a_failed_first_one_fails_the_job() {
    let developed = develop(&[code(1, GOOD), review(1, CHANGES)], 2).await.unwrap();
    assert_eq!((developed.stop, developed.best_round), (DevelopStop::Failed, 1));
    assert!(developed.warnings.iter().any(|warning| warning.starts_with("Round 2 could not be made")));

    let failure = develop(&[], 2).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::InvalidInput);
}

#[tokio::test]
async fn a_budget_is_checked_before_each_call() {
    with_script(&[code(1, GOOD), review(1, CHANGES), code(2, BETTER)], 0, |runtime| async move {
        let within = |budget| TaskOptions { budget, ..TaskOptions::default() };
        let tokens = within(Budget { tokens_max: Some(50), ..Budget::default() });
        let failure = runtime.run_with::<Developer>(request(2), tokens).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Denied);
        assert!(failure.message.contains("0 used"), "nothing was asked: {failure}");

        let calls = within(Budget { model_calls_max: Some(2), ..Budget::default() });
        let developed = runtime.run_with::<Developer>(request(2), calls).await.unwrap();
        assert_eq!((developed.stop, developed.usage.model_calls), (DevelopStop::Failed, 2));
        assert!(developed.warnings[0].contains("the number of model calls would be exceeded"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_watcher_sees_every_step_and_the_tokens_of_each_answer() {
    with_script(&[code(1, GOOD), review(1, APPROVE)], 50, |runtime| async move {
        let task = runtime.submit::<Developer>(request(1), TaskOptions::default()).await.unwrap();
        let mut events = task.watch();
        let mut tokens = [String::new(), String::new()];
        let mut told = Vec::new();
        while let Some(event) = events.next().await {
            match event.kind {
                TaskEventKind::Tokens { step, text } => tokens[step as usize - 1].push_str(&text),
                TaskEventKind::Accepted { kind } => told.push(format!("accepted {kind}")),
                TaskEventKind::Started { attempt } => told.push(format!("started {attempt}")),
                TaskEventKind::Progress { message } => told.push(message),
                TaskEventKind::StepStarted { step, model, .. } => {
                    told.push(format!("step {step} asks {}", model.unwrap()));
                }
                TaskEventKind::StepCompleted { step, .. } => told.push(format!("step {step} done")),
                TaskEventKind::Finished { status, usage, .. } => {
                    told.push(format!("{status} after {} calls", usage.model_calls));
                }
                TaskEventKind::TokensSkipped { .. }
                | TaskEventKind::AnswerRestarted { .. }
                | TaskEventKind::PromptCondensed { .. }
                | TaskEventKind::StepFailed { .. }
                | TaskEventKind::StepReplayed { .. }
                | TaskEventKind::AttemptFailed { .. } => unreachable!(),
            }
        }
        assert_eq!(
            told,
            [
                "accepted develop",
                "started 1",
                "round 1 of 1: writing code",
                "step 1 asks demo",
                "step 1 done",
                "round 1 of 1: reviewing",
                "step 2 asks demo",
                "step 2 done",
                "completed after 2 calls",
            ]
        );
        assert!(tokens[0].contains(GOOD), "{}", tokens[0]);
        assert_eq!(tokens[1].trim(), APPROVE);
        assert!(task.result().await.unwrap().approved);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_deadline_in_a_later_round_keeps_the_earlier_one() {
    let answers = [code(1, GOOD), review(1, CHANGES), code(2, BETTER), code(3, GOOD)];
    with_script(&answers, 10_000, |runtime| async move {
        let options = TaskOptions { timeout_ms: Some(25_000), ..TaskOptions::default() };
        let developed = runtime.run_with::<Developer>(request(2), options).await.unwrap();
        assert_eq!((developed.stop, developed.best_round), (DevelopStop::Failed, 1));
        assert!(developed.warnings[0].contains("failed to finish within 25000 ms"), "{developed:?}");

        let options = TaskOptions { timeout_ms: Some(5_000), ..TaskOptions::default() };
        let failure = runtime.run_with::<Developer>(request(2), options).await.unwrap_err();
        assert_eq!(failure.class, FailureClass::Deadline);
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_job_that_is_cancelled_in_mid_generation_stops_its_model_call() {
    with_script(&[code(1, GOOD), review(1, APPROVE)], 60_000, |runtime| async move {
        let task = runtime.submit::<Developer>(request(1), TaskOptions::default()).await.unwrap();
        let mut events = task.watch();
        while let Some(event) = events.next().await {
            if matches!(event.kind, TaskEventKind::StepStarted { .. }) {
                task.cancel();
            }
        }
        assert_eq!(task.result().await.unwrap_err().class, FailureClass::Cancelled);
        while runtime.model_snapshot("demo").await.unwrap().unwrap().cancelled == 0 {
            tokio::task::yield_now().await;
        }
    })
    .await;
}
