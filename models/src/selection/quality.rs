//! How good the answers of models are, as they are judged.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

/// How many judged answers the configured quality counts as: it decides at first, and is outweighed after some ten answers.
const PRIOR_WEIGHT: f64 = 5.0;

/// Judged answers that are needed where no quality is configured: one alone says little.
const JUDGED_MIN: f64 = 3.0;

/// Types of tasks that are kept for a model. There are as many as there are kinds of agents; the bound holds against
/// names that are made up.
const TASK_TYPES_MAX: usize = 64;

/// How good a model's answers are, by type of task: a running mean of scores from 0.0 to 1.0.
#[derive(Debug, Default)]
pub struct QualityBook {
    judged: Mutex<BTreeMap<String, Judged>>,
    /// Whether this process judged an answer.
    is_new: AtomicBool,
}

/// Answers that were judged. Old ones count less, so neither number is whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Judged {
    pub(super) answers: f64,
    pub(super) score_sum: f64,
}

impl QualityBook {
    /// Notes how good an answer to a task of this type was: 0.0 (useless) to 1.0 (nothing to change). Scores beyond are taken
    /// as the nearest one; what is no number is left out.
    pub fn record(&self, task_type: &str, score: f64) {
        if score.is_nan() {
            return;
        }
        let mut book = self.judged();
        if book.len() >= TASK_TYPES_MAX && !book.contains_key(task_type) {
            return;
        }
        let judged = book.entry(task_type.to_owned()).or_default();
        judged.answers += 1.0;
        judged.score_sum += score.clamp(0.0, 1.0);
        self.is_new.store(true, Ordering::Relaxed);
    }

    /// The quality for tasks of this type, 0.0 to 1.0. `configured` counts as five judged answers; where there is none, three
    /// answers must have been judged.
    pub fn quality(&self, task_type: &str, configured: Option<f64>) -> Option<f64> {
        let judged = self.judged().get(task_type).copied().unwrap_or_default();
        match configured {
            Some(prior) => Some((prior * PRIOR_WEIGHT + judged.score_sum) / (PRIOR_WEIGHT + judged.answers)),
            None => (judged.answers >= JUDGED_MIN).then(|| judged.score_sum / judged.answers),
        }
    }

    pub(super) fn saved(&self) -> BTreeMap<String, Judged> {
        self.judged().clone()
    }

    pub(super) fn is_new(&self) -> bool {
        self.is_new.load(Ordering::Relaxed)
    }

    fn judged(&self) -> MutexGuard<'_, BTreeMap<String, Judged>> {
        self.judged.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what an earlier process saved, each answer counting `weight`.
    pub(super) fn restore(&self, saved: BTreeMap<String, Judged>, weight: f64) {
        let mut book = self.judged();
        for (task_type, old) in saved.into_iter().take(TASK_TYPES_MAX) {
            let judged = book.entry(task_type).or_default();
            judged.answers += old.answers * weight;
            judged.score_sum += old.score_sum * weight;
        }
    }
}

impl Judged {
    /// Whether a mean of these lies within its bounds.
    pub(super) fn is_sound(&self) -> bool {
        self.answers.is_finite() && self.score_sum >= 0.0 && self.score_sum <= self.answers
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn book(scores: &[f64]) -> QualityBook {
        let book = QualityBook::default();
        scores.iter().for_each(|score| book.record("review", *score));
        book
    }

    #[test]
    fn the_configured_quality_is_a_start_that_judged_answers_outweigh() {
        assert_eq!(book(&[]).quality("review", Some(0.8)), Some(0.8));
        assert_eq!(book(&[0.2; 5]).quality("review", Some(0.8)), Some(0.5));
        assert!(book(&[0.2; 95]).quality("review", Some(0.8)).unwrap() < 0.24);
        assert_eq!(book(&[0.2; 5]).quality("generate", Some(0.8)), Some(0.8), "by type of task");
    }

    #[test]
    fn without_a_configured_quality_some_answers_must_have_been_judged() {
        assert_eq!(book(&[1.0, 1.0]).quality("review", None), None);
        assert_eq!(book(&[1.0, 0.5, 0.0]).quality("review", None), Some(0.5));
    }

    #[test]
    fn scores_beyond_the_bounds_do_no_harm() {
        assert_eq!(book(&[7.0, -3.0, f64::NAN, 0.5]).quality("review", None), Some(0.5));
        let many = QualityBook::default();
        (0..1_000).for_each(|number| many.record(&format!("t{number}"), 1.0));
        assert_eq!(many.saved().len(), TASK_TYPES_MAX);
    }

    #[test]
    fn old_answers_count_less() {
        let new = book(&[0.0; 5]);
        new.restore(book(&[1.0; 10]).saved(), 0.5);
        assert_eq!(new.quality("review", None), Some(0.5));
    }
}
