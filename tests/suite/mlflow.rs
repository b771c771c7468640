//! Tracking and the mirror of the registry on a real MLflow server.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use playhouse_config::Environment;
use playhouse_config::settings::{HttpConfig, ModelConfig, ProviderConfig};
use playhouse_experiments::registry::{Registry, Why};
use playhouse_experiments::tracking::{
    ExperimentTracker, MetricPoint, MlflowClient, MlflowClientArgs, MlflowTracker, RunStart, RunStatus,
    Spool, SpoolLimits, SpoolWorker,
};
use playhouse_protocol::{SeededSource, WallClock};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::{Instant, sleep};

/// The first start makes the tables of the database; on a busy machine that takes half a minute.
const START_MAX: Duration = Duration::from_secs(180);

const POLL: Duration = Duration::from_millis(200);

/// How long a delivery may take before the test fails.
const SEND_MAX: Duration = Duration::from_secs(60);

/// A server process with its workers; ended when it is dropped.
struct Mlflow {
    program: PathBuf,
    folder: TempDir,
    port: u16,
    process: Child,
    http: reqwest::Client,
}

impl Drop for Mlflow {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Mlflow {
    /// Starts a server, or says why the test is skipped.
    #[expect(clippy::print_stderr, reason = "a skipped test says so")]
    async fn start() -> Option<Self> {
        let environment = Environment::process();
        let program = environment.path("PLAYHOUSE_MLFLOW").unwrap_or_else(|| {
            let cache = environment.home().unwrap_or_default().join(".cache/playhouse");
            cache.join("peers/mlflow/bin/mlflow")
        });
        if !program.exists() {
            let required = environment.get("PLAYHOUSE_REQUIRE_SERVERS").is_some_and(|value| value == "1");
            assert!(!required, "{} is not there", program.display());
            eprintln!("skipped: {} is not there", program.display());
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let process = spawn(&program, folder.path(), port);
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let server = Self { program, folder, port, process, http };
        server.ready().await;
        Some(server)
    }

    async fn start_again(&mut self) {
        self.process = spawn(&self.program, self.folder.path(), self.port);
        self.ready().await;
    }

    /// Ends the process and those that it has started: it leads a group of its own.
    fn kill(&mut self) {
        let group = format!("-{}", self.process.id());
        drop(Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status());
        drop(self.process.wait());
    }

    async fn ready(&self) {
        let since = Instant::now();
        let health = format!("{}/health", self.uri());
        while !self.http.get(&health).send().await.is_ok_and(|answer| answer.status().is_success()) {
            assert!(since.elapsed() < START_MAX, "mlflow does not answer");
            sleep(POLL).await;
        }
    }

    fn uri(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    fn client(&self) -> Arc<MlflowClient> {
        let random = Arc::new(SeededSource::from_seed(1));
        let args = MlflowClientArgs { tracking_uri: self.uri(), token: None, random };
        Arc::new(MlflowClient::new(args).unwrap())
    }

    async fn get(&self, path: &str) -> Value {
        let answer = self.http.get(format!("{}/api/2.0/{path}", self.uri())).send().await.unwrap();
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    async fn post(&self, path: &str, body: Value) -> Value {
        let request = self.http.post(format!("{}/api/2.0/mlflow/{path}", self.uri())).json(&body);
        serde_json::from_slice(&request.send().await.unwrap().bytes().await.unwrap()).unwrap()
    }

    /// The runs of an experiment.
    async fn runs(&self, experiment: &str) -> Vec<Value> {
        let found = self.get(&format!("mlflow/experiments/get-by-name?experiment_name={experiment}")).await;
        let id = &found["experiment"]["experiment_id"];
        let found = self.post("runs/search", json!({ "experiment_ids": [id] })).await;
        found["runs"].as_array().cloned().unwrap_or_default()
    }

    async fn steps(&self, run: &Value, key: &str) -> Vec<(i64, f64)> {
        let id = run["info"]["run_id"].as_str().unwrap();
        let history = self.get(&format!("mlflow/metrics/get-history?run_id={id}&metric_key={key}")).await;
        let points = history["metrics"].as_array().cloned().unwrap_or_default();
        points
            .iter()
            .map(|point| (point["step"].as_i64().unwrap_or(0), point["value"].as_f64().unwrap()))
            .collect()
    }
}

fn spawn(program: &Path, folder: &Path, port: u16) -> Child {
    use std::os::unix::process::CommandExt as _;
    Command::new(program)
        .args(["server", "--backend-store-uri", "sqlite:///mlflow.db", "--artifacts-destination", "./files"])
        .args(["--host", "127.0.0.1", "--workers", "1", "--port", &port.to_string()])
        .env("MLFLOW_DISABLE_TELEMETRY", "true")
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
        .unwrap()
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn points(steps: std::ops::Range<i64>) -> Vec<MetricPoint> {
    let point = |step: i64| MetricPoint {
        key: "pass".to_owned(),
        value: 0.5 + step as f64,
        step,
        unix_ms: 1_700_000_000_000,
    };
    steps.map(point).collect()
}

async fn begin(tracker: &MlflowTracker, run: &str) {
    let (experiment, run) = ("suite".to_owned(), run.to_owned());
    tracker.begin(&RunStart { experiment, run, started_unix_ms: 1_700_000_000_000 }).await.unwrap();
}

async fn deliver(spool: &Arc<Spool>, client: &MlflowClient) {
    let delivery = spool.deliver(client, Instant::now() + SEND_MAX).await.unwrap();
    assert_eq!((delivery.pending, delivery.parked), (0, 0), "{delivery:?}: {:?}", spool.parked().await);
}

#[tokio::test]
async fn a_real_server_has_what_was_tracked_once_even_when_it_is_killed_meanwhile() {
    let Some(mut server) = Mlflow::start().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), SpoolLimits::default()).await.unwrap();
    let tracker = MlflowTracker::new(Arc::clone(&spool));
    begin(&tracker, "r-1").await;
    tracker.params("r-1", &[pair("model", "m"), pair("größe (B)", &"x".repeat(7_000))]).await.unwrap();
    tracker.metrics("r-1", &points(0..1_500)).await.unwrap();
    tracker.tags("r-1", &[pair("who", "suite")]).await.unwrap();
    tracker.artifact("r-1", "report/r.json", b"{\"a\": 1}").await.unwrap();
    tracker.finish("r-1", RunStatus::Finished, 1_700_000_009_000).await.unwrap();
    let blob = std::fs::read_dir(folder.path().join("spool/blobs")).unwrap().next().unwrap().unwrap().path();
    deliver(&spool, &server.client()).await;
    whole(&server).await;
    // As if the process had died before its checkpoint: all is sent again, and changes nothing.
    std::fs::remove_file(folder.path().join("spool/checkpoint.json")).unwrap();
    std::fs::write(blob, b"{\"a\": 1}").unwrap();
    deliver(&spool, &server.client()).await;
    whole(&server).await;
    killed_meanwhile(&mut server, folder.path()).await;
    mirrored(&server).await;
}

async fn whole(server: &Mlflow) {
    let runs = server.runs("suite").await;
    assert_eq!(runs.len(), 1, "{runs:?}");
    let run = &runs[0];
    assert_eq!((&run["info"]["run_name"], &run["info"]["status"]), (&json!("r-1"), &json!("FINISHED")));
    assert_eq!(run["info"]["end_time"], 1_700_000_009_000_u64);
    let value = |list: &str, key: &str| {
        let items = run["data"][list].as_array().unwrap();
        items.iter().find(|item| item["key"].as_str().unwrap().starts_with(key)).unwrap()["value"].clone()
    };
    assert_eq!((value("params", "model"), value("tags", "who")), (json!("m"), json!("suite")));
    assert_eq!(value("tags", "playhouse.run"), "r-1");
    assert_eq!(value("params", "gr__e _B_-").as_str().unwrap().chars().count(), 6_000);
    let steps = server.steps(run, "pass").await;
    let expected: Vec<_> = (0..1_500).map(|step| (step, 0.5 + step as f64)).collect();
    assert_eq!(steps, expected);
    let id = run["info"]["run_id"].as_str().unwrap();
    let listed = server.get(&format!("mlflow/artifacts/list?run_id={id}&path=report")).await;
    assert_eq!(listed["files"][0]["path"], "report/r.json");
    let path =
        run["info"]["artifact_uri"].as_str().unwrap().trim_start_matches("mlflow-artifacts:/").to_owned();
    let file = server.get(&format!("mlflow-artifacts/artifacts/{path}/report/r.json")).await;
    assert_eq!(file, json!({ "a": 1 }));
}

/// The server dies while a worker sends, stays away for a while, and comes back.
async fn killed_meanwhile(server: &mut Mlflow, folder: &Path) {
    let spool = Spool::open(folder, SpoolLimits::default()).await.unwrap();
    let tracker = MlflowTracker::new(Arc::clone(&spool));
    let worker = SpoolWorker::start(Arc::clone(&spool), server.client());
    begin(&tracker, "r-2").await;
    for step in 0..200 {
        tracker.metrics("r-2", &points(step..step + 1)).await.unwrap();
    }
    while spool.pending().await.unwrap() > 190 {
        sleep(Duration::from_millis(5)).await;
    }
    server.kill();
    tracker.metrics("r-2", &points(200..210)).await.unwrap();
    tracker.finish("r-2", RunStatus::Failed, 1_700_000_009_000).await.unwrap();
    let left = worker.finish(Duration::ZERO).await.unwrap();
    assert!(left.pending > 0, "it was killed too late");
    server.start_again().await;
    let spool = Spool::open(folder, SpoolLimits::default()).await.unwrap();
    deliver(&spool, &server.client()).await;
    let runs = server.runs("suite").await;
    assert_eq!(runs.len(), 2, "{runs:?}");
    let run = runs.iter().find(|run| run["info"]["run_name"] == "r-2").unwrap();
    assert_eq!(run["info"]["status"], "FAILED");
    let expected: Vec<_> = (0..210).map(|step| (step, 0.5 + step as f64)).collect();
    assert_eq!(server.steps(run, "pass").await, expected);
}

#[derive(Debug)]
struct Clock;

impl WallClock for Clock {
    fn unix_ms(&self) -> u64 {
        1_700_000_000_000
    }
}

/// Registered models are on the server, with their aliases.
async fn mirrored(server: &Mlflow) {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::new(folder.path(), Arc::new(Clock));
    let why = || Why { who: None, reason: "better".to_owned() };
    for model in ["a", "b"] {
        let entry = ModelConfig::new(ProviderConfig::OpenAi(HttpConfig::new("http://127.0.0.1:1/v1", model)));
        registry.register("coder", &entry, &why()).unwrap();
    }
    registry.promote("coder", 1, &why()).unwrap();
    let spool = Spool::open(folder.path(), SpoolLimits::default()).await.unwrap();
    let alias = |alias: &'static str| async move {
        server.get(&format!("mlflow/registered-models/alias?name=coder&alias={alias}")).await
    };
    for _ in 0..2 {
        spool.append(registry.mirror("coder").unwrap()).await.unwrap();
        deliver(&spool, &server.client()).await;
    }
    let (production, candidate) = (alias("production").await, alias("candidate").await);
    let tags = |found: &Value| found["model_version"]["tags"].to_string();
    let hashes: Vec<_> =
        registry.model("coder").unwrap().versions.into_iter().map(|one| one.sha256).collect();
    assert!(tags(&production).contains(&hashes[0]) && tags(&candidate).contains(&hashes[1]));
    let source = format!("playhouse:/coder/{}", hashes[0]);
    assert_eq!(production["model_version"]["source"], source);
    registry.promote("coder", 2, &why()).unwrap();
    spool.append(registry.mirror("coder").unwrap()).await.unwrap();
    deliver(&spool, &server.client()).await;
    assert!(tags(&alias("production").await).contains(&hashes[1]));
    assert_eq!(alias("candidate").await["error_code"], "INVALID_PARAMETER_VALUE", "there is no candidate");
    let found = server.get("mlflow/model-versions/search?filter=name%3D'coder'").await;
    assert_eq!(found["model_versions"].as_array().unwrap().len(), 2);
}
