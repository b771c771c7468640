//! What an experiment costs beside the answers themselves: answers a second of a run, from the first question to its records on disk,
//! beside the same requests as one durable map; and the time that a report and its verification take. In turns within one run.
//!
//! `cargo bench -p playhouse-benches --bench experiments [-- --items 1000 --rounds 3 --width 64]`
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Result, ensure};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, future, stream};
use playhouse_benches::{args, median, table};
use playhouse_experiments::run::{Manifest, ManifestParts, RunStore, Runner, StoredRun};
use playhouse_experiments::use_cases::TestModelWithRiddles;
use playhouse_experiments::verify::{verify, write_report};
use playhouse_protocol::Usage;
use playhouse_protocol::completion::{
    Completion, CompletionRequest, Origin, ProviderKind, Route, StopReason,
};
use playhouse_protocol::riddle::{AnswerKey, AnswerMatch, Difficulty, EvaluateRiddle};
use playhouse_protocol::task::TaskOptions;
use playhouse_runtime::actors::riddles::RiddleEvaluator;
use playhouse_runtime::config::experiments::ItemBody;
use playhouse_runtime::config::riddles::{Riddle, RiddleSet};
use playhouse_runtime::models::tokens::{TiktokenCounter, TokenCounter};
use playhouse_runtime::models::{CompletionEvent, CompletionStream, ModelClient, ModelError, ModelInfo};
use playhouse_runtime::store::SqliteStore;
use playhouse_runtime::{Runtime, SystemWallClock};
use tokio::time::Instant;

/// The variants: two models that answer at once.
const MODELS: [&str; 2] = ["one", "two"];

#[tokio::main]
async fn main() -> Result<()> {
    let number =
        |name: &str, default| -> Result<usize> { Ok(usize::try_from(args::number(name, default)?)?) };
    let (items, rounds, width) = (number("--items", 1_000)?, number("--rounds", 3)?, number("--width", 64)?);
    let answers = items * MODELS.len();
    let (mut runs, mut maps, mut reports, mut verifications) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _ in 0..rounds {
        let folder = tempfile::tempdir()?;
        let (elapsed, run) = timed_run(folder.path(), items, width).await?;
        runs.push(answers as f64 / elapsed.as_secs_f64());
        maps.push(answers as f64 / timed_map(folder.path(), items, width).await?.as_secs_f64());
        let begun = Instant::now();
        write_report(&run)?;
        reports.push(begun.elapsed().as_secs_f64() * 1e3);
        let begun = Instant::now();
        ensure!(verify(&run)?.records == answers, "records are missing");
        verifications.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let ratios: Vec<f64> = runs.iter().zip(&maps).map(|(run, map)| run / map).collect();
    let text = table(
        &["", "a run", "a durable map", "ratio"],
        &[vec![
            "answers/s".to_owned(),
            format!("{:.0}", median(&runs)),
            format!("{:.0}", median(&maps)),
            format!("{:.2}", median(&ratios)),
        ]],
    );
    println!(
        "{text}\n\n{answers} answers: {:.0} ms for the report in three forms, {:.0} ms to verify it",
        median(&reports),
        median(&verifications)
    );
    Ok(())
}

fn test(items: usize, width: usize) -> Result<TestModelWithRiddles> {
    let riddle = |number: usize| Riddle {
        id: format!("r{number}"),
        form: "counting".to_owned(),
        difficulty: Difficulty::Easy,
        tags: Vec::new(),
        question: format!("Which number is on ball {number}?"),
        context: None,
        key: AnswerKey {
            matching: AnswerMatch::Number { tolerance: 0.0 },
            answers: vec![(number % 3).to_string()],
            units: Vec::new(),
        },
        rationale: String::new(),
    };
    let set = RiddleSet {
        name: "balls".to_owned(),
        language: "en".to_owned(),
        riddles: (0..items).map(riddle).collect(),
    };
    Ok(TestModelWithRiddles { width: u32::try_from(width)?, ..TestModelWithRiddles::new(&MODELS, set)? })
}

async fn runtime(journal: &Path) -> Result<Runtime> {
    let mut builder = Runtime::builder().store(Arc::new(SqliteStore::open(journal)?));
    for name in MODELS {
        builder = builder.model(name, Arc::new(Prompt::new(name)));
    }
    Ok(builder.start().await?)
}

async fn timed_run(folder: &Path, items: usize, width: usize) -> Result<(Duration, StoredRun)> {
    let runtime = runtime(&folder.join("run.db")).await?;
    let store = RunStore::new(folder.join("runs"));
    let clock = Arc::new(SystemWallClock::now());
    let begun = Instant::now();
    let manifest = Manifest::of(ManifestParts {
        design: test(items, width)?.design(),
        template_yaml: None,
        catalog: runtime.catalog(),
        model_for: &|task_type, model| runtime.model_for(task_type, model),
        clock: &*clock,
    })?;
    let mut run = store.create("balls", manifest)?;
    let runner = Runner { runtime: runtime.clone(), clock, options: TaskOptions::default() };
    runner.run(&mut run, &mut |_| ()).await?;
    let elapsed = begun.elapsed();
    drop(runner);
    runtime.shutdown_gracefully().await;
    Ok((elapsed, run.run().clone()))
}

async fn timed_map(folder: &Path, items: usize, width: usize) -> Result<Duration> {
    let runtime = runtime(&folder.join("map.db")).await?;
    let design = test(items, width)?.design();
    let mut requests = Vec::new();
    for item in &design.items {
        for variant in &design.variants {
            let ItemBody::Question { question, context, key } = item.body.clone() else { continue };
            requests.push(EvaluateRiddle {
                id: item.id.clone(),
                question,
                context,
                compression: None,
                key,
                mode: variant.mode.clone(),
                model: variant.model.clone(),
                sampling: variant.sampling,
                completion_tokens_max: None,
                judge: None,
            });
        }
    }
    let begun = Instant::now();
    let answers = runtime.map::<RiddleEvaluator>(requests).width(width).run().await?;
    let elapsed = begun.elapsed();
    ensure!(answers.iter().all(Result::is_ok), "an answer failed");
    runtime.shutdown_gracefully().await;
    Ok(elapsed)
}

/// A model that answers at once.
#[derive(Debug)]
struct Prompt(ModelInfo);

impl Prompt {
    fn new(name: &str) -> Self {
        Self(ModelInfo {
            name: name.to_owned(),
            provider: ProviderKind::Scripted,
            context_tokens: 100_000,
            completion_tokens_default: 100,
            structured_output: false,
        })
    }
}

impl ModelClient for Prompt {
    fn info(&self) -> &ModelInfo {
        &self.0
    }

    fn stream(&self, _: CompletionRequest) -> CompletionStream {
        let finished = CompletionEvent::Finished(Completion {
            text: "Let me see.\nFinal answer: 1".to_owned(),
            stop_reason: StopReason::Stop,
            usage: Usage { model_calls: 1, prompt_tokens: 20, completion_tokens: 5, ..Usage::default() },
            usage_reported: true,
            route: Route::default(),
            origin: Origin { model: self.0.name.clone(), provider: ProviderKind::Scripted, request_id: None },
        });
        stream::iter([Ok(finished)]).boxed()
    }

    fn ping(&self) -> BoxFuture<'_, Result<(), ModelError>> {
        future::ready(Ok(())).boxed()
    }

    fn tokens(&self) -> Arc<dyn TokenCounter> {
        Arc::new(TiktokenCounter::for_model("gpt-4o"))
    }
}
