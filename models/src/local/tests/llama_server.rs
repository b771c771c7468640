//! The embedded model beside llama.cpp's server, on the same file.
//!
//! Needs the model files and a Python with the package `xllamacpp`; skipped, and said so, where they are missing.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use playhouse_protocol::completion::{ChatMessage, CompletionRequest};
use serde_json::{Value, json};

use super::tiny::options;
use crate::client::ModelClient;
use crate::local::engine::Engine;
use crate::local::vocabulary::Vocabulary;
use crate::local::{LocalModel, LocalOptions};

const START_LIMIT: Duration = Duration::from_secs(120);
const POLL_INTERVAL: Duration = Duration::from_millis(100);
const SMOLLM2: &str = "smollm2-135m.gguf";
const QWEN: &str = "qwen2.5-coder-0.5b.gguf";
/// How much less probable than the server's best token ours may be, in nats: the two round differently.
const GAP_MAX: f64 = 0.5;

/// To the server, the two best tokens of Qwen's answers to these are never closer than 0.2 nats. Where they are,
/// rounding decides: the server's and our probabilities differ by some 0.04 nats, and so do the server's own from
/// batch to batch (" mon" and " ma" in "Translate to French: good morning, my friend.").
const PROMPTS: [&str; 6] = [
    "Write a Rust function that adds two i32 numbers.",
    "Name three colours.",
    "What is 17 + 25? Answer with the number only.",
    "Explain in one sentence what a mutex is.",
    "Write a Rust function that checks whether a number is even.",
    "What is the capital of France?",
];
const TEXTS: [&str; 8] = [
    "Hello, world!",
    "  leading and trailing  ",
    "fn main() {\n    println!(\"{}\", 1234567);\n}\n",
    "Привет, мир! 你好。 🙂",
    "a\tb\r\nc\n\n\nd",
    "it's we'll I'M don't",
    "x=3.14159; y=2^10 //= != ===",
    "<|im_start|>user\nhi<|im_end|>\n",
];

/// A server process; killed when it is dropped.
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
    /// Starts a server on the file, or says why the test is skipped.
    async fn start(file: &str) -> Option<(Self, PathBuf)> {
        let cache = std::env::home_dir()?.join(".cache/playhouse");
        let python =
            variable("PLAYHOUSE_LLAMA_PYTHON").unwrap_or_else(|| cache.join("peers/llama/bin/python"));
        let model = variable("PLAYHOUSE_MODELS_DIR").unwrap_or_else(|| cache.join("models")).join(file);
        if let Some(missing) = [&model, &python].into_iter().find(|path| !path.exists()) {
            let required = variable("PLAYHOUSE_REQUIRE_SERVERS").is_some_and(|value| value == Path::new("1"));
            assert!(!required || (file == QWEN && missing == &model), "{} is not there", missing.display());
            eprintln!("skipped: {} is not there", missing.display());
            return None;
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers/llama_server.py");
        let mut process = Command::new(python)
            .args([script.as_path(), &model])
            .args([&port.to_string(), "peer", "1", "1"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // Read to the end by a thread, so that the server never waits for room in the pipe.
        let output = BufReader::new(process.stdout.take().unwrap());
        std::thread::spawn(move || output.lines().count());
        let server = Self {
            process,
            base_url: format!("http://127.0.0.1:{port}"),
            // The server closes idle connections after a few seconds, which a slow answer of ours may take.
            client: reqwest::Client::builder().pool_max_idle_per_host(0).build().unwrap(),
        };
        tokio::time::timeout(START_LIMIT, server.ready()).await.expect("the server starts");
        Some((server, model))
    }

    async fn ready(&self) {
        loop {
            match self.client.get(format!("{}/health", self.base_url)).send().await {
                Ok(response) if response.status().is_success() => return,
                _ => tokio::time::sleep(POLL_INTERVAL).await,
            }
        }
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = self.client.post(format!("{}{path}", self.base_url)).json(&body);
        request.send().await.unwrap().error_for_status().unwrap().json().await.unwrap()
    }

    async fn tokenize(&self, text: &str) -> Vec<u32> {
        let body = json!({ "content": text, "add_special": false, "parse_special": true });
        serde_json::from_value(self.post("/tokenize", body).await["tokens"].clone()).unwrap()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "where a developer keeps files for tests is no setting of Playhouse"
)]
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

fn conversation(text: &str) -> Vec<ChatMessage> {
    vec![ChatMessage::system("Be brief."), ChatMessage::user(text)]
}

/// Prompts are framed and tokenised as by the server, text by text.
async fn check_tokens(file: &str) {
    let Some((server, model)) = Server::start(file).await else { return };
    let vocabulary = Vocabulary::open(&model).unwrap();
    for text in PROMPTS.into_iter().chain(TEXTS) {
        assert_eq!(vocabulary.encode(text).unwrap(), server.tokenize(text).await, "{text:?}");
        let more =
            [conversation(text), vec![ChatMessage::assistant("Yes."), ChatMessage::user(text)]].concat();
        for messages in [vec![ChatMessage::user(text)], conversation(text), more] {
            let ours = vocabulary.template().render(&messages).unwrap();
            let theirs = server.post("/apply-template", json!({ "messages": messages })).await;
            assert_eq!(ours, theirs["prompt"].as_str().unwrap());
            assert_eq!(vocabulary.encode_prompt(&ours).unwrap(), server.tokenize(&ours).await, "{ours:?}");
        }
    }
}

#[tokio::test]
async fn smollm2_reads_the_tokens_that_the_server_reads() {
    check_tokens(SMOLLM2).await;
}

#[tokio::test]
async fn qwen_reads_the_tokens_that_the_server_reads() {
    check_tokens(QWEN).await;
}

#[tokio::test]
async fn qwen_says_what_the_server_says() {
    let Some((server, path)) = Server::start(QWEN).await else { return };
    let model = LocalModel::new(LocalOptions { context_tokens: 4096, ..options(&path) });
    for text in PROMPTS {
        let messages = vec![ChatMessage::user(text)];
        let body = json!({ "messages": messages, "temperature": 0, "max_tokens": 40, "cache_prompt": false });
        let theirs = server.post("/v1/chat/completions", body).await;
        let request =
            CompletionRequest { completion_tokens_max: Some(40), ..CompletionRequest::new(messages) };
        let ours = model.complete(request).await.unwrap();
        assert_eq!(ours.text, theirs["choices"][0]["message"]["content"].as_str().unwrap(), "{text:?}");
        assert_eq!(ours.usage.prompt_tokens, theirs["usage"]["prompt_tokens"].as_u64().unwrap());
        assert_eq!(ours.usage.completion_tokens, theirs["usage"]["completion_tokens"].as_u64().unwrap());
    }
}

/// Each of our tokens is, to the server, nearly as probable as its best.
#[tokio::test]
async fn smollm2_says_nothing_that_the_server_finds_much_less_probable() {
    let Some((server, path)) = Server::start(SMOLLM2).await else { return };
    let vocabulary = Arc::new(Vocabulary::open(&path).unwrap());
    let mut engine = Engine::load(&path, Arc::clone(&vocabulary), Some(1)).unwrap();
    for text in PROMPTS {
        let framed = vocabulary.template().render(&conversation(text)).unwrap();
        let mut tokens = vocabulary.encode_prompt(&framed).unwrap();
        let transformer = engine.transformer_mut();
        transformer.truncate(0);
        transformer.prefill(&tokens, &|| false).unwrap();
        for _ in 0..24 {
            let scores = engine.transformer_mut().scores().iter().zip(0_u32..);
            let (_, ours) = scores.max_by(|a, b| a.0.total_cmp(b.0)).unwrap();
            let body = json!({ "prompt": tokens, "n_predict": 1, "n_probs": 10, "temperature": 0 });
            let theirs = server.post("/completion", body).await;
            let best = theirs["completion_probabilities"][0]["top_logprobs"].as_array().unwrap();
            let probability = |entry: &Value| entry["logprob"].as_f64().unwrap();
            let same = best.iter().find(|entry| entry["id"] == ours).map(probability);
            let gap = probability(&best[0]) - same.unwrap_or(f64::NEG_INFINITY);
            assert!(gap <= GAP_MAX, "{text:?}, token {}: {gap} nats", tokens.len());
            if vocabulary.is_end(ours) {
                break;
            }
            tokens.push(ours);
            engine.transformer_mut().step(ours);
        }
    }
}
