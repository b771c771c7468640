//! A/B tests in production: two models of known quality behind a split.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use playhouse_experiments::ab::{AbMonitor, AbVerdict};
use playhouse_runtime::config::Config;
use playhouse_runtime::config::settings::{AbConfig, ModelConfig, ProviderConfig};
use playhouse_runtime::models::ModelWish;
use playhouse_runtime::protocol::completion::{ChatMessage, CompletionRequest};
use playhouse_runtime::protocol::task::TaskOptions;
use playhouse_runtime::protocol::{SeededSource, TaskId};
use playhouse_runtime::{Agent, AgentContext, AgentError, Runtime, SystemWallClock};
use tokio::sync::Notify;

/// How good the answers of each model are.
const QUALITY: [(&str, f64); 3] = [("good", 0.9), ("fair", 0.9), ("poor", 0.2)];

/// Tells which model answers, and again once it is told to go on.
struct Teller {
    go: Arc<Notify>,
}

impl Agent for Teller {
    const KIND: &'static str = "teller";
    /// Whether it waits between both questions.
    type Request = bool;
    type Reply = [String; 2];

    async fn run(&self, ctx: &mut AgentContext, waits: bool) -> Result<[String; 2], AgentError> {
        let ask = |text| CompletionRequest::new(vec![ChatMessage::user(text)]);
        let first = ctx.complete(ask("one")).await?;
        if waits {
            ctx.progress("waiting");
            self.go.notified().await;
        }
        let second = ctx.complete(ask("two")).await?;
        Ok([first.origin.model, second.origin.model])
    }
}

fn settings(folder: &Path) -> Config {
    let script = folder.join("script.yaml");
    std::fs::write(&script, "default:\n  answer: yes\n").unwrap();
    let mut config = Config::default();
    for (name, _) in QUALITY {
        let provider = ProviderConfig::Scripted { script: script.clone() };
        config.models.insert(name.to_owned(), ModelConfig::new(provider));
    }
    "good".clone_into(&mut config.selection.default);
    let arms = QUALITY.map(|(name, _)| (name.to_owned(), 1)).into();
    config.selection.split.insert("teller".to_owned(), arms);
    let ab = AbConfig { baseline: "good".to_owned(), outcomes_min: 10, ..AbConfig::default() };
    config.selection.ab.insert("teller".to_owned(), ab);
    config
}

async fn start(folder: &Path, go: &Arc<Notify>) -> (Runtime, Arc<AbMonitor>) {
    let config = settings(folder);
    let monitor = AbMonitor::new(&config, folder, Arc::new(SystemWallClock::now()));
    let builder = Runtime::builder().config(config).seed(1).agent(Teller { go: Arc::clone(go) });
    (monitor.attach(builder).start().await.unwrap(), monitor)
}

/// The model of each of a thousand tasks.
fn assigned(runtime: &Runtime) -> BTreeMap<TaskId, String> {
    let ids = SeededSource::from_seed(9);
    let ids = (0..1_000).map(|number| TaskId::new(number, &ids));
    // Explained, not selected: a task that was given a model keeps it.
    let model = |task_id| {
        let wish = ModelWish { task_id: Some(task_id), ..ModelWish::of("teller") };
        runtime.catalog().explain(&wish, None).unwrap().outcome.unwrap().model
    };
    ids.map(|id| (id, model(id))).collect()
}

#[tokio::test]
async fn a_harmful_arm_gets_no_more_tasks_and_nobody_elses_tasks_move() {
    let folder = tempfile::tempdir().unwrap();
    let go = Arc::new(Notify::new());
    let (runtime, monitor) = start(folder.path(), &go).await;
    let before = assigned(&runtime);
    assert_eq!(before, assigned(&runtime), "a task has one arm");
    // A task of the poor model that is under way while that one is stopped.
    let under_way = loop {
        let task = runtime.submit::<Teller>(true, TaskOptions::default()).await.unwrap();
        let wish = ModelWish { task_id: Some(task.id()), ..ModelWish::of("teller") };
        if runtime.catalog().select(&wish).unwrap().model == "poor" {
            break task;
        }
    };
    let mut tasks = 0;
    while !assigned(&runtime).values().all(|model| model != "poor") {
        tasks += 1;
        assert!(tasks < 200, "the poor model is not found");
        let [first, second] = runtime.run::<Teller>(false).await.unwrap();
        assert_eq!(first, second, "a task has one arm over its steps");
        let (_, quality) = QUALITY.into_iter().find(|(name, _)| *name == first).unwrap();
        // Scores around the model's quality.
        let score = quality + f64::from(tasks % 3 - 1) / 10.0;
        runtime.record_quality(&first, "teller", score).unwrap();
    }
    let after = assigned(&runtime);
    for (id, model) in &before {
        assert!(model == "poor" || after[id] == *model, "a task of {model} went to {}", after[id]);
    }
    let moved = before.iter().filter(|(_, model)| *model == "poor").map(|(id, _)| &after[id]);
    assert_eq!(moved.collect::<std::collections::BTreeSet<_>>().len(), 2, "both others take over its tasks");
    go.notify_waiters();
    go.notify_one();
    assert_eq!(under_way.result().await.unwrap(), ["poor", "poor"].map(str::to_owned));
    let status = monitor.status(runtime.catalog()).unwrap();
    let verdicts: Vec<_> = status[0].arms.iter().map(|arm| (arm.arm.as_str(), arm.verdict)).collect();
    let expected = [("fair", Some(AbVerdict::GoOn)), ("good", None), ("poor", Some(AbVerdict::Harmful))];
    assert_eq!(verdicts, expected);
    let metrics = runtime.metrics_text().await.unwrap();
    assert!(metrics.contains("playhouse_ab_arm_stopped{task=\"teller\",arm=\"poor\"} 1"), "{metrics}");
    runtime.shutdown(Duration::ZERO).await;
    let (later, monitor) = start(folder.path(), &go).await;
    assert_eq!(assigned(&later), after, "it stays out in the next process");
    monitor.resume(later.catalog(), "teller", "poor", "it was repaired").unwrap();
    assert_eq!(assigned(&later), before, "everybody has the arm of the beginning");
    later.shutdown(Duration::ZERO).await;
}
