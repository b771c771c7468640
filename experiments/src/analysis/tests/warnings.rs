//! What a reader is told.

use playhouse_config::experiments::{ExperimentTemplate, Metric, SequentialRule};
use playhouse_protocol::completion::ProviderKind;

use crate::analysis::WarningAbout::{Latency, LeftOut, Missing, OtherModel, Scripted, Stopping};
use crate::analysis::analyse;
use crate::fixture::{design, items, manifest, record, riddle_of, scorer, small_run};
use crate::run::{Ending, Record};

#[test]
fn a_small_run_is_told_all_that_weighs_on_it() {
    let (manifest, records) = small_run();
    let report = analyse(&manifest, &records, Ending::BudgetSpent, &scorer).unwrap();
    let texts: Vec<_> = report.warnings.iter().map(|warning| warning.text.as_str()).collect();
    insta::assert_snapshot!(texts.join("\n"), @r"
    There are 6 items, fewer than 20: only very large differences can be found, and intervals of means are narrower than they should be.
    The budget ended the run after 35 of 36 questions: what is missing is missing from every number here.
    direct: 1 of 12 answers failed (1 deadline). They count as not right, since who needs the answer does not have it; they have no value of other metrics.
    direct: 1 of 12 answers were cut before they came to an end and count as not right: raise its completion_tokens_max.
    direct: 3 of 6 items were answered word for word the same in all 2 repeats (temperature unset): such repeats say nothing new.
    steps: 1 of 12 answers were taken from a cache at least in part. They have no latency, since a cache says nothing about the time that a model takes, and their repeats may be one answer.
    steps: 5 of 6 items were answered word for word the same in all 2 repeats (temperature unset): such repeats say nothing new.
    vote: 2 of 6 items were answered word for word the same in all 2 repeats (temperature unset): such repeats say nothing new.
    1 of 6 items are left out where vote is held against the baseline by accuracy: not all of their answers have a value.
    1 of 6 items are left out where steps is held against the baseline by total_tokens: not all of their answers have a value.
    2 of 6 items are left out where vote is held against the baseline by total_tokens: not all of their answers have a value.
    ");
}

#[test]
fn a_run_without_blemish_is_told_nothing() {
    let design = design(&["a", "b"], items(20), 1);
    let right = |variant: &str| -> Vec<Record> {
        design.items.iter().map(|item| record(variant, &item.id, 0, ("right", 11))).collect()
    };
    let records = [right("a"), right("b")].concat();
    let report = analyse(&manifest(design.clone()), &records, Ending::Complete, &scorer).unwrap();
    assert_eq!(report.warnings, []);
}

#[test]
fn scripts_shared_time_rules_and_lost_records_are_told() {
    let mut design = design(&["a", "b"], items(20), 1);
    design.width = 4;
    design.metrics = vec![Metric::Accuracy, Metric::LatencyMs];
    design.stopping = Some(SequentialRule { wins: 0.7, false_winners: 0.05, missed_winners: 0.2 });
    let mut records = [record("a", "item-1", 0, ("right", 11)), record("b", "item-1", 0, ("right", 11))];
    riddle_of(&mut records[1]).samples[0].steps[0].origin.provider = ProviderKind::Scripted;
    let about = |design: &ExperimentTemplate, ending| {
        let report = analyse(&manifest(design.clone()), &records, ending, &scorer).unwrap();
        report.warnings.iter().map(|warning| warning.about).collect::<Vec<_>>()
    };
    // The rule leaves out variants that it has judged, so what is missing tells nothing then.
    assert_eq!(about(&design, Ending::Complete), [Scripted, Stopping, LeftOut, LeftOut, Latency]);
    assert_eq!(about(&design, Ending::Decided), [Scripted, Stopping, LeftOut, LeftOut, Latency]);
    design.stopping = None;
    assert_eq!(about(&design, Ending::Complete), [Scripted, Missing, LeftOut, LeftOut, Latency]);
    assert_eq!(about(&design, Ending::Open), [Scripted, Missing, LeftOut, LeftOut, Latency]);
    riddle_of(&mut records[0]).samples[0].steps[0].origin.model = "other".to_owned();
    let report = analyse(&manifest(design.clone()), &records, Ending::Open, &scorer).unwrap();
    let told = "a: 1 of 1 answers come from another model than the one that it names, such as a fallback, so its numbers are \
                not that model's.";
    assert!(report.warnings.iter().any(|warning| warning.about == OtherModel && warning.text == told));
}
