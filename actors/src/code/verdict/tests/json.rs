use super::*;

const EXACT: &str = r#"{"verdict": "request_changes", "summary": "Off by one.", "scores": {"functionality": 4, "quality": 7.5, "testing": 3, "maintainability": 8, "security": 10}, "findings": [{"severity": "major", "line": 3, "message": "The range is too long.", "suggestion": "Use 0..len."}, {"severity": "info", "line": null, "message": "Name it.", "suggestion": null}], "recommendations": ["Add a test."]}"#;

#[test]
fn an_answer_as_it_was_asked_for_is_exact() {
    insta::assert_snapshot!(check(EXACT), @"
    Exact: request_changes
    functionality 4, quality 7.5, testing 3, maintainability 8, security 10
    - major 3-3: The range is too long. -> Use 0..len.
    - info: Name it.
    * Add a test.
    says Off by one.
    ");
    assert_eq!(parse_of(&format!("\n{EXACT}\n")), Parse::Exact);
}

#[test]
fn the_same_in_a_fence_or_in_text_is_repaired() {
    let exact = check(EXACT).replace("Exact", "Repaired");
    assert_eq!(check(&format!("```json\n{EXACT}\n```")), exact);
    assert_eq!(check(&format!("Here is my review:\n\n{EXACT}\n\nI hope it helps!")), exact);
    assert_eq!(
        check(&format!("The code `fn a() {{}}` is bad.\n```rust\nfn a() {{ b[0] }}\n```\n{EXACT}")),
        exact
    );
    assert_eq!(check(&format!("{{\"review\": {EXACT}}}")), exact);
    assert_eq!(check(&format!("<think>{{\"verdict\": \"approve\"}}</think>{EXACT}")), check(EXACT));
}

#[test]
fn other_names_for_a_verdict() {
    insta::assert_snapshot!(check(r#"{"approved": true}"#), @"Repaired: approve");
    insta::assert_snapshot!(check(r#"{"approved": false, "score": 9}"#), @"
    Repaired: request_changes
    overall 9
    ");
    insta::assert_snapshot!(check(r#"{"decision": "LGTM"}"#), @"Repaired: approve");
    insta::assert_snapshot!(check(r#"{"Verdict": "Changes Requested"}"#), @"Repaired: request_changes");
    insta::assert_snapshot!(check(r#"{"verdict": "not approved"}"#), @"Repaired: request_changes");
    insta::assert_snapshot!(check(r#"{"verdict": "REQUEST-CHANGES"}"#), @"Repaired: request_changes");
    insta::assert_snapshot!(check(r#"{"status": "success", "findings": []}"#), @"Repaired: none");
}

#[test]
fn a_copied_template_is_no_verdict() {
    insta::assert_snapshot!(check(r#"{"verdict": "approve" or "request_changes", "summary": "one sentence", "scores": {"functionality": 0-10, "quality": 0-10}, "findings": [{"severity": "info" or "minor", "line": number or null, "message": "what is wrong", "suggestion": "how to repair it"}], "recommendations": ["text"]}"#), @"Repaired: none");
    insta::assert_snapshot!(check(r#"{"verdict": "approve" | "request_changes", "findings": []}"#), @"Repaired: none");
    insta::assert_snapshot!(check(r#"{"verdict": "approve|request_changes", "findings": []}"#), @"Repaired: none");
}

#[test]
fn two_verdicts_that_disagree_are_no_approval() {
    insta::assert_snapshot!(check(r#"{"verdict": "approve", "approved": false}"#), @"Repaired: request_changes");
}

#[test]
fn marks_on_other_scales() {
    insta::assert_snapshot!(check(r#"{"verdict": "approve", "overall_score": "8/10"}"#), @"
    Repaired: approve
    overall 8
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "approve", "overallScore": 85}"#), @"
    Repaired: approve
    overall 8.5
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "approve", "score": "4 out of 5"}"#), @"
    Repaired: approve
    overall 8
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "approve", "score": "92%"}"#), @"
    Repaired: approve
    overall 9.2
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "approve", "scores": {"functionality": 12, "quality": -3, "testing": "7.5 (fair)", "security": 1e300}}"#), @"
    Repaired: approve
    functionality 1.2, quality 0, testing 7.5
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "approve", "scores": {"functionality": NaN, "quality": Infinity, "testing": null, "security": "high"}}"#), @"Repaired: approve");
}

#[test]
fn marks_in_other_places() {
    insta::assert_snapshot!(check(r#"{"functionality": 8, "code_quality": 6, "verdict": "approve"}"#), @"
    Repaired: approve
    functionality 8, quality 6
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "approve", "scores": [{"aspect": "Security", "score": 5}, {"name": "correctness", "value": "6/10"}]}"#), @"
    Repaired: approve
    functionality 6, security 5
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "approve", "scores": {"functionality": {"score": 7, "comment": "ok"}}}"#), @"
    Repaired: approve
    functionality 7
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "approve", "scores": [10, "8/10"], "findings": [{"line": 10, "message": "a", "severity": 1}]}"#), @"
    Repaired: approve
    overall 9
    - minor 10-10: a
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "approve", "scores": 7}"#), @"
    Repaired: approve
    overall 7
    ");
}

#[test]
fn the_earlier_systems_answer() {
    insta::assert_snapshot!(check("```json\n{\"overall_score\": 7.5, \"metrics\": {\"pep8_compliance\": true, \"pep8_score\": 8.0, \"has_docstrings\": true, \"test_coverage\": \"good\", \"complexity_score\": 3}, \"issues\": [\"No error handling in line 4\"], \"recommendations\": [\"Add type hints\"]}\n```"), @"
    Repaired: none
    quality 8
    overall 7.5
    - minor 4-4: No error handling in line 4
    * Add type hints
    ");
}

#[test]
fn findings_in_other_forms() {
    insta::assert_snapshot!(check(r#"{"verdict": "reject", "issues": ["Line 3: no bounds check", "unclear name"]}"#), @"
    Repaired: request_changes
    - minor 3-3: Line 3: no bounds check
    - minor: unclear name
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "reject", "problems": "It panics on lines 3-5."}"#), @"
    Repaired: request_changes
    - minor 3-5: It panics on lines 3-5.
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "reject", "findings": {"level": "HIGH", "lineNumber": 2, "description": "bad", "fix": "better", "category": "Security"}}"#), @"
    Repaired: request_changes
    - major 2-2 (security): bad -> better
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "reject", "findings": [{"severity": "blocker", "lines": [3, 5], "issue": "a"}, {"severity": "nit", "lines": {"first": 2, "last": 4}, "issue": "b"}, {"severity": "odd", "start_line": 1, "end_line": 2, "issue": "c"}, {"location": "L7", "message": "d"}]}"#), @"
    Repaired: request_changes
    - critical 3-5: a
    - minor 1-2: c
    - minor 7-7: d
    - info 2-4: b
    ");
    insta::assert_snapshot!(check(r#"[{"severity": "major", "line": 1, "message": "a"}, {"severity": "critical", "line": 2, "message": "b"}]"#), @"
    Repaired: none
    - critical 2-2: b
    - major 1-1: a
    ");
}

#[test]
fn findings_that_say_nothing_are_none() {
    insta::assert_snapshot!(check(r#"{"verdict": "approve", "findings": ["None", "", "No issues found.", {"severity": "minor", "message": ""}, 7, null], "recommendations": "None"}"#), @"Repaired: approve");
}

#[test]
fn lines_that_do_not_exist_are_dropped() {
    insta::assert_snapshot!(check(r#"{"verdict": "reject", "findings": [{"line": 0, "message": "a"}, {"line": 21, "message": "b"}, {"lines": "5-3", "message": "c"}, {"lines": "19-25", "message": "d"}, {"line": -1, "message": "e"}, {"line": 1.5, "message": "f"}, {"line": 20, "message": "g"}, {"line": 99999999999, "message": "h"}]}"#), @"
    Repaired: request_changes
    - minor: a
    - minor: b
    - minor: c
    - minor: d
    - minor: e
    - minor: f
    - minor 20-20: g
    - minor: h
    ");
}
