//! The embedded model beside llama.cpp's server: the same file, one thread each, in turns.
//!
//! `cargo bench -p playhouse-benches --bench local_model [-- --rounds N] [MODEL.gguf…]`
//!
//! Needs a Python with the package `xllamacpp` at `$PLAYHOUSE_LLAMA_PYTHON` or `~/.cache/playhouse/peers/llama`.
//! Ours is timed from outside, framing, tokenising and queue included; the server reports its own computing
//! time alone. Nothing else should run meanwhile.

#![expect(clippy::print_stdout, reason = "figures are what a bench is for")]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures::StreamExt;
use playhouse_benches::median;
use playhouse_models::local::{LocalModel, LocalOptions};
use playhouse_models::{CompletionEvent, ModelClient};
use playhouse_protocol::completion::{ChatMessage, CompletionRequest};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

const ROUNDS_DEFAULT: usize = 5;
const COMPLETION_TOKENS: u32 = 64;
const CONTEXT_TOKENS: u32 = 4096;
const MODELS_DEFAULT: [&str; 2] = ["smollm2-135m.gguf", "qwen2.5-coder-0.5b.gguf"];
const START_LIMIT: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// Tokens per second.
#[derive(Debug, Clone, Copy)]
struct Speed {
    prefill: f64,
    generation: f64,
}

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(run())
}

async fn run() -> Result<()> {
    let (rounds, models) = arguments()?;
    println!(
        "tokens per second, one thread each, median of {rounds} rounds (ours / llama.cpp's server / ratio)"
    );
    for path in models {
        if !path.exists() {
            println!("skipped: {} is not there", path.display());
            continue;
        }
        let server = Server::start(&path).await?;
        let model = LocalModel::new(LocalOptions {
            name: "bench".to_owned(),
            path: path.clone(),
            threads: Some(1),
            context_tokens: CONTEXT_TOKENS,
            completion_tokens_default: COMPLETION_TOKENS,
            seed: 0,
        });
        model.ping().await?;
        println!("{}", path.file_name().unwrap_or_default().to_string_lossy());
        for items in [2, 60] {
            let (mut ours, mut theirs) = (Vec::new(), Vec::new());
            let mut prompt_tokens = 0;
            // The first round warms both up and is not counted.
            for round in 0..=rounds {
                let messages = vec![ChatMessage::user(prompt(round, items))];
                prompt_tokens = model.count_chat(&messages)?;
                let their_speed = server.ask(&messages).await?;
                let our_speed = ask(&model, messages).await?;
                if round > 0 {
                    theirs.push(their_speed);
                    ours.push(our_speed);
                }
            }
            report(&format!("prefill    {prompt_tokens:>4} tokens"), &ours, &theirs, |speed| speed.prefill);
            report(&format!("generation {COMPLETION_TOKENS:>4} tokens"), &ours, &theirs, |speed| {
                speed.generation
            });
        }
    }
    Ok(())
}

/// A question that differs from its beginning on, so that no prefix of the last one can be reused.
fn prompt(round: usize, items: usize) -> String {
    let list: Vec<String> =
        (0..items).map(|item| format!("item {item} costs {} coins;", item * 7 % 13)).collect();
    format!("{round}. Write a long story about a shop where {} and so on.", list.join(" "))
}

async fn ask(model: &LocalModel, messages: Vec<ChatMessage>) -> Result<Speed> {
    let start = Instant::now();
    let mut events = model.stream(CompletionRequest::new(messages));
    let mut first = None;
    while let Some(event) = events.next().await {
        match event? {
            CompletionEvent::Restarted { .. } => {}
            CompletionEvent::Delta(_) => first = first.or(Some(start.elapsed())),
            CompletionEvent::Finished(completion) => {
                let first = first.context("the answer is empty")?;
                let usage = completion.usage;
                ensure!(usage.completion_tokens > 8, "the answer is too short to be timed");
                return Ok(Speed {
                    prefill: (usage.prompt_tokens - usage.cached_prompt_tokens) as f64 / first.as_secs_f64(),
                    generation: (usage.completion_tokens - 1) as f64
                        / start.elapsed().saturating_sub(first).as_secs_f64(),
                });
            }
        }
    }
    bail!("the answer broke off")
}

/// Medians of both sides, and the median of the rounds' ratios.
fn report(what: &str, ours: &[Speed], theirs: &[Speed], of: impl Fn(&Speed) -> f64) {
    let ratios: Vec<_> = ours.iter().zip(theirs).map(|(ours, theirs)| of(ours) / of(theirs)).collect();
    let middle = |side: &[Speed]| median(&side.iter().map(&of).collect::<Vec<_>>());
    println!("  {what}  {:>7.1} / {:>7.1} / {:.2}", middle(ours), middle(theirs), median(&ratios));
}

fn arguments() -> Result<(usize, Vec<PathBuf>)> {
    let mut rounds = ROUNDS_DEFAULT;
    let mut models = Vec::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--bench" => {}
            "--rounds" => rounds = arguments.next().context("--rounds needs a number")?.parse()?,
            path => models.push(PathBuf::from(path)),
        }
    }
    if models.is_empty() {
        let folder = variable("PLAYHOUSE_MODELS_DIR").map_or_else(|| cache("models"), Ok)?;
        models.extend(MODELS_DEFAULT.map(|name| folder.join(name)));
    }
    Ok((rounds.max(1), models))
}

fn cache(what: &str) -> Result<PathBuf> {
    Ok(std::env::home_dir().context("there is no home folder")?.join(".cache/playhouse").join(what))
}

#[expect(
    clippy::disallowed_methods,
    reason = "where a developer keeps files for benches is no setting of Playhouse"
)]
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

/// llama.cpp's server; killed when it is dropped.
struct Server {
    process: Child,
    base_url: String,
    client: reqwest::Client,
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Server {
    async fn start(model: &Path) -> Result<Self> {
        let python =
            variable("PLAYHOUSE_LLAMA_PYTHON").map_or_else(|| cache("peers/llama/bin/python"), Ok)?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/llama_server.py");
        let mut process = Command::new(&python)
            .args([script.as_path(), model])
            .args([&port.to_string(), "bench", "1", "1", &CONTEXT_TOKENS.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("start {} (it needs the package xllamacpp)", python.display()))?;
        let output = process.stdout.take().context("the server has no output")?;
        std::thread::spawn(move || BufReader::new(output).lines().count());
        let client = reqwest::Client::builder().build()?;
        let server = Self { process, base_url: format!("http://127.0.0.1:{port}"), client };
        timeout(START_LIMIT, server.ready()).await.context("the server does not start")?;
        Ok(server)
    }

    async fn ready(&self) {
        loop {
            match self.client.get(format!("{}/health", self.base_url)).send().await {
                Ok(response) if response.status().is_success() => return,
                _ => sleep(POLL_INTERVAL).await,
            }
        }
    }

    async fn ask(&self, messages: &[ChatMessage]) -> Result<Speed> {
        let body = json!({
            "messages": messages, "temperature": 0, "max_tokens": COMPLETION_TOKENS, "cache_prompt": false,
        });
        let request = self.client.post(format!("{}/v1/chat/completions", self.base_url)).json(&body);
        let answer: Value = request.send().await?.error_for_status()?.json().await?;
        let speed = |name: &str| answer["timings"][name].as_f64().context("the server reports no timings");
        Ok(Speed { prefill: speed("prompt_per_second")?, generation: speed("predicted_per_second")? })
    }
}
