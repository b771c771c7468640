//! When an experiment may stop.

use playhouse_config::experiments::{ExperimentTemplate, SequentialRule};

use crate::analysis::{Fault, Finding, Stopping, Watch, analyse, stopping};
use crate::fixture::{design, items, manifest, record, scorer};
use crate::run::{Ending, Record};
use crate::statistics::sequential::Verdict;

fn ruled(variants: &[&str], count: usize) -> ExperimentTemplate {
    let mut design = design(variants, items(count), 1);
    design.stopping = Some(SequentialRule { wins: 2.0 / 3.0, false_winners: 0.05, missed_winners: 0.2 });
    design
}

/// The answers of a variant to the items from the first on.
fn answers(variant: &str, texts: &[&str]) -> Vec<Record> {
    (1..).zip(texts).map(|(item, text)| record(variant, &format!("item-{item}"), 0, (text, 11))).collect()
}

fn seen(design: &ExperimentTemplate, records: &[Record]) -> Stopping {
    stopping(design, records, &scorer).unwrap().unwrap()
}

#[test]
fn without_a_rule_nothing_is_decided() {
    assert_eq!(stopping(&design(&["a", "b"], items(1), 1), &[], &scorer), Ok(None));
}

#[test]
fn the_chance_of_a_false_winner_is_shared_and_a_verdict_stays() {
    let design = ruled(&["a", "b", "c"], 40);
    let (wrong, right) = (["wrong"; 40], ["right"; 40]);
    // b wins 15 items and loses the rest; c wins all.
    let b = [vec!["right"; 15], vec![""; 25]].concat();
    let records = [answers("a", &wrong), answers("b", &b), answers("c", &right)].concat();
    let stopping = seen(&design, &records);
    // (4/3)^n / 2 reaches 40 = 2 / 0.05 with the 16th pair: b has 15 wins and then nothing but ties.
    let [b, c] = &stopping.comparisons[..] else { panic!("two") };
    assert_eq!((b.variant.as_str(), b.verdict, b.items_seen), ("b", Verdict::GoOn, 40));
    assert_eq!((c.variant.as_str(), c.verdict, c.items_seen), ("c", Verdict::SecondIsBetter, 16));
    assert!(c.e_value >= 40.0 && !stopping.is_decided);
}

#[test]
fn it_looks_no_further_than_the_first_item_that_is_not_whole() {
    let design = ruled(&["a", "b"], 40);
    let mut records = [answers("a", &["wrong"; 40]), answers("b", &["right"; 40])].concat();
    assert!(seen(&design, &records).is_decided);
    let lost = records.remove(45);
    let stopping = seen(&design, &records);
    assert_eq!((stopping.comparisons[0].items_seen, stopping.is_decided), (5, false));
    records.push(lost);
    let stopping = seen(&design, &records);
    // (4/3)^n / 2 reaches 20 with the 13th.
    assert_eq!((stopping.comparisons[0].items_seen, stopping.is_decided), (13, true));
}

#[test]
fn one_record_after_the_other_gives_the_same() {
    let design = ruled(&["a", "b"], 20);
    let mut records = [answers("b", &["right"; 20]), answers("a", &["wrong"; 20])].concat();
    records.rotate_left(7);
    let mut watch = Watch::new(&design).unwrap().unwrap();
    for at in 0..records.len() {
        watch.see(&records[at], &scorer).unwrap();
        assert_eq!(watch.stopping(), seen(&design, &records[..=at]));
    }
    assert!(watch.stopping().is_decided);
    let error = watch.see(&records[0], &scorer).unwrap_err();
    assert!(matches!(error.faults[..], [Fault::Duplicate(_)]));
}

#[test]
fn nothing_is_decided_where_nothing_is_compared() {
    let design = ruled(&["a"], 20);
    let stopping = seen(&design, &answers("a", &["right"; 20]));
    assert_eq!((stopping.comparisons.len(), stopping.is_decided), (0, false));
}

#[test]
fn under_a_rule_the_rule_finds_and_the_fixed_test_does_not() {
    let design = ruled(&["a", "b", "c"], 40);
    let c = [vec!["right"; 12], vec!["wrong"; 28]].concat();
    let records = [answers("a", &["wrong"; 40]), answers("b", &["right"; 40]), answers("c", &c)].concat();
    let report = analyse(&manifest(design), &records, Ending::Complete, &scorer).unwrap();
    let [b, c] = &report.comparisons[..] else { panic!("two") };
    assert_eq!((b.finding, c.finding), (Finding::Better, Finding::TooFewItems));
    // A test that had not been looked at before would have found c.
    assert!(c.p_corrected < 0.001 && !c.is_p_valid && !b.is_p_valid);
}

#[test]
fn a_rule_that_cannot_be_is_refused() {
    let mut design = ruled(&["a", "b"], 2);
    design.stopping = design.stopping.map(|rule| SequentialRule { wins: 0.5, ..rule });
    let error = stopping(&design, &[], &scorer).unwrap_err();
    assert!(error.to_string().contains("a wrong stopping rule"), "{error}");
}
