use std::sync::Arc;
use std::time::Duration;

use insta::assert_snapshot;
use playhouse_config::SecretRef;
use playhouse_protocol::{FailureClass, RandomSource};
use tempfile::TempDir;
use tokio::time::{Instant, timeout};

use super::fake::{Fake, Fault, World};
use crate::tracking::spool::{AliasChange, NewVersion, Operation, Refusal};
use crate::tracking::{
    Delivery, ExperimentTracker as _, MetricPoint, MlflowClient, MlflowClientArgs, MlflowTracker, RunStart,
    RunStatus, Spool, SpoolLimits, SpoolWorker, TrackingError,
};

/// Never waits longer than it is asked to.
#[derive(Debug)]
struct Zero;

impl RandomSource for Zero {
    fn next_u64(&self) -> u64 {
        0
    }
}

fn client(uri: &str, token: Option<SecretRef>) -> Arc<MlflowClient> {
    let args = MlflowClientArgs { tracking_uri: format!("{uri}/"), token, random: Arc::new(Zero) };
    Arc::new(MlflowClient::new(args).unwrap())
}

fn long() -> Instant {
    Instant::now() + Duration::from_secs(60)
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn points(steps: std::ops::Range<i64>) -> Vec<MetricPoint> {
    let point = |step| MetricPoint { key: "pass".to_owned(), value: 0.1 + 0.2, step, unix_ms: 7 };
    steps.map(point).collect()
}

/// A folder of experiments with a spool.
struct Bench {
    folder: TempDir,
    spool: Arc<Spool>,
    tracker: MlflowTracker,
}

impl Bench {
    async fn new() -> Self {
        Self::open(tempfile::tempdir().unwrap()).await
    }

    async fn open(folder: TempDir) -> Self {
        let spool = Spool::open(folder.path(), SpoolLimits::default()).await.unwrap();
        Self { folder, tracker: MlflowTracker::new(Arc::clone(&spool)), spool }
    }

    /// As another process finds it.
    async fn again(self) -> Self {
        let Self { folder, spool, tracker } = self;
        drop((spool, tracker));
        Self::open(folder).await
    }

    async fn begin(&self, run: &str) {
        let start = RunStart { experiment: "e 1".to_owned(), run: run.to_owned(), started_unix_ms: 1 };
        self.tracker.begin(&start).await.unwrap();
    }

    /// A whole run.
    async fn tell(&self) {
        self.begin("r-1").await;
        self.tracker.params("r-1", &[pair("model", "m"), pair("pass@1", "yes")]).await.unwrap();
        self.tracker.metrics("r-1", &points(0..3)).await.unwrap();
        self.tracker.tags("r-1", &[pair("who", "ci")]).await.unwrap();
        self.tracker.metrics("r-1", &points(3..5)).await.unwrap();
        self.tracker.artifact("r-1", "report/r.json", b"{}").await.unwrap();
        self.tracker.finish("r-1", RunStatus::Finished, 9).await.unwrap();
    }

    async fn deliver(&self, fake: &Fake) -> Delivery {
        self.spool.deliver(&client(&fake.uri, None), long()).await.unwrap()
    }
}

/// Everything is there, and nothing twice.
fn assert_whole(world: &World) {
    assert_eq!((world.experiments.as_slice(), world.runs.len()), (&["e 1".to_owned()][..], 1));
    let run = &world.runs[0];
    assert_eq!(run.experiment, "0");
    assert_eq!((run.params["model"].as_str(), run.params.len()), ("m", 2));
    assert_eq!(run.params["pass_1-dec17d2cd488"], "yes");
    assert_eq!((run.tags["playhouse.run"].as_str(), run.tags["who"].as_str()), ("r-1", "ci"));
    let expected: Vec<_> = (0..5).map(|step| ("pass".to_owned(), 0.1 + 0.2, step, 7)).collect();
    assert_eq!(run.metrics, expected);
    assert_eq!(world.files["0/run-0/artifacts/report/r.json"], b"{}");
    assert_eq!(run.status, "FINISHED");
}

/// Two users, or a folder that was made anew.
#[tokio::test]
async fn runs_of_one_name_in_two_folders_are_two_on_the_server() {
    let fake = Fake::start().await;
    for started_unix_ms in [1, 2] {
        let bench = Bench::new().await;
        let (experiment, run) = ("e 1".to_owned(), "r-1".to_owned());
        bench.tracker.begin(&RunStart { experiment, run, started_unix_ms }).await.unwrap();
        bench.deliver(&fake).await;
    }
    assert_eq!(fake.world.lock().unwrap().runs.len(), 2);
}

#[tokio::test]
async fn a_run_is_sent_in_order_and_its_calls_made_again_send_nothing() {
    let (fake, bench) = (Fake::start().await, Bench::new().await);
    bench.tell().await;
    let sent = bench.deliver(&fake).await;
    assert_eq!(sent, Delivery { sent: 7, ..Delivery::default() });
    assert_whole(&fake.world.lock().unwrap());
    assert_snapshot!(fake.world.lock().unwrap().requests.join("\n"), @"
    GET mlflow/experiments/get-by-name?experiment_name=e%201
    POST mlflow/experiments/create
    POST mlflow/runs/search
    POST mlflow/runs/create
    POST mlflow/runs/log-batch
    GET mlflow/metrics/get-history?run_id=run-0&metric_key=pass&max_results=10000
    POST mlflow/runs/log-batch
    POST mlflow/runs/log-batch
    GET mlflow/metrics/get-history?run_id=run-0&metric_key=pass&max_results=10000
    POST mlflow/runs/log-batch
    PUT mlflow-artifacts/artifacts/0/run-0/artifacts/report/r.json
    POST mlflow/runs/update
    ");
    assert!(
        !bench.folder.path().join("spool/blobs").read_dir().unwrap().any(|_| true),
        "bytes that were sent go"
    );
    bench.begin("r-1").await;
    bench.tracker.params("r-1", &[pair("model", "m")]).await.unwrap();
    bench.tracker.metrics("r-1", &points(0..5)).await.unwrap();
    assert_eq!(bench.spool.pending().await.unwrap(), 0);
}

/// Each fault at each request of a run; what is there afterwards is always the same.
#[tokio::test]
async fn whatever_fails_at_whichever_request_nothing_is_lost_and_nothing_there_twice() {
    const REQUESTS: usize = 12;
    let faults = [
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::Status(429),
        Fault::Status(500),
        Fault::DoneWith(500),
        Fault::DoneWith(504),
        Fault::Status(408),
    ];
    for fault in faults {
        for at in 0..REQUESTS {
            let (fake, bench) = (Fake::start().await, Bench::new().await);
            bench.tell().await;
            fake.fail(&vec![Fault::None; at]);
            fake.fail(&[fault, fault]);
            let delivery = bench.deliver(&fake).await;
            assert_eq!((delivery.sent, delivery.pending), (7, 0), "{fault:?} at {at}");
            assert_whole(&fake.world.lock().unwrap());
        }
    }
}

/// A process that dies after any request: what it sent is not known to the next one.
#[tokio::test]
async fn a_process_that_dies_after_any_request_is_followed_by_one_that_goes_on() {
    for at in 0..12 {
        let (fake, bench) = (Fake::start().await, Bench::new().await);
        bench.tell().await;
        fake.fail(&vec![Fault::None; at]);
        fake.fail(&[Fault::CutAfter]);
        fake.fail(&vec![Fault::CutBefore; 1_000]);
        let dying = client(&fake.uri, None);
        let sending = bench.spool.deliver(&dying, long());
        assert!(
            timeout(Duration::from_millis(30), sending).await.is_err(),
            "it is dropped before its checkpoint"
        );
        fake.world.lock().unwrap().faults.clear();
        let bench = bench.again().await;
        let delivery = bench.deliver(&fake).await;
        assert_eq!((delivery.parked, delivery.pending), (0, 0), "{at}");
        assert_whole(&fake.world.lock().unwrap());
    }
}

#[tokio::test]
async fn a_server_that_is_away_loses_nothing() {
    let bench = Bench::new().await;
    let away = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let nobody = format!("http://{}", away.local_addr().unwrap());
    drop(away);
    bench.tell().await;
    let away = client(&nobody, None);
    let sending = bench.spool.deliver(&away, long());
    assert!(timeout(Duration::from_millis(20), sending).await.is_err(), "it tries again and again");
    assert_eq!(bench.spool.pending().await.unwrap(), 7);
    let (bench, fake) = (bench.again().await, Fake::start().await);
    assert_eq!(bench.deliver(&fake).await.sent, 7);
    assert_whole(&fake.world.lock().unwrap());
}

#[tokio::test]
async fn a_server_that_asks_for_a_longer_wait_than_there_is_time_is_not_asked_again() {
    let (fake, bench) = (Fake::start().await, Bench::new().await);
    bench.tell().await;
    fake.fail(&[Fault::Later]);
    let delivery = bench.deliver(&fake).await;
    assert_eq!((delivery.sent, delivery.pending), (0, 7));
    assert!(delivery.retry_after.unwrap() > Duration::from_secs(190), "{delivery:?}");
    assert_eq!(fake.world.lock().unwrap().requests.len(), 1);
}

#[tokio::test]
async fn what_is_refused_for_good_is_parked_alone() {
    let (fake, bench) = (Fake::start().await, Bench::new().await);
    bench.begin("r-1").await;
    bench.deliver(&fake).await;
    fake.world.lock().unwrap().runs[0].params.insert("model".to_owned(), "other".to_owned());
    bench.tracker.params("r-1", &[pair("a", "1"), pair("model", "m"), pair("b", "2")]).await.unwrap();
    bench.tracker.tags("r-1", &[pair("forbidden", "1"), pair("fine", "2")]).await.unwrap();
    bench.tracker.finish("r-1", RunStatus::Failed, 9).await.unwrap();
    let delivery = bench.deliver(&fake).await;
    assert_eq!((delivery.sent, delivery.parked, delivery.pending), (1, 2, 0));
    let parked = bench.spool.parked().await.unwrap();
    assert_eq!(parked[0].refusal, Refusal::ParamChanged { key: "model".to_owned() });
    let params = vec![pair("model", "m")];
    assert_eq!(parked[0].operation, Operation::Params { run: "r-1".to_owned(), params });
    assert_snapshot!(parked[1].refusal, @"the server answered with status 400: a forbidden key");
    let world = fake.world.lock().unwrap();
    let run = &world.runs[0];
    assert_eq!((run.params["a"].as_str(), run.params["b"].as_str()), ("1", "2"));
    assert_eq!((run.tags["fine"].as_str(), run.status.as_str()), ("2", "FAILED"));
}

#[tokio::test]
async fn a_run_that_is_refused_takes_its_operations_with_it_and_no_other_run() {
    let (fake, bench) = (Fake::start().await, Bench::new().await);
    bench.begin("bad").await;
    bench.tracker.tags("bad", &[pair("x", "1")]).await.unwrap();
    bench.tell().await;
    fake.fail(&[Fault::None, Fault::None, Fault::None, Fault::Status(413)]);
    let delivery = bench.deliver(&fake).await;
    assert_eq!((delivery.sent, delivery.parked, delivery.pending), (7, 2, 0));
    assert_whole(&fake.world.lock().unwrap());
    let reasons: Vec<_> =
        bench.spool.parked().await.unwrap().iter().map(|one| one.refusal.to_string()).collect();
    assert_eq!(reasons[1], "its run was refused");
}

#[tokio::test]
async fn a_server_that_does_not_let_us_in_parks_nothing_and_the_token_is_in_no_error() {
    let (fake, bench) = (Fake::start().await, Bench::new().await);
    let token = bench.folder.path().join("token");
    std::fs::write(&token, "hidden-token\n").unwrap();
    let client = client(&fake.uri, Some(SecretRef::File(token.clone())));
    bench.tell().await;
    fake.fail(&[Fault::Status(403)]);
    let error = bench.spool.deliver(&client, long()).await.unwrap_err();
    assert!(matches!(error, TrackingError::Denied { status: 403 }));
    assert_eq!((error.class(), bench.spool.pending().await.unwrap()), (FailureClass::Denied, 7));
    assert!(!format!("{error:?}{error}{client:?}").contains("hidden-token"));
    bench.spool.deliver(&client, long()).await.unwrap();
    assert!(fake.world.lock().unwrap().authorizations.iter().all(|sent| sent == "Bearer hidden-token"));
    std::fs::remove_file(token).unwrap();
    bench.begin("r-2").await;
    let error = bench.spool.deliver(&client, long()).await.unwrap_err();
    assert!(matches!(error, TrackingError::Token(_)) && error.hint().is_none());
}

#[tokio::test]
async fn batches_keep_to_the_limits_of_the_server() {
    let (fake, bench) = (Fake::start().await, Bench::new().await);
    bench.begin("r-1").await;
    let params: Vec<_> = (0..250).map(|at| pair(&format!("p{at}"), &"x".repeat(20_000))).collect();
    bench.tracker.params("r-1", &params).await.unwrap();
    bench.tracker.metrics("r-1", &points(0..2_500)).await.unwrap();
    assert_eq!(bench.deliver(&fake).await.pending, 0);
    let world = fake.world.lock().unwrap();
    assert_eq!((world.runs[0].params.len(), world.runs[0].metrics.len()), (250, 2_500));
    assert!(world.runs[0].params.values().all(|value| value.chars().count() == 6_000));
    let steps: Vec<_> = world.runs[0].metrics.iter().map(|point| point.2).collect();
    assert!(steps.is_sorted());
}

#[tokio::test]
async fn registered_models_are_mirrored_once_with_their_aliases() {
    let (fake, bench) = (Fake::start().await, Bench::new().await);
    let version = |version| {
        let (model, reason) = ("coder".to_owned(), "better".to_owned());
        Operation::Version(NewVersion { model, version, sha256: format!("hash{version}"), reason })
    };
    let alias = |version, unix_ms| {
        let (model, alias) = ("coder".to_owned(), "production".to_owned());
        Operation::Alias(AliasChange { model, alias, version, unix_ms })
    };
    let all = vec![version(1), version(2), alias(Some(1), 1), alias(Some(2), 2), alias(Some(9), 3)];
    bench.spool.append(all.clone()).await.unwrap();
    let delivery = bench.deliver(&fake).await;
    assert_eq!((delivery.sent, delivery.parked), (4, 1));
    // A process that lost its checkpoint sends all again.
    std::fs::remove_file(bench.folder.path().join("spool/checkpoint.json")).unwrap();
    bench.deliver(&fake).await;
    {
        let world = fake.world.lock().unwrap();
        assert_eq!(world.models["coder"].len(), 2);
        assert_eq!(world.models["coder"][1]["source"], "playhouse:/coder/hash2");
        assert_eq!(world.aliases["production"], "11", "the server's own number of our second version");
    }
    bench.spool.append(vec![alias(None, 4)]).await.unwrap();
    bench.deliver(&fake).await;
    assert!(fake.world.lock().unwrap().aliases.is_empty());
}

#[tokio::test]
async fn a_worker_sends_what_is_appended_and_ends_when_it_is_told() {
    let (fake, bench) = (Fake::start().await, Bench::new().await);
    fake.fail(&[Fault::CutBefore, Fault::Status(503)]);
    let worker = SpoolWorker::start(Arc::clone(&bench.spool), client(&fake.uri, None));
    bench.tell().await;
    let delivery = worker.finish(Duration::from_secs(60)).await.unwrap();
    assert_eq!(delivery.pending, 0);
    assert_whole(&fake.world.lock().unwrap());
}

#[tokio::test]
async fn only_one_process_sends() {
    let (fake, bench) = (Fake::start().await, Bench::new().await);
    bench.tell().await;
    let other = Spool::open(bench.folder.path(), SpoolLimits::default()).await.unwrap();
    let _sending = crate::files::try_lock(&bench.folder.path().join("spool/deliver.lock")).unwrap().unwrap();
    let error = other.deliver(&client(&fake.uri, None), long()).await.unwrap_err();
    assert!(matches!(error, TrackingError::Busy { .. }) && error.class() == FailureClass::Retryable);
}

#[test]
fn waits_grow_are_bounded_and_stand_behind_what_the_server_asks_for() {
    #[derive(Debug)]
    struct Most;
    impl RandomSource for Most {
        fn next_u64(&self) -> u64 {
            // One less than every multiple that is drawn from.
            u64::MAX
        }
    }
    let args = MlflowClientArgs {
        tracking_uri: "http://127.0.0.1:1".to_owned(),
        token: None,
        random: Arc::new(Most),
    };
    let client = MlflowClient::new(args).unwrap();
    for attempt in 1..100 {
        assert!(client.wait(attempt, None) <= Duration::from_secs(30));
    }
    let asked = client.wait(1, Some(Duration::from_secs(7)));
    assert!(asked >= Duration::from_secs(7) && asked <= Duration::from_millis(7_200), "{asked:?}");
    assert!(client.wait(1, Some(Duration::from_secs(86_400))) <= Duration::from_millis(300_200));
}
