//! A server that speaks as much of MLflow as we ask, and fails as it is told. Unlike the real one it keeps a point that is sent
//! twice twice, so that nothing is hidden.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// What happens to a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// Nothing: it is answered. Stands in a list of faults for a request that goes well.
    None,
    /// The connection is cut before anything was done.
    CutBefore,
    /// It is done, and the connection is cut.
    CutAfter,
    /// It is not done, and has this status.
    Status(u16),
    /// It is not done, and is to be asked again in 200 seconds.
    Later,
    /// It is done, and has this status all the same.
    DoneWith(u16),
}

#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) faults: VecDeque<Fault>,
    /// Method, path without its beginning, and body of each request.
    pub(super) requests: Vec<String>,
    pub(super) authorizations: Vec<String>,
    pub(super) experiments: Vec<String>,
    pub(super) runs: Vec<Run>,
    pub(super) files: BTreeMap<String, Vec<u8>>,
    pub(super) models: BTreeMap<String, Vec<Value>>,
    pub(super) aliases: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
pub(super) struct Run {
    pub(super) experiment: String,
    pub(super) tags: BTreeMap<String, String>,
    pub(super) params: BTreeMap<String, String>,
    pub(super) metrics: Vec<(String, f64, i64, u64)>,
    pub(super) status: String,
}

#[derive(Debug)]
pub(super) struct Fake {
    pub(super) world: Arc<Mutex<World>>,
    pub(super) uri: String,
    _serving: JoinSet<()>,
}

impl Fake {
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let uri = format!("http://{}", listener.local_addr().unwrap());
        let world = Arc::new(Mutex::new(World::default()));
        let mut serving = JoinSet::new();
        let shared = Arc::clone(&world);
        serving.spawn(async move {
            let mut open = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                open.spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { world, uri, _serving: serving }
    }

    /// What happens to the next requests, one after the other.
    pub(super) fn fail(&self, faults: &[Fault]) {
        self.world.lock().unwrap().faults.extend(faults);
    }
}

async fn serve(mut stream: TcpStream, world: Arc<Mutex<World>>) {
    let mut buffer = Vec::new();
    loop {
        let Some((head, body)) = request(&mut stream, &mut buffer).await else { return };
        let mut words = head.split(' ');
        let (method, target) = (words.next().unwrap().to_owned(), words.next().unwrap().to_owned());
        let mut retry_after = 0;
        let answer = {
            let mut world = world.lock().unwrap();
            let authorization = head.lines().find_map(|line| line.strip_prefix("authorization: "));
            world.authorizations.extend(authorization.map(str::to_owned));
            let fault = world.faults.pop_front().unwrap_or(Fault::None);
            retry_after += if fault == Fault::Later { 200 } else { 0 };
            world.requests.push(format!("{method} {}", target.trim_start_matches("/api/2.0/")));
            let mut done = || world.answer(&method, &target, &body);
            match fault {
                Fault::None => Some(done()),
                Fault::CutBefore => None,
                Fault::CutAfter => {
                    done();
                    None
                }
                Fault::Status(status) => Some((status, json!({}))),
                Fault::Later => Some((429, json!({}))),
                Fault::DoneWith(status) => {
                    done();
                    Some((status, json!({})))
                }
            }
        };
        let Some((status, answer)) = answer else { return };
        let text = answer.to_string();
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nretry-after: {retry_after}\r\n\r\n",
            text.len()
        );
        if stream.write_all((head + &text).as_bytes()).await.is_err() {
            return;
        }
    }
}

/// Head and body of the next request; `None` at the end.
async fn request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<(String, Vec<u8>)> {
    loop {
        if let Some(end) = buffer.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&buffer[..end]).to_string();
            let length = head
                .lines()
                .find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let whole = end + 4 + length.unwrap_or(0_usize);
            if buffer.len() >= whole {
                let body = buffer[end + 4..whole].to_vec();
                buffer.drain(..whole);
                return Some((head, body));
            }
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

fn refused(status: u16, code: &str, message: &str) -> (u16, Value) {
    (status, json!({ "error_code": code, "message": message }))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn decoded(text: &str) -> String {
    let mut bytes = text.bytes();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
            plain.push(u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap());
        } else {
            plain.push(byte);
        }
    }
    String::from_utf8(plain).unwrap()
}

impl World {
    fn answer(&mut self, method: &str, target: &str, body: &[u8]) -> (u16, Value) {
        let target = target.trim_start_matches("/api/2.0/");
        if let Some(file) = target.strip_prefix("mlflow-artifacts/artifacts/") {
            self.files.insert(file.to_owned(), body.to_vec());
            return (200, json!({}));
        }
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let query: BTreeMap<_, _> = query
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .map(|(key, value)| (key, decoded(value)))
            .collect();
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        match path.trim_start_matches("mlflow/") {
            "experiments/get-by-name" => {
                match self.experiments.iter().position(|name| *name == query["experiment_name"]) {
                    Some(at) => (200, json!({ "experiment": { "experiment_id": at.to_string() } })),
                    None => refused(404, "RESOURCE_DOES_NOT_EXIST", "no such experiment"),
                }
            }
            "experiments/create" => {
                let name = text(&body["name"]);
                if self.experiments.contains(&name) {
                    return refused(400, "RESOURCE_ALREADY_EXISTS", "it is there");
                }
                self.experiments.push(name);
                (200, json!({ "experiment_id": (self.experiments.len() - 1).to_string() }))
            }
            "runs/search" => {
                let filter = text(&body["filter"]);
                let is_it = |run: &Run| {
                    let (name, started) = (&run.tags["playhouse.run"], &run.tags["playhouse.started"]);
                    filter
                        == format!(
                            "tags.`playhouse.run` = '{name}' and tags.`playhouse.started` = '{started}'"
                        )
                };
                let found = self.runs.iter().position(is_it).map(|at| json!({ "info": info(at) }));
                (200, json!({ "runs": found.into_iter().collect::<Vec<_>>() }))
            }
            "runs/create" => {
                let tags = pairs(&body["tags"]);
                self.runs.push(Run { experiment: text(&body["experiment_id"]), tags, ..Run::default() });
                (200, json!({ "run": { "info": info(self.runs.len() - 1) } }))
            }
            "runs/log-batch" => self.log_batch(&body),
            "runs/update" => {
                let run = self.run(&body["run_id"]);
                run.status = text(&body["status"]);
                (200, json!({}))
            }
            "metrics/get-history" => {
                let run = self.run(&json!(query["run_id"]));
                let points = run.metrics.iter().filter(|point| point.0 == query["metric_key"]);
                let points = points.map(|(key, value, step, timestamp)| {
                    json!({ "key": key, "value": value, "step": step, "timestamp": timestamp })
                });
                (200, json!({ "metrics": points.collect::<Vec<_>>() }))
            }
            "registered-models/create" => {
                let name = text(&body["name"]);
                if self.models.contains_key(&name) {
                    return refused(400, "RESOURCE_ALREADY_EXISTS", "it is there");
                }
                self.models.insert(name, Vec::new());
                (200, json!({}))
            }
            "model-versions/search" => {
                let name = query["filter"].trim_start_matches("name='").trim_end_matches('\'').to_owned();
                (200, json!({ "model_versions": self.models.get(&name).cloned().unwrap_or_default() }))
            }
            "model-versions/create" => {
                let versions = self.models.get_mut(&text(&body["name"])).unwrap();
                let version = (versions.len() + 10).to_string();
                versions.push(json!({ "version": version, "tags": body["tags"], "source": body["source"] }));
                (200, json!({}))
            }
            "registered-models/alias" if method == "DELETE" => {
                self.aliases.remove(&text(&body["alias"]));
                (200, json!({}))
            }
            "registered-models/alias" => {
                self.aliases.insert(text(&body["alias"]), text(&body["version"]));
                (200, json!({}))
            }
            other => panic!("{other}"),
        }
    }

    fn run(&mut self, id: &Value) -> &mut Run {
        let at: usize = text(id).trim_start_matches("run-").parse().unwrap();
        &mut self.runs[at]
    }

    fn log_batch(&mut self, body: &Value) -> (u16, Value) {
        let run = self.run(&body["run_id"]);
        for list in ["params", "tags", "metrics"] {
            let items = body[list].as_array();
            assert!(items.is_none_or(|items| items.len() <= if list == "metrics" { 1_000 } else { 100 }));
            if items.into_iter().flatten().any(|item| text(&item["key"]).contains("forbidden")) {
                return refused(400, "INVALID_PARAMETER_VALUE", "a forbidden key");
            }
        }
        for (key, value) in pairs(&body["params"]) {
            if run.params.get(&key).is_some_and(|was| *was != value) {
                return refused(
                    400,
                    "INVALID_PARAMETER_VALUE",
                    "Changing param values is not allowed. Params were …",
                );
            }
            run.params.insert(key, value);
        }
        run.tags.extend(pairs(&body["tags"]));
        for point in body["metrics"].as_array().into_iter().flatten() {
            let value = point["value"].as_f64().unwrap();
            let (step, timestamp) = (point["step"].as_i64().unwrap(), point["timestamp"].as_u64().unwrap());
            run.metrics.push((text(&point["key"]), value, step, timestamp));
        }
        (200, json!({}))
    }
}

fn info(at: usize) -> Value {
    json!({ "run_id": format!("run-{at}"), "artifact_uri": format!("mlflow-artifacts:/0/run-{at}/artifacts") })
}

fn pairs(list: &Value) -> BTreeMap<String, String> {
    let items = list.as_array().into_iter().flatten();
    items.map(|item| (text(&item["key"]), text(&item["value"]))).collect()
}
