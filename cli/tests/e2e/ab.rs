//! A/B tests over several processes: `develop` asks two scripted models of which one is reviewed badly.

use crate::home::{APPROVE, CHANGES, Home, TO_REVIEWER};

const SETTINGS: &str = "
models:
  good: { provider: scripted, script: good.yaml }
  poor: { provider: scripted, script: poor.yaml }
  critic: { provider: scripted, script: critic.yaml }
selection:
  default: good
  by_task: { review: critic }
  split: { generate: { good: 1, poor: 1 } }
  ab: { generate: { baseline: good, outcomes_min: 3, false_winners: 0.5 } }
experiments: { dir: experiments }
";

/// An answer of a model that writes this function.
fn code(name: &str) -> String {
    format!("default:\n  answer: \"```rust\\nfn {name}() {{}}\\n```\"\n")
}

fn home() -> Home {
    let home = Home::empty();
    home.write("playhouse.yaml", SETTINGS);
    home.write("good.yaml", code("good"));
    home.write("poor.yaml", code("poor"));
    let reproach = CHANGES.replace(": 5", ": 0");
    home.write(
        "critic.yaml",
        format!("entries:\n  - match: {{ contains: fn poor }}\n    answer: '{reproach}'\n  - match: {{ contains: {TO_REVIEWER} }}\n    answer: '{APPROVE}'\n"),
    );
    home
}

/// How the arm `poor` stands.
fn poor(home: &Home) -> serde_json::Value {
    let json = home.run(&["experiment", "status", "--format", "json"]).with_code(0).json();
    assert_eq!(json["kind"], "ab_tests");
    json["tests"][0]["arms"].as_array().unwrap().iter().find(|arm| arm["arm"] == "poor").unwrap().clone()
}

#[test]
fn an_arm_that_is_reviewed_badly_is_stopped_and_stays_so_until_somebody_puts_it_back() {
    let home = home();
    assert!(poor(&home)["stopped"].is_null());
    let stopped = (0..60).any(|_| {
        home.run(&["develop", "Do nothing.", "--rounds", "1"]).with_code(0);
        !poor(&home)["stopped"].is_null()
    });
    assert!(stopped, "{}", poor(&home));
    assert_eq!(poor(&home)["verdict"], "harmful");
    let table = home.run(&["experiment", "status"]).with_code(0).stdout;
    assert!(table.contains("the baseline") && table.contains("stopped since "), "{table}");
    for _ in 0..8 {
        let json =
            home.run(&["develop", "Do nothing.", "--rounds", "1", "--format", "json"]).with_code(0).json();
        assert!(json["code"].as_str().unwrap().contains("fn good"), "{json}");
    }
    let why = home.run(&["models", "why", "--task", "generate"]).with_code(0).stdout;
    assert!(why.contains("is stopped: its answers have a mean score of"), "{why}");
    let back = ["experiment", "resume-arm", "generate", "poor", "--reason", "another prompt"];
    home.run(&back).with_code(0);
    assert!(poor(&home)["stopped"].is_null());
    let again = home.run(&back).with_code(2).stderr;
    assert!(again.contains("put arm poor of generate back: it is not stopped"), "{again}");
}

#[test]
fn without_a_test_in_the_settings_there_is_nothing_to_show() {
    let home = Home::approving();
    let ended = home.run(&["experiment", "status"]).with_code(0);
    assert!(ended.stdout.is_empty() && ended.stderr.contains("selection.ab"), "{}", ended.stderr);
}
