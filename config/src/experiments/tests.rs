use insta::assert_snapshot;
use playhouse_protocol::riddle::Difficulty;

use super::*;
use crate::aliases::RegisteredModel;
use crate::error::ConfigErrors;
use crate::settings::Config;

fn modes() -> Vec<playhouse_protocol::riddle::ReasoningMode> {
    crate::reasoning::built_in().unwrap()
}

fn parse(text: &str) -> Result<ExperimentTemplate, ConfigErrors> {
    let mut config = Config::default();
    let entry = config.models.values().next().unwrap().clone();
    for name in ["small", "large"] {
        config.models.insert(name.to_owned(), entry.clone());
    }
    let versions = [(1, "coder@1".to_owned())].into();
    let coder = RegisteredModel { versions, candidate: vec![(0, Some(1))], ..RegisteredModel::default() };
    config.registered.insert("coder".to_owned(), coder);
    let find = FindDataset::default();
    let sources =
        TemplateSources { modes: &modes(), config: Some(&config), dataset: &|name| find.find(name) };
    parse_template("t.yaml", text, &sources)
}

const ONE: &str = "\
version: 1
name: mine
task: riddle
dataset: classic
variants:
  - {name: a, model: small}
  - {name: b, model: large, mode: step-by-step}
";

#[test]
fn a_short_template_is_read_with_its_defaults() {
    let template = parse(ONE).unwrap();
    assert_eq!((template.items.len(), template.dataset.as_str()), (60, "classic"));
    assert_eq!((template.repeats, template.baseline, template.seed), (1, 0, 1));
    assert_eq!(template.metrics[0], Metric::Accuracy);
    assert_eq!(
        (template.variants[0].mode.name.as_str(), template.variants[1].mode.name.as_str()),
        ("direct", "step-by-step")
    );
    assert_eq!((template.stopping, template.judge), (None, None));
}

#[test]
fn every_template_that_comes_along_is_right() {
    for shipped in shipped() {
        let template = parse(shipped.text).unwrap_or_else(|errors| panic!("{}: {errors}", shipped.name));
        assert_eq!(template.name, shipped.name);
        assert!(template.variants.len() >= 2, "{}", shipped.name);
    }
}

#[test]
fn a_template_comes_back_from_json_as_it_was() {
    for shipped in shipped() {
        let template = parse(shipped.text).unwrap();
        let json = serde_json::to_string(&template).unwrap();
        assert_eq!(serde_json::from_str::<ExperimentTemplate>(&json).unwrap(), template);
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let text = "\
name: my/experiment
task: ridle
modes: [{name: m, steps: [{ask: '{{ quesion }}'}]}]
dataset: clasic
repeats: 0
baseline: c
variants:
  - {name: a, model: smal, mode: stepwise}
  - {name: a, rounds: 2}
  - {name: b, mode: direct, prompt: {name: p, text: hi}, sampling: {temperature: 3}}
metrics: [acuracy, approved, judged_accuracy]
budget: {usd: 0}
colour: red
";
    assert_snapshot!(parse(text).unwrap_err(), @r#"
    t.yaml:1:1: version: it does not say that it is of a known version
    hint: write `version: 1`
    t.yaml:1:7: name: not a name
    hint: use at most 100 of the characters a-z, A-Z, 0-9, `-`, `_` and `.`, with a letter or digit first
    t.yaml:2:7: task: "ridle": it is not known
    hint: did you mean `riddle`?
    t.yaml:3:33: modes.0.steps.0.ask: unknown variable `quesion`
    hint: did you mean `question`?
    t.yaml:4:10: dataset: there is no set of riddles "clasic"
    hint: known: classic, documents; or the name of a file, `.yaml` or `.jsonl`
    t.yaml:5:10: repeats: 0 is out of range
    hint: allowed: 1 to 1000 (without one there is no answer)
    t.yaml:6:11: baseline: "c": no variant has this name
    hint: did you mean `a`?
    t.yaml:8:22: variants.0.model: "smal": no model of the catalog has this name
    hint: did you mean `small`?
    t.yaml:8:34: variants.0.mode: "stepwise": no reasoning mode has this name
    hint: known: m, direct, step-by-step, plan-then-answer, self-consistency, expert-panel
    t.yaml:9:12: variants.1.name: the name "a" stands twice; first in variant 1
    hint: give each variant its own name
    t.yaml:9:15: variants.1.rounds: variants of task riddle do not have this key
    hint: take it out
    t.yaml:10:29: variants.2.prompt: it has a mode beside a prompt of its own
    hint: keep one of `mode` and `prompt`
    t.yaml:10:82: variants.2.sampling.temperature: 3 is out of range
    hint: allowed: 0 to 2 (above 2 answers are noise)
    t.yaml:11:10: metrics: judged_accuracy needs a judge, and there is none
    hint: write `judge: {model: NAME}`, or take the metric out
    t.yaml:11:11: metrics.0: "acuracy": it is not known
    hint: did you mean `accuracy`?
    t.yaml:11:20: metrics.1: answers of task riddle cannot be measured by it
    hint: it has: accuracy, judged_accuracy, latency_ms, prompt_tokens, completion_tokens, total_tokens, cost_usd, model_calls, words, hedges, reversals, compression_ratio, facts_kept
    t.yaml:12:15: budget.usd: 0 is out of range
    hint: allowed: above 0 to 1000000 (nothing could be asked)
    t.yaml:13:1: colour: unknown key
    hint: the keys at the top of the file are: baseline, budget, confidence, dataset, description, judge, metrics, modes, name, repeats, riddles, sample, seed, select, specs, stopping, task, variants, version, width
    "#);
}

#[test]
fn what_does_not_go_together_is_told() {
    let text = ONE
        .replace("{name: a, model: small}", "{name: a, mode: self-consistency, sampling: {temperature: 0}}")
        + "  - {name: c, compression: {strategy: head, limit_tokens: 100}}\nspecs: [{id: x, spec: y}]\nmetrics: [accuracy, accuracy, judged_accuracy]\n";
    assert_snapshot!(parse(&text).unwrap_err(), @r#"
    t.yaml:6:3: variants: a variant compresses the text of an item, and item "x" has none
    hint: give each riddle a `context:`, or select those that have one
    t.yaml:6:49: variants.0.sampling: mode self-consistency votes on 5 samples, and at temperature 0 all are the same
    hint: leave the temperature out, or raise it
    t.yaml:9:1: specs: an experiment of task riddle has none; this is for task develop
    hint: write `dataset:` with a set's name or file, or a list of `riddles:`
    t.yaml:10:10: metrics: judged_accuracy needs a judge, and there is none
    hint: write `judge: {model: NAME}`, or take the metric out
    t.yaml:10:21: metrics.1: accuracy stands twice
    hint: take one of them out
    "#);
    let many = ONE.replace("task: riddle", "task: riddle\nrepeats: 1000") + "  - {name: c}\n  - {name: d}\n";
    let told = parse(&many).unwrap_err().to_string();
    assert!(told.contains("it asks for 240000 answers, and 200000 are the most"), "{told}");
}

#[test]
fn an_alias_has_to_lead_to_a_version() {
    let with = |alias: &str| parse(&ONE.replace("model: small", &format!("model: \"{alias}\"")));
    for good in ["@coder:candidate", "@coder:1"] {
        assert_eq!(with(good).unwrap().variants[0].model.as_deref(), Some(good));
    }
    for (bad, told) in [
        ("@coder", "t.yaml:6:22: variants.0.model: @coder leads to no version"),
        ("@coder:9", "t.yaml:6:22: variants.0.model: @coder:9 leads to no version"),
        ("@codr", "\"codr\": no model is registered under this name\nhint: did you mean `coder`?"),
        ("@", "not an alias of a registered model"),
    ] {
        let errors = with(bad).unwrap_err().to_string();
        assert!(errors.contains(told), "{errors}");
    }
}

#[test]
fn riddles_may_stand_in_the_template_and_be_selected() {
    let text = ONE.replace(
        "dataset: classic",
        "riddles:\n  - {id: a, difficulty: easy, question: q, match: word, answers: [x]}\n  - {id: b, difficulty: hard, question: q, match: word, answers: [x]}\nselect: {difficulty: [hard]}",
    );
    let template = parse(&text).unwrap();
    assert_eq!(template.items.len(), 1);
    assert_eq!(template.items[0].difficulty, Some(Difficulty::Hard));
    let none = ONE.replace("dataset: classic", "dataset: classic\nselect: {forms: [haiku]}");
    let told = parse(&none).unwrap_err().to_string();
    assert!(told.starts_with("t.yaml:5:9: select: no riddle of the dataset is like this"), "{told}");
}

#[test]
fn a_dataset_may_be_a_file_beside_the_template() {
    let folder = tempfile::tempdir().unwrap();
    let good = r#"{"id": "a", "difficulty": "hard", "question": "q", "match": "any", "answers": ["x"]}"#;
    std::fs::write(folder.path().join("r.jsonl"), good).unwrap();
    let path = folder.path().join("t.yaml");
    std::fs::write(&path, ONE.replace("classic", "r.jsonl")).unwrap();
    let (template, text) = load_template(&path, &modes(), None, None).unwrap();
    assert_eq!((template.dataset.as_str(), template.items.len()), ("r", 1));
    assert!(text.contains("r.jsonl"));

    std::fs::write(folder.path().join("r.jsonl"), "{}\n").unwrap();
    let told = load_template(&path, &modes(), None, None).unwrap_err().to_string();
    assert!(told.contains("r.jsonl: line-1.id: it is missing"), "{told}");
    std::fs::remove_file(folder.path().join("r.jsonl")).unwrap();
    let told = load_template(&path, &modes(), None, None).unwrap_err().to_string();
    assert!(told.contains("r.jsonl: there is no such file"), "{told}");
}
