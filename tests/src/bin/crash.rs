//! Kills the real binary under load, again and again, and counts what was lost: `crash --binary target/debug/playhouse`.
//!
//! Each round starts `playhouse load` on one journal and sends it SIGKILL at a random moment. The model is a server
//! of this process, which counts what it is asked. At the end every acknowledged task has ended exactly once, and
//! no question was asked again whose answer was in the journal when the process died.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use clap::Parser;
use playhouse_runtime::protocol::journal::StepKind;
use playhouse_runtime::protocol::task::TaskStatus;
use playhouse_runtime::store::{SqliteStore, TaskFilter, TaskStore};
use playhouse_tests::simulation::draws::{Draws, place_of};
use serde_json::{Value, json};

/// How long a run may take until it asks something.
const FIRST_QUESTION_LIMIT: Duration = Duration::from_mins(1);

/// How long the last run may take.
const LAST_RUN_LIMIT: Duration = Duration::from_mins(5);

/// Questions of a thousand that meet an outage.
const OUTAGES_PER_MILLE: u64 = 30;

/// How often one of them fails at most.
const OUTAGES_MAX: u64 = 5;

/// Kills the real binary under load and counts what was lost.
#[derive(Debug, Parser)]
struct Args {
    /// The binary
    #[arg(long, default_value = "target/debug/playhouse")]
    binary: PathBuf,

    /// How often it is killed
    #[arg(long, default_value_t = 20)]
    rounds: u64,

    /// Tasks of the load
    #[arg(long, default_value_t = 5_000)]
    tasks: u64,

    /// From which the moments and the model's failures are drawn [default: the time of day]
    #[arg(long)]
    seed: Option<u64>,
}

/// What the model was asked, and what may not be asked any more.
#[derive(Debug, Clone)]
struct Asked {
    draws: Draws,
    counts: Arc<Mutex<Counts>>,
}

#[derive(Debug, Default)]
struct Counts {
    asked: BTreeMap<String, u64>,
    recorded: BTreeSet<String>,
    asked_again: BTreeSet<String>,
}

impl Asked {
    /// How many questions were asked.
    fn len(&self) -> u64 {
        self.counts().asked.values().sum()
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Answers as a server that speaks OpenAI's chat completions does, after a while; some questions the first time or times
/// with an outage, for longer than the client asks again by itself.
async fn complete(State(asked): State<Asked>, Json(request): Json<Value>) -> Response {
    let last = request["messages"].as_array().and_then(|messages| messages.last());
    let question = last.and_then(|message| message["content"].as_str()).unwrap_or_default().to_owned();
    let place = place_of(&question);
    let times = {
        let mut counts = asked.counts();
        if counts.recorded.contains(&question) {
            counts.asked_again.insert(question.clone());
        }
        let times = counts.asked.entry(question).or_default();
        *times += 1;
        *times
    };
    tokio::time::sleep(Duration::from_millis(10)).await;
    let outages = asked.draws.below(OUTAGES_MAX + 1, "outages", place);
    if asked.draws.happens(OUTAGES_PER_MILLE, "fails", place) && times <= outages {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let chunk = json!({"choices": [{"index": 0, "delta": {"content": "All well."}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 8, "completion_tokens": 2}});
    ([(CONTENT_TYPE, "text/event-stream")], format!("data: {chunk}\n\ndata: [DONE]\n\n")).into_response()
}

/// A process that is killed with whoever started it.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "what a program is for")]
async fn main() -> Result<()> {
    let args = Args::parse();
    let binary = args.binary.canonicalize().with_context(|| format!("find {}", args.binary.display()))?;
    let folder = tempfile::tempdir()?;
    let seed = args.seed.unwrap_or_else(time_of_day);
    println!("seed {seed}");
    let draws = Draws(seed);
    let asked = Asked { draws, counts: Arc::default() };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    let router = Router::new().route("/v1/chat/completions", post(complete)).with_state(asked.clone());
    let mut server = tokio::task::JoinSet::new();
    server.spawn(async move { axum::serve(listener, router).await });
    let settings = format!(
        "models:\n  counting: {{ provider: open_ai, base_url: 'http://{address}/v1', model: m, encoding: o200k_base }}\n"
    );
    std::fs::write(folder.path().join("playhouse.yaml"), settings)?;

    let mut killed = 0;
    for round in 0..args.rounds {
        let mut running = Running(start(&binary, folder.path(), &args)?);
        // From its first question on, or a slow machine would be killed before it does anything.
        let asked_before = asked.len();
        let work = async {
            while asked.len() == asked_before && running.0.try_wait()?.is_none() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            anyhow::Ok(())
        };
        let begun = tokio::time::timeout(FIRST_QUESTION_LIMIT, work).await;
        begun.with_context(|| format!("wait for the first question of round {round}"))??;
        let after = Duration::from_millis(draws.below(500, "killed after", round));
        tokio::time::sleep(after).await;
        match running.0.try_wait()? {
            None => killed += 1,
            // It had done all before.
            Some(status) => ensure!(status.success(), "round {round} ended by itself with {status}"),
        }
        drop(running);
        let recorded = recorded(folder.path()).await?;
        let acknowledged = acknowledged(folder.path())?.len();
        println!(
            "round {round}: killed after {} ms, {acknowledged} tasks acknowledged, {} answers recorded",
            after.as_millis(),
            recorded.len()
        );
        asked.counts().recorded = recorded;
    }
    ensure!(killed > args.rounds / 2, "only {killed} of {} rounds were killed in mid-run", args.rounds);

    let mut last = Running(start(&binary, folder.path(), &args)?);
    let ended = tokio::time::timeout(LAST_RUN_LIMIT, async {
        loop {
            if let Some(status) = last.0.try_wait()? {
                return Ok::<_, anyhow::Error>(status);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    let status = ended.await.context("the last run took too long")??;
    ensure!(status.success(), "the last run ended with {status}: see its standard error above");
    check(folder.path(), args.tasks, &asked).await?;
    let counts = asked.counts();
    let calls: u64 = counts.asked.values().sum();
    let again = counts.asked.values().filter(|times| **times > 1).count();
    println!(
        "{} tasks, {killed} kills: each ended once; {calls} model calls for {} questions ({again} asked again, whose answer had not been recorded)",
        args.tasks,
        counts.asked.len()
    );
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "each run is to kill at other moments, and prints which")]
fn time_of_day() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or_default()
}

fn start(binary: &Path, folder: &Path, args: &Args) -> Result<Child> {
    let tasks = args.tasks.to_string();
    let load = ["load", "-n", &tasks, "--width", "40", "--calls", "2", "--model", "counting", "--quiet"];
    let faults = ["--panic", "0.1", "--attempts", "8"];
    let files = ["--journal", "journal.db", "--acks", "acks", "--format", "json", "--output", "report.json"];
    Command::new(binary)
        .args(load)
        .args(faults)
        .args(files)
        .current_dir(folder)
        .env("HOME", folder)
        .env_remove("PLAYHOUSE_CONFIG")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .with_context(|| format!("start {}", binary.display()))
}

/// The questions whose answers are in the journal.
async fn recorded(folder: &Path) -> Result<BTreeSet<String>> {
    let mut recorded = BTreeSet::new();
    if !folder.join("journal.db").exists() {
        return Ok(recorded);
    }
    let store = match SqliteStore::open_read_only(&folder.join("journal.db")) {
        Ok(store) => store,
        // Killed before its tables were there.
        Err(_) if acknowledged(folder)?.is_empty() => return Ok(recorded),
        Err(error) => return Err(error.into()),
    };
    let mut before = None;
    loop {
        let page = store.list(TaskFilter { before, limit: 1_000, ..TaskFilter::default() }).await?;
        let Some(last) = page.last() else { return Ok(recorded) };
        before = Some(last.id);
        for task in page {
            for step in store.steps(task.id).await? {
                if matches!(step.kind, StepKind::ModelCall { .. }) && step.outcome.is_answered() {
                    let input = store.step_input(task.id, step.path).await?.unwrap_or_default();
                    let question = input.parts.last().map(|part| String::from_utf8_lossy(&part.bytes));
                    recorded.insert(question.unwrap_or_default().into_owned());
                }
            }
        }
    }
}

/// The acknowledged tasks: the number of each, and the ids it was acknowledged under. The last line may be cut.
fn acknowledged(folder: &Path) -> Result<BTreeMap<u64, BTreeSet<String>>> {
    let text = std::fs::read_to_string(folder.join("acks")).unwrap_or_default();
    let mut acknowledged: BTreeMap<u64, BTreeSet<String>> = BTreeMap::new();
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let (number, id) = line.trim_end().split_once(' ').context("read an acknowledgement")?;
        acknowledged.entry(number.parse()?).or_default().insert(id.to_owned());
    }
    Ok(acknowledged)
}

async fn check(folder: &Path, tasks: u64, asked: &Asked) -> Result<()> {
    let store = SqliteStore::open_read_only(&folder.join("journal.db"))?;
    let counts = store.counts().await?;
    // The same panic or outage twice in a row makes a dead letter.
    ensure!(counts.completed + counts.dead_lettered == tasks, "the journal counts {counts:?}");
    ensure!(counts.total() == tasks && counts.dead_lettered < tasks / 10, "the journal counts {counts:?}");
    let acknowledged = acknowledged(folder)?;
    ensure!(acknowledged.len() as u64 == tasks, "{} tasks were acknowledged", acknowledged.len());
    for (number, ids) in &acknowledged {
        let [id] = ids.iter().collect::<Vec<_>>()[..] else { bail!("task {number} has the ids {ids:?}") };
        let task = store.task(id.parse()?).await?.with_context(|| format!("task {number} ({id}) is gone"))?;
        ensure!(!task.status.is_open(), "task {number} is {}", task.status);
        let is_done = task.status == TaskStatus::Completed;
        ensure!(!is_done || task.steps_len == 2, "task {number} has {} steps", task.steps_len);
    }
    let again = &asked.counts().asked_again;
    ensure!(again.is_empty(), "asked again, though the answer was recorded: {again:?}");
    let report: Value = serde_json::from_str(&std::fs::read_to_string(folder.join("report.json"))?)?;
    ensure!(report["adds_up"] == true, "the last run does not add up: {report}");
    Ok(())
}
