//! Which model a task is answered by, through the whole runtime.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use playhouse_runtime::actors::develop::Developer;
use playhouse_runtime::config::settings::{ConstraintsConfig, ModelConfig, ProviderConfig};
use playhouse_runtime::config::{Config, RegisteredModel};
use playhouse_runtime::models::ModelWish;
use playhouse_runtime::models::selection::Measurements;
use playhouse_runtime::protocol::code::Language;
use playhouse_runtime::protocol::completion::{ChatMessage, CompletionRequest, Route};
use playhouse_runtime::protocol::develop::Develop;
use playhouse_runtime::protocol::task::TaskOptions;
use playhouse_runtime::protocol::{Failure, FailureClass, TaskId, WallClock};
use playhouse_runtime::{Agent, AgentContext, AgentError, Runtime, RuntimeBuilder};
use tempfile::TempDir;
use tokio::sync::Notify;

const APPROVE: &str = r#"{"verdict": "approve", "summary": "fine", "scores": {"functionality": 10, "quality": 10, "testing": 10, "maintainability": 10, "security": 10}, "findings": [], "recommendations": []}"#;

/// Asks a model and tells which one answered, and why that one. Its first attempt fails when it is told to.
struct Teller;

impl Agent for Teller {
    const KIND: &'static str = "teller";
    type Request = bool;
    type Reply = (String, Route);

    async fn run(&self, ctx: &mut AgentContext, fails_first: bool) -> Result<(String, Route), AgentError> {
        let mut answers = Vec::new();
        for text in ["one", "two"] {
            answers.push(ctx.complete(CompletionRequest::new(vec![ChatMessage::user(text)])).await?);
            if fails_first && ctx.attempt() == 1 {
                return Err(Failure::new(FailureClass::Retryable, "fail the first attempt").into());
            }
        }
        let models: BTreeSet<_> = answers.iter().map(|answer| &answer.origin.model).collect();
        assert_eq!(models.len(), 1, "one task has one model: {models:?}");
        let last = answers.remove(1);
        Ok((last.origin.model, last.route))
    }
}

/// Models `a` and `b`, which answer everything.
fn settings(folder: &Path) -> Config {
    let script = folder.join("script.yaml");
    let code = "```rust\\nfn f() -> u8 {\\n    7\\n}\\n\\n#[test]\\nfn is_seven() {\\n    assert_eq!(f(), 7);\\n}\\n```";
    let answers = format!(
        "entries:\n  - match: {{ task: reviewer }}\n    answer: '{APPROVE}'\ndefault:\n  answer: \"{code}\"\n"
    );
    std::fs::write(&script, answers).unwrap();
    let mut config = Config::default();
    for name in ["a", "b"] {
        let provider = ProviderConfig::Scripted { script: script.clone() };
        config.models.insert(name.to_owned(), ModelConfig::new(provider));
    }
    "a".clone_into(&mut config.selection.default);
    config
}

async fn start(change: impl FnOnce(&mut Config)) -> (TempDir, Runtime) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = settings(folder.path());
    change(&mut config);
    let runtime = builder(config).start().await.unwrap();
    (folder, runtime)
}

fn builder(config: Config) -> RuntimeBuilder {
    Runtime::builder().config(config).seed(1).agent(Teller)
}

async fn ask(runtime: &Runtime, fails_first: bool) -> (TaskId, String, Route) {
    let task = runtime.submit::<Teller>(fails_first, TaskOptions::default()).await.unwrap();
    let id = task.id();
    let (model, route) = task.result().await.unwrap();
    (id, model, route)
}

#[tokio::test]
async fn a_task_has_one_share_of_a_split_over_all_its_attempts() {
    let (_folder, runtime) = start(|config| {
        let arms = BTreeMap::from([("a".to_owned(), 1), ("b".to_owned(), 1)]);
        config.selection.split.insert("teller".to_owned(), arms);
        config.attempts.backoff_initial = Duration::ZERO;
    })
    .await;
    let mut counts = BTreeMap::<String, u32>::new();
    for round in 0..40 {
        let (id, model, route) = ask(&runtime, round % 2 == 0).await;
        let wish = ModelWish { task_id: Some(id), ..ModelWish::of("teller") };
        assert_eq!(runtime.catalog().select(&wish).unwrap().model, model, "the same outside of the task");
        assert!(route.reason.contains("gets 1 in 2 of the tasks of type teller"), "{}", route.reason);
        *counts.entry(model).or_default() += 1;
    }
    assert_eq!(counts.len(), 2, "{counts:?}");
    runtime.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn constraints_that_no_model_fulfils_fail_the_task_with_what_would_do() {
    let (_folder, runtime) = start(|config| {
        let constraints = ConstraintsConfig {
            among: vec!["a".to_owned(), "b".to_owned()],
            quality_min: Some(0.5),
            ..ConstraintsConfig::default()
        };
        config.selection.constraints.insert("teller".to_owned(), constraints);
    })
    .await;
    let failure = runtime.run::<Teller>(false).await.unwrap_err();
    assert_eq!(failure.class, FailureClass::InvalidInput);
    assert!(failure.message.contains("quality_min of selection.constraints.teller"), "{failure:?}");
    for _ in 0..3 {
        runtime.record_quality("b", "teller", 0.9).unwrap();
    }
    let (_, model, route) = ask(&runtime, false).await;
    assert_eq!(model, "b");
    assert!(
        route.reason.ends_with("Passed over: a (has no known quality, 0.50 is wanted)."),
        "{}",
        route.reason
    );
    runtime.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn quality_is_recorded_for_models_of_the_catalog_within_its_bounds() {
    let (_folder, runtime) = start(|_| {}).await;
    assert!(runtime.record_quality("nobody", "teller", 0.5).unwrap_err().message.contains("nobody"));
    for score in [-0.1, 1.1, f64::NAN] {
        let failure = runtime.record_quality("a", "teller", score).unwrap_err();
        assert!(failure.message.contains("the score is"), "{failure:?}");
    }
    runtime.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn what_the_reviewer_of_develop_says_is_the_quality_of_who_wrote_the_code() {
    let (_folder, runtime) = start(|config| {
        config.selection.by_task.insert("review".to_owned(), "b".to_owned());
    })
    .await;
    let request = Develop {
        spec: "a function that gives seven".to_owned(),
        language: Language::Rust,
        rounds: 1,
        ..Develop::default()
    };
    for _ in 0..3 {
        runtime.run::<Developer>(request.clone()).await.unwrap();
    }
    let quality = |model, task| runtime.catalog().performance().measured(model, task).quality;
    assert!(quality("a", "generate").unwrap() > 0.9);
    assert_eq!((quality("b", "generate"), quality("a", "review")), (None, None));
    runtime.shutdown(Duration::ZERO).await;
}

#[tokio::test]
async fn quality_survives_the_process_where_a_file_is_named_and_a_damaged_file_harms_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("state/performance.json");
    let quality =
        |runtime: &Runtime| runtime.catalog().performance().measured("smollm2-135m", "teller").quality;
    let start = async || builder(settings(folder.path())).performance_file(&file).start().await.unwrap();
    let first = start().await;
    for _ in 0..4 {
        first.record_quality("smollm2-135m", "teller", 1.0).unwrap();
    }
    first.shutdown(Duration::ZERO).await;
    let second = start().await;
    assert_eq!(quality(&second), Some(1.0));
    second.shutdown(Duration::ZERO).await;
    std::fs::write(&file, "{").unwrap();
    let third = start().await;
    assert_eq!(quality(&third), None);
    third.shutdown(Duration::ZERO).await;
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "{", "nothing was measured, so nothing is written");
}

/// Asks, tells that it has, waits until it may go on, and asks again.
struct Halting {
    asked: Arc<Notify>,
    go_on: Arc<Notify>,
}

impl Agent for Halting {
    const KIND: &'static str = "halting";
    type Request = bool;
    type Reply = Vec<(String, String)>;

    async fn run(&self, ctx: &mut AgentContext, halts: bool) -> Result<Self::Reply, AgentError> {
        let mut told = Vec::new();
        for text in ["one", "two"] {
            let answer = ctx.complete(CompletionRequest::new(vec![ChatMessage::user(text)])).await?;
            told.push((answer.origin.model, answer.route.reason));
            if halts && told.len() == 1 {
                self.asked.notify_one();
                self.go_on.notified().await;
            }
        }
        Ok(told)
    }
}

/// A clock that is set by hand.
#[derive(Debug)]
struct Hand(AtomicU64);

impl WallClock for Hand {
    fn unix_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[tokio::test]
async fn a_version_that_is_promoted_answers_the_next_task_and_not_the_one_under_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = settings(folder.path());
    for (entry, of) in [("coder@1", "a"), ("coder@2", "b")] {
        let entry_of = config.models[of].clone();
        config.models.insert(entry.to_owned(), entry_of);
    }
    let mut coder = RegisteredModel {
        versions: [(1, "coder@1".to_owned()), (2, "coder@2".to_owned())].into(),
        production: vec![(1_000, Some(1))],
        candidate: Vec::new(),
    };
    config.registered.insert("coder".to_owned(), coder.clone());
    config.selection.default = "@coder".to_owned();
    let clock = Arc::new(Hand(AtomicU64::new(5_000)));
    let (asked, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let agent = Halting { asked: Arc::clone(&asked), go_on: Arc::clone(&go_on) };
    let builder = Runtime::builder().config(config).seed(1).clock(Arc::clone(&clock) as _);
    let runtime = builder.agent(agent).start().await.unwrap();
    let under_way = runtime.submit::<Halting>(true, TaskOptions::default()).await.unwrap();
    asked.notified().await;
    clock.0.store(9_000, Ordering::Relaxed);
    coder.versions.insert(3, "coder@3".to_owned());
    coder.production.extend([(8_000, Some(2)), (8_500, Some(3))]);
    let missing = runtime.catalog().swap_aliases([("coder".to_owned(), coder.clone())].into());
    assert_eq!(missing, ["coder@3"], "it was registered after the start");
    let next = runtime.run::<Halting>(false).await.unwrap();
    go_on.notify_one();
    let models = |told: &[(String, String)]| told.iter().map(|(model, _)| model.clone()).collect::<Vec<_>>();
    assert_eq!(models(&under_way.result().await.unwrap()), ["coder@1", "coder@1"]);
    assert_eq!(models(&next), ["coder@2", "coder@2"]);
    assert!(next[0].1.ends_with("The alias @coder leads to coder@2."), "{}", next[0].1);
    coder.production.push((9_500, Some(1)));
    clock.0.store(10_000, Ordering::Relaxed);
    runtime.catalog().swap_aliases([("coder".to_owned(), coder)].into());
    let after = runtime.run::<Halting>(false).await.unwrap();
    assert_eq!(models(&after), ["coder@1", "coder@1"]);
    runtime.shutdown(Duration::ZERO).await;
}
