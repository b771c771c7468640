//! What is asked: every variant, every item, every repeat, in a fixed order and in fixed batches.

use playhouse_config::experiments::{ExperimentBudget, ExperimentTemplate, Item, ItemBody, Variant};
use playhouse_protocol::completion::Sampling;
use playhouse_protocol::develop::Develop;
use playhouse_protocol::riddle::{EvaluateRiddle, SAMPLES_MAX};
use playhouse_protocol::{Failure, RandomSource as _, SeededSource};
use playhouse_runtime::Agent as _;
use playhouse_runtime::actors::develop::Developer;
use playhouse_runtime::actors::riddles::RiddleEvaluator;

/// A batch has this many answers for each that is waited for at once, so that its slowest answer holds up few others.
const WIDTHS_A_BATCH: usize = 8;

/// The same where a stopping rule looks at the answers after each batch: what is asked beyond its verdict is wasted.
const WIDTHS_A_LOOK: usize = 2;

/// The most answers of a batch: they are in memory at once. An item that has more is a batch of its own.
const BATCH_MAX: usize = 2_048;

/// One question to one variant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trial<'a> {
    pub(super) variant: &'a Variant,
    pub(super) item: &'a Item,
    pub(super) repeat: u32,
}

/// What a trial asks.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Ask {
    Riddle(Box<EvaluateRiddle>),
    Develop(Box<Develop>),
}

/// All trials in batches of whole items, so that a comparison has whole items early. They depend on the design alone: a run that
/// is taken up again has the same.
pub(super) fn batches(design: &ExperimentTemplate) -> Vec<Vec<Trial<'_>>> {
    let has_budget = design.budget != ExperimentBudget::default();
    let widths = match (has_budget, design.stopping) {
        // What is left of a budget is shared out among the answers of a batch.
        (true, _) => 1,
        (false, Some(_)) => WIDTHS_A_LOOK,
        (false, None) => WIDTHS_A_BATCH,
    };
    let wanted = (design.width as usize).saturating_mul(widths).min(BATCH_MAX);
    let mut batches = Vec::new();
    let mut batch = Vec::new();
    for item in &design.items {
        for repeat in 0..design.repeats {
            batch.extend(design.variants.iter().map(|variant| Trial { variant, item, repeat }));
        }
        if batch.len() >= wanted {
            batches.push(std::mem::take(&mut batch));
        }
    }
    if !batch.is_empty() {
        batches.push(batch);
    }
    batches
}

/// Makes sure that every question would be taken, so that a run does not fail half way for what was wrong from the start.
///
/// # Errors
/// Class `InvalidInput`, with the first variant and item whose question would be refused.
pub(super) fn check(design: &ExperimentTemplate) -> Result<(), Failure> {
    for item in &design.items {
        for variant in &design.variants {
            let checked = match (Trial { variant, item, repeat: 0 }).ask(design) {
                Ask::Riddle(request) => RiddleEvaluator.validate(&request),
                Ask::Develop(request) => Developer.validate(&request),
            };
            checked.map_err(|failure| Failure {
                message: format!("ask item {} of variant {}: {}", item.id, variant.name, failure.message),
                ..failure
            })?;
        }
    }
    Ok(())
}

impl Trial<'_> {
    /// What tells it from the others: variant, item and repeat.
    pub(super) fn owned_key(&self) -> (String, String, u32) {
        (self.variant.name.clone(), self.item.id.clone(), self.repeat)
    }

    /// What is asked.
    pub(super) fn ask(&self, design: &ExperimentTemplate) -> Ask {
        let Variant { model, mode, compression, completion_tokens_max, rounds, .. } = self.variant;
        let sampling = self.sampling(design.seed);
        match &self.item.body {
            ItemBody::Question { question, context, key } => Ask::Riddle(Box::new(EvaluateRiddle {
                id: self.item.id.clone(),
                question: question.clone(),
                context: context.clone(),
                compression: *compression,
                key: key.clone(),
                mode: mode.clone(),
                model: model.clone(),
                sampling,
                completion_tokens_max: *completion_tokens_max,
                judge: design.judge.clone(),
            })),
            ItemBody::Spec { spec, language } => Ask::Develop(Box::new(Develop {
                spec: spec.clone(),
                language: *language,
                rounds: *rounds,
                model: model.clone(),
                sampling,
                ..Develop::default()
            })),
        }
    }

    /// The variant's sampling. Where tokens are drawn at all, each item and repeat has a seed of its own, the same for all
    /// variants.
    fn sampling(&self, design_seed: u64) -> Sampling {
        let given = self.variant.sampling;
        let seed = match (given.seed, given.temperature) {
            (Some(seed), _) => Some(seed.wrapping_add(u64::from(self.repeat) * u64::from(SAMPLES_MAX))),
            (None, Some(temperature)) if temperature > 0.0 => {
                let label = format!("sampling {} {}", self.repeat, self.item.id);
                Some(SeededSource::from_seed(design_seed).fork(&label).next_u64())
            }
            (None, _) => None,
        };
        Sampling { seed, ..given }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::fixture::{design, items};

    #[test]
    fn every_variant_is_asked_every_item_as_often_as_wanted_in_batches_of_whole_items() {
        let mut design = design(&["a", "b", "c"], items(40), 2);
        design.width = 3;
        let batches = batches(&design);
        assert!(batches.iter().rev().skip(1).all(|batch| batch.len() == 24), "{}", batches.len());
        let keys: Vec<_> = batches.iter().flatten().map(Trial::owned_key).collect();
        assert_eq!(keys.len(), 240);
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), 240);
        for batch in &batches {
            let items: BTreeSet<_> = batch.iter().map(|trial| &trial.item.id).collect();
            assert_eq!(batch.len(), items.len() * 6);
        }
    }

    #[test]
    fn seeds_differ_between_repeats_and_items_and_not_between_variants() {
        let mut design = design(&["a", "b"], items(2), 2);
        let seeds = |design: &ExperimentTemplate| -> Vec<_> {
            let batches = batches(design);
            let asks = batches.iter().flatten().map(|trial| trial.ask(design));
            asks.map(|ask| match ask {
                Ask::Riddle(riddle) => riddle.sampling.seed,
                Ask::Develop(develop) => develop.sampling.seed,
            })
            .collect()
        };
        assert!(seeds(&design).iter().all(Option::is_none));
        design.variants.iter_mut().for_each(|variant| variant.sampling.temperature = Some(0.7));
        let drawn = seeds(&design);
        assert_eq!(drawn[0], drawn[1]);
        assert_eq!(drawn.iter().collect::<BTreeSet<_>>().len(), 4);
        design.variants.iter_mut().for_each(|variant| variant.sampling.seed = Some(7));
        assert_eq!(seeds(&design)[..4], [Some(7), Some(7), Some(71), Some(71)]);
    }
}
