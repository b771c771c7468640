//! `develop` on a real model, when its file is on this machine.

use std::path::PathBuf;

use crate::home::Home;

const MODEL: &str = "smollm2-135m";

/// The file of the model where `playhouse models pull` puts it.
fn model_file() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "a test looks for what the developer has fetched")]
    let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let folder = variable("PLAYHOUSE_MODELS_DIR").or_else(|| {
        let cache = variable("XDG_CACHE_HOME").or_else(|| Some(variable("HOME")?.join(".cache")));
        Some(cache?.join("playhouse").join("models"))
    });
    let file = folder?.join(format!("{MODEL}.gguf"));
    if file.is_file() {
        return Some(file);
    }
    assert!(
        variable("PLAYHOUSE_REQUIRE_SERVERS").is_none(),
        "{} is not there: playhouse models pull {MODEL}",
        file.display()
    );
    println!("skipped: {} is not there", file.display());
    None
}

#[test]
fn a_real_model_develops_to_the_end() {
    let Some(file) = model_file() else { return };
    let home = Home::empty();
    home.write(
        "playhouse.yaml",
        "agents:\n  generate: { completion_tokens_max: 96 }\n  review: { completion_tokens_max: 64 }\n",
    );
    let spec = "Write a function that adds two numbers.";
    let args = ["develop", spec, "--model", MODEL, "--reviewer-model", MODEL, "--rounds", "1", "--no-pull"];
    let mut command = home.command(&[&args[..], &["--format", "json"]].concat());
    let output = command.env("PLAYHOUSE_MODELS_DIR", file.parent().unwrap()).output().unwrap();
    let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let json: serde_json::Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(json["scripted"], false);
    assert_eq!(json["rounds"][0]["generated"]["origin"]["model"], MODEL);
    assert_eq!(json["rounds"].as_array().unwrap().len(), 1);
    assert!(json["usage"]["completion_tokens"].as_u64().unwrap() > 0);
}

#[test]
fn a_whole_comparison_on_a_real_model_is_made_again_to_the_last_bit() {
    let Some(file) = model_file() else { return };
    let home = Home::empty();
    let run = |args: &[&str]| {
        let mut command = home.command(args);
        let output = command.env("PLAYHOUSE_MODELS_DIR", file.parent().unwrap()).output().unwrap();
        let (stdout, stderr) =
            (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
        assert_eq!(output.status.code(), Some(0), "{stdout}\n{stderr}");
        stdout
    };
    let asked = ["riddles", "--models", MODEL, "--modes", "direct,plan-then-answer", "--sample", "4"];
    let json = run(&[&asked[..], &["--tokens-max", "16", "--no-pull", "--format", "json"]].concat());
    let report: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((&report["counts"]["asked"], &report["ending"]), (&8.into(), &"complete".into()));
    let cells = report["cells"].as_array().unwrap();
    let calls: Vec<_> = cells.iter().map(|cell| cell["usage"]["model_calls"].as_u64().unwrap()).collect();
    assert_eq!(calls, [4, 8]);
    // Every outcome is counted, and every count is that of the records.
    let records = home.read(".local/state/playhouse/experiments/riddles-1/records.jsonl");
    let verdict = |line: &str| -> serde_json::Value {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        serde_json::json!([record["variant"], record["evidence"]["riddle"]["score"]["verdict"]])
    };
    for cell in cells {
        for outcome in ["right", "wrong", "refused", "truncated", "empty"] {
            let of_cell = |line: &&str| verdict(line) == serde_json::json!([cell["variant"], outcome]);
            let counted = records.lines().filter(of_cell).count() as u64;
            assert_eq!(cell["outcomes"][outcome].as_u64(), Some(counted), "{} {outcome}", cell["variant"]);
        }
    }
    assert!(run(&["experiment", "verify", "riddles-1"]).starts_with("riddles-1: 8 answers and "));
}
