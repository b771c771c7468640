//! Servers that we did not write, started for a test.
//!
//! Where one is not installed, its tests are skipped, and say so; with `PLAYHOUSE_REQUIRE_SERVERS=1` they fail.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use playhouse_config::settings::{RetriesConfig, TimeoutsConfig};
use playhouse_protocol::completion::{Completion, CompletionRequest};
use tokio::process::{Child, Command};

use super::{Always, TIMEOUTS};
use crate::client::ModelClient;
use crate::http::HttpModel;
use crate::layers::{RetryPolicy, Retrying};

/// A server process; killed when it is dropped.
pub(crate) struct Peer {
    _process: Child,
    port: u16,
}

impl Peer {
    /// llama.cpp's own server on `SmolLM2`, with one slot. Needs the model's file, and a Python with the package
    /// `xllamacpp`.
    pub(crate) fn llama_server() -> Option<Self> {
        let cache = cache_dir()?;
        let python =
            variable("PLAYHOUSE_LLAMA_PYTHON").unwrap_or_else(|| cache.join("peers/llama/bin/python"));
        let models_dir = variable("PLAYHOUSE_MODELS_DIR").unwrap_or_else(|| cache.join("models"));
        let model = crate::pull::model_path(&models_dir, "smollm2-135m");
        if [&model, &python].into_iter().any(|path| is_missing(path)) {
            return None;
        }
        let port = free_port();
        let mut command = Command::new(python);
        command.arg(peers_dir().join("llama_server.py")).arg(model).args([
            &port.to_string(),
            "peer",
            "1",
            "1",
        ]);
        Self::spawn(command, port)
    }

    /// aimock, which plays providers and their faults. Needs Node.js and the npm package `@copilotkit/aimock`.
    pub(crate) fn aimock() -> Option<Self> {
        let cli = variable("PLAYHOUSE_AIMOCK").or_else(|| {
            Some(cache_dir()?.join("peers/aimock/node_modules/@copilotkit/aimock/dist/cli.js"))
        })?;
        if is_missing(&cli) {
            return None;
        }
        let port = free_port();
        let mut command = Command::new("node");
        command.arg(cli).args(["-h", "127.0.0.1", "-p", &port.to_string()]);
        command.args(["--strict", "--log-level", "silent", "-f"]).arg(peers_dir().join("aimock.json"));
        Self::spawn(command, port)
    }

    fn spawn(mut command: Command, port: u16) -> Option<Self> {
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        match command.spawn() {
            Ok(process) => Some(Self { _process: process, port }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                is_missing(Path::new(command.as_std().get_program()));
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }
}

/// While a server starts it refuses connections, and some then answer 503: all of it is worth another attempt, and no
/// other error is.
pub(crate) async fn patiently(model: HttpModel, request: CompletionRequest) -> Completion {
    let retries = RetriesConfig {
        attempts_max: 1_200,
        backoff_initial: Duration::from_millis(100),
        backoff_max: Duration::from_millis(100),
    };
    let timeouts = TimeoutsConfig { total: Duration::from_secs(120), ..TIMEOUTS };
    let policy = RetryPolicy::new(&retries, &timeouts);
    Retrying::new(Arc::new(model), policy, Arc::new(Always(u64::MAX))).complete(request).await.unwrap()
}

fn peers_dir() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/peers")
}

fn cache_dir() -> Option<PathBuf> {
    Some(std::env::home_dir()?.join(".cache/playhouse"))
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Whether a file is not there, said aloud.
fn is_missing(path: &Path) -> bool {
    if path.exists() {
        return false;
    }
    let required = variable("PLAYHOUSE_REQUIRE_SERVERS").is_some_and(|value| value == Path::new("1"));
    assert!(!required, "{} is not there", path.display());
    eprintln!("skipped: {} is not there", path.display());
    true
}

#[expect(
    clippy::disallowed_methods,
    reason = "where a developer keeps files for tests is no setting of Playhouse"
)]
fn variable(name: &str) -> Option<PathBuf> {
    std::env::var_os(name).map(PathBuf::from)
}
