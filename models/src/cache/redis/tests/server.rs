//! A Redis server of the test's own.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use playhouse_config::{Environment, SecretRef};
use redis::Client;
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

const START_LIMIT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(20);

/// A server process on loopback; killed when it is dropped.
pub(crate) struct Server {
    process: Child,
    program: PathBuf,
    port: u16,
    pub(crate) url: SecretRef,
    folder: TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Server {
    /// Starts a server, or says why the test is skipped.
    pub(crate) async fn start() -> Option<Self> {
        let environment = Environment::process();
        let named = environment.path("PLAYHOUSE_REDIS_SERVER");
        let Some(program) = named.or_else(|| in_path(&environment)).filter(|program| program.is_file())
        else {
            let required = environment.get("PLAYHOUSE_REQUIRE_SERVERS").is_some_and(|value| value == "1");
            assert!(!required, "redis-server is not there");
            eprintln!("skipped: redis-server is not there");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let (folder, url) = address_file(&format!("redis://127.0.0.1:{port}/"));
        let process = spawn(&program, port, folder.path());
        let server = Self { process, program, port, url, folder };
        server.ready().await;
        Some(server)
    }

    /// Starts it again at the same port, empty.
    pub(crate) async fn start_again(&mut self) {
        self.process = spawn(&self.program, self.port, self.folder.path());
        self.ready().await;
    }

    pub(crate) fn kill(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }

    pub(crate) fn signal(&self, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.process.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    async fn ready(&self) {
        let client = Client::open(self.url.resolve().unwrap().reveal()).unwrap();
        let since = Instant::now();
        while client.get_multiplexed_async_connection().await.is_err() {
            assert!(since.elapsed() < START_LIMIT, "redis-server does not answer");
            sleep(POLL_INTERVAL).await;
        }
    }
}

fn spawn(program: &Path, port: u16, folder: &Path) -> Child {
    Command::new(program)
        .args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
        ])
        .arg(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

fn in_path(environment: &Environment) -> Option<PathBuf> {
    let path = environment.get("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("redis-server")).find(|program| program.is_file())
}

/// An address as settings refer to it; the file goes with the folder.
pub(crate) fn address_file(address: &str) -> (TempDir, SecretRef) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    std::fs::write(&file, address).unwrap();
    (folder, SecretRef::File(file))
}
