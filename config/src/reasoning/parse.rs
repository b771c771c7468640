//! Reading of modes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use playhouse_protocol::riddle::{ReasoningMode, ReasoningStep, SAMPLES_MAX, STEPS_MAX, TEMPLATE_BYTES_MAX};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::render::check_template;
use crate::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use crate::key_path::KeyPath;
use crate::load::document;
use crate::prompts::PromptError;
use crate::report::{Report, check_name, invalid, needed};
use crate::schema::schema_of;
use crate::shape;

/// The version of the form of modes.
const VERSION: u32 = 1;

/// The most modes of one file: an experiment compares a handful.
const MODES_MAX: usize = 100;

/// Modes as they are written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RawModes {
    version: Option<u32>,
    modes: Vec<RawMode>,
}

/// A mode as it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct RawMode {
    #[schemars(length(min = 1))]
    name: Option<String>,
    /// For people who read the file.
    description: Option<String>,
    samples: Option<u32>,
    steps: Vec<RawStep>,
}

/// A step as it is written.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct RawStep {
    system: Option<String>,
    #[schemars(length(min = 1))]
    ask: Option<String>,
}

static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<RawModes>);

/// Reads the text of a file with reasoning modes; `name` stands in errors where the file's name would. Each template is tried
/// with made-up data.
///
/// # Errors
/// Everything that is wrong with it, each with its place.
pub fn parse_modes(name: &str, text: &str) -> Result<Vec<ReasoningMode>, ConfigErrors> {
    let mut report = Report::new(name);
    let mut value = document::read(text, &mut report).map_err(|error| error.in_file(name))?;
    let top = KeyPath::default();
    if !value.is_object() {
        let error = ConfigError::new(ConfigErrorKind::WrongType, "expected reasoning modes");
        report.value(&top, error.with_hint("write `version: 1` and a list of `modes:`"));
        return Err(report.failed());
    }
    shape::check(&SCHEMA, &mut value, &top, &mut report);
    let Ok(raw) = RawModes::deserialize(value) else {
        report.value(&top, ConfigError::new(ConfigErrorKind::WrongType, "these are no reasoning modes"));
        return Err(report.failed());
    };
    if raw.version != Some(VERSION) {
        let error = invalid("it does not say that it is of a known version");
        report.value(&top.child("version"), error.with_hint(format!("write `version: {VERSION}`")));
    }
    let path = top.child("modes");
    if raw.modes.is_empty() || raw.modes.len() > MODES_MAX {
        let message = format!("it has {} modes", raw.modes.len());
        report.value(&path, invalid(message).with_hint(format!("write 1 to {MODES_MAX}")));
    }
    let mut taken = BTreeMap::new();
    let mut modes = Vec::with_capacity(raw.modes.len());
    for (index, raw) in raw.modes.into_iter().enumerate() {
        let path = path.child(&index.to_string());
        let mode = mode(raw, &path, &mut report);
        if let Some(first) = taken.insert(mode.name.clone(), index)
            && !mode.name.is_empty()
        {
            let message = format!("the name {:?} stands twice; first in mode {}", mode.name, first + 1);
            report.value(&path.child("name"), invalid(message).with_hint("give each mode its own name"));
        }
        modes.push(mode);
    }
    report.finish()?;
    Ok(modes)
}

/// One mode; where something is wrong with it, the report says so and nobody sees the mode.
pub(crate) fn mode(raw: RawMode, path: &KeyPath, report: &mut Report) -> ReasoningMode {
    let name = needed(raw.name, &path.child("name"), "write a name, as in `step-by-step`", report);
    check_name(&name, "a name", &path.child("name"), report);
    let samples = raw.samples.unwrap_or(1);
    if !(1..=SAMPLES_MAX).contains(&samples) {
        let error =
            ConfigError::new(ConfigErrorKind::OutOfRange, format!("{samples} samples cannot be taken"));
        report.value(&path.child("samples"), error.with_hint(format!("write 1 to {SAMPLES_MAX}")));
    }
    let below = path.child("steps");
    if raw.steps.is_empty() || raw.steps.len() > STEPS_MAX {
        let message = format!("it has {} steps", raw.steps.len());
        report.value(&below, invalid(message).with_hint(format!("write 1 to {STEPS_MAX}")));
    }
    let steps = raw.steps.into_iter().enumerate();
    let steps = steps.map(|(index, raw)| step(raw, index, &below.child(&index.to_string()), report));
    ReasoningMode { name, steps: steps.collect(), samples }
}

fn step(raw: RawStep, index: usize, path: &KeyPath, report: &mut Report) -> ReasoningStep {
    let ask = needed(raw.ask, &path.child("ask"), "write what the model is asked", report);
    let step = ReasoningStep { system: raw.system, ask };
    check_step(&step, index, path, "ask", report);
    step
}

/// Tries the templates of a step; that of the user's message stands under `ask_key`.
pub(crate) fn check_step(
    step: &ReasoningStep,
    index: usize,
    path: &KeyPath,
    ask_key: &str,
    report: &mut Report,
) {
    let system = step.system.as_ref().map(|source| ("system", source));
    let ask = Some((ask_key, &step.ask)).filter(|(_, ask)| !ask.is_empty());
    for (key, source) in system.into_iter().chain(ask) {
        let path = path.child(key);
        if source.len() > TEMPLATE_BYTES_MAX {
            let message = format!("it has {} bytes", source.len());
            let error = ConfigError::new(ConfigErrorKind::OutOfRange, message);
            report.value(&path, error.with_hint(format!("write at most {TEMPLATE_BYTES_MAX}")));
        } else if let Err(error) = check_template(key, source, index, key == ask_key) {
            report.value(&path, template_error(&error));
        }
    }
}

/// What is wrong with a template, at the place of the key that holds it.
fn template_error(error: &PromptError) -> ConfigError {
    let message = match error {
        PromptError::Template { line, message, .. } if *line > 1 => {
            format!("line {line} of the template: {message}")
        }
        PromptError::Template { message, .. } => message.clone(),
        PromptError::Unreadable { .. } | PromptError::UnknownTemplate { .. } => error.to_string(),
    };
    match error.hint() {
        Some(hint) => invalid(message).with_hint(hint),
        None => invalid(message),
    }
}
