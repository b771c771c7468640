//! The models: listed with what was measured of them, and why one is chosen.

use crate::home::Home;

const STATE: &str = ".local/state/playhouse/performance.json";

/// What an earlier command measured of the embedded model.
fn performance(home: &Home) -> String {
    let file = home.path().join("models/smollm2-135m.gguf");
    let identity = format!("local {}", file.display());
    let demotion = r#"{ "reason": { "failing": { "error_ratio": 0.75, "error_ratio_max": 0.5, "calls": 50 } }, "until_unix_ms": 99999999999999 }"#;
    // Saved in the far future, so that nothing has aged.
    format!(
        r#"{{ "version": 1, "saved_unix_ms": 99999999999999, "models": {{ "{identity}": {{
            "calls": 1200, "error_ratio": 0.25, "p50": 300, "p95": 2500, "p99": 9000,
            "quality": {{ "review": {{ "answers": 10, "score_sum": 8 }} }}, "demotion": {demotion} }} }} }}"#
    )
}

#[test]
fn models_without_a_command_are_the_list_with_what_was_measured() {
    let home = Home::approving();
    home.write(STATE, performance(&home));
    let text = home.run(&["models"]).with_code(0).stdout;
    assert_eq!(text, home.run(&["models", "list"]).with_code(0).stdout);
    let row = text.lines().find(|line| line.starts_with("smollm2-135m ")).unwrap();
    for part in ["file missing, demoted", "1,200", "25.0 %", "300 ms", "2.5 s", "9.0 s"] {
        assert!(row.contains(part), "{part:?} is not in:\n{text}");
    }
    let json = home.run(&["models", "--format", "json"]).with_code(0).json();
    let models = json["models"].as_array().unwrap();
    let model = models.iter().find(|model| model["name"] == "smollm2-135m").unwrap();
    assert_eq!((&model["measured"]["calls"], &model["measured"]["p95_ms"]), (&1200.into(), &2500.0.into()));
    assert_eq!(model["demoted"], "75 % of its last 50 calls failed, more than 50 %");
    let demo = models.iter().find(|model| model["name"] == "demo").unwrap();
    assert!(demo["demoted"].is_null() && demo["measured"]["p95_ms"].is_null());
    let shown = home.run(&["models", "show", "smollm2-135m"]).with_code(0).stdout;
    assert!(shown.contains("1,200 calls, 25.0 % failed, p50 300 ms, p95 2.5 s, p99 9.0 s"), "{shown}");
}

#[test]
fn a_damaged_file_of_figures_is_left_out_with_a_warning() {
    let home = Home::approving();
    home.write(STATE, "{");
    let ended = home.run(&["models"]).with_code(0);
    assert!(
        ended.stderr.contains("performance.json") && ended.stderr.contains("left out"),
        "{}",
        ended.stderr
    );
}

#[test]
fn why_tells_the_rule_the_chosen_model_and_what_it_was_held_against() {
    let home = Home::approving();
    let text = home.run(&["models", "why", "--task", "review"]).with_code(0).stdout;
    assert!(
        text.starts_with(
            "review: demo\nThe settings name no model for review, and this one is selection.default.\n"
        ),
        "{text}"
    );
    let row = |name: &str| text.lines().find(|line| line.starts_with(name)).unwrap().to_owned();
    assert!(row("demo ").contains("chosen") && row("smollm2-135m ").contains("not considered"), "{text}");
    let asked = home.run(&["models", "why", "--task", "x", "--model", "smollm2-135m"]).with_code(0).stdout;
    assert!(asked.starts_with("x: smollm2-135m\nThe request names this model.\n"), "{asked}");
}

#[test]
fn why_chooses_by_the_constraints_of_its_flags() {
    let home = Home::approving();
    home.write(STATE, performance(&home));
    let args = ["models", "why", "--task", "review", "--context", "20000", "--prefer", "cost"];
    let text = home.run(&args).with_code(0).stdout;
    assert!(text.starts_with("review: demo\nOf 3 models 2 fulfil the constraints"), "{text}");
    let row = text.lines().find(|line| line.starts_with("smollm2-135m ")).unwrap();
    assert!(row.contains("does not fit") && row.contains("holds 8,192 tokens, 20,000 are needed"), "{text}");
    let args = ["models", "why", "--task", "review", "--quality", "0.7", "--format", "json"];
    let json = home.run(&args).with_code(0).json();
    assert_eq!(
        (&json["kind"], &json["model"], &json["rule"]),
        (&"selection".into(), &"smollm2-135m".into(), &"constraints".into())
    );
    assert_eq!(json["candidates"][0]["model"], "demo");
    assert_eq!(json["candidates"][0]["checks"][0]["key"], "quality_min");
    assert_eq!(json["candidates"][0]["checks"][0]["passes"], false);
}

#[test]
fn constraints_that_no_model_fulfils_show_all_models_and_what_would_do() {
    let home = Home::approving();
    let args = ["models", "why", "--task", "review", "--context", "1000000", "--prefer", "cost"];
    let ended = home.run(&args).with_code(2);
    assert!(ended.stdout.contains("does not fit"), "{}", ended.stdout);
    assert!(
        ended.stderr.contains("none of 3 fulfils context_tokens_min of the constraints"),
        "{}",
        ended.stderr
    );
    assert!(ended.stderr.contains("hint: Lower context_tokens_min to 32768"), "{}", ended.stderr);
}

#[test]
fn wrong_questions_are_told_with_what_would_be_right() {
    let home = Home::approving();
    for (args, expected) in [
        (&["--model", "dem"][..], "Did you mean demo?"),
        (&["--among", "dem"], "Did you mean demo?"),
        (&["--quality", "2"], "a number from 0 to 1 is wanted"),
        (&["--cost-usd", "-1"], "an amount in US dollars is wanted"),
        (&["--task-id", "7"], "not a UUID"),
        (&["--prefer", "beauty"], "quality, cost, latency"),
    ] {
        let args = [&["models", "why", "--task", "review"], args].concat();
        let ended = home.run(&args).with_code(2);
        assert!(ended.stderr.contains(expected), "{args:?}: {}", ended.stderr);
    }
}

#[test]
fn why_follows_the_settings() {
    let home = Home::approving();
    home.write(STATE, performance(&home));
    home.write(
        "playhouse.yaml",
        "models:
  demo: { provider: scripted, script: answers.yaml, quality: 0.9 }
selection:
  default: demo
  split: { review: { demo: 1, smollm2-135m: 3 } }
  constraints: { generate: { among: [smollm2-135m], quality_min: 0.7 } }
",
    );
    let why = |args: &[&str], code| {
        let args = [&["models", "why", "--task"], args].concat();
        home.run(&args).with_code(code)
    };
    // The larger share is demoted, so the other one takes its tasks.
    let text = why(&["review"], 0).stdout;
    assert!(text.starts_with("review: demo\nThis model gets 1 in 4 of the tasks of type review"), "{text}");
    assert!(
        text.contains("Passed over: smollm2-135m (is demoted: 75 % of its last 50 calls failed"),
        "{text}"
    );
    let error = why(&["generate"], 2).stderr;
    assert!(error.contains("none of 1 fulfils quality_min of selection.constraints.generate"), "{error}");
    assert!(error.contains("hint: Set `quality` of model smollm2-135m"), "{error}");
}
