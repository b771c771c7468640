use std::sync::atomic::{AtomicU64, Ordering};

use playhouse_protocol::FailureClass;
use tokio::time::advance;

use super::*;

const WEEK_MS: u64 = 7 * 24 * 3_600_000;
const MS: Duration = Duration::from_millis(1);

#[derive(Debug, Default)]
struct Clock(AtomicU64);

impl WallClock for Clock {
    fn unix_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

#[derive(Debug, Default)]
struct Notes(Mutex<Vec<(String, CallEvent)>>);

impl CallObserver for Notes {
    fn observe(&self, model: &str, event: &CallEvent) {
        self.0.lock().unwrap().push((model.to_owned(), event.clone()));
    }
}

struct Process {
    performance: Performance,
    stats: Arc<ModelStats>,
    notes: Arc<Notes>,
}

/// A process at this time that knows one model, behind this endpoint.
fn process(now_unix_ms: u64, endpoint: &str) -> Process {
    let (stats, notes) = (Arc::<ModelStats>::default(), Arc::<Notes>::default());
    let watched = WatchedModel {
        identity: endpoint.to_owned(),
        is_saved: endpoint != "script",
        quality: Some(0.5),
        stats: Arc::clone(&stats),
    };
    let performance = Performance::new(PerformanceArgs {
        demotion: DemotionConfig { calls: 10, ..DemotionConfig::default() },
        observer: notes.clone(),
        clock: Arc::new(Clock(AtomicU64::new(now_unix_ms))),
        models: BTreeMap::from([("m".to_owned(), watched)]),
    });
    Process { performance, stats, notes }
}

fn record(stats: &ModelStats, count: u32, elapsed: Duration, failure: Option<FailureClass>) {
    (0..count).for_each(|_| stats.record(elapsed, None, failure));
}

#[test]
fn figures_survive_the_process_and_count_half_after_a_week() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/performance.json");
    let old = process(0, "http://h/v1 (x)");
    old.performance.load(&path).unwrap();
    record(&old.stats, 90, 100 * MS, None);
    record(&old.stats, 10, MS, Some(FailureClass::Retryable));
    (0..5).for_each(|_| old.performance.record_quality("m", "review", 1.0));
    old.performance.save(&path).unwrap();

    let new = process(WEEK_MS, "http://h/v1 (x)");
    new.performance.load(&path).unwrap();
    let measured = new.performance.measured("m", "review");
    assert_eq!((measured.calls, measured.error_ratio, measured.p95), (50, Some(0.1), Some(100 * MS)));
    // Five configured, two and a half that were judged.
    assert_eq!(measured.quality, Some((0.5 * 5.0 + 2.5) / 7.5));
    record(&new.stats, 50, 300 * MS, None);
    assert_eq!(new.performance.measured("m", "review").p95, Some(200 * MS), "both count for their calls");
    assert_eq!(std::fs::read_dir(path.parent().unwrap()).unwrap().count(), 1, "no part is left");
}

#[test]
fn another_endpoint_of_the_same_name_is_another_model_and_is_kept_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("performance.json");
    let one = process(0, "http://one/v1 (x)");
    record(&one.stats, 4, 100 * MS, None);
    one.performance.save(&path).unwrap();
    let other = process(0, "http://other/v1 (x)");
    other.performance.load(&path).unwrap();
    assert_eq!(other.performance.measured("m", "review").calls, 0);
    record(&other.stats, 2, 100 * MS, None);
    other.performance.save(&path).unwrap();
    let again = process(0, "http://one/v1 (x)");
    again.performance.load(&path).unwrap();
    assert_eq!(again.performance.measured("m", "review").calls, 4);
}

#[test]
fn a_file_that_is_damaged_or_of_another_version_is_left_out_and_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("performance.json");
    for (text, expected) in [
        ("", "EOF"),
        ("[]", "invalid"),
        (r#"{"version":2,"models":7}"#, "it has version 2, this program reads 1"),
        (r#"{"version":1,"saved_unix_ms":0,"models":{"x":{"calls":-1}}}"#, "cannot be"),
        (r#"{"version":1,"saved_unix_ms":0,"models":{"x":{"error_ratio":7}}}"#, "cannot be"),
        (r#"{"version":1,"saved_unix_ms":0,"models":{"x":{"p50":-1}}}"#, "negative"),
    ] {
        std::fs::write(&path, text).unwrap();
        let process = process(0, "x");
        let error = process.performance.load(&path).unwrap_err().to_string();
        assert!(error.contains(expected), "{text}: {error}");
        assert_eq!(process.performance.measured("m", "review").calls, 0);
        record(&process.stats, 1, MS, None);
        process.performance.save(&path).unwrap();
        process.performance.load(&path).unwrap();
    }
    std::fs::write(&path, vec![b' '; 9 * 1024 * 1024]).unwrap();
    let error = process(0, "x").performance.load(&path).unwrap_err();
    assert!(matches!(error, PerformanceFileError::TooLarge { .. }), "{error}");
}

#[test]
fn a_file_is_read_by_every_later_program() {
    // Held still: files of this form lie in users' folders.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("performance.json");
    let file = r#"{
      "version": 1,
      "saved_unix_ms": 1000,
      "models": {
        "x": {
          "calls": 100.0, "error_ratio": 0.6, "p50": 100.0, "p95": 1500.5, "p99": null,
          "quality": { "review": { "answers": 5.0, "score_sum": 2.5 } },
          "demotion": {
            "reason": { "failing": { "error_ratio": 0.6, "error_ratio_max": 0.5, "calls": 50 } },
            "until_unix_ms": 9000
          }
        }
      }
    }"#;
    std::fs::write(&path, file).unwrap();
    let process = process(1_000, "x");
    process.performance.load(&path).unwrap();
    let measured = process.performance.measured("m", "review");
    assert_eq!((measured.p95, measured.p99), (Some(Duration::from_micros(1_500_500)), None));
    let demotion = process.performance.demotion("m").unwrap();
    assert!(demotion.time_left <= Duration::from_secs(8), "{demotion:?}");
    assert!(process.notes.0.lock().unwrap().is_empty(), "it was told by the process that demoted");
}

#[test]
fn nothing_is_written_where_nothing_was_measured() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("performance.json");
    process(0, "x").performance.save(&path).unwrap();
    let script = process(0, "script");
    record(&script.stats, 10, MS, None);
    script.performance.save(&path).unwrap();
    assert!(!path.exists());
    let judged = process(0, "x");
    judged.performance.record_quality("m", "review", 0.5);
    judged.performance.save(&path).unwrap();
    assert!(path.exists());
}

#[test]
fn a_file_that_cannot_be_written_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let process = process(0, "x");
    record(&process.stats, 1, MS, None);
    let error = process.performance.save(&folder.path().join("file/performance.json")).unwrap_err();
    assert!(error.to_string().starts_with("save measured figures to "), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_demotion_and_its_end_are_told_once() {
    let Process { performance, stats, notes } = process(0, "x");
    record(&stats, 10, MS, Some(FailureClass::Retryable));
    for _ in 0..3 {
        assert!(performance.demotion("m").is_some());
    }
    advance(Duration::from_secs(60)).await;
    for _ in 0..3 {
        assert!(performance.demotion("m").is_none());
    }
    let reason = "100 % of its last 10 calls failed, more than 50 %".to_owned();
    let told = [CallEvent::Demoted { reason }, CallEvent::Restored].map(|event| ("m".to_owned(), event));
    assert_eq!(*notes.0.lock().unwrap(), told);
}

#[tokio::test(start_paused = true)]
async fn a_model_that_is_slower_than_it_was_in_earlier_processes_is_demoted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("performance.json");
    let old = process(0, "x");
    record(&old.stats, 400, 100 * MS, None);
    old.performance.save(&path).unwrap();
    let new = process(0, "x");
    new.performance.load(&path).unwrap();
    record(&new.stats, 10, 900 * MS, None);
    let demotion = new.performance.demotion("m").unwrap();
    assert!(demotion.reason.to_string().contains("times its usual"), "{}", demotion.reason);
}

#[test]
fn what_a_models_calls_were_at_first_survives_the_process() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("performance.json");
    let first = process(0, "x");
    for _ in 0..100 {
        first.stats.record(MS, None, None);
        assert_eq!(first.stats.drift().see_call(MS, 7, false), []);
        first.performance.record_quality("m", "review", 0.5);
    }
    first.performance.save(&path).unwrap();
    let second = process(WEEK_MS, "x");
    second.performance.load(&path).unwrap();
    assert_eq!(second.stats.drift().standing(), first.stats.drift().standing());
    assert_eq!(second.stats.drift().standing()[3].calls, 100);
    let other = process(0, "y");
    other.performance.load(&path).unwrap();
    assert_eq!(other.stats.drift().standing(), []);
}

#[test]
fn an_observer_is_told_when_answers_become_worse() {
    let process = process(0, "x");
    (0..200).for_each(|_| process.performance.record_quality("m", "review", 0.9));
    assert!(process.notes.0.lock().unwrap().is_empty());
    (0..50).for_each(|_| process.performance.record_quality("m", "review", 0.3));
    let notes = process.notes.0.lock().unwrap();
    let [(model, CallEvent::Drifted { task_type, reason, .. })] = notes.as_slice() else {
        panic!("{notes:?}");
    };
    assert_eq!((model.as_str(), task_type.as_deref()), ("m", Some("review")));
    assert!(reason.contains("of its last answers to review were as bad"), "{reason}");
}
