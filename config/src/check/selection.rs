//! Which model answers what.

use std::collections::BTreeMap;

use super::{constraints, ms_or, wrong_name};
use crate::error::{ConfigError, ConfigErrorKind};
use crate::key_path::KeyPath;
use crate::nearest::nearest;
use crate::raw::{RawAb, RawDemotion, RawHarmful, RawSelection, RawWeight, RawWeights};
use crate::report::Report;
use crate::settings::{AbConfig, DemotionConfig, HarmfulArm, ModelConfig, SelectionConfig};

/// Task types of the shipped agents.
const TASK_TYPES: [&str; 7] = ["generate", "review", "develop", "compress", "chat", "riddle", "judge"];

type Models = BTreeMap<String, ModelConfig>;

pub(super) fn check(raw: RawSelection, models: &Models, report: &mut Report) -> SelectionConfig {
    let top = KeyPath::of(["selection"]);
    let default = raw.default.unwrap_or_else(|| SelectionConfig::default().default);
    known(&default, models, &top.child("default"), report);
    let mut by_task = BTreeMap::new();
    for (task, name) in raw.by_task.unwrap_or_default() {
        let path = task_path(&top, "by_task", &task, report);
        if let Some(name) = name {
            known(&name, models, &path, report);
            by_task.insert(task, name);
        }
    }
    let mut split = BTreeMap::new();
    for (task, weights) in raw.split.unwrap_or_default() {
        let path = task_path(&top, "split", &task, report);
        if let Some(weights) = weights {
            split.insert(task, check_weights(weights, models, &path, report));
        }
    }
    let mut ab = BTreeMap::new();
    for (task, raw) in raw.ab.unwrap_or_default() {
        let path = task_path(&top, "ab", &task, report);
        if let Some(test) = raw.and_then(|raw| check_ab(raw, split.get(&task), &path, report)) {
            ab.insert(task, test);
        }
    }
    let mut constraints = BTreeMap::new();
    for (task, raw) in raw.constraints.unwrap_or_default() {
        let path = task_path(&top, "constraints", &task, report);
        let Some(raw) = raw else { continue };
        if split.contains_key(&task) {
            let message = format!("it has no effect: `selection.split.{task}` stands above it");
            report.warn(&path, message, "keep one of the two");
        }
        constraints.insert(task, constraints::check(raw, models, &path, report));
    }
    SelectionConfig {
        default,
        by_task,
        split,
        ab,
        constraints,
        demotion: demotion(&raw.demotion.unwrap_or_default()),
    }
}

/// The path of a task type below `key`; a slip of the pen in the type is a warning.
fn task_path(top: &KeyPath, key: &str, task: &str, report: &mut Report) -> KeyPath {
    let path = top.child(key).child(task);
    if let (false, Some(near)) = (TASK_TYPES.contains(&task), nearest(task, TASK_TYPES)) {
        report.warn(&path, "no shipped agent has this task type", format!("did you mean `{near}`?"));
    }
    path
}

fn known(name: &str, models: &Models, path: &KeyPath, report: &mut Report) {
    if let Some(error) = wrong_name(name, models) {
        report.value(path, error);
    }
}

fn check_weights(
    raw: RawWeights,
    models: &Models,
    path: &KeyPath,
    report: &mut Report,
) -> BTreeMap<String, u32> {
    let mut weights = BTreeMap::new();
    for (name, weight) in raw {
        if let Some(error) = wrong_name(&name, models) {
            report.key(&path.child(&name), error);
        }
        if let Some(RawWeight(weight)) = weight {
            weights.insert(name, weight);
        }
    }
    if weights.is_empty() {
        let error = ConfigError::new(ConfigErrorKind::Missing, "no model has a weight");
        report.value(path, error.with_hint("write `MODEL: WEIGHT`, for example `gpt: 9` and `claude: 1`"));
    }
    weights
}

/// A test needs a split with another arm to hold against the baseline; `None` where it lacks something.
fn check_ab(
    raw: RawAb,
    split: Option<&BTreeMap<String, u32>>,
    path: &KeyPath,
    report: &mut Report,
) -> Option<AbConfig> {
    let task = path.last().unwrap_or_default();
    let Some(arms) = split else {
        let message =
            format!("there is no `selection.split.{task}` whose models could be held against each other");
        let error = ConfigError::new(ConfigErrorKind::Missing, message);
        report.value(path, error.with_hint("give each model its weight there, or take this out"));
        return None;
    };
    // A split without a weight is told of by itself.
    if arms.len() == 1 {
        let message = format!("`selection.split.{task}` has one model only");
        let error = ConfigError::new(ConfigErrorKind::Invalid, message);
        report.value(path, error.with_hint("give a second model its weight there, or take this out"));
    }
    let names = arms.keys().map(String::as_str);
    let known = || format!("models of the split: {}", names.clone().collect::<Vec<_>>().join(", "));
    let Some(baseline) = raw.baseline else {
        let error = ConfigError::new(ConfigErrorKind::Missing, "`baseline` is missing");
        report.value(path, error.with_hint(known()));
        return None;
    };
    if !arms.contains_key(&baseline) {
        let message = format!("{baseline:?} is not in `selection.split.{task}`");
        let hint = nearest(&baseline, names.clone()).map(|near| format!("did you mean `{near}`?"));
        let error = ConfigError::new(ConfigErrorKind::Invalid, message);
        report.value(&path.child("baseline"), error.with_hint(hint.unwrap_or_else(known)));
        return None;
    }
    let default = AbConfig::default();
    Some(AbConfig {
        baseline,
        false_winners: raw.false_winners.unwrap_or(default.false_winners),
        harmful: match raw.harmful {
            None | Some(RawHarmful::Stop) => HarmfulArm::Stop,
            Some(RawHarmful::Tell) => HarmfulArm::Tell,
        },
        outcomes_min: raw.outcomes_min.unwrap_or(default.outcomes_min),
    })
}

fn demotion(raw: &RawDemotion) -> DemotionConfig {
    let default = DemotionConfig::default();
    DemotionConfig {
        error_ratio_max: raw.error_ratio_max.unwrap_or(default.error_ratio_max),
        latency_factor_max: raw.latency_factor_max.unwrap_or(default.latency_factor_max),
        calls: raw.calls.unwrap_or(default.calls),
        duration: ms_or(raw.duration_ms, default.duration),
    }
}
