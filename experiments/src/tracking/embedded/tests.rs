use std::fs;

use insta::assert_snapshot;
use tempfile::TempDir;

use super::*;

fn start() -> RunStart {
    RunStart { experiment: "review".to_owned(), run: "r-1".to_owned(), started_unix_ms: 1_000 }
}

fn pair(key: &str, value: &str) -> (String, String) {
    (key.to_owned(), value.to_owned())
}

fn point(key: &str, value: f64, step: i64) -> MetricPoint {
    MetricPoint { key: key.to_owned(), value, step, unix_ms: 2_000 }
}

async fn begun() -> (TempDir, EmbeddedTracker) {
    let folder = tempfile::tempdir().unwrap();
    let tracker = EmbeddedTracker::new(folder.path());
    tracker.begin(&start()).await.unwrap();
    (folder, tracker)
}

async fn tell_all(tracker: &EmbeddedTracker) {
    tracker.begin(&start()).await.unwrap();
    tracker.params("r-1", &[pair("model", "m"), pair("items", "40")]).await.unwrap();
    tracker.metrics("r-1", &[point("pass", 0.1 + 0.2, 0), point("pass", 1e-300, 1)]).await.unwrap();
    tracker.tags("r-1", &[pair("who", "ci")]).await.unwrap();
    tracker.artifact("r-1", "report/report.json", b"{}").await.unwrap();
    tracker.finish("r-1", RunStatus::Finished, 9_000).await.unwrap();
}

#[tokio::test]
async fn what_was_told_is_read_back_to_the_last_bit() {
    let (folder, tracker) = begun().await;
    tell_all(&tracker).await;
    let run = read(&folder.path().join("r-1")).unwrap().unwrap();
    assert_eq!((run.start, run.status, run.ended_unix_ms), (start(), RunStatus::Finished, Some(9_000)));
    assert_eq!(run.params, [pair("items", "40"), pair("model", "m")].into());
    assert_eq!(run.tags, [pair("who", "ci")].into());
    assert_eq!(run.metrics, [point("pass", 0.1 + 0.2, 0), point("pass", 1e-300, 1)]);
    assert_eq!(run.artifacts, ["report/report.json"]);
    let file = folder.path().join("r-1/tracking/artifacts/report/report.json");
    assert_eq!(fs::read(file).unwrap(), b"{}");
    assert_eq!(read(&folder.path().join("r-2")).unwrap(), None);
}

#[tokio::test]
async fn the_same_calls_again_change_nothing_in_this_process_and_in_another() {
    let (folder, tracker) = begun().await;
    tell_all(&tracker).await;
    let once = read(&folder.path().join("r-1")).unwrap();
    tell_all(&tracker).await;
    assert_eq!(read(&folder.path().join("r-1")).unwrap(), once);
    tell_all(&EmbeddedTracker::new(folder.path())).await;
    assert_eq!(read(&folder.path().join("r-1")).unwrap(), once);
}

#[tokio::test]
async fn what_was_told_of_a_run_does_not_change() {
    let (folder, tracker) = begun().await;
    tell_all(&tracker).await;
    let error = tracker.params("r-1", &[pair("new", "1"), pair("model", "hidden")]).await.unwrap_err();
    assert_snapshot!(error, @r#"track "model" of run r-1: it has another value already"#);
    assert_eq!(error.class(), playhouse_protocol::FailureClass::InvalidInput);
    assert!(tracker.metrics("r-1", &[point("pass", 0.5, 0)]).await.is_err());
    let other = RunStart { started_unix_ms: 5, ..start() };
    assert!(tracker.begin(&other).await.is_err());
    tracker.tags("r-1", &[pair("who", "me")]).await.unwrap();
    let run = read(&folder.path().join("r-1")).unwrap().unwrap();
    assert!(!run.params.contains_key("new"), "a call is done as a whole or not at all");
    assert_eq!(run.tags["who"], "me");
}

#[tokio::test]
async fn a_line_of_metrics_that_a_crash_has_cut_off_is_written_again() {
    let (folder, tracker) = begun().await;
    tell_all(&tracker).await;
    let path = folder.path().join("r-1/tracking/metrics.jsonl");
    let whole = fs::read(&path).unwrap();
    for len in 0..whole.len() {
        fs::write(&path, &whole[..len]).unwrap();
        let kept = read(&folder.path().join("r-1")).unwrap().unwrap().metrics.len();
        assert_eq!(kept, whole[..len].split(|byte| *byte == b'\n').count() - 1);
        tell_all(&EmbeddedTracker::new(folder.path())).await;
        assert_eq!(fs::read(&path).unwrap(), whole, "cut at {len}");
    }
}

#[tokio::test]
async fn damage_is_told_with_its_line_and_left_as_it_is() {
    let (folder, tracker) = begun().await;
    tell_all(&tracker).await;
    let path = folder.path().join("r-1/tracking/metrics.jsonl");
    fs::write(&path, "{}\n").unwrap();
    let error = read(&folder.path().join("r-1")).unwrap_err();
    assert!(error.to_string().contains("metrics.jsonl: line 1: "), "{error}");
    let tracker = EmbeddedTracker::new(folder.path());
    assert!(tracker.metrics("r-1", &[point("x", 1.0, 0)]).await.is_err());
    assert_eq!(fs::read(&path).unwrap(), b"{}\n");
}

#[tokio::test]
async fn wrong_calls_are_refused() {
    let (_folder, tracker) = begun().await;
    let told = |error: TrackingError| error.to_string();
    assert_snapshot!(told(tracker.params("r-2", &[]).await.unwrap_err()), @r#"track run "r-2": it was not begun"#);
    for run in ["", "..", ".x", "a/b", "a b"] {
        assert!(matches!(tracker.params(run, &[]).await, Err(TrackingError::Run { .. })), "{run}");
    }
    for name in ["", "../x", "/x", "a//b", "a/.b", "ü"] {
        assert!(
            matches!(tracker.artifact("r-1", name, b"").await, Err(TrackingError::ArtifactName { .. })),
            "{name}"
        );
    }
    let nan = tracker.metrics("r-1", &[point("a", f64::NAN, 0)]).await.unwrap_err();
    assert_snapshot!(told(nan), @r#"track metric "a": its value is not finite"#);
    assert!(matches!(tracker.tags("r-1", &[pair("", "x")]).await, Err(TrackingError::Key { .. })));
    let long = pair("k", &"x".repeat(validity::VALUE_BYTES_MAX + 1));
    assert!(matches!(tracker.tags("r-1", &[long]).await, Err(TrackingError::TooLong { .. })));
}
