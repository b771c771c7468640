//! Two variants on the same items.
//!
//! Each variant is held against the baseline, and variants are not held against each other: a claim about every pair would
//! take far more items for the same care, and what an experiment asks is whether something is better than what one has.
//!
//! Only whole items count, those that both have answered in all repeats. An item is won by who is better on it in the mean of
//! the repeats, so that repeats make an item's winner surer and never count as items of their own: answers to one item
//! are not independent, and a test that took them for it would find winners where there are none.
//!
//! The comparisons by the first metric are one family: what the experiment was made for. All others are a second family,
//! exploratory: hints for the next experiment. Within each family p-values are corrected, so that any false winner in it has a
//! chance of at most 1 less the confidence.

use playhouse_config::experiments::{Direction, ExperimentTemplate, Metric};
use playhouse_protocol::SeededSource;
use serde::{Deserialize, Serialize};

use super::stopping::Stopping;
use super::summary::RESAMPLES;
use super::table::Table;
use crate::statistics::bootstrap::{Estimate, paired_difference};
use crate::statistics::effect::standardised_mean_difference;
use crate::statistics::family::holm;
use crate::statistics::paired::{Pairs, cohens_h, sign_test};
use crate::statistics::planning::{Plan, pairs_needed};
use crate::statistics::sequential::Verdict;
use crate::statistics::{StatisticsError, summary};

/// The power for which further items are counted: by convention four in five.
pub const POWER: f64 = 0.8;

/// A variant held against the baseline by one metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// The variant.
    pub variant: String,
    /// By what.
    pub metric: Metric,
    /// Whether it is by the first metric, which decides; otherwise it is exploratory.
    pub is_deciding: bool,
    /// Items that both have in full.
    pub items: u64,
    /// All others of the design.
    pub left_out: u64,
    /// Items on which the variant is better.
    pub wins: u64,
    /// Items on which the baseline is better.
    pub losses: u64,
    /// Items on which both are the same.
    pub ties: u64,
    /// The exact sign test of wins and losses; with one repeat and a share it is McNemar's exact test.
    pub p: f64,
    /// That, corrected for the family.
    pub p_corrected: f64,
    /// How many comparisons the family has.
    pub family: u64,
    /// Whether the p-values hold. They do not where the run could have been stopped in view of its answers.
    pub is_p_valid: bool,
    /// Right and wrong on the same items, the baseline first: of shares with one repeat.
    pub table: Option<Pairs>,
    /// The variant's mean less the baseline's on those items; `None` without any.
    pub difference: Option<Estimate>,
    /// How large that is.
    pub effect: Effect,
    /// The items that it would take to find wins and losses in these shares with a chance of [`POWER`], at the level that the
    /// family leaves to one comparison; `None` where both are the same.
    pub items_needed: Option<u64>,
    /// What may be claimed.
    pub finding: Finding,
}

/// How large a difference is, free of units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Effect {
    /// Of shares: how far they lie apart (Cohen's h), positive where the variant's is larger.
    pub cohens_h: Option<f64>,
    /// Of shares: the variant's share of the items that are not ties, less a half (Cohen's g).
    pub cohens_g: Option<f64>,
    /// Of others: the mean difference by its standard deviation (Cohen's `d_z`), positive where the variant's is larger.
    pub cohens_d_z: Option<f64>,
}

/// What may be claimed of a variant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// It is better than the baseline.
    Better,
    /// It is worse.
    Worse,
    /// Nothing: which is not to say that they are equal.
    NoEvidence,
    /// Nothing, and so few items could not have shown anything: not even if one had been better on all of them. Under a
    /// stopping rule: the rule has no verdict yet.
    TooFewItems,
}

/// Items won, lost and neither.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) wins: u64,
    pub(super) losses: u64,
    pub(super) ties: u64,
}

impl Tally {
    /// Counts pairs of the baseline's and the variant's mean.
    pub(super) fn new(pairs: &[(f64, f64)], direction: Direction) -> Self {
        let mut tally = Self::default();
        for (baseline, variant) in pairs {
            *match winner((*baseline, *variant), direction) {
                Some(true) => &mut tally.wins,
                Some(false) => &mut tally.losses,
                None => &mut tally.ties,
            } += 1;
        }
        tally
    }

    const fn items(&self) -> u64 {
        self.wins + self.losses + self.ties
    }

    fn p(&self) -> f64 {
        sign_test(self.wins, self.losses)
    }

    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of items is above zero, and one past 2^64 is taken for 2^64"
    )]
    fn items_needed(&self, level: f64) -> Option<u64> {
        let items = self.items() as f64;
        let plan = Plan {
            discordant: (self.wins + self.losses) as f64 / items,
            difference: self.wins.abs_diff(self.losses) as f64 / items,
            false_winners: level,
            power: POWER,
        };
        // Without a difference there is nothing to be planned.
        let planned = pairs_needed(&plan).ok()?;
        // The plan takes the test for continuous. The exact one needs so many items that differ before winning all of them is
        // enough: 2 / 2^n must not be above the level.
        let decisive = ((1.0 - level.log2()).ceil() / plan.discordant).ceil();
        Some(planned.max(decisive as u64))
    }
}

/// Whether the variant is better on an item, or the baseline; `None` for a tie.
pub(super) fn winner((baseline, variant): (f64, f64), direction: Direction) -> Option<bool> {
    let (low, high) = (variant < baseline, variant > baseline);
    (low || high).then_some(match direction {
        Direction::Higher => high,
        Direction::Lower => low,
    })
}

/// The corrected p-values of a family, and what may be claimed at the level `alpha`.
pub(super) fn judge(tallies: &[Tally], alpha: f64) -> Vec<(f64, Finding)> {
    let corrected = holm(&tallies.iter().map(Tally::p).collect::<Vec<_>>());
    let most_uneven = |tally: &Tally| sign_test(tally.items(), 0);
    let finding = |tally: &Tally, p: f64| {
        if p <= alpha {
            if tally.wins > tally.losses { Finding::Better } else { Finding::Worse }
        } else if most_uneven(tally) > alpha / tallies.len() as f64 {
            Finding::TooFewItems
        } else {
            Finding::NoEvidence
        }
    };
    tallies.iter().zip(corrected).map(|(tally, p)| (p, finding(tally, p))).collect()
}

/// Every variant held against the baseline: by the first metric first, then by the others.
pub(super) fn compare(
    table: &Table<'_>,
    stopping: Option<&Stopping>,
    random: &SeededSource,
) -> Result<Vec<Comparison>, StatisticsError> {
    let Some((first, others)) = table.design.metrics.split_first() else { return Ok(Vec::new()) };
    let mut comparisons = family(table, &[*first], random)?;
    if let Some(stopping) = stopping {
        follow(&mut comparisons, stopping);
    }
    let mut exploratory = family(table, others, random)?;
    for comparison in &mut exploratory {
        comparison.is_deciding = false;
        comparison.is_p_valid = stopping.is_none();
    }
    comparisons.append(&mut exploratory);
    Ok(comparisons)
}

/// Under a stopping rule the rule has the word: a test of fixed size beside it would have a chance of false winners of
/// its own.
fn follow(comparisons: &mut [Comparison], stopping: &Stopping) {
    for comparison in comparisons {
        comparison.is_p_valid = false;
        let rule = stopping.comparisons.iter().find(|one| one.variant == comparison.variant);
        comparison.finding = match rule.map(|one| one.verdict) {
            Some(Verdict::FirstIsBetter) => Finding::Worse,
            Some(Verdict::SecondIsBetter) => Finding::Better,
            Some(Verdict::NoDifference) => Finding::NoEvidence,
            Some(Verdict::GoOn) | None => Finding::TooFewItems,
        };
    }
}

fn family(
    table: &Table<'_>,
    metrics: &[Metric],
    random: &SeededSource,
) -> Result<Vec<Comparison>, StatisticsError> {
    let design = table.design;
    let variants = (0..design.variants.len()).filter(|variant| *variant != design.baseline);
    let places: Vec<_> =
        metrics.iter().flat_map(|metric| variants.clone().map(|variant| (*metric, variant))).collect();
    let pairs: Vec<_> =
        places.iter().map(|(metric, variant)| complete_pairs(table, *variant, *metric)).collect();
    let tallies: Vec<_> =
        places.iter().zip(&pairs).map(|((metric, _), pairs)| Tally::new(pairs, metric.direction())).collect();
    let alpha = 1.0 - design.confidence;
    let judged = judge(&tallies, alpha);
    let level = alpha / tallies.len() as f64;
    let mut comparisons = Vec::new();
    for (place, (metric, variant)) in places.into_iter().enumerate() {
        let (tally, pairs, (p_corrected, finding)) = (tallies[place], &pairs[place], judged[place]);
        let name = design.variants[variant].name.clone();
        let random = random.fork(&format!("difference by {metric} of {name}"));
        let table = fourfold(design, metric, pairs);
        // Resampling says that it knows everything where all items tie; the counts of right and wrong do not.
        let difference = match &table {
            Some(table) => difference_of_shares(table, design.confidence)?,
            None => difference(pairs, design.confidence, &random)?,
        };
        comparisons.push(Comparison {
            variant: name,
            metric,
            is_deciding: true,
            items: tally.items(),
            left_out: design.items.len() as u64 - tally.items(),
            wins: tally.wins,
            losses: tally.losses,
            ties: tally.ties,
            p: tally.p(),
            p_corrected,
            family: tallies.len() as u64,
            is_p_valid: true,
            table,
            difference,
            effect: effect(metric, pairs, tally),
            items_needed: tally.items_needed(level),
            finding,
        });
    }
    Ok(comparisons)
}

/// The means of baseline and variant on the items that both have in full.
fn complete_pairs(table: &Table<'_>, variant: usize, metric: Metric) -> Vec<(f64, f64)> {
    let pair =
        |item| Some((table.mean(table.design.baseline, item, metric)?, table.mean(variant, item, metric)?));
    (0..table.design.items.len()).filter_map(pair).collect()
}

fn fourfold(design: &ExperimentTemplate, metric: Metric, pairs: &[(f64, f64)]) -> Option<Pairs> {
    let has = |share: f64| share > 0.5;
    (metric.is_share() && design.repeats == 1)
        .then(|| pairs.iter().map(|(baseline, variant)| (has(*baseline), has(*variant))).collect())
}

fn difference(
    pairs: &[(f64, f64)],
    confidence: f64,
    random: &SeededSource,
) -> Result<Option<Estimate>, StatisticsError> {
    if pairs.is_empty() {
        Ok(None)
    } else {
        paired_difference(pairs, RESAMPLES, confidence, random).map(Some)
    }
}

fn difference_of_shares(table: &Pairs, confidence: f64) -> Result<Option<Estimate>, StatisticsError> {
    let Some(estimate) = table.difference() else { return Ok(None) };
    Ok(Some(Estimate { estimate, interval: table.difference_interval(confidence)? }))
}

fn effect(metric: Metric, pairs: &[(f64, f64)], tally: Tally) -> Effect {
    if metric.is_share() {
        let baseline = summary::mean(&pairs.iter().map(|(baseline, _)| *baseline).collect::<Vec<_>>());
        let variant = summary::mean(&pairs.iter().map(|(_, variant)| *variant).collect::<Vec<_>>());
        let split = Pairs { only_first: tally.losses, only_second: tally.wins, ..Pairs::default() };
        let cohens_h = baseline.zip(variant).map(|(baseline, variant)| cohens_h(baseline, variant));
        Effect { cohens_h, cohens_g: split.cohens_g(), cohens_d_z: None }
    } else {
        let differences: Vec<_> = pairs.iter().map(|(baseline, variant)| variant - baseline).collect();
        Effect { cohens_d_z: standardised_mean_difference(&differences), ..Effect::default() }
    }
}
