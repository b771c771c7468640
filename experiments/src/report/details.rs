//! What was asked and answered, item by item.

use std::collections::BTreeMap;

use playhouse_config::experiments::{Item, ItemBody};
use playhouse_protocol::develop::Developed;
use playhouse_protocol::riddle::{Difficulty, EvaluatedRiddle};

use crate::analysis::Outcome;
use crate::run::{Evidence, Manifest, Record};

/// The most items that are shown: a page of more is too heavy to be read.
pub const ITEMS_MAX: usize = 1_000;

/// The longest text that is shown in full, in characters: the records have all of it.
pub const TEXT_CHARS_MAX: usize = 4_000;

/// What was asked and answered.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Details {
    /// The items, in the order of the design: the first [`ITEMS_MAX`].
    pub items: Vec<ItemDetail>,
    /// How many items are left out.
    pub left_out: usize,
}

/// An item and its answers.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemDetail {
    /// Its id.
    pub id: String,
    /// Its group; may be empty.
    pub group: String,
    /// How hard it is held to be.
    pub difficulty: Option<&'static str>,
    /// What is asked: a question or a spec.
    pub question: String,
    /// What is accepted; nothing for code.
    pub accepted: Vec<String>,
    /// What was answered, by variant and repeat.
    pub answers: Vec<AnswerDetail>,
}

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AnswerDetail {
    /// The variant.
    pub variant: String,
    /// Which repeat, counted from 0.
    pub repeat: u32,
    /// What came of it, as it was recorded.
    pub outcome: Outcome,
    /// What the answer was taken to be; of code, why it is the best.
    pub answer: Option<String>,
    /// What the judge made of it: `None` when nobody judged, `Some(None)` when it said neither.
    pub judged: Option<Option<bool>>,
    /// How many samples it was chosen from.
    pub samples: usize,
    /// The answers to all steps of the sample that counts; the code; or why it failed. At most [`TEXT_CHARS_MAX`] each.
    pub texts: Vec<String>,
}

impl Details {
    /// What manifest and records hold. Records that are not of the design are left out, since
    /// [`analyse`](crate::analysis::analyse) refuses them.
    pub fn new(manifest: &Manifest, records: &[Record]) -> Self {
        let design = &manifest.design;
        let places: BTreeMap<_, _> =
            design.variants.iter().enumerate().map(|(at, variant)| (variant.name.as_str(), at)).collect();
        let mut by_item: BTreeMap<&str, Vec<(usize, &Record)>> = BTreeMap::new();
        for record in records {
            if let Some(place) = places.get(record.variant.as_str()) {
                by_item.entry(&record.item).or_default().push((*place, record));
            }
        }
        by_item
            .values_mut()
            .for_each(|records| records.sort_by_key(|(place, record)| (*place, record.repeat)));
        let items = design.items.iter().take(ITEMS_MAX).map(|item| {
            let records = by_item.get(item.id.as_str()).map(Vec::as_slice).unwrap_or_default();
            ItemDetail::new(item, records)
        });
        Self { items: items.collect(), left_out: design.items.len().saturating_sub(ITEMS_MAX) }
    }
}

impl ItemDetail {
    fn new(item: &Item, records: &[(usize, &Record)]) -> Self {
        let (question, accepted) = match &item.body {
            ItemBody::Question { question, key, .. } => (question, key.answers.clone()),
            ItemBody::Spec { spec, .. } => (spec, Vec::new()),
        };
        Self {
            id: item.id.clone(),
            group: item.group.clone(),
            difficulty: item.difficulty.map(Difficulty::as_str),
            question: bounded(question),
            accepted,
            answers: records.iter().map(|(_, record)| AnswerDetail::new(record)).collect(),
        }
    }
}

impl AnswerDetail {
    fn new(record: &Record) -> Self {
        let (variant, repeat) = (record.variant.clone(), record.repeat);
        let answer = |outcome, texts: Vec<String>| Self {
            variant,
            repeat,
            outcome,
            answer: None,
            judged: None,
            samples: 1,
            texts: texts.iter().map(|text| bounded(text)).collect(),
        };
        match &record.evidence {
            Evidence::Riddle(riddle) => Self {
                answer: riddle.score.extracted.as_ref().map(|found| bounded(&found.text)),
                judged: riddle.judgement.as_ref().map(|judgement| judgement.is_right),
                samples: riddle.samples.len(),
                ..answer(riddle.score.verdict.into(), texts(riddle))
            },
            Evidence::Developed(developed) => Self {
                answer: Some(bounded(&developed.best_because)),
                ..answer(of_code(developed), vec![developed.source()])
            },
            Evidence::Failed { failure, .. } => {
                answer(Outcome::Failed(failure.class), vec![format!("failed to {}", failure.message)])
            }
        }
    }
}

const fn of_code(developed: &Developed) -> Outcome {
    if developed.approved { Outcome::Right } else { Outcome::Wrong }
}

fn texts(riddle: &EvaluatedRiddle) -> Vec<String> {
    let sample = riddle.samples.get(riddle.chosen as usize);
    sample.into_iter().flat_map(|sample| &sample.steps).map(|step| step.text.clone()).collect()
}

fn bounded(text: &str) -> String {
    match text.char_indices().nth(TEXT_CHARS_MAX) {
        None => text.to_owned(),
        Some((end, _)) => {
            let (shown, rest) = text.split_at(end);
            format!("{shown} … and {} more characters", rest.chars().count())
        }
    }
}
