//! What holds of every run.

use playhouse_config::experiments::SequentialRule;
use proptest::prelude::*;

use crate::analysis::{Outcome, Report, analyse, measure, stopping};
use crate::fixture::{design, items, manifest, record, scorer};
use crate::run::{Ending, Manifest, Record};
use crate::statistics::paired::Pairs;

const TEXTS: [&str; 6] = ["right", "right", "wrong", "failed", "", "cut"];

/// A run of two or three variants on up to eight items, of which some questions were not asked.
fn runs() -> impl Strategy<Value = (Manifest, Vec<Record>)> {
    let one = prop_oneof![9 => (0..TEXTS.len()).prop_map(Some), 1 => Just(None)];
    (2_usize..4, 1_usize..8, 1_u32..4).prop_flat_map(move |(variants, count, repeats)| {
        let answers = prop::collection::vec(one.clone(), variants * count * repeats as usize);
        answers.prop_map(move |answers| {
            let design = design(&["a", "b", "c"][..variants], items(count), repeats);
            let mut records = Vec::new();
            let mut answers = answers.into_iter();
            for variant in &design.variants {
                for item in &design.items {
                    for repeat in 0..repeats {
                        let Some(Some(text)) = answers.next() else { continue };
                        let tokens = 10 + text as u64;
                        records.push(record(&variant.name, &item.id, repeat, (TEXTS[text], tokens)));
                    }
                }
            }
            (manifest(design), records)
        })
    })
}

fn report(manifest: &Manifest, records: &[Record]) -> Report {
    analyse(manifest, records, Ending::Complete, &scorer).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn the_order_of_records_does_not_change_a_byte(
        ((mut manifest, records), shuffled) in
            runs().prop_flat_map(|(manifest, records)| {
                (Just((manifest, records.clone())), Just(records).prop_shuffle())
            }),
    ) {
        manifest.design.stopping = Some(SequentialRule { wins: 0.7, false_winners: 0.05, missed_winners: 0.2 });
        let bytes = |records: &[Record]| serde_json::to_string_pretty(&report(&manifest, records)).unwrap();
        prop_assert_eq!(bytes(&records), bytes(&shuffled));
        let stopping = |records: &[Record]| stopping(&manifest.design, records, &scorer).unwrap();
        prop_assert_eq!(stopping(&records), stopping(&shuffled));
        prop_assert_eq!(report(&manifest, &records).stopping, stopping(&records));
    }

    #[test]
    fn every_answer_is_in_one_outcome_and_in_every_share((manifest, records) in runs()) {
        let report = report(&manifest, &records);
        let mut asked = 0;
        for cell in &report.cells {
            let outcomes = &cell.outcomes;
            let all = outcomes.right + outcomes.wrong + outcomes.refused + outcomes.truncated + outcomes.empty;
            prop_assert_eq!(all + outcomes.failed_total(), cell.asked);
            prop_assert_eq!(cell.right.map_or(0, |right| right.asked), cell.asked);
            asked += cell.asked;
        }
        prop_assert_eq!(asked, records.len() as u64);
        prop_assert!(serde_json::to_string(&report).is_ok_and(|text| !text.contains("NaN")));
    }

    #[test]
    fn with_one_repeat_the_sign_test_of_items_is_mcnemars(
        rights in prop::collection::vec((any::<bool>(), any::<bool>()), 1..30),
    ) {
        let text = |is_right: bool| if is_right { "right" } else { "wrong" };
        let records: Vec<_> = (1..).zip(&rights).flat_map(|(number, (a, b))| {
            let id = format!("item-{number}");
            [record("a", &id, 0, (text(*a), 11)), record("b", &id, 0, (text(*b), 11))]
        }).collect();
        let report = report(&manifest(design(&["a", "b"], items(rights.len()), 1)), &records);
        let pairs: Pairs = rights.into_iter().collect();
        let comparison = &report.comparisons[0];
        prop_assert_eq!(comparison.table, Some(pairs));
        prop_assert!((comparison.p - pairs.mcnemar()).abs() < 1e-12);
        prop_assert_eq!(comparison.effect.cohens_g, pairs.cohens_g());
        let estimate = comparison.difference.map(|difference| difference.estimate);
        prop_assert!((estimate.unwrap() - pairs.difference().unwrap()).abs() < 1e-9);
    }

    #[test]
    fn a_report_is_read_back_as_it_was_written((manifest, records) in runs()) {
        let report = report(&manifest, &records);
        let text = serde_json::to_string_pretty(&report).unwrap();
        let read: Report = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(serde_json::to_string_pretty(&read).unwrap(), text);
    }

    #[test]
    fn only_what_is_right_counts_as_right(text in prop::sample::select(TEXTS.to_vec())) {
        let design = design(&["a"], items(1), 1);
        let measured = measure(&design, &record("a", "item-1", 0, (text, 11)), &scorer).unwrap();
        let accuracy = measured.values[&playhouse_config::experiments::Metric::Accuracy];
        prop_assert_eq!(accuracy > 0.5, measured.outcome == Outcome::Right);
        prop_assert_eq!(measured.outcome == Outcome::Right, text == "right");
    }
}
