//! `playhouse experiment …` and `playhouse riddles`.

use crate::home::Home;

/// Two models: one knows the answers, one does not.
const SETTINGS: &str = "
models:
  good: { provider: scripted, script: good.yaml }
  bad: { provider: scripted, script: bad.yaml }
selection: { default: bad }
";

const GOOD: &str = "
entries:
  - match: { contains: two }
    answer: 'Final answer: 2'
  - match: { contains: three }
    answer: 'Let me count. Final answer: three'
default: { answer: 'Final answer: 1' }
";

const BAD: &str = "default: { answer: 'Final answer: 17' }";

const TEMPLATE: &str = "
version: 1
name: count
task: riddle
riddles:
  - {id: one, difficulty: easy, question: How many are one?, match: number, answers: ['1']}
  - {id: two, difficulty: easy, question: How many are two?, match: number, answers: ['2']}
  - {id: three, difficulty: hard, question: How many are three?, match: number, answers: ['3']}
variants:
  - {name: a, model: bad}
  - {name: b, model: good}
metrics: [accuracy]
width: 1
";

const RUN: &str = ".local/state/playhouse/experiments/count-1";

fn home() -> Home {
    let home = Home::empty();
    for (name, text) in
        [("playhouse.yaml", SETTINGS), ("good.yaml", GOOD), ("bad.yaml", BAD), ("count.yaml", TEMPLATE)]
    {
        home.write(name, text);
    }
    home
}

#[test]
fn a_template_is_checked_run_reported_and_verified() {
    let home = home();
    let checked = home.run(&["experiment", "check", "count.yaml"]).with_code(0);
    assert!(checked.stdout.contains("2 variants × 3 items × 1 = 6 answers"), "{}", checked.stdout);
    let ran = home.run(&["experiment", "run", "count.yaml", "--details"]).with_code(0);
    let words = |begin: &str| -> Vec<String> {
        let line = ran.stdout.lines().find(|line| line.starts_with(begin)).unwrap();
        line.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(words("b ")[..7], ["b", "good", "direct", "–", "3", "of", "3"]);
    assert_eq!(words("three "), ["three", "hard", "wrong", "right"]);
    // Answers out of a script are told as such.
    assert!(ran.stdout.contains("script"), "{}", ran.stdout);
    for file in ["manifest.json", "records.jsonl", "report.json", "report.md", "report.html"] {
        assert!(home.exists(&format!("{RUN}/{file}")), "{file}");
    }
    assert!(!home.exists(&format!("{RUN}/journal.db")));

    let listed = home.run(&["experiment", "list", "--format", "json"]).with_code(0).json();
    assert_eq!((&listed["runs"][0]["run"], &listed["runs"][0]["answers"]), (&"count-1".into(), &6.into()));
    let shown = home.run(&["experiment", "show", "count-1", "--item", "three"]).with_code(0);
    assert!(shown.stdout.contains("── b, repeat 1 ── right\nLet me count."), "{}", shown.stdout);
    let verified = home.run(&["experiment", "verify", "count-1"]).with_code(0);
    assert!(verified.stdout.starts_with("count-1: 6 answers and "), "{}", verified.stdout);

    let report = home.read(&format!("{RUN}/report.json"));
    home.write(&format!("{RUN}/report.json"), report.replacen("\"right\": 3", "\"right\": 2", 1));
    let told = home.run(&["experiment", "verify", "count-1"]).with_code(2);
    assert!(told.stderr.contains("first at /cells/1/outcomes/right: 2 instead of 3"), "{}", told.stderr);
    let written = home.run(&["experiment", "report", "count-1", "--format", "json"]).with_code(0);
    assert_eq!(written.stdout, report);
    home.run(&["experiment", "verify", "count-1"]).with_code(0);
}

#[test]
fn runs_are_compared_with_each_other() {
    let home = home();
    home.run(&["experiment", "run", "count.yaml"]).with_code(0);
    home.run(&["experiment", "run", "count.yaml"]).with_code(0);
    let compared =
        home.run(&["experiment", "compare", "count-1", "count-2", "--format", "json"]).with_code(0);
    let names: Vec<_> = compared.json()["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| cell["variant"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["count-1/a", "count-1/b", "count-2/a", "count-2/b"]);
    let told = home.run(&["experiment", "compare", "count-1", "count-3"]).with_code(2);
    assert!(told.stderr.contains("find run \"count-3\""), "{}", told.stderr);
}

#[test]
fn what_is_wrong_is_told_at_once_and_nothing_is_run() {
    let home = home();
    let text =
        TEMPLATE.replace("model: good", "model: god").replace("[accuracy]", "[acuracy]") + "repeats: 0\n";
    home.write("count.yaml", text);
    let told = home.run(&["experiment", "run", "count.yaml"]).with_code(2);
    for part in [
        "count.yaml:11:22: variants.1.model: \"god\"",
        "did you mean `good`?",
        "count.yaml:12:11: metrics.0: \"acuracy\"",
        "count.yaml:14:10: repeats: 0 is out of range",
    ] {
        assert!(told.stderr.contains(part), "{part}: {}", told.stderr);
    }
    assert!(!home.exists(".local/state/playhouse/experiments"));
    home.run(&["experiment", "run", "none.yaml"]).with_code(2);
    home.run(&["experiment", "resume", "count-1"]).with_code(2);
    home.run(&["riddles", "--models", "good,good"]).with_code(2);
    let hot = home.run(&["riddles", "--models", "good", "--temperature", "3"]).with_code(2);
    assert!(hot.stderr.contains("temperature is 3"), "{}", hot.stderr);
    assert!(!home.exists(".local/state/playhouse/experiments"));
}

#[test]
fn nobody_stands_in_for_a_model_that_fails() {
    let home = home();
    let settings = SETTINGS.replace("script: bad.yaml }", "script: bad.yaml, fallbacks: [good] }");
    home.write("playhouse.yaml", settings + "attempts: { attempts_max: 1 }\n");
    home.write("bad.yaml", "default: { error: { status: 503 } }");
    // A variant without any answer is a provider that is not there.
    let ran = home.run(&["experiment", "run", "count.yaml", "--format", "json"]).with_code(3).json();
    let outcomes = |cell: usize| {
        let outcomes = &ran["cells"][cell]["outcomes"];
        (outcomes["right"].as_u64(), outcomes["failed"]["retryable"].as_u64())
    };
    assert_eq!((outcomes(0), outcomes(1)), ((Some(0), Some(3)), (Some(3), None)));
}

#[test]
fn every_template_that_comes_along_can_be_written_and_checked() {
    let home = Home::empty();
    let listed = home.run(&["experiment", "new"]).with_code(0);
    let names: Vec<_> =
        listed.stdout.lines().skip(1).filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["models", "reasoning-modes", "prompts", "compression", "develop"]);
    for name in names {
        let file = format!("{name}.yaml");
        home.run(&["experiment", "new", name, "-o", &file]).with_code(0);
        home.run(&["experiment", "check", &file]).with_code(0);
        home.run(&["experiment", "new", name, "-o", &file]).with_code(2);
    }
    let told = home.run(&["experiment", "new", "promts"]).with_code(2);
    assert!(told.stderr.contains("Did you mean prompts?"), "{}", told.stderr);
}

#[test]
fn riddles_are_asked_of_several_models_in_several_modes() {
    let home = home();
    let args = [
        "riddles",
        "--models",
        "bad,good",
        "--modes",
        "direct,step-by-step",
        "--sample",
        "10",
        "--repeats",
        "2",
    ];
    let ran = home.run(&[&args[..], &["--format", "json"]].concat()).with_code(0).json();
    assert_eq!((&ran["counts"]["planned"], &ran["counts"]["asked"]), (&80.into(), &80.into()));
    assert_eq!(ran["baseline"], "bad/direct");
    assert_eq!(ran["cells"].as_array().unwrap().len(), 4);
    // The same seed draws the same riddles.
    let items = |run: &str| {
        home.run(&["experiment", "show", run, "--format", "json"]).json()["design"]["items"].clone()
    };
    home.run(&args).with_code(0);
    assert_eq!(items("riddles-1"), items("riddles-2"));
}

#[cfg(unix)]
#[test]
fn a_run_that_was_killed_goes_on_without_asking_again() {
    use crate::running::Running;

    let home = home();
    // The third question hangs.
    home.write("bad.yaml", "entries: [{match: {contains: three}, answer: late, delay_ms: 600000}]\ndefault: {answer: 'Final answer: 1'}");
    let running = Running::start(&home, &["experiment", "run", "count.yaml"]);
    running.wait_for("4/6 answers");
    running.signal("KILL");
    assert_eq!(running.end().0, None);
    assert_eq!(home.run(&["experiment", "list", "--format", "json"]).json()["runs"][0]["ending"], "open");
    // Whoever is asked again would say something else.
    home.write("bad.yaml", "default: {answer: 'Final answer: 3'}");
    home.write("good.yaml", "default: {answer: 'Final answer: 99'}");
    home.run(&["experiment", "resume", "count-1"]).with_code(0);
    let report: serde_json::Value = serde_json::from_str(&home.read(&format!("{RUN}/report.json"))).unwrap();
    let rights: Vec<_> =
        [0, 1].map(|cell| report["cells"][cell]["outcomes"]["right"].as_u64().unwrap()).into();
    // a: one (before) and three (after); b: one and two (before).
    assert_eq!(rights, [2, 2]);
    assert_eq!(report["ending"], "complete");
    home.run(&["experiment", "verify", "count-1"]).with_code(0);
    home.run(&["experiment", "resume", "count-1"]).with_code(2);
}
