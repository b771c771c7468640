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
