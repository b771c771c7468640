//! From a template as it is written to a checked one.

use std::sync::LazyLock;

use playhouse_protocol::riddle::{Judge, ReasoningMode};
use serde::Deserialize as _;
use serde_json::Value;

use super::items::items;
use super::metric::Metric;
use super::raw::{RawBudget, RawStopping, RawTemplate};
use super::template::{
    ExperimentBudget, ExperimentTask, ExperimentTemplate, Item, ItemBody, SequentialRule, Variant,
};
use super::variant;
use crate::aliases::AliasName;
use crate::check::nano_usd;
use crate::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use crate::key_path::KeyPath;
use crate::load::document;
use crate::nearest::nearest;
use crate::reasoning::{self, RawMode};
use crate::report::{Report, check_name, invalid, needed};
use crate::riddles::RiddleSet;
use crate::schema::schema_of;
use crate::settings::Config;
use crate::shape;

/// The version of the form of templates.
const VERSION: u32 = 1;

/// The most answers of one experiment: each is kept with its text, and read as a whole for the report.
pub const TRIALS_MAX: u64 = 200_000;

/// Answers that are waited for at once when nobody says: few, because many slow each other down and spoil the times.
const WIDTH_DEFAULT: u32 = 4;

const CONFIDENCE_DEFAULT: f64 = 0.95;

static SCHEMA: LazyLock<Value> = LazyLock::new(schema_of::<RawTemplate>);

/// What a template may name.
pub struct TemplateSources<'a> {
    /// The reasoning modes.
    pub modes: &'a [ReasoningMode],
    /// The settings with the models that can be asked; `None` takes any name.
    pub config: Option<&'a Config>,
    /// Finds a set of riddles by its name or file.
    pub dataset: &'a dyn Fn(&str) -> Result<RiddleSet, ConfigErrors>,
}

/// Reads the text of a template; `name` stands in errors where the file's name would.
///
/// # Errors
/// Everything that is wrong with it, and with the dataset that it names, each with its place.
pub fn parse_template(
    name: &str,
    text: &str,
    sources: &TemplateSources<'_>,
) -> Result<ExperimentTemplate, ConfigErrors> {
    let mut report = Report::new(name);
    let mut value = document::read(text, &mut report).map_err(|error| error.in_file(name))?;
    let top = KeyPath::default();
    if value.is_object() {
        shape::check(&SCHEMA, &mut value, &top, &mut report);
    } else {
        value = Value::Object(serde_json::Map::new());
        let error = ConfigError::new(ConfigErrorKind::WrongType, "expected a template of an experiment");
        report.value(&top, error.with_hint("`playhouse experiment new` writes one"));
    }
    // The shape is that of the schema, which is drawn from the type.
    let raw = RawTemplate::deserialize(value).unwrap_or_default();
    let template = template(raw, sources, &mut report);
    report.finish()?;
    Ok(template)
}

fn template(mut raw: RawTemplate, sources: &TemplateSources<'_>, report: &mut Report) -> ExperimentTemplate {
    let top = KeyPath::default();
    if raw.version != Some(VERSION) {
        let error = invalid("it does not say that it is of a known version");
        report.value(&top.child("version"), error.with_hint(format!("write `version: {VERSION}`")));
    }
    let name = needed(raw.name.clone(), &top.child("name"), "write a name, as in `models-1`", report);
    check_name(&name, "a name", &top.child("name"), report);
    let task = raw.task.as_deref().map(|text| {
        named(
            text,
            &[ExperimentTask::Riddle, ExperimentTask::Develop],
            ExperimentTask::as_str,
            &top.child("task"),
            report,
        )
    });
    let task = needed(task, &top.child("task"), "write `riddle` or `develop`", report)
        .unwrap_or(ExperimentTask::Riddle);
    let seed = raw.seed.unwrap_or(1);
    let repeats = raw.repeats.unwrap_or(1);
    let (dataset, items) = items(&mut raw, task, seed, sources, report);
    let own_modes = own_modes(raw.modes.take(), report);
    let modes: Vec<_> = own_modes.iter().chain(sources.modes).collect();
    let variants = variant::all(raw.variants, task, &modes, sources, report);
    let baseline = baseline(raw.baseline.as_deref(), &variants, report);
    let judge = raw.judge.map(|judge| {
        check_model(judge.model.as_deref(), &top.child("judge").child("model"), sources, report);
        Judge { model: judge.model }
    });
    let metrics = metrics(raw.metrics.as_deref(), task, report);
    check_use(&metrics, &variants, &items, judge.is_some(), report);
    let trials =
        (items.len() as u64).saturating_mul(variants.len() as u64).saturating_mul(u64::from(repeats));
    if trials > TRIALS_MAX {
        let error = invalid(format!("it asks for {trials} answers, and {TRIALS_MAX} are the most"));
        report.value(
            &top.child("repeats"),
            error.with_hint("take fewer repeats, variants or items (`sample`)"),
        );
    }
    ExperimentTemplate {
        name,
        description: raw.description.unwrap_or_default(),
        task,
        dataset,
        items,
        variants,
        baseline,
        metrics,
        repeats,
        width: raw.width.unwrap_or(WIDTH_DEFAULT),
        seed,
        confidence: raw.confidence.unwrap_or(CONFIDENCE_DEFAULT),
        judge,
        budget: budget(&raw.budget.unwrap_or_default(), report),
        stopping: raw.stopping.map(|raw| stopping(&raw)),
    }
}

/// Reasoning modes of the template's own. One that is called as another one stands above it.
fn own_modes(raw: Option<Vec<RawMode>>, report: &mut Report) -> Vec<ReasoningMode> {
    let path = KeyPath::default().child("modes");
    let modes = raw.unwrap_or_default().into_iter().enumerate();
    modes.map(|(index, raw)| reasoning::mode(raw, &path.child(&index.to_string()), report)).collect()
}

fn baseline(name: Option<&str>, variants: &[Variant], report: &mut Report) -> usize {
    let Some(name) = name else { return 0 };
    let found = variants.iter().position(|variant| variant.name == name);
    found.unwrap_or_else(|| {
        let names: Vec<_> = variants.iter().map(|variant| variant.name.as_str()).collect();
        report
            .value(&KeyPath::default().child("baseline"), unknown(name, &names, "no variant has this name"));
        0
    })
}

fn metrics(names: Option<&[String]>, task: ExperimentTask, report: &mut Report) -> Vec<Metric> {
    let Some(names) = names else {
        return match task {
            ExperimentTask::Riddle => {
                vec![Metric::Accuracy, Metric::LatencyMs, Metric::TotalTokens, Metric::CostUsd]
            }
            ExperimentTask::Develop => {
                vec![
                    Metric::ReviewScore,
                    Metric::Approved,
                    Metric::Parses,
                    Metric::LatencyMs,
                    Metric::CostUsd,
                ]
            }
        };
    };
    let path = KeyPath::default().child("metrics");
    if names.is_empty() {
        report.value(
            &path,
            invalid("the list is empty").with_hint("write at least one; the first one decides"),
        );
    }
    let possible: Vec<_> = Metric::ALL.into_iter().filter(|metric| metric.is_of(task)).collect();
    let mut metrics = Vec::new();
    for (index, name) in names.iter().enumerate() {
        let path = path.child(&index.to_string());
        let Some(metric) = named(name, &Metric::ALL, Metric::as_str, &path, report) else { continue };
        if !possible.contains(&metric) {
            let names: Vec<_> = possible.iter().map(|metric| metric.as_str()).collect();
            let message = format!("answers of task {} cannot be measured by it", task.as_str());
            let error = ConfigError::new(ConfigErrorKind::Conflict, message);
            report.value(&path, error.with_hint(format!("it has: {}", names.join(", "))));
        } else if metrics.contains(&metric) {
            report.value(&path, invalid(format!("{metric} stands twice")).with_hint("take one of them out"));
        } else {
            metrics.push(metric);
        }
    }
    metrics
}

/// Whether what is measured can be there at all.
fn check_use(metrics: &[Metric], variants: &[Variant], items: &[Item], has_judge: bool, report: &mut Report) {
    let path = KeyPath::default().child("metrics");
    let conflict = |message: &str| ConfigError::new(ConfigErrorKind::Conflict, message);
    if metrics.contains(&Metric::JudgedAccuracy) && !has_judge {
        let error = conflict("judged_accuracy needs a judge, and there is none");
        report.value(&path, error.with_hint("write `judge: {model: NAME}`, or take the metric out"));
    }
    let compresses = variants.iter().any(|variant| variant.compression.is_some());
    let of_compression = [Metric::CompressionRatio, Metric::FactsKept];
    if let Some(metric) = metrics.iter().find(|metric| of_compression.contains(metric))
        && !compresses
    {
        let error = conflict("no variant compresses anything");
        report.value(&path, error.with_hint(format!("give a variant `compression:`, or take {metric} out")));
    }
    let without_text = items
        .iter()
        .find(|item| matches!(&item.body, ItemBody::Question { context: None, .. } | ItemBody::Spec { .. }));
    if compresses && let Some(item) = without_text {
        let message = format!("a variant compresses the text of an item, and item {:?} has none", item.id);
        let hint = "give each riddle a `context:`, or select those that have one";
        report.value(&KeyPath::default().child("variants"), conflict(&message).with_hint(hint));
    }
}

fn budget(raw: &RawBudget, report: &mut Report) -> ExperimentBudget {
    ExperimentBudget {
        tokens_max: raw.tokens,
        cost_nano_usd_max: raw.usd.map(|usd| nano_usd(usd, &KeyPath::of(["budget", "usd"]), report)),
        model_calls_max: raw.model_calls,
    }
}

fn stopping(raw: &RawStopping) -> SequentialRule {
    SequentialRule {
        wins: raw.wins.unwrap_or(2.0 / 3.0),
        false_winners: raw.false_winners.unwrap_or(0.05),
        missed_winners: raw.missed_winners.unwrap_or(0.2),
    }
}

/// Refuses a model that cannot be asked.
pub(super) fn check_model(
    model: Option<&str>,
    path: &KeyPath,
    sources: &TemplateSources<'_>,
    report: &mut Report,
) {
    let (Some(model), Some(config)) = (model, sources.config) else { return };
    if model.starts_with('@') {
        match AliasName::parse(model) {
            Err(error) => report.value(path, error.into()),
            Ok(AliasName { model: name, target }) => {
                let found = config.registered.get(&name);
                if found.is_none_or(|found| found.version(target, None).is_none()) {
                    let names: Vec<_> = config.registered.keys().map(String::as_str).collect();
                    let error = match found {
                        None => unknown(&name, &names, "no model is registered under this name"),
                        Some(_) => invalid(format!("{model} leads to no version"))
                            .with_hint(format!("`playhouse models versions {name}` tells what there is")),
                    };
                    report.value(path, error);
                }
            }
        }
    } else if !config.models.contains_key(model) {
        let names: Vec<_> = config.models.keys().map(String::as_str).collect();
        report.value(path, unknown(model, &names, "no model of the catalog has this name"));
    }
}

/// The value that is called `text`.
pub(super) fn named<T: Copy>(
    text: &str,
    all: &[T],
    name: fn(T) -> &'static str,
    path: &KeyPath,
    report: &mut Report,
) -> Option<T> {
    let found = all.iter().copied().find(|value| name(*value) == text);
    if found.is_none() {
        let names: Vec<_> = all.iter().map(|value| name(*value)).collect();
        report.value(path, unknown(text, &names, "it is not known"));
    }
    found
}

/// A name that is none of the known ones.
pub(super) fn unknown(text: &str, known: &[&str], message: &str) -> ConfigError {
    let hint = match nearest(text, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", known.join(", ")),
    };
    ConfigError::new(ConfigErrorKind::UnknownName, format!("{text:?}: {message}")).with_hint(hint)
}
