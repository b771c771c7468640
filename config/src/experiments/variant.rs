//! The variants of a template.

use std::collections::BTreeMap;

use playhouse_protocol::completion::Sampling;
use playhouse_protocol::compress::Strategy;
use playhouse_protocol::riddle::{ContextCompression, ReasoningMode, ReasoningStep};

use super::parse::{TemplateSources, check_model, named, unknown};
use super::raw::{RawCompression, RawPrompt, RawSampling, RawVariant};
use super::template::{ExperimentTask, PromptLabel, Variant};
use crate::error::{ConfigError, ConfigErrorKind};
use crate::key_path::KeyPath;
use crate::reasoning::{self, StepContext};
use crate::report::{Report, check_name, invalid, needed};

/// The most variants: each is held against the baseline, and more comparisons than this find nothing.
const VARIANTS_MAX: usize = 64;

/// The mode of variants that name none.
const MODE_DEFAULT: &str = "direct";

pub(super) fn all(
    raw: Option<Vec<RawVariant>>,
    task: ExperimentTask,
    modes: &[&ReasoningMode],
    sources: &TemplateSources<'_>,
    report: &mut Report,
) -> Vec<Variant> {
    let path = KeyPath::default().child("variants");
    let raw = raw.unwrap_or_default();
    if raw.is_empty() || raw.len() > VARIANTS_MAX {
        let error = invalid(format!("it has {} variants", raw.len()));
        report.value(&path, error.with_hint(format!("write 1 to {VARIANTS_MAX}, each with a `name:`")));
    }
    let mut taken = BTreeMap::new();
    let mut variants = Vec::with_capacity(raw.len());
    for (index, raw) in raw.into_iter().enumerate() {
        let path = path.child(&index.to_string());
        check_model(raw.model.as_deref(), &path.child("model"), sources, report);
        let variant = variant(raw, task, modes, &path, report);
        if let Some(first) = taken.insert(variant.name.clone(), index)
            && !variant.name.is_empty()
        {
            let message = format!("the name {:?} stands twice; first in variant {}", variant.name, first + 1);
            report.value(&path.child("name"), invalid(message).with_hint("give each variant its own name"));
        }
        variants.push(variant);
    }
    variants
}

fn variant(
    raw: RawVariant,
    task: ExperimentTask,
    modes: &[&ReasoningMode],
    path: &KeyPath,
    report: &mut Report,
) -> Variant {
    let name = needed(raw.name, &path.child("name"), "write a name, as in `small`", report);
    check_name(&name, "a name", &path.child("name"), report);
    let riddles_only = [
        ("mode", raw.mode.is_some()),
        ("prompt", raw.prompt.is_some()),
        ("compression", raw.compression.is_some()),
        ("completion_tokens_max", raw.completion_tokens_max.is_some()),
    ];
    let of_others = match task {
        ExperimentTask::Riddle => vec![("rounds", raw.rounds.is_some())],
        ExperimentTask::Develop => riddles_only.to_vec(),
    };
    for (key, _) in of_others.into_iter().filter(|(_, is_given)| *is_given) {
        let message = format!("variants of task {} do not have this key", task.as_str());
        report.key(
            &path.child(key),
            ConfigError::new(ConfigErrorKind::Conflict, message).with_hint("take it out"),
        );
    }
    if raw.mode.is_some() && raw.prompt.is_some() {
        let error = ConfigError::new(ConfigErrorKind::Conflict, "it has a mode beside a prompt of its own");
        report.key(&path.child("prompt"), error.with_hint("keep one of `mode` and `prompt`"));
    }
    let (mode, prompt) = match raw.prompt {
        Some(prompt) => {
            let (mode, label) = own_prompt(prompt, &path.child("prompt"), report);
            (mode, Some(label))
        }
        None => (mode(raw.mode.as_deref(), &path.child("mode"), modes, report), None),
    };
    let sampling = raw.sampling.map(|raw| sampling(&raw)).unwrap_or_default();
    if mode.samples > 1 && sampling.temperature == Some(0.0) {
        let error = ConfigError::new(
            ConfigErrorKind::Conflict,
            format!(
                "mode {} votes on {} samples, and at temperature 0 all are the same",
                mode.name, mode.samples
            ),
        );
        report.value(&path.child("sampling"), error.with_hint("leave the temperature out, or raise it"));
    }
    Variant {
        name,
        model: raw.model,
        mode,
        prompt,
        compression: raw.compression.map(|raw| compression(&raw, &path.child("compression"), report)),
        sampling,
        completion_tokens_max: raw.completion_tokens_max,
        rounds: raw.rounds.unwrap_or(1),
    }
}

fn mode(name: Option<&str>, path: &KeyPath, modes: &[&ReasoningMode], report: &mut Report) -> ReasoningMode {
    let name = name.unwrap_or(MODE_DEFAULT);
    let found = modes.iter().find(|mode| mode.name == name).map(|mode| (*mode).clone());
    found.unwrap_or_else(|| {
        let known: Vec<_> = modes.iter().map(|mode| mode.name.as_str()).collect();
        report.value(path, unknown(name, &known, "no reasoning mode has this name"));
        ReasoningMode { name: name.to_owned(), steps: Vec::new(), samples: 1 }
    })
}

/// A mode of one step, which is the prompt.
fn own_prompt(raw: RawPrompt, path: &KeyPath, report: &mut Report) -> (ReasoningMode, PromptLabel) {
    let name = needed(raw.name, &path.child("name"), "write a name, as in `concise`", report);
    check_name(&name, "a name", &path.child("name"), report);
    let version = raw.version.unwrap_or(1);
    let hint = "write what is asked, with `{{ question }}` in it";
    let ask = needed(raw.text, &path.child("text"), hint, report);
    let step = ReasoningStep { system: raw.system, ask };
    reasoning::check_step(&step, 0, path, "text", report);
    if !step.ask.is_empty() && !asks(&step) {
        let error = invalid("the question is not in it").with_hint("write `{{ question }}` where it belongs");
        report.value(&path.child("text"), error);
    }
    let mode = ReasoningMode { name: format!("{name}.v{version}"), steps: vec![step], samples: 1 };
    (mode, PromptLabel { name, version })
}

/// Whether a prompt asks the question at all. One that cannot be rendered was told before.
fn asks(step: &ReasoningStep) -> bool {
    const MARK: &str = "What is it? 7f3a";
    let context = StepContext { question: MARK, context: None, answers: &[] };
    reasoning::render_step(step, &context).map_or(true, |rendered| rendered.user.contains(MARK))
}

fn sampling(raw: &RawSampling) -> Sampling {
    Sampling { temperature: raw.temperature, top_p: raw.top_p, top_k: raw.top_k, seed: raw.seed }
}

fn compression(raw: &RawCompression, path: &KeyPath, report: &mut Report) -> ContextCompression {
    let strategy = raw.strategy.as_deref().unwrap_or(Strategy::Auto.as_str());
    let strategy = named(strategy, &Strategy::ALL, Strategy::as_str, &path.child("strategy"), report);
    let limit_tokens =
        needed(raw.limit_tokens, &path.child("limit_tokens"), "write the most tokens that are left", report);
    ContextCompression { strategy: strategy.unwrap_or_default(), limit_tokens }
}
