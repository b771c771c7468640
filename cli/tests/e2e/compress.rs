//! `playhouse compress`: the text on standard output, what it cost on standard error.

use crate::home::Home;

const TEXT: &str = "The harbour was quiet that morning, and nobody said much. Captain Ada Quell logged 47.3 kPa at \
    dawn. It was quiet, as it is in the morning. The log is at /var/log/meridian.log for whoever wants it. It was \
    quiet for some time, and then it was quiet again, as it had been before.\n";

/// As `playhouse tokens` counts.
fn tokens(home: &Home, text: &str) -> u64 {
    let args = ["tokens", "-", "--encoding", "o200k_base", "--format", "json"];
    home.run_with_stdin(&args, text).with_code(0).json()["total_tokens"].as_u64().unwrap()
}

#[test]
fn a_text_is_made_to_fit_without_any_model_or_settings() {
    let home = Home::empty();
    home.write("a.txt", TEXT);
    let ended = home.run(&["compress", "a.txt", "--limit", "40"]).with_code(0);
    assert!(tokens(&home, &ended.stdout) <= 40, "{}", ended.stdout);
    assert!(
        ended.stdout.contains("47.3 kPa") && ended.stdout.contains("/var/log/meridian.log"),
        "{}",
        ended.stdout
    );
    assert!(ended.stderr.contains("tokens (") && ended.stderr.contains("by keyword"), "{}", ended.stderr);
    let same = home.run_with_stdin(&["compress", "-", "--limit", "40"], TEXT).with_code(0);
    assert_eq!(same.stdout, ended.stdout);
}

#[test]
fn programs_are_given_json_and_fetch_what_was_dropped_by_its_hash() {
    let home = Home::empty();
    home.write("a.txt", TEXT);
    let flags = ["compress", "a.txt", "--limit", "20", "--strategy", "head"];
    let json = home.run(&[&flags[..], &["--format", "json"]].concat()).with_code(0).json();
    assert_eq!((&json["kind"], &json["strategy"]), (&"compressed".into(), &"head".into()));
    assert_eq!(json["tokens_before"].as_u64().unwrap(), tokens(&home, TEXT));
    assert_eq!(json["tokens_after"].as_u64().unwrap(), tokens(&home, json["text"].as_str().unwrap()));
    assert!(json["verification"]["score"].as_f64().unwrap() < 1.0);
    let part = &json["dropped"][0];
    let place = |name: &str| usize::try_from(part[name].as_u64().unwrap()).unwrap();
    let hash = &part["sha256"].as_str().unwrap()[..12];
    let shown = home.run(&[&flags[..], &["--show-dropped", hash]].concat()).with_code(0);
    assert_eq!(shown.stdout, TEXT[place("begin")..place("end")]);
}

#[test]
fn the_difference_is_shown_line_by_line() {
    let home = Home::empty();
    home.write("a.txt", "First line of it.\n\nSecond line of it, which is longer than the first line was.\n");
    let args = ["compress", "a.txt", "--limit", "10", "--strategy", "head", "--diff"];
    let ended = home.run(&args).with_code(0);
    assert!(ended.stderr.contains("\n  First line of it.\n- Second line of it"), "{}", ended.stderr);
    assert_eq!(ended.stdout, "First line of it.");
}

#[test]
fn rust_still_parses_and_pins_survive() {
    let home = Home::empty();
    let code =
        "/// Adds.\npub fn add(a: u8) -> u8 {\n    let sum = a + 1;\n    println!(\"{sum}\");\n    sum\n}\n";
    home.write("a.rs", code.repeat(6));
    let args = ["compress", "a.rs", "--limit", "150", "--pin", "a: u8) -> u8"];
    let ended = home.run(&args).with_code(0);
    assert!(ended.stderr.contains("by code"), "{}", ended.stderr);
    assert_eq!(ended.stdout.matches("pub fn add(a: u8) -> u8").count(), 6, "{}", ended.stdout);
}

#[test]
fn a_summary_is_written_by_a_model_and_labelled_when_no_model_wrote_it() {
    let answer = "Ada Quell logged 47.3 kPa at dawn; see /var/log/meridian.log.";
    let home = Home::scripted(&format!("entries: []\ndefault:\n  answer: \"{answer}\"\n"));
    home.write("a.txt", TEXT);
    let args = ["compress", "a.txt", "--limit", "40", "--strategy", "summarize", "--format", "json"];
    let json = home.run(&args).with_code(0).json();
    assert_eq!((&json["text"], &json["strategy"]), (&answer.into(), &"summarize".into()));
    assert_eq!(json["origin"]["model"], "demo");
    assert!(json["notice"].is_string());
}

#[test]
fn a_summary_that_loses_the_facts_is_refused_for_extraction() {
    let home = Home::scripted("entries: []\ndefault:\n  answer: Nothing much happened.\n");
    home.write("a.txt", TEXT);
    let args = ["compress", "a.txt", "--limit", "40", "--strategy", "summarize", "--format", "json"];
    let json = home.run(&args).with_code(0).json();
    assert_eq!(
        (&json["strategy"], &json["refused"][0]["strategy"]),
        (&"keyword".into(), &"summarize".into())
    );
    assert!(json["text"].as_str().unwrap().contains("47.3 kPa"));
}
