//! How arms of splits stand in their tests.

use playhouse_models::{ArmStanding, CallEvent};

use super::Meter;
use super::meter::{counter, gauge};
use super::names;

impl Meter {
    /// Counts what happened to an arm. Whether the event was of an arm. These are rare, so their handles are looked up each time.
    pub(super) fn arm(&self, arm: &str, event: &CallEvent) -> bool {
        match event {
            CallEvent::ArmJudged { task_type, standing } => self.standing(task_type, arm, standing),
            CallEvent::ArmStopped { task_type, .. } => {
                let labels = [("task", task_type.as_str()), ("arm", arm)];
                counter(&self.recorder, &names::AB_ARM_STOPS, &labels).increment(1);
                gauge(&self.recorder, &names::AB_ARM_STOPPED, &labels).set(1.0);
            }
            CallEvent::ArmResumed { task_type } => {
                let labels = [("task", task_type.as_str()), ("arm", arm)];
                gauge(&self.recorder, &names::AB_ARM_STOPPED, &labels).set(0.0);
            }
            _ => return false,
        }
        true
    }

    fn standing(&self, task_type: &str, arm: &str, standing: &ArmStanding) {
        let labels = [("task", task_type), ("arm", arm)];
        let set = |metric, value| gauge(&self.recorder, metric, &labels).set(value);
        set(&names::AB_OUTCOMES, standing.outcomes as f64);
        if let Some(mean) = standing.mean {
            set(&names::AB_OUTCOME_MEAN, mean);
        }
        if let Some(e_value) = standing.e_value {
            set(&names::AB_E_VALUE, e_value);
        }
    }
}
