//! One variant alone.

use std::collections::BTreeMap;

use playhouse_config::experiments::{Metric, PromptLabel};
use playhouse_protocol::riddle::Difficulty;
use playhouse_protocol::{FailureClass, SeededSource, Usage};
use serde::{Deserialize, Serialize};

use super::measure::{Outcome, is_cached};
use super::summary::{MetricSummary, ShareSummary, Summary, of_metric, share};
use super::table::{Answer, Table};
use crate::run::Evidence;
use crate::statistics::StatisticsError;
use crate::statistics::pass_at_k::pass_at_k;

/// What a variant answered.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cell {
    /// Its name.
    pub variant: String,
    /// Whether the others are held against it.
    pub is_baseline: bool,
    /// The catalog entry that it asks, where it names one.
    pub model: Option<String>,
    /// The name of its reasoning mode.
    pub mode: String,
    /// The prompt of that mode, where one was named.
    pub prompt: Option<PromptLabel>,
    /// Questions that were asked.
    pub asked: u64,
    /// Of these, the ones that did not fail.
    pub answered: u64,
    /// What came of them.
    pub outcomes: Outcomes,
    /// How many of all that were asked came out right; `None` when none was.
    pub right: Option<ShareSummary>,
    /// The template's metrics in its order, then what else is known of the answers.
    pub metrics: Vec<MetricSummary>,
    /// The chance that one of `k` answers is right, where the first metric is a share.
    pub pass_at_k: Vec<PassAtK>,
    /// Answers that announce a final one. Like words, hedges and reversals among the metrics it says nothing about right or
    /// wrong.
    pub announced: Option<ShareSummary>,
    /// The same as `right` for each group of items, in their order.
    pub groups: Vec<Part>,
    /// The same for each difficulty, the easiest first.
    pub difficulties: Vec<Part>,
    /// What the answers used.
    pub usage: Usage,
    /// What judging them used.
    pub judge_usage: Usage,
    /// Answers of which a part was taken from a cache.
    pub cached_answers: u64,
    /// Answers of which a part came from a script and not from a model.
    pub scripted_answers: u64,
    /// Answers of which a part came from another model than the one that the variant names: a fallback, for example.
    pub other_model_answers: u64,
    /// Items with the same text for an answer in all repeats, where there are several.
    pub same_repeats: u64,
}

/// How many answers came to what; none is left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcomes {
    /// Right ones.
    pub right: u64,
    /// Wrong ones.
    pub wrong: u64,
    /// Refused or withheld ones.
    pub refused: u64,
    /// Cut ones.
    pub truncated: u64,
    /// Empty ones.
    pub empty: u64,
    /// Failed ones, by class.
    pub failed: BTreeMap<FailureClass, u64>,
}

impl Outcomes {
    /// Failed ones of all classes.
    pub fn failed_total(&self) -> u64 {
        self.failed.values().sum()
    }

    fn count(&mut self, outcome: Outcome) {
        *match outcome {
            Outcome::Right => &mut self.right,
            Outcome::Wrong => &mut self.wrong,
            Outcome::Refused => &mut self.refused,
            Outcome::Truncated => &mut self.truncated,
            Outcome::Empty => &mut self.empty,
            Outcome::Failed(class) => self.failed.entry(class).or_default(),
        } += 1;
    }
}

/// The chance that at least one of `k` answers to an item is right, as the mean over items that have all repeats.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct PassAtK {
    /// How many answers.
    pub k: u64,
    /// The chance.
    pub chance: f64,
}

/// Some of the items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// The group or the difficulty.
    pub name: String,
    /// Items in it.
    pub items: u64,
    /// How many of those that were asked came out right; `None` when none was.
    pub right: Option<ShareSummary>,
}

impl Cell {
    pub(super) fn new(table: &Table<'_>, at: usize, random: &SeededSource) -> Result<Self, StatisticsError> {
        let design = table.design;
        let variant = &design.variants[at];
        let rights = rights(table, at);
        let mut cell = Self {
            variant: variant.name.clone(),
            is_baseline: at == design.baseline,
            model: variant.model.clone(),
            mode: variant.mode.name.clone(),
            prompt: variant.prompt.clone(),
            asked: 0,
            answered: 0,
            outcomes: Outcomes::default(),
            right: share(&rights, design.confidence)?,
            metrics: metrics(table, at, random)?,
            pass_at_k: chances(table, at)?,
            announced: announced(table, at)?,
            groups: groups(table, &rights)?,
            difficulties: difficulties(table, &rights)?,
            usage: Usage::default(),
            judge_usage: Usage::default(),
            cached_answers: 0,
            scripted_answers: 0,
            other_model_answers: 0,
            same_repeats: same_repeats(table, at),
        };
        table.of(at).for_each(|(_, answer)| cell.add(answer));
        Ok(cell)
    }

    fn add(&mut self, answer: &Answer<'_>) {
        self.asked += 1;
        self.outcomes.count(answer.measured.outcome);
        match &answer.record.evidence {
            Evidence::Riddle(riddle) => {
                self.answered += 1;
                self.usage += riddle.usage;
                if let Some(judgement) = &riddle.judgement {
                    self.judge_usage += judgement.answer.usage;
                }
                self.cached_answers += u64::from(is_cached(riddle));
                self.scripted_answers += u64::from(riddle.is_scripted());
                let mut answers = riddle.samples.iter().flat_map(|sample| &sample.steps);
                let is_other = |name: &String| answers.any(|answer| answer.origin.model != *name);
                self.other_model_answers += u64::from(self.model.as_ref().is_some_and(is_other));
            }
            Evidence::Developed(developed) => {
                self.answered += 1;
                self.usage += developed.usage;
                self.scripted_answers += u64::from(developed.scripted);
                let mut rounds = developed.rounds.iter();
                let is_other = |name: &String| rounds.any(|round| round.generated.origin.model != *name);
                self.other_model_answers += u64::from(self.model.as_ref().is_some_and(is_other));
            }
            Evidence::Failed { usage, .. } => self.usage += *usage,
        }
    }
}

/// For each item: how many answers came out right, of how many.
type ByItem = Vec<(u64, u64)>;

fn rights(table: &Table<'_>, at: usize) -> ByItem {
    let mut rights = vec![(0, 0); table.design.items.len()];
    for (item, answer) in table.of(at) {
        rights[item].0 += u64::from(answer.measured.outcome == Outcome::Right);
        rights[item].1 += 1;
    }
    rights
}

fn metrics(
    table: &Table<'_>,
    at: usize,
    random: &SeededSource,
) -> Result<Vec<MetricSummary>, StatisticsError> {
    let design = table.design;
    let rest = Metric::ALL
        .into_iter()
        .filter(|metric| !metric.is_share() && metric.is_of(design.task) && !design.metrics.contains(metric));
    let all = design.metrics.iter().map(|metric| (*metric, true)).chain(rest.map(|metric| (metric, false)));
    let summaries = all.map(|(metric, is_compared)| {
        let random = random.fork(&format!("mean of {metric} of {}", design.variants[at].name));
        Ok(MetricSummary { metric, is_compared, summary: of_metric(table, at, metric, &random)? })
    });
    let summaries: Result<Vec<_>, _> = summaries.collect();
    Ok(summaries?.into_iter().filter(|one| one.is_compared || one.summary != Summary::Nothing).collect())
}

fn chances(table: &Table<'_>, at: usize) -> Result<Vec<PassAtK>, StatisticsError> {
    let design = table.design;
    let Some(first) = design.metrics.first().filter(|metric| metric.is_share()) else {
        return Ok(Vec::new());
    };
    let rights: Vec<_> = (0..design.items.len())
        .map(|item| table.values(at, item, *first))
        .filter(|values| values.len() == design.repeats as usize)
        .map(|values| values.iter().filter(|value| **value > 0.5).count() as u64)
        .collect();
    if rights.is_empty() {
        return Ok(Vec::new());
    }
    let answers = u64::from(design.repeats);
    let chance = |k| -> Result<PassAtK, StatisticsError> {
        let mut sum = 0.0;
        for right in &rights {
            sum += pass_at_k(answers, *right, k)?;
        }
        Ok(PassAtK { k, chance: sum / rights.len() as f64 })
    };
    (1..=answers).map(chance).collect()
}

fn announced(table: &Table<'_>, at: usize) -> Result<Option<ShareSummary>, StatisticsError> {
    let mut items: BTreeMap<usize, (u64, u64)> = BTreeMap::new();
    for (item, answer) in table.of(at) {
        if let Evidence::Riddle(riddle) = &answer.record.evidence {
            let (announced, answered) = items.entry(item).or_default();
            *announced += u64::from(riddle.signals.is_announced);
            *answered += 1;
        }
    }
    share(&items.into_values().collect::<Vec<_>>(), table.design.confidence)
}

/// The groups of items, in the order in which they come first.
fn groups(table: &Table<'_>, rights: &[(u64, u64)]) -> Result<Vec<Part>, StatisticsError> {
    let mut groups: BTreeMap<&str, (usize, ByItem)> = BTreeMap::new();
    for (place, (item, rights)) in table.design.items.iter().zip(rights).enumerate() {
        groups.entry(&item.group).or_insert((place, Vec::new())).1.push(*rights);
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_by_key(|(_, (first, _))| *first);
    groups.into_iter().map(|(name, (_, rights))| part(name, &rights, table.design.confidence)).collect()
}

fn difficulties(table: &Table<'_>, rights: &[(u64, u64)]) -> Result<Vec<Part>, StatisticsError> {
    let mut parts = Vec::new();
    for difficulty in Difficulty::ALL {
        let items = table.design.items.iter().zip(rights);
        let in_it = items.filter(|(item, _)| item.difficulty == Some(difficulty));
        let in_it: Vec<_> = in_it.map(|(_, rights)| *rights).collect();
        if !in_it.is_empty() {
            parts.push(part(difficulty.as_str(), &in_it, table.design.confidence)?);
        }
    }
    Ok(parts)
}

fn part(name: &str, rights: &[(u64, u64)], confidence: f64) -> Result<Part, StatisticsError> {
    Ok(Part { name: name.to_owned(), items: rights.len() as u64, right: share(rights, confidence)? })
}

fn same_repeats(table: &Table<'_>, at: usize) -> u64 {
    let design = table.design;
    let is_same = |item: &usize| {
        let texts: Vec<_> = table.at(at, *item).filter_map(text).collect();
        texts.len() == design.repeats as usize && texts.windows(2).all(|pair| pair[0] == pair[1])
    };
    if design.repeats < 2 { 0 } else { (0..design.items.len()).filter(is_same).count() as u64 }
}

/// The text of the answer that counts.
fn text<'a>(answer: &Answer<'a>) -> Option<&'a str> {
    match &answer.record.evidence {
        Evidence::Riddle(riddle) => riddle.answer().map(|answer| answer.text.as_str()),
        Evidence::Developed(developed) => Some(&developed.code),
        Evidence::Failed { .. } => None,
    }
}
