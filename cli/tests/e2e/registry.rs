//! Registered models: versions, what is in production, and the step back.

use crate::home::{APPROVE, Home};

/// Settings with one model that a registered one is made of.
fn settings(script: &str) -> String {
    format!("models:\n  demo: {{ provider: scripted, script: {script} }}\nselection:\n  default: '@coder'\n")
}

/// Two versions of `coder`, of which the first one approves and the second one does not speak.
fn two_versions() -> Home {
    let home = Home::empty();
    home.write("good.yaml", format!("default:\n  answer: '{APPROVE}'\n"));
    home.write("bad.yaml", "default: { answer: nothing useful }\n");
    for script in ["good.yaml", "bad.yaml"] {
        home.write("playhouse.yaml", settings(script));
        home.run(&["models", "register", "coder", "--entry", "demo"]).with_code(0);
    }
    home
}

#[test]
fn promoting_and_rolling_back_decide_which_settings_answer() {
    let home = two_versions();
    let why = |expected: &str| {
        let text = home.run(&["models", "why", "--task", "review"]).with_code(0).stdout;
        assert!(text.starts_with(&format!("review: {expected}\n")), "{text}");
        assert!(text.contains(&format!("The alias @coder leads to {expected}.")), "{text}");
    };
    for version in ["1", "2"] {
        let args = ["models", "promote", "coder", version, "--reason", "better"];
        let text = home.run(&args).with_code(0).stdout;
        assert_eq!(text, format!("@coder leads to version {version}\n"));
        why(&format!("coder@{version}"));
    }
    let code = "fn one() -> u8 { 1 }";
    home.write("one.rs", code);
    let text =
        home.run(&["models", "rollback", "coder", "--reason", "it answers nothing"]).with_code(0).stdout;
    assert_eq!(text, "@coder leads to version 1 again\n");
    why("coder@1");
    // The entry that the version was made of has other settings by now: the version has its own.
    let review = home.run(&["review", "one.rs", "--format", "json"]).with_code(0).json();
    assert!(review.to_string().contains("coder@1"), "{review}");
    let text = home.run(&["models", "versions", "coder"]).with_code(0).stdout;
    for part in
        ["coder@1", "production", "archived", "rolled back", "it answers nothing", "registered from demo"]
    {
        assert!(text.contains(part), "{part:?} is not in:\n{text}");
    }
    let json = home.run(&["models", "versions", "--format", "json"]).with_code(0).json();
    let model = &json["models"][0];
    assert_eq!(
        (&model["name"], &model["production"], &model["candidate"]),
        (&"coder".into(), &1.into(), &().into())
    );
    assert_eq!(
        (model["versions"].as_array().unwrap().len(), model["history"].as_array().unwrap().len()),
        (2, 5)
    );
}

#[test]
fn a_version_can_be_named_by_whoever_asks() {
    let home = two_versions();
    home.write("one.rs", "fn one() -> u8 { 1 }");
    let args = ["review", "one.rs", "--model", "@coder:1", "--format", "json"];
    let review = home.run(&args).with_code(0).json();
    assert!(review.to_string().contains("coder@1"), "{review}");
    let asked =
        home.run(&["models", "why", "--task", "x", "--model", "@coder:candidate"]).with_code(0).stdout;
    assert!(asked.starts_with("x: coder@2\n"), "{asked}");
}

#[test]
fn what_leads_nowhere_is_told_with_what_does_and_changes_nothing() {
    let home = two_versions();
    let ended = home.run(&["models", "why", "--task", "x", "--model", "@codr"]);
    assert!(ended.stderr.contains("the registered models are @coder"), "{}", ended.stderr);
    assert!(ended.stderr.contains("Did you mean @coder?"), "{}", ended.stderr);
    let again = home.run(&["models", "register", "coder", "--entry", "demo"]).with_code(0).stdout;
    assert_eq!(again, "demo is version 2 of coder already\n");
    let before = home.read(".local/state/playhouse/experiments/registry.json");
    for args in [
        &["models", "promote", "coder", "3", "--reason", "x"][..],
        &["models", "promote", "coder", "1", "--reason", " "],
        &["models", "rollback", "coder", "--reason", "x"],
        &["models", "register", "a b", "--entry", "demo"],
        &["models", "register", "coder", "--entry", "nobody"],
    ] {
        let ended = home.run(args);
        assert!(
            ended.stderr.contains("hint: ") || ended.stderr.contains("a name is"),
            "{args:?}: {}",
            ended.stderr
        );
    }
    assert_eq!(home.read(".local/state/playhouse/experiments/registry.json"), before);
}

#[test]
fn a_damaged_registry_stands_in_nobodys_way_and_is_not_written_over() {
    let home = two_versions();
    let file = ".local/state/playhouse/experiments/registry.json";
    home.write(file, "{");
    let ended = home.run(&["models", "list"]).with_code(0);
    assert!(ended.stderr.contains("registry.json"), "{}", ended.stderr);
    let ended = home.run(&["models", "promote", "coder", "1", "--reason", "x"]);
    assert!(ended.stderr.contains("it is not written over"), "{}", ended.stderr);
    assert_eq!(home.read(file), "{");
}

#[test]
fn a_tracking_server_that_is_away_is_told_later() {
    let home = two_versions();
    let tracked = settings("bad.yaml") + "experiments: { tracking_uri: 'http://127.0.0.1:1' }\n";
    home.write("playhouse.yaml", tracked);
    let ended = home.run(&["models", "promote", "coder", "2", "--reason", "better"]).with_code(0);
    assert!(ended.stderr.contains("4 wait"), "{}", ended.stderr);
    assert!(home.exists(".local/state/playhouse/experiments/spool/journal.jsonl"));
}
