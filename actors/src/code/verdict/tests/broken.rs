use super::*;

#[test]
fn commas_quotes_and_keys() {
    insta::assert_snapshot!(check(r#"{"verdict": "approve", "findings": [], }"#), @"Repaired: approve");
    insta::assert_snapshot!(check("{'verdict': 'approve', 'summary': 'It doesn't fail'}"), @"
    Repaired: approve
    says It doesn't fail
    ");
    insta::assert_snapshot!(check("{verdict: approve, summary: all is well, findings: []}"), @"
    Repaired: approve
    says all is well
    ");
    insta::assert_snapshot!(check("{\"verdict\": \"approve\"\n\"summary\": \"no commas\"\n\"findings\": []}"), @"
    Repaired: approve
    says no commas
    ");
    insta::assert_snapshot!(check(r#"{"verdict" = "reject"; "summary": "the "best" name is "x", says the spec"}"#), @r#"
    Repaired: request_changes
    says the "best" name is "x
    "#);
    insta::assert_snapshot!(check("{“verdict”: “approve”, “summary”: “fine”}"), @"
    Repaired: approve
    says fine
    ");
}

#[test]
fn python_and_comments() {
    insta::assert_snapshot!(check("{'approved': False, 'score': None, 'findings': []}"), @"Repaired: request_changes");
    insta::assert_snapshot!(check("{\n  // my verdict\n  \"verdict\": \"approve\", # yes\n  /* marks */ \"scores\": {\"testing\": 5 // half\n }\n}"), @"
    Repaired: approve
    testing 5
    ");
}

#[test]
fn a_cut_end() {
    insta::assert_snapshot!(check(r#"{"verdict": "request_changes", "findings": [{"severity": "major", "line": 3, "message": "The loop ne"#), @"
    Repaired: request_changes
    - major 3-3: The loop ne
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "request_changes", "scores": {"functionality": 4, "qual"#), @"
    Repaired: request_changes
    functionality 4
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "request_changes", "scores": {"functionality": 4, "quality":"#), @"
    Repaired: request_changes
    functionality 4
    ");
    insta::assert_snapshot!(check(r#"{"summary": "I think", "verdict": "appr"#), @r#"
    Unreadable: none
    says {"summary": "I think", "verdict": "appr
    "#);
    insta::assert_snapshot!(check("```json\n{\"verdict\": \"approve\",\n"), @"Repaired: approve");
}

#[test]
fn brackets_that_do_not_fit() {
    insta::assert_snapshot!(check(r#"{"verdict": "approve", "findings": [{"message": "a"], "summary": "b"}"#), @"
    Repaired: approve
    - minor: a
    says b
    ");
    insta::assert_snapshot!(check(r#"{"verdict": "approve"]}"#), @"Repaired: approve");
    insta::assert_snapshot!(check(r#"{{"verdict": "approve"}}"#), @"Repaired: approve");
}

#[test]
fn line_ends_in_strings_and_escapes() {
    insta::assert_snapshot!(check("{\"verdict\": \"approve\", \"summary\": \"two\nlines \\u00e9 \\ud83d\\ude00 \\d \\'\"}"), @r"
    Repaired: approve
    says two
    lines é 😀 \d '
    ");
}

#[test]
fn the_first_review_stands_when_a_model_repeats_itself() {
    insta::assert_snapshot!(check("{\"verdict\": \"request_changes\"}\n{\"verdict\": \"approve\"}"), @"Repaired: request_changes");
}
