//! The same faults, played by a server that nobody here wrote: what both can play must end alike.
//!
//! Needs Node and the package `@copilotkit/aimock`; skipped, and said so, where it is missing.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use playhouse_protocol::FailureClass;
use playhouse_tests::faults::{Fault, FaultServer, GROUPS, TEXT};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::asking::{Met, ask, client, key_file, kind, question};

/// How long the other server may take to start.
const START_MAX: Duration = Duration::from_secs(60);

/// What the other server is told to play: the name of a fault, its failing answer, and how many times it comes before a
/// sound one (`None` for ever). Statuses, hints and texts are those of our table.
const COMMON: &[(&str, Play, Option<u32>)] = &[
    ("limited-seconds", Play::Fails(429, "rate_limit_exceeded", Some(1)), Some(1)),
    ("quota-spent", Play::Fails(429, "insufficient_quota", None), None),
    ("internal", Play::Fails(500, "server_error", None), Some(1)),
    ("internal-for-ever", Play::Fails(500, "server_error", None), None),
    ("unavailable", Play::Fails(503, "server_error", None), Some(1)),
    ("gateway-timeout", Play::Fails(504, "server_error", None), Some(1)),
    ("overloaded", Play::Fails(529, "server_error", None), Some(1)),
    ("bad-request", Play::Fails(400, "invalid_request_error", None), None),
    ("context", Play::Fails(400, "context_length_exceeded", None), None),
    ("wrong-key", Play::Fails(401, "invalid_api_key", None), None),
    ("forbidden", Play::Fails(403, "forbidden", None), None),
    ("no-model", Play::Fails(404, "model_not_found", None), None),
    ("cut-for-ever", Play::CutAfterChunks(3), None),
    ("drip", Play::SlowlyMs(5), None),
];

/// One answer of the other server.
#[derive(Clone, Copy)]
enum Play {
    /// A status, the failure's code, and the seconds of `Retry-After`.
    Fails(u16, &'static str, Option<u32>),
    /// A stream that is cut behind so many chunks.
    CutAfterChunks(u32),
    /// A sound answer whose chunks come so many milliseconds apart.
    SlowlyMs(u32),
}

impl Play {
    fn fixture(self, matching: &Value) -> Value {
        match self {
            Self::Fails(status, code, seconds) => {
                let mut response = json!({
                    "error": {"message": "It failed.", "type": code, "code": code}, "status": status,
                });
                if let Some(seconds) = seconds {
                    response["retryAfter"] = json!(seconds);
                }
                json!({"match": matching, "response": response})
            }
            Self::CutAfterChunks(chunks) => json!({
                "match": matching, "response": {"content": "one ".repeat(200)},
                "truncateAfterChunks": chunks, "latency": 20,
            }),
            Self::SlowlyMs(ms) => json!({"match": matching, "response": {"content": TEXT}, "latency": ms}),
        }
    }
}

/// The word by which the other server knows what to play.
fn word(name: &str, streamed: bool) -> String {
    format!("{name}{}", if streamed { "-streamed" } else { "-plain" })
}

fn fixtures() -> Value {
    let mut fixtures = Vec::new();
    for (name, play, times) in COMMON {
        for streamed in [false, true] {
            // A stop behind the word keeps one name from matching another that begins with it.
            let word = format!("{}.", word(name, streamed));
            match times {
                None => fixtures.push(play.fixture(&json!({"userMessage": word}))),
                Some(times) => {
                    for number in 0..*times {
                        fixtures.push(play.fixture(&json!({"userMessage": word, "sequenceIndex": number})));
                    }
                    let sound = json!({"userMessage": word, "sequenceIndex": times});
                    fixtures.push(json!({"match": sound, "response": {"content": TEXT}}));
                }
            }
        }
    }
    json!({"fixtures": fixtures})
}

/// The other server; killed when it is dropped.
struct Aimock {
    _process: Child,
    _folder: TempDir,
    address: String,
}

impl Aimock {
    /// Starts it, or says why the test is skipped.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    async fn start() -> Option<Self> {
        let script = variable("PLAYHOUSE_AIMOCK").unwrap_or_else(|| {
            let cache = std::env::home_dir().unwrap_or_default().join(".cache/playhouse");
            cache.join("peers/aimock/node_modules/@copilotkit/aimock/dist/cli.js")
        });
        if !script.exists() {
            let required = variable("PLAYHOUSE_REQUIRE_SERVERS").is_some_and(|value| value == Path::new("1"));
            assert!(!required, "{} is not there", script.display());
            eprintln!("skipped: {} is not there", script.display());
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("faults.json"), fixtures().to_string()).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = Command::new("node")
            .arg(script)
            .args(["-h", "127.0.0.1", "-p", &port.to_string(), "--strict", "-f"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let address = format!("127.0.0.1:{port}");
        let listens = async {
            while TcpStream::connect(&address).await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(START_MAX, listens).await.unwrap();
        Some(Self { _process: process, _folder: folder, address })
    }

    fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "where a developer keeps servers for tests is no setting of Playhouse"
)]
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}

/// What of an outcome both servers must agree on.
#[derive(Debug, PartialEq)]
struct Essence {
    /// The text, and the requests that it took.
    answer: Option<(String, u32)>,
    /// The error's kind, class and status.
    error: Option<(String, FailureClass, Option<u16>)>,
    restarts: Option<u32>,
}

fn essence(met: &Met) -> Essence {
    Essence {
        answer: met
            .result
            .as_ref()
            .ok()
            .map(|completion| (completion.text.clone(), completion.route.attempts)),
        error: met.result.as_ref().err().map(|error| (kind(error), error.class(), error.status)),
        restarts: met.arrived.as_ref().map(|(_, restarts)| *restarts),
    }
}

fn fault(name: &str) -> &'static Fault {
    GROUPS.iter().flat_map(|group| group.faults).find(|fault| fault.name == name).unwrap()
}

#[tokio::test]
async fn a_fault_that_both_servers_play_ends_alike() {
    let Some(aimock) = Aimock::start().await else { return };
    let ours = FaultServer::start("127.0.0.1").await.unwrap();
    let key = key_file();
    for (name, _, _) in COMMON {
        let fault = fault(name);
        for streamed in [false, true] {
            if (if streamed { fault.streamed } else { fault.plain }).is_none() {
                continue;
            }
            let word = word(name, streamed);
            let mut met = Vec::new();
            for base_url in [ours.base_url(name, &word), aimock.base_url()] {
                let client = client(fault, base_url, &key);
                met.push(essence(&ask(&*client, question(fault, &word), streamed).await));
            }
            assert_eq!(met[0], met[1], "{word}: ours and theirs");
        }
    }
}
