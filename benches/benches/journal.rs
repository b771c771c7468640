//! The journal: commits a second beside a raw append that is synced as often, the bytes of a long conversation beside
//! its unique bytes, and the time to go on with 10,000 open tasks.
//!
//! `cargo bench -p playhouse-benches --bench journal [-- --rounds 5]`
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::fs::File;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Result, ensure};
use playhouse_benches::{args, median, table};
use playhouse_runtime::protocol::TaskId;
use playhouse_runtime::protocol::completion::{
    ChatMessage, Completion, CompletionRequest, Origin, ProviderKind, Route, StopReason,
};
use playhouse_runtime::protocol::journal::{
    Fingerprint, Part, Payload, RecordedStep, StepKind, StepOutcome, StepPath,
};
use playhouse_runtime::protocol::task::TaskOptions;
use playhouse_runtime::protocol::{Usage, envelope};
use playhouse_runtime::store::{AcceptedTask, Entry, SqliteStore, TaskStore};
use playhouse_runtime::{Agent, AgentContext, AgentError, Runtime};
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Bytes of a record: about what an accepted task with a short request takes.
const RECORD_BYTES: usize = 200;
/// Commits of one round, for groups of one entry and of a hundred.
const COMMITS: usize = 300;
const CALLS: usize = 100;
const OPEN_TASKS: u64 = 10_000;

struct Sleeper;

impl Agent for Sleeper {
    const KIND: &'static str = "sleeper";
    type Request = u64;
    type Reply = u64;

    async fn run(&self, _ctx: &mut AgentContext, _request: u64) -> Result<u64, AgentError> {
        std::future::pending().await
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let rounds = usize::try_from(args::number("--rounds", 5)?)?;
    let folder = tempfile::tempdir()?;
    commits(folder.path(), rounds).await?;
    conversation(folder.path()).await?;
    recovery(folder.path()).await
}

fn id(number: u64) -> TaskId {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    TaskId::from_bytes(bytes)
}

fn accepted(number: u64, request: Payload) -> Entry {
    Entry::Accepted(Box::new(AcceptedTask {
        id: id(number),
        kind: Sleeper::KIND.to_owned(),
        options: TaskOptions::default(),
        parent: None,
        submitted_unix_ms: 1,
        deadline_unix_ms: u64::from(u32::MAX) * 1_000,
        request,
    }))
}

async fn commits(folder: &Path, rounds: usize) -> Result<()> {
    let mut rows = Vec::new();
    for group in [1, 100] {
        let (mut raw, mut ours) = (Vec::new(), Vec::new());
        for round in 0..rounds {
            raw.push(raw_appends(&folder.join(format!("raw-{group}-{round}")), group)?);
            ours.push(store_commits(&folder.join(format!("store-{group}-{round}.db")), group).await?);
        }
        let ratios: Vec<_> = ours.iter().zip(&raw).map(|(ours, raw)| ours / raw).collect();
        rows.push(vec![
            format!("{group} a commit"),
            format!("{:.0}", median(&ours)),
            format!("{:.0}", median(&raw)),
            format!("{:.2}", median(&ratios)),
        ]);
    }
    println!("{}", table(&["durable records/s", "journal", "raw append + sync", "ratio"], &rows));
    Ok(())
}

/// Records a second of a file that is appended to and synced.
fn raw_appends(path: &Path, group: usize) -> Result<f64> {
    let mut file = File::create(path)?;
    let bytes = vec![7; RECORD_BYTES * group];
    let started = Instant::now();
    for _ in 0..COMMITS {
        file.write_all(&bytes)?;
        file.sync_data()?;
    }
    Ok((COMMITS * group) as f64 / started.elapsed().as_secs_f64())
}

/// Accepted tasks a second.
async fn store_commits(path: &Path, group: usize) -> Result<f64> {
    let store = SqliteStore::open(path)?;
    let request = |number: u64| {
        let mut bytes = vec![7; RECORD_BYTES];
        bytes[..8].copy_from_slice(&number.to_le_bytes());
        Payload::single(bytes)
    };
    let mut numbers = 0..;
    let started = Instant::now();
    for _ in 0..COMMITS {
        let entries = numbers.by_ref().take(group).map(|number| accepted(number, request(number))).collect();
        store.commit(entries).await?;
    }
    Ok((COMMITS * group) as f64 / started.elapsed().as_secs_f64())
}

/// A text of so many words, another one for each number. A word is about a token.
fn text(number: usize, words: usize) -> String {
    const WORDS: [&str; 12] = [
        "actor", "model", "of", "journal", "step", "the", "writes", "answer", "plan", "and", "queue", "task",
    ];
    let mut draw = number as u64 + 1;
    let word = |_| {
        draw = draw.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        WORDS[(draw >> 33) as usize % WORDS.len()]
    };
    (0..words).map(word).collect::<Vec<_>>().join(" ")
}

/// What is written down of an answer beside its text: another use and another request id for each.
fn around(call: usize) -> Completion {
    let number = call as u64;
    let id = (u128::from(number) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
    Completion {
        text: String::new(),
        stop_reason: StopReason::Stop,
        usage: Usage {
            model_calls: 1,
            prompt_tokens: 2_000 * number + 1_013,
            completion_tokens: 997 + number % 13,
            cost_nano_usd: 5_017_500 * (number + 3),
            ..Usage::default()
        },
        usage_reported: true,
        route: Route {
            reason: "The settings name this model for chat (selection.by_task.chat).".to_owned(),
            attempts: 1,
            ..Route::default()
        },
        origin: Origin {
            model: "gpt-4o-2024-08-06".to_owned(),
            provider: ProviderKind::OpenAi,
            request_id: Some(format!("req_{id:032x}")),
        },
    }
}

/// A conversation of 100 calls and about 200,000 tokens: each call sends all that was said before.
async fn conversation(folder: &Path) -> Result<()> {
    let path = folder.join("conversation.db");
    let store = SqliteStore::open(&path)?;
    let empty = store.bytes_len().await?;
    store.commit(vec![accepted(0, Payload::single(*b"talk"))]).await?;
    let settings = Part::new(envelope::encode(&CompletionRequest::default())?);
    let mut messages: Vec<ChatMessage> = Vec::new();
    let mut sent = 0;
    for call in 0..CALLS {
        messages.push(ChatMessage::user(text(2 * call, 1_000)));
        let mut input = vec![settings.clone()];
        input.extend(messages.iter().map(|message| Part::tagged(2, message.content.as_bytes())));
        sent += messages.iter().map(|message| message.content.len()).sum::<usize>();
        let answer = text(2 * call + 1, 1_000);
        let around = around(call);
        let parts = vec![Part::new(envelope::encode(&around)?), Part::new(answer.as_bytes())];
        let output = Payload { parts };
        let step = RecordedStep {
            path: StepPath::root().child(u32::try_from(call + 1)?),
            attempt: 1,
            kind: StepKind::ModelCall { model: "m".to_owned() },
            label: "chat".to_owned(),
            fingerprint: Fingerprint([u8::try_from(call)?; 32]),
            outcome: StepOutcome::Answered { output, usage: around.usage },
            unix_ms: 1,
        };
        let input = Payload { parts: input };
        store.commit(vec![Entry::StepEnded { task: id(0), step: Box::new(step), input }]).await?;
        messages.push(ChatMessage::assistant(answer));
    }
    store.close().await?;
    let unique: u64 = messages.iter().map(|message| message.content.len() as u64).sum();
    let stored = std::fs::metadata(&path)?.len();
    println!(
        "\nconversation of {CALLS} calls, about {} tokens: {sent} bytes sent, {unique} unique, {stored} on disk \
         ({empty} of it empty): {:.2} x unique (goal 1.2)",
        CALLS * 2 * 1_000,
        stored as f64 / unique as f64
    );
    Ok(())
}

/// From the start of a process on a journal with open tasks until all of them are in its table.
async fn recovery(folder: &Path) -> Result<()> {
    let path = folder.join("recovery.db");
    let store = SqliteStore::open(&path)?;
    for from in (0..OPEN_TASKS).step_by(1_000) {
        let one = |number: u64| {
            let bytes = envelope::encode_agent_value(Sleeper::VERSION, &number)?;
            anyhow::Ok(accepted(number, Payload::single(bytes)))
        };
        store.commit((from..from + 1_000).map(one).collect::<Result<_>>()?).await?;
    }
    store.close().await?;
    drop(store);
    let started = Instant::now();
    let store: Arc<dyn TaskStore> = Arc::new(SqliteStore::open(&path)?);
    let runtime = Runtime::builder().store(store).agent(Sleeper).start().await?;
    let elapsed = started.elapsed();
    ensure!(runtime.accounting().resumed == OPEN_TASKS, "{:?}", runtime.accounting());
    println!("\n{OPEN_TASKS} open tasks are gone on with in {:.2} s (goal 2)", elapsed.as_secs_f64());
    runtime.shutdown(std::time::Duration::ZERO).await;
    Ok(())
}
