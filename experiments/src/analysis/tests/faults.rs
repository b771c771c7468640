//! What is refused.

use playhouse_config::experiments::{ExperimentTask, Metric};
use playhouse_protocol::riddle::Verdict;
use playhouse_protocol::{Failure, FailureClass};

use crate::analysis::{AnalysisError, Fault, analyse};
use crate::fixture::{design, items, manifest, record, riddle_of, scorer, small_run};
use crate::run::{Ending, Manifest, Record};

fn refused(manifest: &Manifest, records: &[Record]) -> AnalysisError {
    analyse(manifest, records, Ending::Complete, &scorer).unwrap_err()
}

#[test]
fn all_faults_of_the_records_are_named_at_once() {
    let manifest = manifest(design(&["a", "b"], items(2), 1));
    let right = ("right", 11);
    let mut records = [
        record("a", "item-1", 0, right),
        record("c", "item-1", 0, right),
        record("a", "item-3", 0, right),
        record("a", "item-2", 1, right),
        record("a", "item-1", 0, ("wrong", 11)),
        record("b", "item-1", 0, right),
        record("b", "item-2", 0, right),
    ];
    riddle_of(&mut records[5]).chosen = 1;
    riddle_of(&mut records[6]).score.verdict = Verdict::Wrong;
    let error = refused(&manifest, &records);
    insta::assert_snapshot!(error, @r#"
    analyse the run:
      the record of variant "c", item "item-1", repeat 0 is of an unknown variant
      the record of variant "a", item "item-3", repeat 0 is of an unknown item
      the record of variant "a", item "item-2", repeat 1 is of an unknown repeat: there are 1, counted from 0
      the record of variant "a", item "item-1", repeat 0 is there more than once
      the record of variant "b", item "item-1", repeat 0 does not hold the answer that it says counts
      the record of variant "b", item "item-2", repeat 0 says Wrong, and scored again its answer is Right
    "#);
    let failure = Failure::from(error);
    assert_eq!(failure.class, FailureClass::InvalidInput);
    assert!(failure.hint.unwrap().contains("run the experiment again"));
}

#[test]
fn a_verdict_that_was_changed_is_found_in_either_direction() {
    let (manifest, records) = small_run();
    for verdict in [Verdict::Right, Verdict::Wrong, Verdict::Empty] {
        for place in [0, 3] {
            let mut changed = records.clone();
            let recorded = riddle_of(&mut changed[place]).score.verdict;
            riddle_of(&mut changed[place]).score.verdict = verdict;
            let result = analyse(&manifest, &changed, Ending::Complete, &scorer);
            assert_eq!(result.is_err(), verdict != recorded);
        }
    }
}

#[test]
fn evidence_of_another_task_is_refused() {
    let (mut manifest, records) = small_run();
    manifest.design.task = ExperimentTask::Develop;
    let faults = refused(&manifest, &records).faults;
    let metric = Fault::Metric { task: ExperimentTask::Develop, metric: Metric::Accuracy };
    assert!(
        faults.contains(&metric) && faults.contains(&Fault::Design("an item of another task".to_owned()))
    );
}

#[test]
fn a_design_that_contradicts_itself_is_refused() {
    let check = |change: &dyn Fn(&mut Manifest), wanted: &str| {
        let (mut manifest, records) = small_run();
        change(&mut manifest);
        let text = refused(&manifest, &records).to_string();
        assert!(text.contains(wanted), "{text}");
    };
    check(&|manifest| manifest.design.baseline = 3, "no variant for its baseline");
    check(&|manifest| manifest.design.metrics.clear(), "no metrics");
    check(&|manifest| manifest.design.repeats = 0, "no repeats");
    check(&|manifest| manifest.design.confidence = 1.0, "a wrong confidence");
    check(&|manifest| manifest.design.items[1].id = "ages".to_owned(), "two items of one id");
    check(&|manifest| manifest.design.variants[1].name = "direct".to_owned(), "two variants of one name");
    check(
        &|manifest| {
            manifest.design.variants.clear();
            manifest.design.items.clear();
        },
        "no items\n  the design has no variant",
    );
}

#[test]
fn no_more_faults_are_named_than_anybody_reads() {
    let manifest = manifest(design(&["a"], items(1), 1));
    let records: Vec<_> = (0..150).map(|_| record("b", "item-1", 0, ("right", 11))).collect();
    let error = refused(&manifest, &records);
    assert_eq!((error.faults.len(), error.more), (100, 50));
    assert!(error.to_string().ends_with("and 50 more"));
}
