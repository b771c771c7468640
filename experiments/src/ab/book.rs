//! What the lines of a file come to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::line::Line;
use super::plan::Plan;
use crate::statistics::betting::TwoStreams;

/// What may be said of an arm against the baseline. It stays once it is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AbVerdict {
    /// Nothing yet.
    #[default]
    GoOn,
    /// It does better.
    Better,
    /// It does worse.
    Harmful,
}

/// Since when an arm is out of its split, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoppedArm {
    /// Milliseconds since 1970.
    pub unix_ms: u64,
    /// A sentence without its full stop.
    pub reason: String,
}

/// Outcomes that were seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Outcomes {
    pub(super) count: u64,
    pub(super) score_sum: f64,
}

impl Outcomes {
    fn see(&mut self, score: f64) {
        self.count += 1;
        self.score_sum += score;
    }

    /// Their mean, 0.0 to 1.0.
    pub(super) fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.score_sum / self.count as f64)
    }

    fn is_sound(&self) -> bool {
        // A sum of many tenths is not to the last bit what it should be.
        self.score_sum >= 0.0 && self.score_sum <= self.count as f64 * (1.0 + 1e-9)
    }
}

/// What is known of an arm: all that has to be kept of its outcomes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct ArmState {
    /// The settings that this is about: of the arm, and of the baseline where it is compared with it.
    pub(super) of: String,
    pub(super) outcomes: Outcomes,
    /// Of the baseline, since this test began.
    pub(super) baseline: Outcomes,
    /// The arm is the first, the baseline the second.
    pub(super) streams: TwoStreams,
    pub(super) verdict: AbVerdict,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) stopped: Option<StoppedArm>,
}

impl ArmState {
    fn new(of: String) -> Self {
        Self { of, ..Self::default() }
    }

    /// The evidence for a difference, in whichever direction there is more.
    pub(super) fn e_value(&self) -> f64 {
        let betting = self.streams.betting();
        betting.first_is_better().max(betting.second_is_better())
    }

    fn judge(&mut self, plan: &Plan) {
        let needed = plan.evidence_needed();
        let seen = self.outcomes.count.min(self.baseline.count);
        if self.verdict != AbVerdict::GoOn || seen < u64::from(plan.config.outcomes_min) {
            return;
        }
        let betting = self.streams.betting();
        if betting.second_is_better() >= needed {
            self.verdict = AbVerdict::Harmful;
        } else if betting.first_is_better() >= needed {
            self.verdict = AbVerdict::Better;
        }
    }

    /// Whether this can be: what was read from a file may be anything.
    pub(super) fn is_sound(&self) -> bool {
        self.outcomes.is_sound() && self.baseline.is_sound() && self.streams.is_sound()
    }
}

/// The arms of a split by their names, the baseline among them.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Book {
    pub(super) arms: BTreeMap<String, ArmState>,
}

impl Book {
    /// Takes up a line. Lines about arms that are no longer, or were other models then, change nothing.
    pub(super) fn apply(&mut self, line: &Line, plan: &Plan) {
        match line {
            Line::Head { .. } => {}
            Line::State { arm, state } => {
                self.arms.insert(arm.clone(), (**state).clone());
            }
            Line::Outcome { arm, of, score } => {
                if plan.arms.get(arm).is_some_and(|planned| planned.of == *of) {
                    self.outcome(arm, *score, plan);
                }
            }
            Line::Stopped { arm, of, stopped } => {
                if let Some(state) = self.test(arm, plan).filter(|state| state.of == *of) {
                    state.stopped = Some(stopped.clone());
                }
            }
            Line::Resumed { arm, of, .. } => {
                if let Some(state) = self.test(arm, plan).filter(|state| state.of == *of) {
                    *state = ArmState::new(of.clone());
                }
            }
        }
    }

    /// Leaves out what is of other settings than those of now.
    pub(super) fn settle(&mut self, plan: &Plan) {
        let baseline = plan.arms.get(&plan.config.baseline).map(|baseline| &baseline.of);
        self.arms.retain(|arm, state| match plan.test_of(arm) {
            Some(of) => state.of == of,
            None => *arm == plan.config.baseline && Some(&state.of) == baseline,
        });
    }

    fn outcome(&mut self, arm: &str, score: f64, plan: &Plan) {
        if arm != plan.config.baseline {
            if let Some(state) = self.test(arm, plan) {
                state.outcomes.see(score);
                state.streams.see_first(score);
                state.judge(plan);
            }
            return;
        }
        let Some(planned) = plan.arms.get(arm) else { return };
        let state = self.arms.entry(arm.to_owned()).or_default();
        if state.of != planned.of {
            *state = ArmState::new(planned.of.clone());
        }
        state.outcomes.see(score);
        for other in plan.arms.keys().filter(|other| *other != arm) {
            if let Some(state) = self.test(other, plan) {
                state.baseline.see(score);
                state.streams.see_second(score);
                state.judge(plan);
            }
        }
    }

    /// The test of an arm against the baseline: a new one where the settings of either have changed. `None` for the baseline and
    /// what is no arm.
    fn test(&mut self, arm: &str, plan: &Plan) -> Option<&mut ArmState> {
        let of = plan.test_of(arm)?;
        let state = self.arms.entry(arm.to_owned()).or_default();
        if state.of != of {
            *state = ArmState::new(of);
        }
        Some(state)
    }
}
