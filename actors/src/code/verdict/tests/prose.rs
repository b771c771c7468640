use super::*;

#[test]
fn approvals() {
    insta::assert_snapshot!(check("I approve this code."), @"
    Prose: approve
    says I approve this code.
    ");
    insta::assert_snapshot!(check("LGTM!"), @"Prose: approve");
    insta::assert_snapshot!(check("Looks good to me. Score: 8/10"), @"
    Prose: approve
    overall 8
    ");
    insta::assert_snapshot!(check("No issues found, approved."), @"
    Prose: approve
    says No issues found, approved.
    ");
    insta::assert_snapshot!(check("The code is correct. No changes needed."), @"
    Prose: approve
    says The code is correct. No changes needed.
    ");
    insta::assert_snapshot!(check("**Verdict:** Approve\n\nIt would be wrong to request changes."), @"
    Prose: approve
    says It would be wrong to request changes.
    ");
}

#[test]
fn refusals() {
    insta::assert_snapshot!(check("I cannot approve this code."), @"
    Prose: request_changes
    says I cannot approve this code.
    ");
    insta::assert_snapshot!(check("I don’t approve it."), @"
    Prose: request_changes
    says I don’t approve it.
    ");
    insta::assert_snapshot!(check("This should not be approved yet."), @"
    Prose: request_changes
    says This should not be approved yet.
    ");
    insta::assert_snapshot!(check("Request changes: the loop is wrong."), @"
    Prose: request_changes
    says Request changes: the loop is wrong.
    ");
    insta::assert_snapshot!(check("I would approve it if the tests passed."), @"
    Prose: request_changes
    says I would approve it if the tests passed.
    ");
    insta::assert_snapshot!(check("Approved once the bounds are checked."), @"
    Prose: request_changes
    says Approved once the bounds are checked.
    ");
    insta::assert_snapshot!(check("The code is not correct. The function should return a `u64`.\nHere's the corrected code:\n```rust\nfn f() {}\n```"), @"
    Prose: request_changes
    says The code is not correct. The function should return a `u64`.
    ");
    insta::assert_snapshot!(check("Nothing here is incorrect."), @"
    Unreadable: none
    says Nothing here is incorrect.
    ");
    insta::assert_snapshot!(check("The code needs work."), @"
    Prose: request_changes
    says The code needs work.
    ");
    insta::assert_snapshot!(check("Looks good to me. But line 3 is unacceptable."), @"
    Prose: request_changes
    says Looks good to me. But line 3 is unacceptable.
    ");
    insta::assert_snapshot!(check("Verdict: approve\nOn second thought:\nVerdict: request_changes"), @"Prose: request_changes");
}

#[test]
fn marks() {
    insta::assert_snapshot!(check("Functionality: 8/10\n**Code Quality**: 7\n- Testing - 5/10\n| Security | 9 |\nMaintainability (0-10): 6\nOverall Score: 7.0 out of 10"), @"
    Prose: none
    functionality 8, quality 7, testing 5, maintainability 6, security 9
    overall 7
    ");
    insta::assert_snapshot!(check("Testing 5 inputs takes 3 seconds. Quality is 100 times better."), @"
    Unreadable: none
    says Testing 5 inputs takes 3 seconds. Quality is 100 times better.
    ");
}

#[test]
fn lists_under_headings() {
    insta::assert_snapshot!(check("The function is nearly right.\n\n### Issues\n1. Major: off by one in line 3\n2. `x` is a bad name\n\n**Recommendations:**\n- Add a test\n- None\n\nVerdict: Request Changes"), @"
    Prose: request_changes
    - major 3-3: off by one in line 3
    - minor: `x` is a bad name
    * Add a test
    says The function is nearly right.
    ");
}

#[test]
fn words_in_code_are_no_opinion() {
    insta::assert_snapshot!(check("```rust\n// I approve. Score: 9/10\nfn approve() -> bool { true }\n```"), @"Unreadable: none");
    insta::assert_snapshot!(check("Here is the corrected code:\n```rust\nfn approve() {}\n```"), @"Unreadable: none");
}

#[test]
fn nothing_that_can_be_read() {
    insta::assert_snapshot!(check(""), @"Unreadable: none");
    insta::assert_snapshot!(check("The function adds two numbers."), @"
    Unreadable: none
    says The function adds two numbers.
    ");
    insta::assert_snapshot!(check("{}"), @"Unreadable: none");
    insta::assert_snapshot!(check("[1, 2, 3]"), @"
    Unreadable: none
    says [1, 2, 3]
    ");
    insta::assert_snapshot!(check("Use \"approve\" or \"request_changes\"."), @r#"
    Unreadable: none
    says Use "approve" or "request_changes".
    "#);
}
