//! What one record says, as an outcome and numbers.

use std::collections::BTreeMap;

use playhouse_config::experiments::{ExperimentTemplate, Item, ItemBody, Metric};
use playhouse_protocol::completion::StopReason;
use playhouse_protocol::develop::Developed;
use playhouse_protocol::riddle::{AnswerKey, EvaluatedRiddle, Score, Verdict};
use playhouse_protocol::{FailureClass, Usage};
use serde::{Deserialize, Serialize};

use super::error::{AnalysisError, Fault, Place};
use crate::run::{Evidence, Record};

/// The exact scorer: what an answer is worth that ended for this reason.
pub type Scorer<'a> = dyn Fn(&AnswerKey, &str, StopReason) -> Score + 'a;

/// What came of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A right answer; code that the reviewer approved.
    Right,
    /// A wrong answer; code that the reviewer did not approve.
    Wrong,
    /// It was refused or withheld.
    Refused,
    /// It was cut before it came to an end.
    Truncated,
    /// There is nothing in it.
    Empty,
    /// No answer came.
    Failed(FailureClass),
}

impl From<Verdict> for Outcome {
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Right => Self::Right,
            Verdict::Wrong => Self::Wrong,
            Verdict::Refused => Self::Refused,
            Verdict::Truncated => Self::Truncated,
            Verdict::Empty => Self::Empty,
        }
    }
}

/// A record in numbers.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// What came of it.
    pub outcome: Outcome,
    /// Its value of each metric of the task; one that cannot be known is not there. Shares are 1.0 or 0.0 and always there.
    pub values: BTreeMap<Metric, f64>,
}

/// Measures a record. Riddles are scored again, from the text of the answer that counts.
///
/// # Errors
/// When the record is of an unknown item or another task, does not hold the answer that counts, or is scored otherwise than
/// it was recorded.
pub fn measure(
    design: &ExperimentTemplate,
    record: &Record,
    scorer: &Scorer<'_>,
) -> Result<Measured, AnalysisError> {
    let item = design.items.iter().find(|item| item.id == record.item);
    let item = item.ok_or_else(|| Fault::UnknownItem(Place::from(record)))?;
    Ok(measure_item(design, item, record, scorer)?)
}

/// Measures a record whose item is known.
pub(crate) fn measure_item(
    design: &ExperimentTemplate,
    item: &Item,
    record: &Record,
    scorer: &Scorer<'_>,
) -> Result<Measured, Fault> {
    let place = || Place::from(record);
    let (outcome, known) = match (&record.evidence, &item.body) {
        (Evidence::Failed { failure, .. }, _) => (Outcome::Failed(failure.class), Vec::new()),
        (Evidence::Riddle(riddle), ItemBody::Question { key, .. }) => {
            let answer = riddle.answer().ok_or_else(|| Fault::NoAnswer(place()))?;
            let (recorded, rescored) =
                (riddle.score.verdict, scorer(key, &answer.text, answer.stop_reason).verdict);
            if recorded != rescored {
                return Err(Fault::Rescored { place: place(), recorded, rescored });
            }
            (rescored.into(), of_riddle(riddle, rescored))
        }
        (Evidence::Developed(developed), ItemBody::Spec { .. }) => {
            (if developed.approved { Outcome::Right } else { Outcome::Wrong }, of_code(developed))
        }
        _ => return Err(Fault::WrongTask { place: place(), task: design.task }),
    };
    let shares = Metric::ALL.into_iter().filter(|metric| metric.is_share() && metric.is_of(design.task));
    let mut values: BTreeMap<_, _> = shares.map(|metric| (metric, 0.0)).collect();
    values.extend(known.into_iter().filter_map(|(metric, value)| Some((metric, value?))));
    values.retain(|_, value| value.is_finite());
    Ok(Measured { outcome, values })
}

fn of_riddle(riddle: &EvaluatedRiddle, verdict: Verdict) -> Vec<(Metric, Option<f64>)> {
    let judged = riddle.judgement.as_ref().is_some_and(|judgement| judgement.is_right == Some(true));
    let ratio = |part: u64, whole: u64| (whole > 0).then(|| part as f64 / whole as f64);
    let compressed = riddle.compressed;
    let mut values = vec![
        (Metric::Accuracy, Some(share(verdict == Verdict::Right))),
        (Metric::JudgedAccuracy, Some(share(judged))),
        // What a cache answers says nothing about the time that a model takes.
        (Metric::LatencyMs, riddle.elapsed_ms.filter(|_| !is_cached(riddle)).map(|elapsed| elapsed as f64)),
        (Metric::Words, Some(f64::from(riddle.signals.words))),
        (Metric::Hedges, Some(f64::from(riddle.signals.hedges))),
        (Metric::Reversals, Some(f64::from(riddle.signals.reversals))),
        (Metric::CompressionRatio, compressed.and_then(|text| ratio(text.tokens_after, text.tokens_before))),
        (Metric::FactsKept, compressed.and_then(|text| ratio(text.facts_kept, text.facts_total))),
    ];
    values.extend(of_usage(&riddle.usage));
    values
}

fn of_code(developed: &Developed) -> Vec<(Metric, Option<f64>)> {
    let best = developed.rounds.iter().find(|round| round.number == developed.best_round);
    let parses = best.is_some_and(|round| round.generated.facts.parses == Some(true));
    let review = best.and_then(|round| round.review.as_ref());
    let mut values = vec![
        (Metric::Approved, Some(share(developed.approved))),
        (Metric::Parses, Some(share(parses))),
        (Metric::ReviewScore, review.map(|review| f64::from(review.score))),
        (Metric::Rounds, Some(developed.rounds.len() as f64)),
        (Metric::LatencyMs, Some(developed.elapsed_ms as f64)),
    ];
    values.extend(of_usage(&developed.usage));
    values
}

fn of_usage(usage: &Usage) -> [(Metric, Option<f64>); 5] {
    [
        (Metric::PromptTokens, Some(usage.prompt_tokens as f64)),
        (Metric::CompletionTokens, Some(usage.completion_tokens as f64)),
        (Metric::TotalTokens, Some(usage.total_tokens() as f64)),
        (Metric::CostUsd, Some(usage.cost_nano_usd as f64 / 1e9)),
        (Metric::ModelCalls, Some(usage.model_calls as f64)),
    ]
}

fn share(has: bool) -> f64 {
    f64::from(u8::from(has))
}

/// Whether any answer of a riddle was taken from a cache.
pub(super) fn is_cached(riddle: &EvaluatedRiddle) -> bool {
    riddle.samples.iter().flat_map(|sample| &sample.steps).any(|answer| answer.cached)
}
