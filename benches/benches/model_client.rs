//! What the layers around a model cost: calls a second and the time of each through the whole stack (fallbacks, cache,
//! prices, retries, hedging, breaker, concurrency, pacing, figures, metrics: all on), beside bare reqwest that sends the same
//! bytes and reads the same fields. The server is a thread of its own on loopback and answers at once. In turns within one run.
//!
//! `cargo bench -p playhouse-benches --bench model_client [-- --calls 20000 --rounds 5]`
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use futures::StreamExt;
use futures::stream;
use playhouse_benches::{args, median, table};
use playhouse_models::{Catalog, CatalogParts, ModelClient};
use playhouse_protocol::SeededSource;
use playhouse_protocol::completion::{ChatMessage, CompletionRequest};
use playhouse_runtime::SystemWallClock;
use playhouse_runtime::actors::metrics_actor::Meter;
use playhouse_runtime::config::settings::{
    CacheMode, Config, HedgingConfig, HttpConfig, ModelConfig, PacingConfig, ProviderConfig,
};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Calls that are open at once.
const IN_FLIGHT: [usize; 3] = [1, 64, 1_000];

/// An answer of about a kilobyte.
fn answer() -> String {
    let text = "The quick brown fox jumps over the lazy dog. ".repeat(20);
    format!(
        r#"{{"id":"c-1","object":"chat.completion","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":9,"completion_tokens":200}}}}"#
    )
}

/// Starts the server in a thread of its own, which ends with the process.
fn serve() -> Result<SocketAddr> {
    let (tell, told) = sync_channel(1);
    std::thread::spawn(move || -> Result<()> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async move {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
            tell.send(listener.local_addr()?)?;
            let head = [(axum::http::header::CONTENT_TYPE, "application/json")];
            let body: Arc<str> = answer().into();
            let answer = axum::routing::post(move |_: axum::body::Bytes| {
                let body = axum::body::Bytes::copy_from_slice(body.as_bytes());
                async move { (head, body) }
            });
            let routes = axum::Router::new().route("/v1/chat/completions", answer);
            axum::serve(listener, routes).await?;
            Ok(())
        })
    });
    told.recv().context("start the server")
}

/// What bare reqwest sends: the same bytes.
#[derive(Serialize)]
struct Question {
    model: &'static str,
    messages: [Message; 1],
    max_tokens: u32,
    temperature: f32,
    stream: bool,
}

#[derive(Serialize)]
struct Message {
    role: &'static str,
    content: String,
}

/// What it reads: the fields that the stack needs too.
#[derive(Deserialize)]
struct Answer {
    choices: Vec<Choice>,
    usage: Used,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
    finish_reason: String,
}

#[derive(Deserialize)]
struct Said {
    content: String,
}

#[derive(Deserialize)]
struct Used {
    completion_tokens: u64,
}

/// The prompt of a call: each is another, so that no answer comes out of the cache.
fn prompt(number: usize) -> String {
    format!("Question {number}: what does the fox do?")
}

async fn ask_bare(client: &reqwest::Client, url: &str, number: usize) -> Result<()> {
    let question = Question {
        model: "m",
        messages: [Message { role: "user", content: prompt(number) }],
        max_tokens: 1_024,
        temperature: 0.0,
        stream: false,
    };
    let response = client.post(url).json(&question).send().await?.error_for_status()?;
    let answer: Answer = serde_json::from_slice(&response.bytes().await?)?;
    let choice = answer.choices.first().context("an answer without a choice")?;
    ensure!(choice.finish_reason == "stop" && choice.message.content.len() > 500);
    ensure!(answer.usage.completion_tokens == 200);
    Ok(())
}

async fn ask_stack(client: &dyn ModelClient, number: usize) -> Result<()> {
    let mut request = CompletionRequest::new(vec![ChatMessage::user(prompt(number))]);
    request.sampling.temperature = Some(0.0);
    let completion = client.complete(request).await?;
    ensure!(!completion.route.cached && completion.usage.completion_tokens == 200);
    Ok(())
}

/// The stack with all of its layers on, and limits that are never reached.
fn stack(address: SocketAddr) -> Result<Arc<dyn ModelClient>> {
    let mut http = HttpConfig {
        pacing: PacingConfig { requests_per_minute: Some(u32::MAX), tokens_per_minute: Some(u32::MAX) },
        hedging: Some(HedgingConfig::default()),
        ..HttpConfig::new(format!("http://{address}/v1"), "m")
    };
    http.concurrency.max = 1_000;
    let entry =
        ModelConfig { cache: CacheMode::Exact, ..ModelConfig::new(ProviderConfig::OpenAi(http.clone())) };
    let entry = ModelConfig { fallbacks: vec!["other".to_owned()], ..entry };
    let mut config = Config::default();
    config.models.insert("other".to_owned(), ModelConfig::new(ProviderConfig::OpenAi(http)));
    config.models.insert("m".to_owned(), entry);
    let parts = CatalogParts {
        random: Arc::new(SeededSource::from_seed(1)),
        wall_clock: Arc::new(SystemWallClock::now()),
        models_dir: "/nowhere".into(),
        observer: Meter::new()?,
    };
    Ok(Catalog::new(&config, parts).client("m")?)
}

/// What one run measured.
struct Run {
    calls_per_second: f64,
    p50: Duration,
    p99: Duration,
}

async fn run<F: Future<Output = Result<()>>>(
    calls: usize,
    in_flight: usize,
    first: usize,
    ask: impl Fn(usize) -> F,
) -> Result<Run> {
    let begun = Instant::now();
    let times = stream::iter(first..first + calls).map(|number| {
        let asked = ask(number);
        async move {
            let begun = Instant::now();
            asked.await.map(|()| begun.elapsed())
        }
    });
    let times: Vec<Result<Duration>> = times.buffer_unordered(in_flight).collect().await;
    let elapsed = begun.elapsed();
    let mut times = times.into_iter().collect::<Result<Vec<_>>>()?;
    times.sort_unstable();
    let at = |share: f64| {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a place in a list")]
        let place = (times.len() as f64 * share) as usize;
        times.get(place.min(times.len() - 1)).copied().unwrap_or_default()
    };
    Ok(Run { calls_per_second: calls as f64 / elapsed.as_secs_f64(), p50: at(0.5), p99: at(0.99) })
}

/// The runs of one number of calls in flight, bare and through the stack in turns.
async fn compare(address: SocketAddr, calls: usize, rounds: usize, in_flight: usize) -> Result<Vec<String>> {
    let url = format!("http://{address}/v1/chat/completions");
    let bare = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(1_000).build()?;
    let client = stack(address)?;
    let (mut bare_runs, mut stack_runs) = (Vec::new(), Vec::new());
    // The round before the first opens connections and builds tables.
    for round in 0..=rounds {
        let first = round * calls;
        let bare_run = run(calls, in_flight, first, |number| ask_bare(&bare, &url, number)).await?;
        let stack_run = run(calls, in_flight, first, |number| ask_stack(&*client, number)).await?;
        if round > 0 {
            bare_runs.push(bare_run);
            stack_runs.push(stack_run);
        }
    }
    let of = |runs: &[Run], value: fn(&Run) -> f64| median(&runs.iter().map(value).collect::<Vec<_>>());
    let pairs = || bare_runs.iter().zip(&stack_runs);
    let ratios: Vec<_> =
        pairs().map(|(bare, stack)| stack.calls_per_second / bare.calls_per_second).collect();
    let ms = |time: Duration| time.as_secs_f64() * 1_000.0;
    let added = |value: fn(&Run) -> Duration| {
        median(&pairs().map(|(bare, stack)| ms(value(stack)) - ms(value(bare))).collect::<Vec<_>>())
    };
    Ok(vec![
        in_flight.to_string(),
        format!("{:.0}", of(&bare_runs, |run| run.calls_per_second)),
        format!("{:.0}", of(&stack_runs, |run| run.calls_per_second)),
        format!("{:.2}", median(&ratios)),
        format!("{:.3}", of(&bare_runs, |run| run.p50.as_secs_f64() * 1_000.0)),
        format!("{:+.3}", added(|run| run.p50)),
        format!("{:.3}", of(&bare_runs, |run| run.p99.as_secs_f64() * 1_000.0)),
        format!("{:+.3}", added(|run| run.p99)),
    ])
}

fn main() -> Result<()> {
    let calls = usize::try_from(args::number("--calls", 20_000)?)?;
    let rounds = usize::try_from(args::number("--rounds", 5)?)?;
    ensure!(calls > 0 && rounds > 0, "--calls and --rounds are at least 1");
    let address = serve()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut rows = Vec::new();
    for in_flight in IN_FLIGHT {
        // One call at a time takes long enough with fewer.
        let calls = if in_flight == 1 { calls.div_ceil(4) } else { calls };
        rows.push(runtime.block_on(compare(address, calls, rounds, in_flight))?);
    }
    println!(
        "calls through the whole stack, beside bare reqwest at the same server; medians of {rounds} rounds"
    );
    let head = ["in flight", "bare/s", "stack/s", "ratio", "bare p50 ms", "added", "bare p99 ms", "added"];
    println!("{}", table(&head, &rows));
    println!("goals at 64 in flight: ratio at least 0.80, added p99 at most 0.500 ms");
    Ok(())
}
