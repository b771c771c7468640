//! `develop --from`: many specs at once.

use crate::home::{APPROVE, CODE, Home, TO_REVIEWER};

/// Three specs, of which the second fails at the model.
fn home() -> Home {
    let home = Home::scripted(&format!(
        "entries:
  - match: {{ contains: {TO_REVIEWER} }}
    answer: '{APPROVE}'
  - match: {{ contains: the broken one }}
    error: {{ status: 503, message: overloaded }}
default:
  answer: |{CODE}
"
    ));
    home.write(
        "specs.yaml",
        "- Add.\n- {name: broken, spec: Write the broken one.}\n- {name: sum, spec: Sum.}\n",
    );
    home
}

#[test]
fn results_keep_the_order_of_the_file_and_one_that_fails_takes_no_other_along() {
    let ended = home().run(&["develop", "--from", "specs.yaml", "--format", "json"]).with_code(3);
    let json = ended.json();
    assert_eq!((&json["schema_version"], &json["kind"]), (&1.into(), &"developed_many".into()));
    let outcomes: Vec<_> = json["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| (item["name"].as_str().unwrap(), item["status"].as_str().unwrap()))
        .collect();
    assert_eq!(outcomes, [("spec-1", "approved"), ("broken", "failed"), ("sum", "approved")]);
    assert_eq!(json["items"][1]["failure"]["class"], "retryable");
    assert!(ended.stderr.contains("2 approved, 1 failed of 3 specs"), "{}", ended.stderr);
}

#[test]
fn a_folder_gets_a_file_for_each_result_and_a_report() {
    let home = home();
    let ended = home.run(&["develop", "--from", "specs.yaml", "--output", "out/deep"]).with_code(3);
    assert!(home.read("out/deep/spec-1.rs").contains("checked_add"));
    assert!(home.exists("out/deep/sum.rs") && !home.exists("out/deep/broken.rs"));
    let report: serde_json::Value = serde_json::from_str(&home.read("out/deep/report.json")).unwrap();
    assert_eq!(report["items"][0]["file"], "spec-1.rs");
    assert_eq!(report["items"][1]["file"], serde_json::Value::Null);
    assert!(ended.stdout.contains("2 approved, 1 failed of 3 specs"), "{}", ended.stdout);
    assert!(ended.stdout.contains("broken: error: failed to ask model demo"), "{}", ended.stdout);
}

#[test]
fn all_that_succeeds_ends_with_zero() {
    let home = home();
    home.write("specs.yaml", "- Add.\n- Sum.\n");
    let ended = home.run(&["develop", "--from", "specs.yaml", "--width", "1", "--quiet"]).with_code(0);
    assert_eq!(ended.stderr, "");
    assert!(ended.stdout.contains("── spec-1 ──\napproved in round 1"), "{}", ended.stdout);
    assert!(ended.stdout.contains("2 approved of 2 specs"));
}

#[test]
fn a_fault_in_the_file_is_told_with_its_line() {
    let home = home();
    home.write("specs.yaml", "- Add.\n- spec: Sum.\n  langauge: rust\n");
    let ended = home.run(&["develop", "--from", "specs.yaml"]).with_code(2);
    assert_eq!(
        ended.stderr,
        "error: failed to read the specs: specs.yaml:3:3: 1.langauge: unknown key\nhint: did you mean `language`?\n"
    );
}
