use std::time::Duration;

use insta::assert_snapshot;
use playhouse_config::settings::PriceConfig;
use playhouse_protocol::{SeededSource, TaskId};
use proptest::prelude::*;

use super::*;
use crate::selection::{Demotion, DemotionReason};

/// Measured facts that a test writes down.
#[derive(Debug, Default)]
struct Facts {
    measured: BTreeMap<String, Measured>,
    demoted: Vec<String>,
}

impl Measurements for Facts {
    fn measured(&self, model: &str, _: &str) -> Measured {
        self.measured.get(model).cloned().unwrap_or_default()
    }

    fn demotion(&self, model: &str) -> Option<Demotion> {
        let reason = DemotionReason::Failing { error_ratio: 0.75, error_ratio_max: 0.5, calls: 50 };
        let is_demoted = self.demoted.iter().any(|name| name == model);
        is_demoted.then_some(Demotion { reason, time_left: Duration::from_secs(9) })
    }
}

/// Price in dollars for a million tokens, both ways.
fn model(context_tokens: u32, usd: u64, fallbacks: &[&str]) -> ModelFacts {
    let price =
        PriceConfig { prompt_nano_usd_per_token: usd * 1_000, completion_nano_usd_per_token: usd * 1_000 };
    let fallbacks = fallbacks.iter().map(|name| (*name).to_owned()).collect();
    ModelFacts { context_tokens: Some(context_tokens), price, fallbacks }
}

/// Three models: small and free, middling, large and dear; and one that only its file tells of.
fn shop(config: SelectionConfig) -> ModelSelector {
    let models = [
        ("small", model(8_000, 0, &["middle", "large"])),
        ("middle", model(32_000, 1, &[])),
        ("large", model(200_000, 10, &[])),
        ("own", ModelFacts { context_tokens: None, ..ModelFacts::default() }),
    ];
    let models = models.into_iter().map(|(name, facts)| (name.to_owned(), facts)).collect();
    ModelSelector::new(config, models)
}

fn facts(demoted: &[&str]) -> Facts {
    let measured = |(name, p95_ms, quality): (&str, u64, f64)| {
        let p95 = Some(Duration::from_millis(p95_ms));
        (name.to_owned(), Measured { p95, quality: Some(quality), ..Measured::default() })
    };
    let measured = [("small", 300, 0.4), ("middle", 900, 0.7), ("large", 5_000, 0.9)].map(measured).into();
    Facts { measured, demoted: demoted.iter().map(|name| (*name).to_owned()).collect() }
}

fn settings() -> SelectionConfig {
    SelectionConfig { default: "small".to_owned(), ..SelectionConfig::default() }
}

fn constrained(constraints: ConstraintsConfig) -> ModelSelector {
    let mut config = settings();
    config.constraints.insert("review".to_owned(), constraints);
    shop(config)
}

fn none() -> ConstraintsConfig {
    ConstraintsConfig::default()
}

fn told(selection: Result<Selection, SelectionError>) -> String {
    match selection {
        Ok(selection) => format!("{}: {}", selection.model, selection.reason),
        Err(error) => format!("{error}\n{}", error.hint()),
    }
}

#[test]
fn the_first_rule_that_applies_chooses() {
    let mut config = settings();
    let select = |config: &SelectionConfig, model| {
        told(shop(config.clone()).select(&ModelWish::of("review").named(model), &facts(&[])))
    };
    assert_snapshot!(select(&config, None), @"small: The settings name no model for review, and this one is selection.default.");
    config.by_task.insert("review".to_owned(), "middle".to_owned());
    assert_snapshot!(select(&config, None), @"middle: The settings name this model for review (selection.by_task.review).");
    config.constraints.insert("review".to_owned(), none());
    assert_snapshot!(select(&config, None), @"large: Of 4 models 4 fulfil the constraints (selection.constraints.review), and this one has the best quality of them. Passed over: middle (less good), small (less good), own (less good).");
    config.split.insert("review".to_owned(), BTreeMap::from([("middle".to_owned(), 3)]));
    assert_snapshot!(select(&config, None), @"middle: This model gets 3 in 3 of the tasks of type review (selection.split.review).");
    assert_snapshot!(select(&config, Some("own")), @"own: The request names this model.");
}

#[test]
fn the_best_of_those_that_fit_is_chosen_and_the_others_are_told_with_their_reasons() {
    let check = |prefer| {
        let constraints = ConstraintsConfig { context_tokens_min: Some(10_000), prefer, ..none() };
        told(constrained(constraints).select_by_task("review", &facts(&[])))
    };
    assert_snapshot!(check(Preference::Quality), @"large: Of 4 models 2 fulfil the constraints (selection.constraints.review), and this one has the best quality of them. Passed over: middle (less good), own (only its file tells what it holds, 10,000 tokens are needed), small (holds 8,000 tokens, 10,000 are needed).");
    assert_snapshot!(check(Preference::Cost), @"middle: Of 4 models 2 fulfil the constraints (selection.constraints.review), and this one has the lowest price of them. Passed over: large (less good), own (only its file tells what it holds, 10,000 tokens are needed), small (holds 8,000 tokens, 10,000 are needed).");
    assert_snapshot!(check(Preference::Latency), @"middle: Of 4 models 2 fulfil the constraints (selection.constraints.review), and this one has the shortest time of them. Passed over: large (less good), own (only its file tells what it holds, 10,000 tokens are needed), small (holds 8,000 tokens, 10,000 are needed).");
}

#[test]
fn each_constraint_shuts_out_what_does_not_fulfil_it() {
    let fit = |constraints: ConstraintsConfig| {
        let constraints = ConstraintsConfig { prefer: Preference::Cost, ..constraints };
        let selection =
            shop(settings()).select_by_constraints(&constraints, &ModelWish::of("review"), &facts(&[]));
        selection.map(|selection| selection.model).unwrap_or_default()
    };
    // Nothing is known of the quality or time of `own`; it is free.
    assert_eq!(fit(none()), "small");
    assert_eq!(fit(ConstraintsConfig { context_tokens_min: Some(8_000), ..none() }), "small");
    assert_eq!(fit(ConstraintsConfig { context_tokens_min: Some(8_001), ..none() }), "middle");
    assert_eq!(fit(ConstraintsConfig { quality_min: Some(0.7), ..none() }), "middle");
    assert_eq!(fit(ConstraintsConfig { quality_min: Some(0.71), ..none() }), "large");
    assert_eq!(fit(ConstraintsConfig { latency_max: Some(Duration::from_millis(299)), ..none() }), "own");
    assert_eq!(fit(ConstraintsConfig { cost_nano_usd_max: Some(0), ..none() }), "small");
    assert_eq!(fit(ConstraintsConfig { among: vec!["large".to_owned()], ..none() }), "large");
}

#[test]
fn constraints_that_nothing_fulfils_are_told_with_the_nearest_model_and_what_would_do() {
    let check = |constraints| told(constrained(constraints).select_by_task("review", &facts(&[])));
    assert_snapshot!(check(ConstraintsConfig { context_tokens_min: Some(300_000), ..none() }), @r"
    select a model for review: none of 4 fulfils context_tokens_min of selection.constraints.review; the nearest is large, which holds 200,000 tokens, 300,000 are needed
    Lower context_tokens_min to 200000, or add a model that fulfils it.
    ");
    let dear = Some(2_000_000);
    assert_snapshot!(check(ConstraintsConfig { quality_min: Some(0.95), cost_nano_usd_max: dear, ..none() }), @r"
    select a model for review: none of 4 fulfils quality_min of selection.constraints.review; the nearest is middle, which has a quality of 0.70, 0.95 is wanted
    Lower quality_min to 0.7, or add a model that fulfils it.
    ");
    let fast = Some(Duration::from_millis(100));
    let among = vec!["small".to_owned(), "large".to_owned()];
    assert_snapshot!(check(ConstraintsConfig { latency_max: fast, among, ..none() }), @r"
    select a model for review: none of 2 fulfils latency_max_ms of selection.constraints.review; the nearest is small, which takes 300 ms (p95), 100 ms is allowed
    Raise latency_max_ms to 300, or add a model that fulfils it.
    ");
    let among = vec!["own".to_owned()];
    assert_snapshot!(check(ConstraintsConfig { quality_min: Some(0.5), among, ..none() }), @r"
    select a model for review: none of 1 fulfils quality_min of selection.constraints.review; the nearest is own, which has no known quality, 0.50 is wanted
    Set `quality` of model own, or add a model that fulfils it.
    ");
}

#[test]
fn a_demoted_model_is_passed_over_when_there_is_another_one() {
    let by_default = |demoted: &[&str]| told(shop(settings()).select_by_task("review", &facts(demoted)));
    assert_snapshot!(by_default(&["small"]), @"middle: This model stands in for small, the choice of the settings for review (models.small.fallbacks). Passed over: small (is demoted: 75 % of its last 50 calls failed, more than 50 %).");
    assert_snapshot!(by_default(&["small", "middle"]), @"large: This model stands in for small, the choice of the settings for review (models.small.fallbacks). Passed over: small (is demoted: 75 % of its last 50 calls failed, more than 50 %), middle (is demoted: 75 % of its last 50 calls failed, more than 50 %).");
    assert_snapshot!(by_default(&["small", "middle", "large"]), @"small: The settings name no model for review, and this one is selection.default. Passed over: middle (is demoted: 75 % of its last 50 calls failed, more than 50 %), large (is demoted: 75 % of its last 50 calls failed, more than 50 %).");
    let by_constraints = |demoted: &[&str]| {
        let selection = constrained(none()).select_by_task("review", &facts(demoted));
        selection.map(|selection| selection.model).unwrap_or_default()
    };
    assert_eq!(by_constraints(&[]), "large");
    assert_eq!(by_constraints(&["large"]), "middle");
    assert_eq!(by_constraints(&["large", "middle", "small", "own"]), "large");
}

#[test]
fn a_demoted_model_that_was_asked_for_is_taken() {
    let wish = ModelWish::of("review").named(Some("small"));
    assert_eq!(shop(settings()).select(&wish, &facts(&["small"])).unwrap().model, "small");
}

#[test]
fn a_prompt_that_does_not_fit_goes_to_a_fallback_that_holds_it() {
    let check = |context_tokens| {
        let wish = ModelWish { context_tokens: Some(context_tokens), ..ModelWish::of("review") };
        told(shop(settings()).select(&wish, &facts(&[])))
    };
    assert_snapshot!(check(20_000), @"middle: This model stands in for small, the choice of the settings for review (models.small.fallbacks). Passed over: small (holds 8,000 tokens, 20,000 are needed).");
    // Only an estimate: where none holds it, the named one is asked and tells.
    assert!(check(900_000).starts_with("small: "), "{}", check(900_000));
}

#[test]
fn a_task_keeps_its_share_and_a_demoted_arm_moves_its_own_tasks_alone() {
    let mut config = settings();
    let arms = [("small", 1), ("middle", 1), ("large", 2)];
    let arms = arms.into_iter().map(|(name, weight)| (name.to_owned(), weight)).collect();
    config.split.insert("review".to_owned(), arms);
    let selector = shop(config);
    let choose = |seed, demoted: &[&str]| {
        let task_id = Some(TaskId::new(1, &SeededSource::from_seed(seed)));
        selector.select(&ModelWish { task_id, ..ModelWish::of("review") }, &facts(demoted)).unwrap()
    };
    for seed in 0..200 {
        let first = choose(seed, &[]).model;
        assert_eq!(choose(seed, &[]).model, first);
        let moved = choose(seed, &["middle"]);
        if first == "middle" {
            assert_ne!(moved.model, "middle");
            assert_eq!(moved.reason.passed_over[0].model, "middle");
        } else {
            assert_eq!(moved.model, first);
        }
    }
}

#[test]
fn an_explanation_has_every_model_with_what_it_passes_and_fails() {
    let constraints =
        ConstraintsConfig { context_tokens_min: Some(10_000), quality_min: Some(0.5), ..none() };
    let wish = ModelWish::of("review");
    let explanation = shop(settings()).explain(&wish, Some(&constraints), &facts(&["middle"]));
    let lines = explanation.candidates.iter().map(|candidate| {
        let checks = candidate.checks.iter().map(|check| {
            let mark = if check.passes() { "ok" } else { "no" };
            format!("  {mark} {check}")
        });
        let mark = if candidate.is_chosen { " (chosen)" } else { "" };
        let head = format!("{}{mark}", candidate.model);
        std::iter::once(head).chain(checks).collect::<Vec<_>>().join("\n")
    });
    assert_snapshot!(lines.collect::<Vec<_>>().join("\n"), @r"
    large (chosen)
      ok holds 200,000 tokens, 10,000 are needed
      ok has a quality of 0.90, 0.50 is wanted
      ok is not demoted
    middle
      ok holds 32,000 tokens, 10,000 are needed
      ok has a quality of 0.70, 0.50 is wanted
      no is demoted: 75 % of its last 50 calls failed, more than 50 %
    own
      no only its file tells what it holds, 10,000 tokens are needed
      no has no known quality, 0.50 is wanted
      ok is not demoted
    small
      no holds 8,000 tokens, 10,000 are needed
      no has a quality of 0.40, 0.50 is wanted
      ok is not demoted
    ");
}

#[test]
fn a_split_leads_to_each_of_its_arms() {
    let mut config = settings();
    config.split.insert("review".to_owned(), BTreeMap::from([("small".into(), 1), ("large".into(), 9)]));
    let reachable = |wish: &ModelWish<'_>| shop(config.clone()).reachable(wish, &facts(&[])).unwrap();
    assert_eq!(reachable(&ModelWish::of("review")), ["large", "small"]);
    assert_eq!(reachable(&ModelWish::of("generate")), ["small"]);
    assert_eq!(reachable(&ModelWish::of("review").named(Some("own"))), ["own"]);
}

proptest! {
    /// Whatever is asked: what is chosen fulfils it, and only when nothing does there is an error.
    #[test]
    fn what_is_chosen_fulfils_what_is_asked(
        context in prop::option::of(1_u32..250_000),
        quality in prop::option::of(0.0_f64..1.0),
        cost in prop::option::of(0_u64..25_000_000),
        latency_ms in prop::option::of(1_u64..10_000),
    ) {
        let constraints = ConstraintsConfig {
            context_tokens_min: context,
            quality_min: quality,
            cost_nano_usd_max: cost,
            latency_max: latency_ms.map(Duration::from_millis),
            ..none()
        };
        let explanation = shop(settings()).explain(&ModelWish::of("review"), Some(&constraints), &facts(&[]));
        let fits: Vec<_> = explanation
            .candidates
            .iter()
            .filter(|candidate| candidate.checks.iter().all(Check::passes))
            .map(|candidate| candidate.model.as_str())
            .collect();
        match explanation.outcome {
            Ok(selection) => prop_assert!(fits.contains(&selection.model.as_str())),
            Err(error) => {
                prop_assert!(fits.is_empty());
                let has_nearest = matches!(&error, SelectionError::NoModelFits(error) if error.nearest.is_some());
                prop_assert!(has_nearest && !error.hint().is_empty());
            }
        }
    }
}

/// The shop with two versions of a registered model beside.
fn shop_with_versions(config: SelectionConfig) -> ModelSelector {
    let coder = playhouse_config::RegisteredModel {
        versions: [(1, "coder@1".to_owned()), (2, "coder@2".to_owned())].into(),
        production: vec![(1_000, Some(1)), (2_000, Some(2))],
        candidate: Vec::new(),
    };
    let aliases = AliasTable::new(RegisteredModels::from([("coder".to_owned(), coder)]));
    let mut selector = shop(config).with_aliases(Arc::new(aliases));
    for version in ["coder@1", "coder@2"] {
        selector.models.insert(version.to_owned(), model(64_000, 5, &["large"]));
    }
    selector
}

#[test]
fn an_alias_leads_to_its_version_wherever_models_are_selected_and_the_reason_says_so() {
    let check = |change: &dyn Fn(&mut SelectionConfig), model| {
        let mut config = settings();
        change(&mut config);
        let wish = ModelWish::of("review").named(model);
        told(shop_with_versions(config).select(&wish, &facts(&[])))
    };
    let alias = || "@coder".to_owned();
    assert_snapshot!(check(&|_| {}, Some("@coder:1")), @"coder@1: The request names this model. The alias @coder:1 leads to coder@1.");
    assert_snapshot!(check(&|config| config.default = alias(), None), @"coder@2: The settings name no model for review, and this one is selection.default. The alias @coder leads to coder@2.");
    assert_snapshot!(check(&|config| drop(config.by_task.insert("review".to_owned(), alias())), None), @"coder@2: The settings name this model for review (selection.by_task.review). The alias @coder leads to coder@2.");
    let split = |config: &mut SelectionConfig| {
        config.split.insert("review".to_owned(), [(alias(), 3), ("small".to_owned(), 1)].into());
    };
    assert_snapshot!(check(&split, None), @"coder@2: This model gets 3 in 4 of the tasks of type review (selection.split.review). The alias @coder leads to coder@2.");
    let among = |config: &mut SelectionConfig| {
        config.constraints.insert("review".to_owned(), ConstraintsConfig { among: vec![alias()], ..none() });
    };
    assert_snapshot!(check(&among, None), @"coder@2: Of 1 models 1 fulfil the constraints (selection.constraints.review), and this one has the best quality of them. The alias @coder leads to coder@2.");
    assert_snapshot!(check(&|config| config.default = "@codr".to_owned(), None), @r#"
    find model "@codr": the registered models are @coder
    Did you mean @coder?
    "#);
}

#[test]
fn versions_are_considered_when_they_are_named_only() {
    let mut config = settings();
    config.constraints.insert("review".to_owned(), none());
    let selector = shop_with_versions(config);
    let explanation = selector.explain(&ModelWish::of("review"), None, &facts(&[]));
    let considered: Vec<_> =
        explanation.candidates.iter().filter(|one| one.is_considered).map(|one| one.model.as_str()).collect();
    assert_eq!(considered, ["large", "middle", "own", "small"]);
}

#[test]
fn a_task_keeps_its_version_and_its_share_when_another_is_promoted() {
    let mut config = settings();
    config.split.insert("review".to_owned(), [("@coder".to_owned(), 1), ("large".to_owned(), 1)].into());
    let selector = shop_with_versions(config);
    let random = SeededSource::from_seed(7);
    let select = |task| {
        let wish = ModelWish { task_id: Some(task), ..ModelWish::of("review") };
        selector.select(&wish, &facts(&[])).unwrap().model
    };
    let tasks: Vec<_> = (0..40).map(|number| TaskId::new(1_500 + number * 50, &random)).collect();
    let before: Vec<_> = tasks.iter().map(|task| select(*task)).collect();
    assert!(before.iter().any(|model| model == "coder@1") && before.iter().any(|model| model == "coder@2"));
    let mut registered = (*selector.aliases().current()).clone();
    registered.get_mut("coder").unwrap().production.push((9_000, Some(1)));
    selector.aliases().swap(registered);
    assert_eq!(tasks.iter().map(|task| select(*task)).collect::<Vec<_>>(), before);
    let later = (0..40).map(|number| select(TaskId::new(9_000 + number, &random)));
    assert!(later.collect::<Vec<_>>().iter().all(|model| model == "coder@1" || model == "large"));
}

/// Measured facts of a process in which an arm was taken out of the split of reviews.
struct Stopped(Facts, &'static [&'static str]);

impl Measurements for Stopped {
    fn measured(&self, model: &str, task_type: &str) -> Measured {
        self.0.measured(model, task_type)
    }

    fn demotion(&self, model: &str) -> Option<Demotion> {
        self.0.demotion(model)
    }

    fn stopped(&self, task_type: &str, arm: &str, _: Option<TaskId>) -> Option<String> {
        (task_type == "review" && self.1.contains(&arm)).then(|| "it does worse than small".to_owned())
    }
}

#[test]
fn a_stopped_arm_gives_its_tasks_to_those_behind_it_and_is_told_only_there() {
    let mut config = settings();
    let arms = ["small", "middle", "large"].map(|arm| (arm.to_owned(), 1)).into();
    config.split.insert("review".to_owned(), arms);
    let selector = shop(config);
    let choose = |seed, demoted: &[&str], stopped| {
        let task_id = Some(TaskId::new(1, &SeededSource::from_seed(seed)));
        let wish = ModelWish { task_id, ..ModelWish::of("review") };
        selector.select(&wish, &Stopped(facts(demoted), stopped)).unwrap()
    };
    let mut moved = 0;
    for seed in 0..200 {
        let before = choose(seed, &[], &[]);
        let after = choose(seed, &[], &["middle"]);
        if before.model == "middle" {
            moved += 1;
            let told = after.reason.to_string();
            assert!(told.ends_with("Passed over: middle (is stopped: it does worse than small)."), "{told}");
        } else {
            assert_eq!(after, before);
        }
        // Who is demoted answers rather than who is stopped; and where all are stopped, somebody has to.
        assert_ne!(choose(seed, &["small", "large"], &["middle"]).model, "middle");
        assert_eq!(choose(seed, &[], &["small", "middle", "large"]).model, before.model);
    }
    assert!((40..95).contains(&moved), "{moved}");
    let measured = Stopped(facts(&[]), &["middle"]);
    let reachable = selector.reachable(&ModelWish::of("review"), &measured).unwrap();
    assert_eq!(reachable, ["large", "small"]);
    let explanation = selector.explain(&ModelWish::of("review"), None, &measured);
    let middle = explanation.candidates.iter().find(|candidate| candidate.model == "middle").unwrap();
    assert!(middle.checks.iter().any(|check| check.key() == "ab" && !check.passes()));
}
