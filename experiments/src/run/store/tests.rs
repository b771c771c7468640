use playhouse_protocol::{Failure, FailureClass, Usage};
use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::fixture;
use crate::run::Evidence;

fn manifest(run: String) -> Manifest {
    Manifest { run, ..fixture::manifest(fixture::design(&["a", "b"], fixture::items(3), 1)) }
}

fn record(repeat: u32) -> Record {
    Record {
        variant: "v0".to_owned(),
        item: "i0".to_owned(),
        repeat,
        task: None,
        ended_unix_ms: 8,
        evidence: Evidence::Failed {
            failure: Failure::new(FailureClass::Deadline, "finish\nin time"),
            usage: Usage::default(),
        },
    }
}

fn store() -> (TempDir, RunStore) {
    let folder = tempfile::tempdir().unwrap();
    let store = RunStore::new(folder.path().join("runs"));
    (folder, store)
}

#[test]
fn a_run_comes_back_as_it_was_written() {
    let (_folder, store) = store();
    let mut run = store.create("sample", manifest).unwrap();
    run.append(vec![record(0), record(1)]).unwrap();
    run.append(vec![record(2)]).unwrap();
    assert_eq!(store.read("sample-1").unwrap(), *run.run());
    run.end(Ending::Decided).unwrap();
    let read = store.read("sample-1").unwrap();
    assert_eq!((read.records.len(), read.ending), (3, Some(Ending::Decided)));
    drop(run);
    assert!(matches!(store.take_up("sample-1"), Err(RunStoreError::Ended { .. })));
}

#[test]
fn each_run_has_its_own_name_and_unknown_ones_are_refused_with_the_nearest() {
    let (_folder, store) = store();
    assert_eq!(store.names().unwrap(), [""; 0]);
    for _ in 0..2 {
        store.create("sample", manifest).unwrap();
    }
    assert_eq!(store.names().unwrap(), ["sample-1", "sample-2"]);
    let told = Failure::from(store.read("sampel-2").unwrap_err());
    assert!(told.message.starts_with("find run \"sampel-2\""), "{told}");
    assert_eq!(told.hint.as_deref(), Some("Did you mean sample-2?"));
    for name in ["", "..", "../runs/sample-1", ".hidden"] {
        assert!(matches!(store.read(name), Err(RunStoreError::Unknown { .. })), "{name}");
    }
}

#[test]
fn a_run_is_worked_on_by_one_at_a_time() {
    let (_folder, store) = store();
    let run = store.create("sample", manifest).unwrap();
    assert!(matches!(store.take_up("sample-1"), Err(RunStoreError::Busy { .. })));
    drop(run);
    assert!(store.take_up("sample-1").is_ok());
}

#[test]
fn a_damaged_file_is_told_with_its_line_and_left_as_it_is() {
    let (_folder, store) = store();
    let mut run = store.create("sample", manifest).unwrap();
    run.append(vec![record(0), record(1)]).unwrap();
    let path = run.run().folder.join(RECORDS);
    drop(run);
    let text = fs::read_to_string(&path).unwrap().replacen("\"repeat\":1", "\"repeat\":x", 1);
    fs::write(&path, &text).unwrap();
    let told = store.take_up("sample-1").unwrap_err().to_string();
    assert!(told.contains("records.jsonl line 2: it is not a record"), "{told}");
    assert_eq!(fs::read_to_string(&path).unwrap(), text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A crash may cut the file anywhere: whole lines stay, and the next ones come behind them.
    #[test]
    fn what_was_written_to_its_end_is_there_after_a_cut_at_any_byte(share in 0.0_f64..=1.0) {
        let (_folder, store) = store();
        let mut run = store.create("sample", manifest).unwrap();
        run.append((0..4).map(record).collect()).unwrap();
        let path = run.run().folder.join(RECORDS);
        drop(run);
        let bytes = fs::read(&path).unwrap();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of the length")]
        let cut = (bytes.len() as f64 * share) as usize;
        fs::write(&path, &bytes[..cut]).unwrap();
        let whole = String::from_utf8_lossy(&bytes[..cut]).matches('\n').count();
        prop_assert_eq!(store.read("sample-1").unwrap().records.len(), whole);
        let mut run = store.take_up("sample-1").unwrap();
        run.append(vec![record(9)]).unwrap();
        let records = store.read("sample-1").unwrap().records;
        prop_assert_eq!(records.len(), whole + 1);
        prop_assert_eq!(records.last(), Some(&record(9)));
    }
}
