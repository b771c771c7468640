//! How tests stand, for people and programs.

use serde::Serialize;

use super::book::{AbVerdict, Book, StoppedArm};
use super::plan::Plan;

/// How a test stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TestStatus {
    /// The type of task whose split is tested.
    pub task_type: String,
    /// The arm that the others are held against.
    pub baseline: String,
    /// The chance of a false verdict, over all arms.
    pub false_winners: f64,
    /// The evidence that a verdict takes.
    pub e_value_needed: f64,
    /// Outcomes that both arms must have before there is a verdict.
    pub outcomes_min: u32,
    /// Whether an arm that does worse is taken out.
    pub stops_harmful: bool,
    /// The arms by name.
    pub arms: Vec<ArmStatus>,
}

/// How an arm stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmStatus {
    /// Its name in the settings.
    pub arm: String,
    /// The catalog entry that answers for it now.
    pub model: String,
    /// Its weight in the split.
    pub weight: u32,
    /// Outcomes so far.
    pub outcomes: u64,
    /// Their mean, 0.0 to 1.0; `None` before the first.
    pub mean: Option<f64>,
    /// The mean of the baseline's outcomes since this arm's test began; `None` for the baseline.
    pub baseline_mean: Option<f64>,
    /// The evidence for a difference, in whichever direction there is more; `None` for the baseline.
    pub e_value: Option<f64>,
    /// What may be said of it; `None` for the baseline.
    pub verdict: Option<AbVerdict>,
    /// Since when it is out of its split, and why.
    pub stopped: Option<StoppedArm>,
}

impl ArmStatus {
    pub(super) fn of(arm: &str, book: &Book, plan: &Plan, weight: u32) -> Self {
        let state = book.arms.get(arm).cloned().unwrap_or_default();
        let is_baseline = arm == plan.config.baseline;
        Self {
            arm: arm.to_owned(),
            model: plan.arms.get(arm).map(|planned| planned.entry.clone()).unwrap_or_default(),
            weight,
            outcomes: state.outcomes.count,
            mean: state.outcomes.mean(),
            baseline_mean: state.baseline.mean().filter(|_| !is_baseline),
            e_value: (!is_baseline).then(|| state.e_value()),
            verdict: (!is_baseline).then_some(state.verdict),
            stopped: state.stopped,
        }
    }
}
