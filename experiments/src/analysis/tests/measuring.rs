//! What one record says.

use playhouse_config::experiments::{ExperimentTask, ExperimentTemplate, ItemBody, Metric};
use playhouse_protocol::code::{CodeFacts, Language};
use playhouse_protocol::develop::{DevelopStop, Developed, Round};
use playhouse_protocol::generate::{CodeMetadata, Extraction, GeneratedCode};
use playhouse_protocol::review::{self, Parse, Review};
use playhouse_protocol::riddle::{CompressedContext, Judgement};
use playhouse_protocol::{FailureClass, Usage};

use crate::analysis::{Fault, Measured, Outcome, analyse, measure};
use crate::fixture::{design, items, manifest, record, riddle_of, scorer, step};
use crate::report::{Details, html};
use crate::run::{Ending, Evidence, Record};

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

/// Code of which each round was reviewed with this mark, and the last one is the best.
fn developed(approved: bool, scores: &[f32]) -> Record {
    let origin = || step("", 0).origin;
    let facts = || CodeFacts { parses: Some(true), ..CodeFacts::default() };
    let review = |score| Review {
        verdict: review::Verdict::Approve,
        overruled: None,
        score,
        scores: Vec::new(),
        findings: Vec::new(),
        recommendations: Vec::new(),
        summary: String::new(),
        facts: facts(),
        parse: Parse::Exact,
        origin: origin(),
        usage: Usage::default(),
        elapsed_ms: 0,
    };
    let generated = || GeneratedCode {
        language: Language::default(),
        code: String::new(),
        tests: String::new(),
        explanation: String::new(),
        blocks: Vec::new(),
        extraction: Extraction::Fenced,
        metadata: CodeMetadata::default(),
        facts: facts(),
        warnings: Vec::new(),
        origin: origin(),
        usage: Usage::default(),
        elapsed_ms: 0,
    };
    let rounds = (1..).zip(scores).map(|(number, score)| Round {
        number,
        generated: generated(),
        review: Some(review(*score)),
        review_failure: None,
    });
    let developed = Developed {
        language: Language::default(),
        code: "fn main() {}".to_owned(),
        tests: String::new(),
        approved,
        best_round: u32::try_from(scores.len()).unwrap(),
        best_because: String::new(),
        rounds: rounds.collect(),
        stop: DevelopStop::RoundsUsed,
        warnings: Vec::new(),
        scripted: false,
        usage: Usage { model_calls: 3, ..Usage::default() },
        elapsed_ms: 900,
    };
    Record { evidence: Evidence::Developed(Box::new(developed)), ..answered() }
}

fn code_design() -> ExperimentTemplate {
    let mut design = design(&["a", "b"], items(1), 1);
    design.task = ExperimentTask::Develop;
    design.metrics = vec![Metric::Approved, Metric::ReviewScore];
    design.items[0].body = ItemBody::Spec { spec: "Sort.".to_owned(), language: Language::default() };
    design
}

#[test]
fn code_is_right_when_it_was_approved_and_its_best_round_is_measured() {
    let of =
        |approved, scores: &[f32]| measure(&code_design(), &developed(approved, scores), &scorer).unwrap();
    let (approved, rejected) = (of(true, &[4.0, 8.5]), of(false, &[]));
    assert_eq!((approved.outcome, rejected.outcome), (Outcome::Right, Outcome::Wrong));
    let values: Vec<_> = approved.values.into_iter().collect();
    assert_eq!(
        values,
        [
            (Metric::Approved, 1.0),
            (Metric::Parses, 1.0),
            (Metric::ReviewScore, 8.5),
            (Metric::Rounds, 2.0),
            (Metric::LatencyMs, 900.0),
            (Metric::PromptTokens, 0.0),
            (Metric::CompletionTokens, 0.0),
            (Metric::TotalTokens, 0.0),
            (Metric::CostUsd, 0.0),
            (Metric::ModelCalls, 3.0),
        ]
    );
    assert_eq!(rejected.values.get(&Metric::ReviewScore), None);
}

#[test]
fn an_experiment_on_code_is_reported_like_one_on_riddles() {
    let a = developed(false, &[4.0, 6.0]);
    let b = Record { variant: "b".to_owned(), ..developed(true, &[9.0]) };
    let manifest = manifest(code_design());
    let report = analyse(&manifest, &[a, b], Ending::Complete, &scorer).unwrap();
    let compared: Vec<_> = report.comparisons.iter().map(|one| (one.metric, one.wins, one.losses)).collect();
    assert_eq!(compared, [(Metric::Approved, 1, 0), (Metric::ReviewScore, 1, 0)]);
    assert!(report.cells.iter().all(|cell| cell.announced.is_none()) && report.judge.is_none());
    let page = html(&report, &Details::new(&manifest, &[]));
    assert!(page.contains("Difference from a by review_score") && page.contains("Sort."));
}

#[test]
fn evidence_of_another_task_is_no_evidence() {
    let error = measure(&design(&["a"], items(1), 1), &developed(true, &[]), &scorer).unwrap_err();
    assert!(matches!(error.faults[..], [Fault::WrongTask { task: ExperimentTask::Riddle, .. }]));
}
