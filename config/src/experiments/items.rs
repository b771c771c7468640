//! The items of a template: a dataset or what is written into it, selected and drawn.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use playhouse_protocol::code::Language;
use playhouse_protocol::riddle::Difficulty;

use super::draw;
use super::parse::{TemplateSources, named};
use super::raw::{RawSelect, RawSpec, RawTemplate};
use super::template::{ExperimentTask, Item, ItemBody};
use crate::error::{ConfigError, ConfigErrorKind};
use crate::key_path::KeyPath;
use crate::report::{Report, invalid, needed};
use crate::riddles::{self, Riddle};

/// The items, from wherever the template says; exactly one place.
pub(super) fn items(
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
    let mut taken = BTreeMap::new();
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
