//! Arms of splits while the process lives: who is told how good their answers are, and who takes them out.

use std::fmt;
use std::sync::Arc;

use super::Catalog;
use crate::observer::{ArmStanding, CallEvent};
use crate::selection::{ModelWish, Rule, Selection};

/// Is told how good answers are, as they are judged. Told where the answer was judged, several at once where several are; what
/// takes longer than a short write belongs elsewhere.
pub trait QualityObserver: Send + Sync + fmt::Debug {
    /// It is told of the models of this catalog from now on. Nothing has been chosen or judged yet.
    fn attached(&self, catalog: &Catalog) {
        let _ = catalog;
    }

    /// An answer of the catalog entry `model` to a task of this type was given a score from 0.0 to 1.0.
    fn judged(&self, catalog: &Catalog, model: &str, task_type: &str, score: f64);
}

impl Catalog {
    /// Tells these how good answers are from now on. Called once: whoever comes later is left out.
    pub fn tell_quality(&self, observers: Vec<Arc<dyn QualityObserver>>) {
        if self.quality_observers.set(observers).is_ok() {
            self.quality_observers().for_each(|observer| observer.attached(self));
        }
    }

    /// Notes how good an answer was: 0.0 (useless) to 1.0 (nothing to change); scores beyond are taken as the nearest one. Models are
    /// selected by it, and [`QualityObserver`]s are told. A model that is not in the catalog, and a score that is no number, are
    /// left out.
    pub fn record_quality(&self, model: &str, task_type: &str, score: f64) {
        if score.is_nan() || !self.slots.contains_key(model) {
            return;
        }
        let score = score.clamp(0.0, 1.0);
        self.performance.record_quality(model, task_type, score);
        self.quality_observers().for_each(|observer| observer.judged(self, model, task_type, score));
    }

    /// The arms of the split of a type of task as the settings write them, each with the entry that answers for it now. An
    /// alias that leads nowhere is left out; empty where there is no split.
    pub fn arms(&self, task_type: &str) -> Vec<(String, String)> {
        self.selector.arms(&ModelWish::of(task_type))
    }

    /// Takes an arm out of the split of a type of task, in this process and from now on: its tasks go to the arms that stand behind
    /// it, everybody else's stay where they are. A task that the arm has answered for keeps it. `reason` is a sentence
    /// without its full stop, and stands in the reason of each choice that passes the arm over.
    pub fn stop_arm(&self, task_type: &str, arm: &str, reason: &str) {
        if self.performance.arms().stop(task_type, arm, reason) {
            let event = CallEvent::ArmStopped { task_type: task_type.to_owned(), reason: reason.to_owned() };
            self.shared.parts.observer.observe(arm, &event);
        }
    }

    /// Puts an arm back into the split of a type of task.
    pub fn resume_arm(&self, task_type: &str, arm: &str) {
        if self.performance.arms().resume(task_type, arm) {
            let event = CallEvent::ArmResumed { task_type: task_type.to_owned() };
            self.shared.parts.observer.observe(arm, &event);
        }
    }

    /// Tells how an arm stands, for whoever watches the process.
    pub fn tell_arm(&self, task_type: &str, arm: &str, standing: ArmStanding) {
        let event = CallEvent::ArmJudged { task_type: task_type.to_owned(), standing };
        self.shared.parts.observer.observe(arm, &event);
    }

    /// Notes which arm a task has, so that it keeps it.
    pub(super) fn note_arm(&self, wish: &ModelWish<'_>, selection: &Selection) {
        let Some(task) = wish.task_id.filter(|_| matches!(selection.reason.rule, Rule::Split { .. })) else {
            return;
        };
        if let Some(arm) = self.selector.arm_of(wish, &selection.model) {
            self.performance.arms().took(wish.task_type, arm, task);
        }
    }

    fn quality_observers(&self) -> impl Iterator<Item = &Arc<dyn QualityObserver>> {
        self.quality_observers.get().into_iter().flatten()
    }
}
