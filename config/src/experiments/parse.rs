//! From a template as it is written to a checked one.

use std::str::FromStr as _;
use std::sync::LazyLock;

use playhouse_protocol::code::Language;
use playhouse_protocol::riddle::{Difficulty, Judge, ReasoningMode};
use serde::Deserialize as _;
use serde_json::Value;

use super::draw;
use super::metric::Metric;
use super::raw::{RawBudget, RawSelect, RawSpec, RawStopping, RawTemplate};
use super::template::{
    ExperimentBudget, ExperimentTask, ExperimentTemplate, Item, ItemBody, SequentialRule, Variant,
};
use super::variant;
use crate::check::nano_usd;
use crate::error::{ConfigError, ConfigErrorKind, ConfigErrors};
use crate::key_path::KeyPath;
use crate::load::document;
use crate::nearest::nearest;
use crate::reasoning::{self, RawMode};
use crate::report::{Report, check_name, invalid, needed};
use crate::riddles::{self, Riddle, RiddleSet};
use crate::schema::schema_of;
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
    /// The models that can be asked; `None` takes any name.
    pub models: Option<&'a [String]>,
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

/// The items, from wherever the template says; exactly one place.
fn items(
    raw: &mut RawTemplate,
    task: ExperimentTask,
    seed: u64,
    sources: &TemplateSources<'_>,
    report: &mut Report,
) -> (String, Vec<Item>) {
    let top = KeyPath::default();
    let places = [
        ("dataset", raw.dataset.is_some(), ExperimentTask::Riddle),
        ("riddles", raw.riddles.is_some(), ExperimentTask::Riddle),
        ("specs", raw.specs.is_some(), ExperimentTask::Develop),
    ];
    let given: Vec<_> = places.iter().filter(|(_, is_given, _)| *is_given).collect();
    let hint = match task {
        ExperimentTask::Riddle => "write `dataset:` with a set's name or file, or a list of `riddles:`",
        ExperimentTask::Develop => "write a list of `specs:`",
    };
    for (key, _, of) in given.iter().filter(|(_, _, of)| *of != task) {
        let message =
            format!("an experiment of task {} has none; this is for task {}", task.as_str(), of.as_str());
        report.key(&top.child(key), ConfigError::new(ConfigErrorKind::Conflict, message).with_hint(hint));
    }
    if given.len() > 1 {
        let error = ConfigError::new(ConfigErrorKind::Conflict, "there are items in more than one place");
        report.key(&top.child(given[1].0), error.with_hint("keep one of `dataset`, `riddles` and `specs`"));
    }
    if given.is_empty() {
        let error = ConfigError::new(ConfigErrorKind::Missing, "there is nothing to ask");
        report.value(&top.child("dataset"), error.with_hint(hint));
    }
    let (dataset, mut items) = match &raw.dataset {
        Some(dataset) => match (sources.dataset)(dataset) {
            Ok(set) => (set.name, set.riddles),
            Err(errors) => {
                let (here, elsewhere): (Vec<_>, Vec<_>) =
                    errors.into_iter().partition(|error| error.place.file.is_none());
                here.into_iter().for_each(|error| report.value(&top.child("dataset"), error));
                elsewhere.into_iter().for_each(|error| report.elsewhere(error));
                (dataset.clone(), Vec::new())
            }
        },
        None => ("inline".to_owned(), Vec::new()),
    };
    if let Some(riddles) = raw.riddles.take() {
        let path = top.child("riddles");
        if riddles.is_empty() {
            report.value(&path, invalid("the list is empty").with_hint("write at least one riddle"));
        }
        items = riddles::checked(riddles, |index| path.child(&index.to_string()), report);
    }
    let mut items: Vec<_> = match &raw.specs {
        Some(specs) => spec_items(specs, report),
        None => {
            draw::selected(items, &select(raw.select.as_ref(), report)).into_iter().map(Item::from).collect()
        }
    };
    if items.is_empty() && raw.select.is_some() && raw.dataset.is_some() {
        let error = invalid("no riddle of the dataset is like this");
        report.value(
            &top.child("select"),
            error.with_hint("`playhouse riddles show` lists forms, difficulties and tags"),
        );
    }
    if let Some(sample) = raw.sample {
        items = draw::sample(items, sample as usize, seed);
    }
    (dataset, items)
}

fn select(raw: Option<&RawSelect>, report: &mut Report) -> draw::Select {
    let Some(raw) = raw else { return draw::Select::default() };
    let path = KeyPath::of(["select", "difficulty"]);
    let difficulty = raw.difficulty.as_deref().unwrap_or_default().iter().enumerate();
    draw::Select {
        difficulty: difficulty
            .filter_map(|(index, text)| {
                named(text, &Difficulty::ALL, Difficulty::as_str, &path.child(&index.to_string()), report)
            })
            .collect(),
        forms: raw.forms.clone().unwrap_or_default(),
        tags: raw.tags.clone().unwrap_or_default(),
    }
}

impl From<Riddle> for Item {
    fn from(riddle: Riddle) -> Self {
        let Riddle { id, form, difficulty, question, context, key, .. } = riddle;
        Self {
            id,
            group: form,
            difficulty: Some(difficulty),
            body: ItemBody::Question { question, context, key },
        }
    }
}

fn spec_items(specs: &[RawSpec], report: &mut Report) -> Vec<Item> {
    let top = KeyPath::default().child("specs");
    if specs.is_empty() {
        report.value(&top, invalid("the list is empty").with_hint("write at least one spec"));
    }
    let mut taken = std::collections::BTreeMap::new();
    let mut items = Vec::with_capacity(specs.len());
    for (index, raw) in specs.iter().enumerate() {
        let path = top.child(&index.to_string());
        let id = needed(raw.id.clone(), &path.child("id"), "write an id, as in `median`", report);
        if let Some(first) = taken.insert(id.clone(), index)
            && !id.is_empty()
        {
            let message = format!("the id {id:?} stands twice; first in spec {}", first + 1);
            report.value(&path.child("id"), invalid(message).with_hint("give each spec its own id"));
        }
        let spec = needed(raw.spec.clone(), &path.child("spec"), "write what the code must do", report);
        let language =
            raw.language.as_deref().map(Language::from_str).transpose().unwrap_or_else(|failure| {
                let error = ConfigError::new(ConfigErrorKind::UnknownName, "the language is not known");
                report.value(&path.child("language"), error.with_hint(failure.hint.unwrap_or_default()));
                None
            });
        let group = raw.group.clone().unwrap_or_default();
        let body = ItemBody::Spec { spec, language: language.unwrap_or_default() };
        items.push(Item { id, group, difficulty: None, body });
    }
    items
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
    if let (Some(model), Some(known)) = (model, sources.models)
        && !known.iter().any(|name| name == model)
        // An alias stands for a version of the registry, which is asked when the run begins.
        && !model.starts_with('@')
    {
        let names: Vec<_> = known.iter().map(String::as_str).collect();
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
