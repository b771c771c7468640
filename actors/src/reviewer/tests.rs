use playhouse_protocol::Usage;
use playhouse_protocol::completion::{Completion, Origin, ProviderKind, Route, Sampling, StopReason};
use playhouse_protocol::generate::{SPEC_BYTES_MAX, join_source};
use playhouse_protocol::review::{CODE_BYTES_MAX, FindingSource, Parse, Review, ReviewCode, Verdict};

use super::CodeReviewer;
use super::agent::read_answer;
use crate::agent::Agent;
use crate::code::facts::facts;

fn reviewed(request: &ReviewCode, answer: &str) -> Review {
    let source = join_source(&request.code, &request.tests);
    let completion = Completion {
        text: answer.to_owned(),
        stop_reason: StopReason::Stop,
        usage: Usage::default(),
        usage_reported: true,
        route: Route::default(),
        origin: Origin { model: "m".to_owned(), provider: ProviderKind::Scripted, request_id: None },
    };
    read_answer(request, &source, facts(request.language, &source), completion)
}

fn request(code: &str) -> ReviewCode {
    ReviewCode { code: code.to_owned(), ..ReviewCode::default() }
}

#[test]
fn an_approval_of_code_that_does_not_parse_is_overruled_with_the_line() {
    let review =
        reviewed(&request("fn f() {\n    1 +\n}"), r#"{"verdict": "approve", "scores": {"quality": 10}}"#);
    assert_eq!(review.verdict, Verdict::RequestChanges);
    assert!(review.overruled.is_some());
    assert!(review.score <= 2.0);
    let worst = &review.findings[0];
    assert_eq!((worst.source, worst.lines.map(|lines| lines.first)), (FindingSource::Facts, Some(3)));
}

#[test]
fn findings_may_lie_in_the_tests_that_stand_behind_the_code() {
    let mut request = request("fn f() -> u8 {\n    1\n}");
    request.tests = "#[test]\nfn one() {\n    assert_eq!(f(), 1);\n}".to_owned();
    let answer = r#"{"verdict": "request_changes", "findings": [
        {"severity": "minor", "line": 7, "message": "in the tests"},
        {"severity": "minor", "line": 70, "message": "nowhere"}]}"#;
    let review = reviewed(&request, answer);
    let lines: Vec<_> =
        review.findings.iter().map(|finding| finding.lines.map(|lines| lines.first)).collect();
    assert_eq!(lines, [Some(7), None]);
}

#[test]
fn an_unreadable_answer_is_never_an_approval() {
    let review = reviewed(&request("fn f() {}"), "The weather is nice.");
    assert_eq!((review.verdict, review.parse), (Verdict::RequestChanges, Parse::Unreadable));
}

#[test]
fn wrong_requests_are_refused_by_the_field_that_is_wrong() {
    let ok = request("fn f() {}");
    let sampling = Sampling { temperature: Some(9.0), ..Sampling::default() };
    for (request, word) in [
        (request("  \n"), "the code: it is empty"),
        (request(&"x".repeat(CODE_BYTES_MAX + 1)), "the limit is 262144"),
        (ReviewCode { spec: Some("x".repeat(SPEC_BYTES_MAX + 1)), ..ok.clone() }, "the limit is 65536"),
        (ReviewCode { sampling, ..ok.clone() }, "temperature is 9"),
    ] {
        let failure = CodeReviewer.validate(&request).unwrap_err();
        assert!(failure.message.contains(word), "{failure}");
    }
    assert!(CodeReviewer.validate(&ok).is_ok());
}
