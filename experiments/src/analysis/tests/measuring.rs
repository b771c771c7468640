//! What one record says.

use playhouse_config::experiments::{ExperimentTask, ItemBody, Metric};
use playhouse_protocol::FailureClass;
use playhouse_protocol::code::Language;
use playhouse_protocol::develop::{DevelopStop, Developed};
use playhouse_protocol::riddle::{CompressedContext, Judgement};

use crate::analysis::{Fault, Measured, Outcome, measure};
use crate::fixture::{design, items, record, riddle_of, scorer, step};
use crate::run::{Evidence, Record};

fn measured(record: &Record) -> Measured {
    measure(&design(&["a"], items(1), 1), record, &scorer).unwrap()
}

fn answered() -> Record {
    record("a", "item-1", 0, ("right", 14))
}

#[test]
fn an_answered_riddle_has_every_number_that_is_known() {
    let values: Vec<_> = measured(&answered()).values.into_iter().collect();
    assert_eq!(
        values,
        [
            (Metric::Accuracy, 1.0),
            (Metric::JudgedAccuracy, 0.0),
            (Metric::LatencyMs, 100.0),
            (Metric::PromptTokens, 10.0),
            (Metric::CompletionTokens, 4.0),
            (Metric::TotalTokens, 14.0),
            (Metric::CostUsd, 14e-6),
            (Metric::ModelCalls, 1.0),
            (Metric::Words, 4.0),
            (Metric::Hedges, 1.0),
            (Metric::Reversals, 0.0),
        ]
    );
}

#[test]
fn a_failed_answer_has_nothing_but_counts_in_every_share() {
    let failed = measured(&record("a", "item-1", 0, ("failed", 0)));
    assert_eq!(failed.outcome, Outcome::Failed(FailureClass::Deadline));
    assert_eq!(failed.values, [(Metric::Accuracy, 0.0), (Metric::JudgedAccuracy, 0.0)].into());
}

#[test]
fn an_answer_that_a_cache_or_a_journal_gave_has_no_latency() {
    let has_latency = |change: &dyn Fn(&mut Record)| {
        let mut record = answered();
        change(&mut record);
        measured(&record).values.contains_key(&Metric::LatencyMs)
    };
    assert!(has_latency(&|_| ()));
    assert!(!has_latency(&|record| riddle_of(record).samples[0].steps[0].cached = true));
    assert!(!has_latency(&|record| riddle_of(record).elapsed_ms = None));
}

#[test]
fn a_text_without_facts_keeps_no_share_of_them() {
    let mut record = answered();
    let compressed = CompressedContext { tokens_before: 40, tokens_after: 10, facts_total: 4, facts_kept: 3 };
    riddle_of(&mut record).compressed = Some(compressed);
    let of = |record: &Record| {
        let values = measured(record).values;
        (values.get(&Metric::CompressionRatio).copied(), values.get(&Metric::FactsKept).copied())
    };
    assert_eq!(of(&record), (Some(0.25), Some(0.75)));
    riddle_of(&mut record).compressed =
        Some(CompressedContext { facts_total: 0, facts_kept: 0, ..compressed });
    assert_eq!(of(&record), (Some(0.25), None));
    assert_eq!(of(&answered()), (None, None));
}

#[test]
fn only_what_the_judge_holds_for_right_is_judged_right() {
    for is_right in [Some(true), Some(false), None] {
        let mut record = answered();
        riddle_of(&mut record).judgement = Some(Judgement { is_right, answer: step("Yes.", 11) });
        assert_eq!(measured(&record).values[&Metric::JudgedAccuracy] > 0.5, is_right == Some(true));
    }
}

fn developed(approved: bool) -> Record {
    let developed = Developed {
        language: Language::default(),
        code: "fn main() {}".to_owned(),
        tests: String::new(),
        approved,
        best_round: 1,
        best_because: String::new(),
        rounds: Vec::new(),
        stop: DevelopStop::RoundsUsed,
        warnings: Vec::new(),
        scripted: false,
        usage: playhouse_protocol::Usage { model_calls: 3, ..Default::default() },
        elapsed_ms: 900,
    };
    Record { evidence: Evidence::Developed(Box::new(developed)), ..answered() }
}

#[test]
fn code_is_right_when_it_was_approved() {
    let mut design = design(&["a"], items(1), 1);
    design.task = ExperimentTask::Develop;
    design.items[0].body = ItemBody::Spec { spec: "Sort.".to_owned(), language: Language::default() };
    let of = |approved| measure(&design, &developed(approved), &scorer).unwrap();
    assert_eq!((of(true).outcome, of(false).outcome), (Outcome::Right, Outcome::Wrong));
    let values = of(true).values;
    assert_eq!((values[&Metric::Approved], values[&Metric::Parses]), (1.0, 0.0));
    assert_eq!((values[&Metric::LatencyMs], values[&Metric::ModelCalls]), (900.0, 3.0));
    assert_eq!(values.get(&Metric::ReviewScore), None);
}

#[test]
fn evidence_of_another_task_is_no_evidence() {
    let error = measure(&design(&["a"], items(1), 1), &developed(true), &scorer).unwrap_err();
    assert!(matches!(error.faults[..], [Fault::WrongTask { task: ExperimentTask::Riddle, .. }]));
}
