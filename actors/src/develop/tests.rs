use playhouse_protocol::Usage;
use playhouse_protocol::code::{CodeFacts, CodeMetrics, Language, SyntaxMetrics};
use playhouse_protocol::completion::{Origin, ProviderKind};
use playhouse_protocol::develop::{Develop, ROUNDS_MAX, Round};
use playhouse_protocol::generate::{CodeMetadata, Extraction, GeneratedCode};
use playhouse_protocol::review::{Finding, FindingSource, Parse, Review, Severity, Verdict};
use proptest::prelude::*;

use super::Developer;
use super::best::best;
use super::feedback::feedback;
use crate::agent::Agent;

fn origin() -> Origin {
    Origin { model: "m".to_owned(), provider: ProviderKind::Scripted, request_id: None }
}

/// What matters of a round.
#[derive(Debug, Clone)]
struct Sketch {
    approved: bool,
    parses: bool,
    critical: usize,
    tests: u32,
    score: Option<u8>,
}

fn finding(severity: Severity, source: FindingSource, message: &str) -> Finding {
    let message = message.to_owned();
    Finding { severity, aspect: None, lines: None, message, suggestion: None, source }
}

fn review(sketch: &Sketch, score: u8, facts: &CodeFacts) -> Review {
    Review {
        verdict: if sketch.approved { Verdict::Approve } else { Verdict::RequestChanges },
        overruled: None,
        score: f32::from(score),
        scores: Vec::new(),
        findings: vec![finding(Severity::Critical, FindingSource::Facts, "bad"); sketch.critical],
        recommendations: Vec::new(),
        summary: String::new(),
        facts: facts.clone(),
        parse: Parse::Exact,
        origin: origin(),
        usage: Usage::default(),
        elapsed_ms: 0,
    }
}

fn round(number: u32, sketch: &Sketch) -> Round {
    let syntax = SyntaxMetrics { tests: sketch.tests, ..SyntaxMetrics::default() };
    let facts = CodeFacts {
        parses: Some(sketch.parses),
        diagnostics: Vec::new(),
        metrics: CodeMetrics { code_lines: 3, comment_lines: 0, syntax: sketch.parses.then_some(syntax) },
    };
    let review = sketch.score.map(|score| review(sketch, score, &facts));
    let generated = GeneratedCode {
        language: Language::Rust,
        code: "fn f() {}".to_owned(),
        tests: String::new(),
        explanation: String::new(),
        blocks: Vec::new(),
        extraction: Extraction::Fenced,
        metadata: CodeMetadata::default(),
        facts,
        warnings: Vec::new(),
        origin: origin(),
        usage: Usage::default(),
        elapsed_ms: 0,
    };
    Round { number, generated, review, review_failure: None }
}

fn rounds(sketches: &[Sketch]) -> Vec<Round> {
    (1..).zip(sketches).map(|(number, sketch)| round(number, sketch)).collect()
}

const PLAIN: Sketch = Sketch { approved: false, parses: true, critical: 0, tests: 1, score: Some(5) };

#[test]
fn the_first_difference_in_the_documented_order_decides() {
    for (worse, better) in [
        (Sketch { score: Some(9), ..PLAIN }, Sketch { approved: true, score: Some(1), ..PLAIN }),
        (Sketch { parses: false, score: Some(9), ..PLAIN }, PLAIN),
        (Sketch { critical: 1, score: Some(9), ..PLAIN }, PLAIN),
        (Sketch { tests: 0, score: Some(9), ..PLAIN }, PLAIN),
        (Sketch { score: None, ..PLAIN }, Sketch { score: Some(0), ..PLAIN }),
        (PLAIN, Sketch { score: Some(6), ..PLAIN }),
    ] {
        assert_eq!(best(&rounds(&[worse.clone(), better.clone()]), true).unwrap().0, 1, "{worse:?}");
        assert_eq!(best(&rounds(&[better, worse.clone()]), true).unwrap().0, 0, "{worse:?}");
    }
    assert_eq!(best(&rounds(&[PLAIN, PLAIN]), true).unwrap().0, 0, "a revision has to be better");
    assert_eq!(best(&[], true), None);
}

#[test]
fn a_round_without_a_review_does_not_hide_its_faults() {
    let unreviewed = Sketch { score: None, ..PLAIN };
    let mut rounds = rounds(&[Sketch { critical: 1, ..PLAIN }, unreviewed]);
    let syntax = rounds[1].generated.facts.metrics.syntax.as_mut().unwrap();
    syntax.placeholders = 1;
    assert_eq!(best(&rounds, true).unwrap().0, 0);
}

proptest! {
    #[test]
    fn the_best_round_is_no_worse_than_any_other(
        sketches in prop::collection::vec(
            (any::<bool>(), any::<bool>(), 0..3_usize, 0..2_u32, prop::option::of(0..=10_u8))
                .prop_map(|(approved, parses, critical, tests, score)| Sketch { approved, parses, critical, tests, score }),
            1..6,
        ),
        tests_asked: bool,
    ) {
        let rounds = rounds(&sketches);
        let (chosen, reason) = best(&rounds, tests_asked).unwrap();
        prop_assert!(!reason.is_empty());
        for other in 0..rounds.len() {
            let pair = [rounds[chosen].clone(), rounds[other].clone()];
            prop_assert_eq!(best(&pair, tests_asked).unwrap().0, 0);
        }
    }
}

#[test]
fn feedback_names_the_worst_first_and_is_never_empty() {
    let facts = CodeFacts::default();
    let mut full = review(&PLAIN, 5, &facts);
    full.findings = vec![
        finding(Severity::Critical, FindingSource::Facts, "does not parse"),
        finding(Severity::Info, FindingSource::Model, "a remark"),
    ];
    full.recommendations = vec!["shorter names".to_owned()];
    assert_eq!(feedback(&full), ["does not parse", "shorter names"]);

    let empty = review(&PLAIN, 5, &facts);
    assert_eq!(feedback(&empty).len(), 1);

    let mut long = review(&PLAIN, 5, &facts);
    long.recommendations = vec!["é".repeat(10_000); 100];
    let points = feedback(&long);
    assert_eq!(points.len(), 8);
    assert!(points.iter().all(|point| point.chars().count() == 301 && point.ends_with('…')));
}

#[test]
fn wrong_requests_are_refused_by_the_field_that_is_wrong() {
    let ok = Develop { spec: "add".to_owned(), ..Develop::default() };
    for (request, word) in [
        (Develop { spec: String::new(), ..ok.clone() }, "the spec: it is empty"),
        (Develop { rounds: 0, ..ok.clone() }, "rounds is 0"),
        (Develop { rounds: ROUNDS_MAX + 1, ..ok.clone() }, "rounds is 21"),
        (Develop { constraints: vec![String::new(); 33], ..ok.clone() }, "33 constraints"),
    ] {
        let failure = Developer.validate(&request).unwrap_err();
        assert!(failure.message.contains(word), "{failure}");
    }
    assert!(Developer.validate(&ok).is_ok());
}
