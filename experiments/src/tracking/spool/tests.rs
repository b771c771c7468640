use std::fs;

use insta::assert_snapshot;
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::tracking::{MetricPoint, RunStart};

fn begin(run: &str) -> Operation {
    Operation::Begin(RunStart { experiment: "e".to_owned(), run: run.to_owned(), started_unix_ms: 1 })
}

fn metrics(run: &str, steps: std::ops::Range<i64>) -> Operation {
    let point = |step| MetricPoint { key: "pass".to_owned(), value: 0.1 + 0.2, step, unix_ms: 7 };
    Operation::Metrics { run: run.to_owned(), points: steps.map(point).collect() }
}

fn params(run: &str, value: &str) -> Operation {
    Operation::Params { run: run.to_owned(), params: vec![("model".to_owned(), value.to_owned())] }
}

async fn opened(folder: &TempDir) -> Arc<Spool> {
    Spool::open(folder.path(), SpoolLimits::default()).await.unwrap()
}

fn operations(spool: &Spool) -> Vec<Operation> {
    let entries = spool.entries_behind(0, usize::MAX).unwrap().into_iter();
    entries.map(|entry| entry.operation).collect()
}

#[tokio::test]
async fn the_form_of_the_journal_is_held_still() {
    let folder = tempfile::tempdir().unwrap();
    let spool = opened(&folder).await;
    let alias = AliasChange {
        model: "coder".to_owned(),
        alias: "production".to_owned(),
        version: Some(2),
        unix_ms: 5,
    };
    let kept = vec![begin("a"), params("a", "m"), metrics("a", 0..1), Operation::Alias(alias)];
    spool.append(kept.clone()).await.unwrap();
    assert_snapshot!(fs::read_to_string(spool.journal()).unwrap(), @r#"
    {"version":1,"generation":1,"next_seq":1}
    {"seq":1,"operation":{"begin":{"experiment":"e","run":"a","started_unix_ms":1}}}
    {"seq":2,"operation":{"params":{"run":"a","params":[["model","m"]]}}}
    {"seq":3,"operation":{"metrics":{"run":"a","points":[{"key":"pass","value":0.30000000000000004,"step":0,"unix_ms":7}]}}}
    {"seq":4,"operation":{"alias":{"model":"coder","alias":"production","version":2,"unix_ms":5}}}
    "#);
    assert_eq!(operations(&*opened(&folder).await), kept);
}

/// A damaged journal may be moved away: what comes later is not taken for what was delivered before.
#[tokio::test]
async fn a_journal_that_is_begun_anew_counts_on_from_what_was_delivered() {
    let folder = tempfile::tempdir().unwrap();
    let spool = opened(&folder).await;
    spool.append(vec![begin("a"), params("a", "m")]).await.unwrap();
    let mut checkpoint = checkpoint::read(&spool.dir).unwrap();
    checkpoint.delivered = 13;
    checkpoint.write(&spool.dir).unwrap();
    fs::remove_file(spool.journal()).unwrap();
    let spool = opened(&folder).await;
    spool.append(vec![begin("b"), params("b", "m")]).await.unwrap();
    assert_eq!(spool.pending().await.unwrap(), 2);
    assert_eq!(spool.entries_behind(13, 9).unwrap().len(), 2);
}

#[tokio::test]
async fn the_same_operations_are_kept_once_also_by_another_process() {
    let folder = tempfile::tempdir().unwrap();
    let (one, other) = (opened(&folder).await, opened(&folder).await);
    let all = vec![begin("a"), params("a", "m"), metrics("a", 0..3)];
    for spool in [&one, &other, &one] {
        spool.append(all.clone()).await.unwrap();
    }
    other.append(vec![metrics("a", 2..4)]).await.unwrap();
    assert_eq!(operations(&one), [&all[..], &[metrics("a", 3..4)]].concat());
    assert_eq!(one.pending().await.unwrap(), 4);
}

#[tokio::test]
async fn what_was_told_of_a_run_does_not_change() {
    let folder = tempfile::tempdir().unwrap();
    let spool = opened(&folder).await;
    assert!(matches!(spool.append(vec![params("a", "m")]).await, Err(TrackingError::NotBegun { .. })));
    spool.append(vec![begin("a"), params("a", "m"), metrics("a", 0..1)]).await.unwrap();
    let error = spool.append(vec![params("a", "hidden")]).await.unwrap_err();
    assert_snapshot!(error, @r#"track "model" of run a: it has another value already"#);
    let point = MetricPoint { key: "pass".to_owned(), value: 1.0, step: 0, unix_ms: 7 };
    let other = Operation::Metrics { run: "a".to_owned(), points: vec![point] };
    assert!(matches!(spool.append(vec![other]).await, Err(TrackingError::Changed { .. })));
    assert_eq!(spool.pending().await.unwrap(), 3);
}

#[tokio::test]
async fn a_full_spool_refuses_and_keeps_what_it_has() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::open(folder.path(), SpoolLimits { bytes_max: 400 }).await.unwrap();
    spool.append(vec![begin("a"), metrics("a", 0..1)]).await.unwrap();
    let before = fs::read(spool.journal()).unwrap();
    let error = spool.append(vec![metrics("a", 1..9)]).await.unwrap_err();
    assert!(matches!(error, TrackingError::Full { bytes_max: 400, .. }), "{error}");
    assert_eq!(error.class(), playhouse_protocol::FailureClass::Overloaded);
    let artifact = Operation::Artifact { run: "a".to_owned(), name: "x".to_owned(), sha256: "ab".to_owned() };
    let error = spool.append_file(artifact, "ab".to_owned(), vec![0; 500]).await.unwrap_err();
    assert!(matches!(error, TrackingError::Full { .. }));
    assert!(!spool.blob("ab").exists());
    assert_eq!(fs::read(spool.journal()).unwrap(), before);
}

#[tokio::test]
async fn compaction_keeps_what_waits_and_runs_that_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let (spool, other) = (opened(&folder).await, opened(&folder).await);
    let finish = |run: &str| Operation::Finish {
        run: run.to_owned(),
        status: crate::tracking::RunStatus::Finished,
        ended_unix_ms: 9,
    };
    let mut ended = vec![begin("a")];
    ended.extend((0..9).map(|step| metrics("a", step..step + 1)));
    ended.push(finish("a"));
    spool.append(ended).await.unwrap();
    spool.append(vec![begin("b"), params("b", "m")]).await.unwrap();
    let path = spool.journal();
    spool.index().compact(&path, journal::read(&path).unwrap(), 12).unwrap();
    assert_eq!(operations(&spool), [begin("b"), params("b", "m")]);
    assert!(!spool.index().has_begun("a") && spool.index().has_begun("b"));
    // The other process notices, and numbers go on.
    other.append(vec![begin("b"), begin("c")]).await.unwrap();
    let last = spool.entries_behind(13, 9).unwrap();
    assert_eq!((last.len(), last[0].seq, &last[0].operation), (1, 14, &begin("c")));
}

#[tokio::test]
async fn damage_within_the_journal_is_told_and_never_written_over() {
    let folder = tempfile::tempdir().unwrap();
    let spool = opened(&folder).await;
    spool.append(vec![begin("a"), begin("b")]).await.unwrap();
    let damaged = fs::read_to_string(spool.journal()).unwrap().replace("\"seq\":1", "\"seq\":?");
    fs::write(spool.journal(), &damaged).unwrap();
    let error = Spool::open(folder.path(), SpoolLimits::default()).await.unwrap_err();
    assert!(error.to_string().contains("journal.jsonl: line 2: "), "{error}");
    assert_eq!(fs::read_to_string(spool.journal()).unwrap(), damaged);
    fs::write(spool.journal(), "{\"version\":9,\"generation\":1,\"next_seq\":1}\n").unwrap();
    let error = Spool::open(folder.path(), SpoolLimits::default()).await.unwrap_err();
    assert!(matches!(error, TrackingError::Version { found: 9, .. }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Wherever a crash cuts the file, what is left is the beginning of what was kept, and the next append goes on from there.
    #[test]
    fn a_journal_that_is_cut_anywhere_keeps_its_beginning(
        runs in prop::collection::vec(("[a-z]{1,8}", 0_i64..5, "\\PC{0,20}"), 1..6),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let mut all = Vec::new();
        for (at, (run, steps, value)) in runs.into_iter().enumerate() {
            let run = format!("{run}{at}");
            all.extend([begin(&run), params(&run, &value)]);
            all.extend((steps > 0).then(|| metrics(&run, 0..steps)));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let spool = runtime.block_on(opened(&folder));
        runtime.block_on(spool.append(all.clone())).unwrap();
        let path = spool.journal();
        let whole = fs::read(&path).unwrap();
        let head_len = whole.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        for len in 0..whole.len() {
            let scanned = journal::scan(&path, &whole[..len]);
            if len < head_len {
                prop_assert!(scanned.is_err(), "the head is written as a whole: {len}");
                continue;
            }
            let kept = scanned.unwrap();
            let lines = whole[head_len..len].split(|byte| *byte == b'\n').count() - 1;
            let expected: Vec<_> = all.iter().take(lines).cloned().collect();
            prop_assert_eq!(kept.entries.into_iter().map(|entry| entry.operation).collect::<Vec<_>>(), expected);
        }
        // The last line, cut: the same call again mends it.
        fs::write(&path, &whole[..whole.len() - 3]).unwrap();
        let again = runtime.block_on(opened(&folder));
        runtime.block_on(again.append(all)).unwrap();
        prop_assert_eq!(fs::read(&path).unwrap(), whole);
    }
}
