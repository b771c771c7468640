use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use playhouse_config::Config;
use playhouse_config::settings::{AbConfig, HarmfulArm, ModelConfig, ProviderConfig};
use playhouse_protocol::{SeededSource, TaskId, WallClock};
use playhouse_runtime::models::{Catalog, CatalogParts, ModelWish, NoObserver};

use super::file::LINES_MAX;
use super::*;

#[derive(Debug)]
struct Clock(AtomicU64);

impl WallClock for Clock {
    fn unix_ms(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A split of tasks of type `t` between `a`, the baseline, and `b`.
fn settings(folder: &Path) -> Config {
    let mut config = Config::default();
    for name in ["a", "b"] {
        let provider = ProviderConfig::Scripted { script: folder.join(name) };
        config.models.insert(name.to_owned(), ModelConfig::new(provider));
    }
    config.selection.split.insert("t".to_owned(), [("a".to_owned(), 1), ("b".to_owned(), 1)].into());
    let ab = AbConfig { baseline: "a".to_owned(), outcomes_min: 5, ..AbConfig::default() };
    config.selection.ab.insert("t".to_owned(), ab);
    config
}

/// A process with these settings.
struct Process {
    catalog: Catalog,
    monitor: Arc<AbMonitor>,
}

impl Process {
    fn start(folder: &Path, config: &Config) -> Self {
        let parts = CatalogParts {
            random: Arc::new(SeededSource::from_seed(1)),
            wall_clock: Arc::new(Clock(AtomicU64::new(0))),
            models_dir: folder.to_owned(),
            observer: Arc::new(NoObserver),
        };
        let catalog = Catalog::new(config, parts);
        let monitor = AbMonitor::new(config, folder, Arc::new(Clock(AtomicU64::new(1_000))));
        catalog.tell_quality(vec![Arc::clone(&monitor) as _]);
        Self { catalog, monitor }
    }

    /// An outcome of each arm.
    fn pair(&self, a: f64, b: f64) {
        self.catalog.record_quality("a", "t", a);
        self.catalog.record_quality("b", "t", b);
    }

    /// Pairs until `b` is stopped; how many it took.
    fn until_stopped(&self) -> Option<u32> {
        (1..=200).find(|_| {
            self.pair(1.0, 0.0);
            self.is_stopped()
        })
    }

    /// Whether the split of this process leaves `b` out.
    fn is_stopped(&self) -> bool {
        let ids = SeededSource::from_seed(3);
        (0..64).all(|number| {
            let wish = ModelWish { task_id: Some(TaskId::new(number, &ids)), ..ModelWish::of("t") };
            let explanation = self.catalog.explain(&wish, None).unwrap();
            explanation.outcome.unwrap().model == "a"
        })
    }

    fn b(&self) -> ArmStatus {
        let tests = self.monitor.status(&self.catalog).unwrap();
        tests[0].arms.iter().find(|arm| arm.arm == "b").cloned().unwrap()
    }
}

fn file(folder: &Path) -> std::path::PathBuf {
    folder.join("ab/t.jsonl")
}

#[test]
fn a_harmful_arm_is_taken_out_at_once_and_stays_out_in_later_processes_until_somebody_puts_it_back() {
    let folder = tempfile::tempdir().unwrap();
    let config = settings(folder.path());
    let first = Process::start(folder.path(), &config);
    assert!(!first.is_stopped());
    let needed = first.until_stopped().unwrap();
    assert!((5..=12).contains(&needed), "{needed}");
    let second = Process::start(folder.path(), &config);
    assert!(second.is_stopped());
    let status = second.b();
    assert_eq!((status.verdict, status.outcomes), (Some(AbVerdict::Harmful), u64::from(needed)));
    let stopped = status.stopped.unwrap();
    assert_eq!(stopped.unix_ms, 1_000);
    assert!(stopped.reason.starts_with("its answers have a mean score of 0.00 (of "), "{}", stopped.reason);
    let wish = |number| {
        let id = TaskId::new(number, &SeededSource::from_seed(number));
        ModelWish { task_id: Some(id), ..ModelWish::of("t") }
    };
    let reasons: Vec<_> =
        (0..64).map(|number| second.catalog.select(&wish(number)).unwrap().reason.to_string()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("Passed over: b (is stopped: its answers have")));
    second.monitor.resume(&second.catalog, "t", "b", "the prompt was at fault").unwrap();
    assert!(!second.is_stopped() && second.b().outcomes == 0);
    // The first process hears of it with its next outcome.
    first.pair(1.0, 1.0);
    assert!(!first.is_stopped());
    assert!(!Process::start(folder.path(), &config).is_stopped());
}

#[test]
fn a_test_goes_on_over_processes_that_run_at_once_as_over_one() {
    let outcomes: Vec<(f64, f64)> =
        (0..30).map(|n| (f64::from(n % 7) / 7.0, f64::from(n % 5) / 5.0)).collect();
    let [alone, together] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let one = Process::start(alone.path(), &settings(alone.path()));
    outcomes.iter().for_each(|(a, b)| one.pair(*a, *b));
    let config = settings(together.path());
    let processes: Vec<_> = (0..3).map(|_| Process::start(together.path(), &config)).collect();
    for (number, (a, b)) in outcomes.iter().enumerate() {
        processes[number % 3].pair(*a, *b);
    }
    let strip = |status: ArmStatus| (status.outcomes, status.mean, status.e_value, status.verdict);
    assert_eq!(strip(one.b()), strip(processes[0].b()));
    assert_eq!(one.b().outcomes, 30);
}

#[test]
fn a_line_that_was_not_written_to_its_end_is_left_out_and_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let config = settings(folder.path());
    Process::start(folder.path(), &config).pair(1.0, 0.5);
    let mut torn = fs::read(file(folder.path())).unwrap();
    torn.extend(br#"{"outcome":{"arm":"b","#);
    fs::write(file(folder.path()), torn).unwrap();
    let process = Process::start(folder.path(), &config);
    assert_eq!(process.b().outcomes, 1);
    process.pair(1.0, 0.5);
    assert_eq!(process.b().outcomes, 2);
    let lines = fs::read_to_string(file(folder.path())).unwrap();
    assert!(lines.lines().all(|line| serde_json::from_str::<serde_json::Value>(line).is_ok()), "{lines}");
    insta::assert_snapshot!(lines.lines().nth(1).unwrap().split(',').next().unwrap(), @r#"{"outcome":{"arm":"a""#);
}

#[test]
fn a_long_file_is_written_anew_and_says_the_same() {
    let [short, long] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let scores: Vec<(f64, f64)> =
        (0..LINES_MAX).map(|n| ((n % 11) as f64 / 10.0, (n % 7) as f64 / 6.0)).collect();
    let config = settings(long.path());
    let (writer, reader) = (Process::start(long.path(), &config), Process::start(long.path(), &config));
    let memory = Process::start(short.path(), &settings(short.path()));
    for (a, b) in &scores {
        writer.pair(*a, *b);
    }
    assert!((fs::read_to_string(file(long.path())).unwrap().lines().count() as u64) < LINES_MAX);
    reader.pair(0.5, 0.5);
    writer.pair(0.5, 0.5);
    // A test without a file is one whose every line is in memory.
    fs::create_dir_all(file(short.path())).unwrap();
    for (a, b) in scores.iter().chain(&[(0.5, 0.5), (0.5, 0.5)]) {
        memory.pair(*a, *b);
    }
    let live = |process: &Process| process.monitor.arm_state("t", "b");
    assert_eq!(live(&writer).outcomes, live(&memory).outcomes);
    assert_eq!(live(&writer).streams, live(&memory).streams);
    assert_eq!(writer.b().outcomes, LINES_MAX + 2);
}

#[test]
fn an_arm_with_other_settings_is_another_arm() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = settings(folder.path());
    assert!(Process::start(folder.path(), &config).until_stopped().is_some());
    config.models.get_mut("b").unwrap().provider =
        ProviderConfig::Scripted { script: folder.path().join("c") };
    let changed = Process::start(folder.path(), &config);
    assert!(!changed.is_stopped() && changed.b().outcomes == 0);
    changed.pair(1.0, 0.0);
    assert_eq!(changed.b().outcomes, 1);
}

#[test]
fn an_arm_that_is_only_told_of_keeps_its_share() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = settings(folder.path());
    config.selection.ab.get_mut("t").unwrap().harmful = HarmfulArm::Tell;
    let process = Process::start(folder.path(), &config);
    assert_eq!(process.until_stopped(), None);
    assert_eq!((process.b().verdict, process.b().stopped), (Some(AbVerdict::Harmful), None));
}

#[test]
fn a_better_arm_is_told_and_nobody_is_stopped_for_it() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &settings(folder.path()));
    (0..40).for_each(|_| process.pair(0.0, 1.0));
    assert_eq!(process.b().verdict, Some(AbVerdict::Better));
    assert!(!process.is_stopped());
}

#[test]
fn a_damaged_file_is_told_and_left_as_it_is_and_the_test_goes_on_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let config = settings(folder.path());
    Process::start(folder.path(), &config).pair(1.0, 0.0);
    let damaged = fs::read_to_string(file(folder.path())).unwrap().replace("0.0}", "7.0}");
    fs::write(file(folder.path()), &damaged).unwrap();
    let process = Process::start(folder.path(), &config);
    let error = process.monitor.status(&process.catalog).unwrap_err();
    assert!(error.to_string().ends_with("line 3: it holds a figure that cannot be"), "{error}");
    assert!(process.until_stopped().is_some());
    assert_eq!(fs::read_to_string(file(folder.path())).unwrap(), damaged);
}

#[test]
fn what_cannot_be_put_back_is_told_with_what_there_is() {
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start(folder.path(), &settings(folder.path()));
    let told =
        |task, arm| process.monitor.resume(&process.catalog, task, arm, "why").unwrap_err().to_string();
    insta::assert_snapshot!(told("u", "b"), @r#"find the A/B test of task type "u": the settings name t"#);
    insta::assert_snapshot!(told("t", "c"), @r#"find arm "c" in the A/B test of t: its arms are a, b"#);
    insta::assert_snapshot!(told("t", "b"), @"put arm b of t back: it is not stopped");
}
