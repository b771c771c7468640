//! The records of a run in the order of its design, so that the order in which answers came does not matter.

use std::collections::BTreeMap;

use playhouse_config::experiments::{ExperimentTask, ExperimentTemplate, Item, ItemBody, Metric};

use super::error::{AnalysisError, Fault, Place};
use super::measure::{Measured, Scorer, measure_item};
use crate::run::Record;
use crate::statistics::{open_share, summary};

/// Places in the design: variant and item, and the repeat.
pub(super) type Key = (usize, usize, u32);

/// A record and what it says.
#[derive(Debug)]
pub(super) struct Answer<'a> {
    pub(super) record: &'a Record,
    pub(super) measured: Measured,
}

/// Every record at its place.
#[derive(Debug)]
pub(super) struct Table<'a> {
    pub(super) design: &'a ExperimentTemplate,
    answers: BTreeMap<Key, Answer<'a>>,
}

impl<'a> Table<'a> {
    /// Places every record, or names everything that is wrong with design and records.
    pub(super) fn new(
        design: &'a ExperimentTemplate,
        records: &'a [Record],
        scorer: &Scorer<'_>,
    ) -> Result<Self, AnalysisError> {
        let places = Places::new(design)?;
        let (mut answers, mut faults) = (BTreeMap::new(), Vec::new());
        for record in records {
            match places.read(record, scorer) {
                Ok((key, _)) if answers.contains_key(&key) => {
                    faults.push(Fault::Duplicate(Place::from(record)));
                }
                Ok((key, measured)) => {
                    answers.insert(key, Answer { record, measured });
                }
                Err(found) => faults.extend(found),
            }
        }
        match AnalysisError::from_list(faults) {
            Some(error) => Err(error),
            None => Ok(Self { design, answers }),
        }
    }

    /// All answers, by variant, item and repeat.
    pub(super) fn all(&self) -> impl Iterator<Item = (&Key, &Answer<'a>)> {
        self.answers.iter()
    }

    /// The answers of a variant, item by item.
    pub(super) fn of(&self, variant: usize) -> impl Iterator<Item = (usize, &Answer<'a>)> {
        let range = self.answers.range((variant, 0, 0)..(variant + 1, 0, 0));
        range.map(|((_, item, _), answer)| (*item, answer))
    }

    /// The answers of a variant to an item, by repeat.
    pub(super) fn at(&self, variant: usize, item: usize) -> impl Iterator<Item = &Answer<'a>> {
        self.answers.range((variant, item, 0)..=(variant, item, u32::MAX)).map(|(_, answer)| answer)
    }

    /// What a metric says of the answers of a variant to an item, by repeat.
    pub(super) fn values(&self, variant: usize, item: usize, metric: Metric) -> Vec<f64> {
        self.at(variant, item).filter_map(|answer| answer.measured.values.get(&metric).copied()).collect()
    }

    /// An item's mean, where every repeat has a value.
    pub(super) fn mean(&self, variant: usize, item: usize, metric: Metric) -> Option<f64> {
        let values = self.values(variant, item, metric);
        (values.len() == self.design.repeats as usize).then(|| summary::mean(&values)).flatten()
    }
}

/// Where names and ids stand in a checked design.
#[derive(Debug)]
pub(super) struct Places<'a> {
    design: &'a ExperimentTemplate,
    variants: BTreeMap<&'a str, usize>,
    items: BTreeMap<&'a str, (usize, &'a Item)>,
}

impl<'a> Places<'a> {
    /// Checks the design.
    pub(super) fn new(design: &'a ExperimentTemplate) -> Result<Self, AnalysisError> {
        let names = design.variants.iter().enumerate();
        let ids = design.items.iter().enumerate();
        let places = Self {
            design,
            variants: names.map(|(at, variant)| (variant.name.as_str(), at)).collect(),
            items: ids.map(|(at, item)| (item.id.as_str(), (at, item))).collect(),
        };
        match AnalysisError::from_list(places.faults()) {
            Some(error) => Err(error),
            None => Ok(places),
        }
    }

    fn faults(&self) -> Vec<Fault> {
        let design = self.design;
        let wrong = [
            (design.items.is_empty(), "no items"),
            (self.items.len() < design.items.len(), "two items of one id"),
            (self.variants.len() < design.variants.len(), "two variants of one name"),
            (design.baseline >= design.variants.len(), "no variant for its baseline"),
            (design.metrics.is_empty(), "no metrics"),
            (design.repeats == 0, "no repeats"),
            (design.items.iter().any(|item| !is_of(&item.body, design.task)), "an item of another task"),
        ];
        let wrong = wrong.into_iter().filter(|(is_wrong, _)| *is_wrong);
        let mut faults: Vec<_> = wrong.map(|(_, what)| Fault::Design(what.to_owned())).collect();
        let metrics = design.metrics.iter().filter(|metric| !metric.is_of(design.task));
        faults.extend(metrics.map(|metric| Fault::Metric { task: design.task, metric: *metric }));
        let confidence = open_share("intervals", "confidence", design.confidence);
        faults.extend(confidence.err().map(|error| Fault::Design(format!("a wrong confidence: {error}"))));
        faults
    }

    /// The place of a record, and what it says; or everything that is wrong with it.
    pub(super) fn read(&self, record: &Record, scorer: &Scorer<'_>) -> Result<(Key, Measured), Vec<Fault>> {
        let place = || Place::from(record);
        let variant = self.variants.get(record.variant.as_str());
        let item = self.items.get(record.item.as_str());
        let repeats = self.design.repeats;
        let mut faults = Vec::new();
        if variant.is_none() {
            faults.push(Fault::UnknownVariant(place()));
        }
        if item.is_none() {
            faults.push(Fault::UnknownItem(place()));
        }
        if record.repeat >= repeats {
            faults.push(Fault::UnknownRepeat { place: place(), repeats });
        }
        match (variant, item) {
            (Some(variant), Some((at, item))) if faults.is_empty() => {
                let measured =
                    measure_item(self.design, item, record, scorer).map_err(|fault| vec![fault])?;
                Ok(((*variant, *at, record.repeat), measured))
            }
            _ => Err(faults),
        }
    }
}

const fn is_of(body: &ItemBody, task: ExperimentTask) -> bool {
    match body {
        ItemBody::Question { .. } => matches!(task, ExperimentTask::Riddle),
        ItemBody::Spec { .. } => matches!(task, ExperimentTask::Develop),
    }
}
