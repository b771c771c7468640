use playhouse_protocol::review::Aspect;
use proptest::prelude::*;

use super::*;
use crate::code::facts::facts;
use crate::code::verdict::read_opinion;

const APPROVAL: &str = r#"{"verdict": "approve", "summary": "Fine.", "scores": {"functionality": 9, "quality": 8, "testing": 10, "maintainability": 9, "security": 9}, "findings": [], "recommendations": []}"#;
const TESTED: &str = "fn a() -> u8 { 1 }\n#[test]\nfn t() { assert_eq!(a(), 1); }\n";

fn judged(language: Language, source: &str, tests_expected: bool, answer: &str) -> Judgement {
    let facts = facts(language, source);
    let lines = u32::try_from(source.lines().count()).unwrap();
    judge(read_opinion(answer, lines), &Case { language, source, facts: &facts, tests_expected })
}

fn check(source: &str, answer: &str) -> String {
    shown(&judged(Language::Rust, source, true, answer))
}

fn shown(judgement: &Judgement) -> String {
    let mut lines = vec![format!("{} {:.1}", judgement.verdict, judgement.score)];
    lines.extend(judgement.overruled.clone());
    lines.extend(judgement.findings.iter().map(|finding| {
        let line = finding.lines.map_or(String::new(), |span| format!(" line {}", span.first));
        format!("- {:?} {}{line}: {}", finding.source, finding.severity, finding.message)
    }));
    if !judgement.summary.is_empty() {
        lines.push(format!("says {}", judgement.summary));
    }
    lines.join("\n")
}

#[test]
fn clean_code_that_the_reviewer_approves_is_approved() {
    insta::assert_snapshot!(check(TESTED, APPROVAL), @"
    approve 9.0
    says Fine.
    ");
}

#[test]
fn code_that_does_not_parse_is_never_approved() {
    insta::assert_snapshot!(check("fn a() -> u8 {\n    1 +\n}\n", APPROVAL), @"
    request_changes 2.0
    The reviewer approved, but the code does not parse: unexpected end of input, expected an expression (line 3).
    - Facts critical line 3: the code does not parse: unexpected end of input, expected an expression
    says Fine.
    ");
    insta::assert_snapshot!(check("fn a() -> u8 {\n    1\n", APPROVAL), @"
    request_changes 2.0
    The reviewer approved, but the code does not parse: `{` is never closed (line 1).
    - Facts critical line 1: the code does not parse: `{` is never closed
    says Fine.
    ");
}

#[test]
fn no_code_is_never_approved() {
    insta::assert_snapshot!(check("", APPROVAL), @"
    request_changes 0.0
    The reviewer approved, but there is no code.
    - Facts critical: there is no code
    says Fine.
    ");
    insta::assert_snapshot!(check("// later\n", APPROVAL), @"
    request_changes 0.0
    The reviewer approved, but there is no code.
    - Facts critical: there is no code
    says Fine.
    ");
    insta::assert_snapshot!(check("#![allow(unused)]\n", APPROVAL), @"
    request_changes 0.0
    The reviewer approved, but there is no item in it: no function, no type, nothing; tests were asked for, and there is none.
    - Facts critical: there is no item in it: no function, no type, nothing
    - Facts major: tests were asked for, and there is none
    says Fine.
    ");
}

#[test]
fn placeholders_are_never_approved() {
    insta::assert_snapshot!(check("fn a() -> u8 { todo!() }\n#[test]\nfn t() { assert_eq!(a(), 1); }\n", APPROVAL), @"
    request_changes 4.0
    The reviewer approved, but 1 part is left out with todo!() or unimplemented!().
    - Facts critical: 1 part is left out with todo!() or unimplemented!()
    says Fine.
    ");
    insta::assert_snapshot!(check("fn a() -> u8 { 1 }\n#[test]\nfn t() { assert!(true); todo!() }\n#[test]\nfn u() { unimplemented!() }\n", APPROVAL), @"
    request_changes 4.0
    The reviewer approved, but 2 parts are left out with todo!() or unimplemented!().
    - Facts critical: 2 parts are left out with todo!() or unimplemented!()
    says Fine.
    ");
}

#[test]
fn a_snippet_is_not_approved() {
    insta::assert_snapshot!(shown(&judged(Language::Rust, "let x = 1;\n", false, APPROVAL)), @"
    request_changes 5.0
    The reviewer approved, but statements stand outside of any function: this is a snippet, not a file (line 1).
    - Facts major line 1: statements stand outside of any function: this is a snippet, not a file
    says Fine.
    ");
}

#[test]
fn missing_tests_are_a_fault_where_they_were_asked_for() {
    insta::assert_snapshot!(check("fn a() -> u8 { 1 }\n", APPROVAL), @"
    request_changes 6.0
    The reviewer approved, but tests were asked for, and there is none.
    - Facts major: tests were asked for, and there is none
    says Fine.
    ");
    insta::assert_snapshot!(check("fn a() -> u8 { 1 }\n#[test]\nfn t() { a(); }\n", APPROVAL), @"
    request_changes 6.0
    The reviewer approved, but no test asserts anything.
    - Facts major: no test asserts anything
    says Fine.
    ");
    insta::assert_snapshot!(shown(&judged(Language::Rust, "fn a() -> u8 { 1 }\n", false, APPROVAL)), @"
    approve 9.0
    says Fine.
    ");
    insta::assert_snapshot!(shown(&judged(Language::Python, "def a():\n    return 1\n", true, APPROVAL)), @"
    approve 9.0
    - Facts minor: tests were asked for, and none can be seen
    says Fine.
    ");
}

#[test]
fn panics_and_unsafe_are_told_and_do_not_decide() {
    insta::assert_snapshot!(check("fn a() -> u8 { unsafe { b().unwrap() } }\n#[test]\nfn t() { assert_eq!(a(), 1); }\n", APPROVAL), @"
    approve 9.0
    - Facts minor: 1 call(s) of unwrap, expect or panic! outside of tests
    - Facts info: 1 unsafe block(s) or function(s)
    says Fine.
    ");
}

#[test]
fn what_cannot_be_read_is_no_approval() {
    insta::assert_snapshot!(check(TESTED, "fn a() -> u8 { 1 }"), @"
    request_changes 5.0
    says The reviewer's answer could not be read, so this stands on facts alone.
    ");
    insta::assert_snapshot!(check(TESTED, "Score: 9/10"), @"
    request_changes 9.0
    says The reviewer gave no clear verdict, so changes are requested.
    ");
}

#[test]
fn an_approval_beside_a_critical_finding_is_none() {
    insta::assert_snapshot!(check(TESTED, r#"{"verdict": "approve", "findings": [{"severity": "critical", "line": 1, "message": "It is wrong."}]}"#), @"
    request_changes 5.0
    The reviewer approved, but the reviewer itself names a critical fault.
    - Model critical line 1: It is wrong.
    ");
    insta::assert_snapshot!(check(TESTED, r#"{"verdict": "approve", "findings": [{"severity": "major", "line": 1, "message": "It is odd."}]}"#), @"
    approve 5.0
    - Model major line 1: It is odd.
    ");
}

#[test]
fn a_refusal_without_a_reason_stands_and_is_told() {
    insta::assert_snapshot!(check(TESTED, r#"{"verdict": "request_changes", "summary": "Hm.", "findings": []}"#), @"
    request_changes 5.0
    says The reviewer asked for changes without naming any. Hm.
    ");
}

#[test]
fn facts_come_before_opinions_that_are_as_bad() {
    let answer = r#"{"verdict": "request_changes", "findings": [{"severity": "minor", "message": "c"}, {"severity": "major", "line": 2, "message": "b"}, {"severity": "critical", "line": 1, "message": "a"}]}"#;
    insta::assert_snapshot!(check("fn a() -> u8 { todo!() }\nfn b() {}\n", answer), @"
    request_changes 4.0
    - Facts critical: 1 part is left out with todo!() or unimplemented!()
    - Model critical line 1: a
    - Facts major: tests were asked for, and there is none
    - Model major line 2: b
    - Model minor: c
    ");
}

#[test]
fn the_score_is_the_mean_of_the_marks() {
    let answer = r#"{"verdict": "approve", "score": 1, "scores": {"quality": 8, "testing": 5}}"#;
    assert!((judged(Language::Rust, TESTED, true, answer).score - 6.5).abs() < 0.001);
    assert!(
        (judged(Language::Rust, TESTED, true, r#"{"verdict": "approve", "score": 1}"#).score - 1.0).abs()
            < 0.001
    );
    assert!(
        (judged(Language::Rust, TESTED, true, r#"{"verdict": "approve"}"#).score - SCORE_UNMARKED).abs()
            < 0.001
    );
}

fn any_opinion() -> impl Strategy<Value = Opinion> {
    let verdict = prop_oneof![Just(None), Just(Some(Verdict::Approve)), Just(Some(Verdict::RequestChanges))];
    (verdict, prop::collection::vec(0.0_f32..=10.0, 0..5), prop::option::of(0.0_f32..=10.0)).prop_map(
        |(verdict, marks, overall)| Opinion {
            verdict,
            scores: Aspect::ALL
                .into_iter()
                .zip(marks)
                .map(|(aspect, score)| AspectScore { aspect, score })
                .collect(),
            overall,
            findings: Vec::new(),
            recommendations: Vec::new(),
            summary: String::new(),
            parse: Parse::Repaired,
        },
    )
}

proptest! {
    #[test]
    fn no_opinion_gets_bad_code_approved(opinion in any_opinion(), source in prop::sample::select(vec![
        "", "fn", "fn a() { todo!() }", "let x = 1;", "fn a() {}", "// x", "fn a() {}\n#[test]\nfn t() {}",
    ])) {
        let facts = facts(Language::Rust, source);
        let judgement = judge(opinion.clone(), &Case { language: Language::Rust, source, facts: &facts, tests_expected: true });
        prop_assert_eq!(judgement.verdict, Verdict::RequestChanges);
        prop_assert!((0.0..=6.0).contains(&judgement.score));
        prop_assert_eq!(judgement.overruled.is_some(), opinion.verdict == Some(Verdict::Approve));
    }

    #[test]
    fn only_an_approval_approves(opinion in any_opinion()) {
        let facts = facts(Language::Rust, TESTED);
        let judgement = judge(opinion.clone(), &Case { language: Language::Rust, source: TESTED, facts: &facts, tests_expected: true });
        prop_assert_eq!(judgement.verdict == Verdict::Approve, opinion.verdict == Some(Verdict::Approve));
        prop_assert!((0.0..=10.0).contains(&judgement.score));
    }
}
