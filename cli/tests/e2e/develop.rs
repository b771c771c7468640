//! `develop`, `generate` and `review` on scripted answers.

use crate::home::{APPROVE, CHANGES, CODE, Home, TO_REVIEWER};

const LABEL: &str = "scripted answers: no model was asked";

#[test]
fn developed_code_stands_under_its_verdict_and_above_its_review() {
    let ended = Home::approving().run(&["develop", "Add two numbers."]).with_code(0);
    let lines: Vec<_> = ended.stdout.lines().collect();
    assert!(lines[0].starts_with("approved in round 1 · demo · "), "{}", ended.stdout);
    assert_eq!(lines[1], LABEL);
    assert!(ended.stdout.contains("\npub fn add(a: u64, b: u64) -> Option<u64> {\n"));
    assert!(ended.stdout.contains("\n    fn adds() {\n"));
    assert!(ended.stdout.contains("\nreview: approved, "));
    assert!(ended.stdout.contains("\n  Short and clear.\n"));
}

#[test]
fn changes_that_were_requested_make_a_second_round() {
    let home = Home::scripted(&format!(
        "entries:
  - match: {{ contains: {TO_REVIEWER}, nth: 1 }}
    answer: '{CHANGES}'
  - match: {{ contains: {TO_REVIEWER} }}
    answer: '{APPROVE}'
  - match: {{ contains: earlier attempt }}
    answer: |{CODE}
default:
  answer: |{}
",
        CODE.replace("      /// Adds two numbers.\n", "")
    ));
    let ended = home.run(&["develop", "Add two numbers.", "--format", "json"]).with_code(0);
    let json = ended.json();
    assert_eq!(json["approved"], true);
    assert_eq!(json["best_round"], 2);
    assert_eq!(json["rounds"][0]["review"]["findings"][0]["message"], "there is no comment");
    assert_eq!(json["rounds"][1]["review"]["verdict"], "approve");
}

#[test]
fn every_form_is_labelled_when_no_model_was_asked() {
    let home = Home::approving();
    home.write("add.rs", "pub fn add() {}\n");
    for (command, subject) in [("develop", "Add."), ("generate", "Add."), ("review", "add.rs")] {
        for format in ["text", "json", "markdown"] {
            let ended = home.run(&[command, subject, "--format", format]).with_code(0);
            assert!(ended.stdout.contains(LABEL), "{command} --format {format}:\n{}", ended.stdout);
        }
    }
}

#[test]
fn json_has_a_schema_version_and_the_whole_result() {
    let home = Home::approving();
    let develop = home.run(&["develop", "Add.", "--format", "json"]).with_code(0).json();
    assert_eq!((&develop["schema_version"], &develop["kind"]), (&1.into(), &"developed".into()));
    assert_eq!(develop["scripted"], true);
    assert!(develop["code"].as_str().unwrap().contains("checked_add"));
    let generate = home.run(&["generate", "Add.", "--format", "json"]).with_code(0).json();
    assert_eq!(generate["kind"], "generated");
    assert_eq!(generate["facts"]["parses"], true);
    home.write("add.rs", "pub fn add() {}\n");
    let review = home.run(&["review", "add.rs", "--format", "json"]).with_code(0).json();
    assert_eq!((&review["kind"], &review["verdict"]), (&"reviewed".into(), &"approve".into()));
}

#[test]
fn a_report_in_markdown_has_every_round() {
    let ended = Home::approving().run(&["develop", "Add.", "--format", "markdown"]).with_code(0);
    for part in ["# Develop: Add.\n", "## Round 1\n", "### Review\n", "```rust\n", "| functionality | 9.0 |"]
    {
        assert!(ended.stdout.contains(part), "{part:?} is not in:\n{}", ended.stdout);
    }
}

#[test]
fn an_output_file_holds_the_source_and_replaces_the_old_one() {
    let home = Home::approving();
    home.write("add.rs", "old");
    let ended = home.run(&["develop", "Add.", "--output", "add.rs"]).with_code(0);
    let source = home.read("add.rs");
    assert!(source.starts_with(&format!("// {LABEL}\n")), "{source}");
    assert!(source.contains("checked_add") && source.contains("#[test]"));
    assert!(ended.stdout.starts_with("approved in round 1"));
    assert!(!ended.stdout.contains("checked_add"));
    assert_eq!(home.names(), ["add.rs", "answers.yaml", "playhouse.yaml"]);
}

#[test]
fn a_failed_command_leaves_the_old_file_as_it_was() {
    let home = Home::scripted("default: { error: { class: denied, message: no } }");
    home.write("add.rs", "old");
    home.run(&["develop", "Add.", "--output", "add.rs"]).with_code(4);
    assert_eq!(home.read("add.rs"), "old");
    assert_eq!(home.names(), ["add.rs", "answers.yaml", "playhouse.yaml"]);
}

#[test]
fn an_output_that_cannot_be_written_is_told_before_a_model_is_asked() {
    let home = Home::approving();
    let ended = home.run(&["develop", "Add.", "--output", "no/such/add.rs"]).with_code(2);
    assert_eq!(
        ended.stderr,
        "error: failed to write no/such/add.rs: the folder no/such does not exist\n\
         hint: Make the folder first, or name another file.\n"
    );
}

#[test]
fn progress_is_a_line_a_phase_without_escape_codes_when_nobody_watches() {
    let ended = Home::approving().run(&["develop", "Add."]).with_code(0);
    assert!(ended.stderr.contains("writing code with demo\n"), "{}", ended.stderr);
    assert!(ended.stderr.contains("reviewing with demo\n"), "{}", ended.stderr);
    assert!(!ended.stderr.contains('\u{1b}') && !ended.stdout.contains('\u{1b}'));
    assert!(!ended.stderr.contains("checked_add"), "no tokens where nobody watches");
}

#[test]
fn colours_are_there_when_they_are_asked_for() {
    let ended = Home::approving().run(&["develop", "Add.", "--color", "always"]).with_code(0);
    assert!(ended.stdout.starts_with("\u{1b}[1;32mapproved in round 1\u{1b}[0m"));
}

#[test]
fn quiet_prints_nothing_but_the_result() {
    let ended = Home::approving().run(&["develop", "Add.", "--quiet"]).with_code(0);
    assert_eq!(ended.stderr, "");
    assert!(ended.stdout.contains("checked_add"));
}

#[test]
fn no_approval_is_an_error_only_for_those_who_require_one() {
    let home = Home::scripted(&format!(
        "entries:\n  - match: {{ contains: {TO_REVIEWER} }}\n    answer: '{CHANGES}'\ndefault:\n  answer: |{CODE}\n"
    ));
    let ended = home.run(&["develop", "Add.", "--rounds", "1"]).with_code(0);
    assert!(ended.stdout.starts_with("not approved after 1 round"), "{}", ended.stdout);
    home.run(&["develop", "Add.", "--rounds", "1", "--require-approval"]).with_code(7);
    home.write("add.rs", "fn add() {}\n");
    home.run(&["review", "add.rs"]).with_code(0);
    home.run(&["review", "add.rs", "--require-approval"]).with_code(7);
}

#[test]
fn a_spec_and_code_can_come_from_standard_input() {
    let home = Home::approving();
    home.run_with_stdin(&["develop", "-"], "Add two numbers.").with_code(0);
    let ended = home.run_with_stdin(&["review", "-", "--language", "python"], "print(1)\n").with_code(0);
    assert!(ended.stdout.starts_with("approved · "), "{}", ended.stdout);
}

#[test]
fn a_reader_who_goes_away_is_no_error() {
    let home = Home::approving();
    let mut child = home.command(&["develop", "Add."]).spawn().unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(0));
    assert!(!String::from_utf8_lossy(&ended.stderr).contains("error"));
}
