//! What has been measured of all models, in this process and in earlier ones.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use playhouse_config::settings::DemotionConfig;
use playhouse_protocol::{TaskId, WallClock};

use super::arms::Arms;
use super::demotion::{Change, DemotionWatch};
use super::saved::{self, Figures, PerformanceFileError, SavedDemotion, SavedModel};
use super::{Demotion, Measured, Measurements, QualityBook};
use crate::observer::{CallEvent, CallObserver};
use crate::stats::{ModelStats, StatsSnapshot};

/// Measured attempts that are enough without what earlier processes remembered: as many as are kept.
const ENOUGH_CALLS: f64 = 512.0;

/// What has been measured of every model of a catalog: times and failures by its [`ModelStats`], quality as it was judged, and
/// whether it is demoted. Owned by the catalog.
#[derive(Debug)]
pub struct Performance {
    demotion: DemotionConfig,
    observer: Arc<dyn CallObserver>,
    clock: Arc<dyn WallClock>,
    models: BTreeMap<String, Model>,
    arms: Arms,
}

/// What a [`Performance`] is made of.
#[derive(Debug)]
pub struct PerformanceArgs {
    /// When a model is demoted.
    pub demotion: DemotionConfig,
    /// Is told of demotions.
    pub observer: Arc<dyn CallObserver>,
    /// The time of day, for figures that are saved.
    pub clock: Arc<dyn WallClock>,
    /// The models by their catalog entry.
    pub models: BTreeMap<String, WatchedModel>,
}

/// A model as it is handed in.
#[derive(Debug)]
pub struct WatchedModel {
    /// What tells it from others in a file that several settings share: its provider and endpoint or file. Entries of one
    /// identity are one model.
    pub identity: String,
    /// Whether its figures are saved. Those of a script tell nothing.
    pub is_saved: bool,
    /// Its quality as configured.
    pub quality: Option<f64>,
    /// Its attempts.
    pub stats: Arc<ModelStats>,
}

#[derive(Debug)]
struct Model {
    watched: WatchedModel,
    quality: QualityBook,
    demotion: DemotionWatch,
    /// What earlier processes measured, as far as it still counts.
    remembered: Mutex<Figures>,
}

impl Performance {
    /// Nothing measured yet.
    pub fn new(args: PerformanceArgs) -> Self {
        let PerformanceArgs { demotion, observer, clock, models } = args;
        let model = |watched| Model {
            watched,
            quality: QualityBook::default(),
            demotion: DemotionWatch::default(),
            remembered: Mutex::default(),
        };
        let models = models.into_iter().map(|(name, watched)| (name, model(watched))).collect();
        Self { demotion, observer, clock, models, arms: Arms::default() }
    }

    /// The arms that were taken out of their splits.
    pub(crate) fn arms(&self) -> &Arms {
        &self.arms
    }

    /// Notes how good an answer was: 0.0 to 1.0. A model that is not in the catalog is left out. Nobody is told:
    /// [`Catalog::record_quality`](crate::Catalog::record_quality) does both.
    pub fn record_quality(&self, model: &str, task_type: &str, score: f64) {
        let Some(watched) = self.models.get(model).filter(|_| !score.is_nan()) else { return };
        let score = score.clamp(0.0, 1.0);
        watched.quality.record(task_type, score);
        if let Some(event) = watched.watched.stats.drift().see_quality(task_type, score) {
            self.observer.observe(model, &event);
        }
    }

    /// Takes up what an earlier process saved; a file that is not there is none. Figures count half of what they did for
    /// every week that has passed.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged or of another version; nothing is taken up then, and nothing else is wrong.
    pub fn load(&self, path: &Path) -> Result<(), PerformanceFileError> {
        let now = self.clock.unix_ms();
        let Some(file) = saved::read(path)? else { return Ok(()) };
        let weight = saved::weight(file.saved_unix_ms, now);
        for model in self.models.values() {
            let Some(old) = file.models.get(&model.watched.identity) else { continue };
            *model.remembered() = old.figures.aged(weight);
            model.quality.restore(old.quality.clone(), weight);
            if let Some(drift) = old.drift.clone() {
                model.watched.stats.drift().restore(drift);
            }
            if let Some(SavedDemotion { reason, until_unix_ms }) = &old.demotion {
                // No longer than the settings say, whatever the clock of that time said.
                let time_left = Duration::from_millis(until_unix_ms.saturating_sub(now));
                let time_left = time_left.min(self.demotion.duration);
                model.demotion.resume(Demotion { reason: reason.clone(), time_left });
            }
        }
        Ok(())
    }

    /// Saves what has been measured, beside what the file holds of models that are not in this catalog. Written whole or not at
    /// all. Nothing is written when nothing was measured here. When two processes end at once, the figures of the later one stay.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), PerformanceFileError> {
        let now = self.clock.unix_ms();
        let mut models: BTreeMap<String, SavedModel> = BTreeMap::new();
        let mut is_new = false;
        for model in self.models.values().filter(|model| model.watched.is_saved) {
            let saved = model.saved(now);
            is_new |= model.watched.stats.snapshot().calls > 0 || model.quality.is_new();
            let kept = models.get(&model.watched.identity);
            if kept.is_none_or(|kept| kept.weight() < saved.weight()) {
                models.insert(model.watched.identity.clone(), saved);
            }
        }
        if !is_new {
            return Ok(());
        }
        // A damaged file is written over.
        if let Some(file) = saved::read(path).ok().flatten() {
            let weight = saved::weight(file.saved_unix_ms, now);
            for (identity, old) in file.models {
                models.entry(identity).or_insert_with(|| old.aged(weight));
            }
        }
        saved::write(path, now, models)
    }
}

impl Model {
    fn remembered(&self) -> std::sync::MutexGuard<'_, Figures> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn figures(&self) -> Figures {
        let remembered = self.remembered().clone();
        Figures::of(&self.watched.stats.snapshot()).with(&remembered, ENOUGH_CALLS)
    }

    fn saved(&self, now_unix_ms: u64) -> SavedModel {
        let demotion = self.demotion.current().map(|demotion| SavedDemotion {
            reason: demotion.reason,
            until_unix_ms: now_unix_ms
                .saturating_add(u64::try_from(demotion.time_left.as_millis()).unwrap_or(u64::MAX)),
        });
        SavedModel {
            figures: self.figures(),
            quality: self.quality.saved(),
            demotion,
            drift: self.watched.stats.drift().saved(),
        }
    }
}

impl Measurements for Performance {
    fn measured(&self, model: &str, task_type: &str) -> Measured {
        let Some(model) = self.models.get(model) else { return Measured::default() };
        let quality = model.quality.quality(task_type, model.watched.quality);
        Measured { quality, ..model.figures().measured() }
    }

    /// Looks at the model, and tells the observer what has changed.
    fn demotion(&self, model: &str) -> Option<Demotion> {
        let watched = self.models.get(model)?;
        let usual = || watched.figures().p50;
        let (demotion, change) = watched.demotion.look(&self.demotion, &watched.watched.stats, usual);
        match change {
            None => {}
            Some(Change::Restored) => {
                tracing::info!(model, "a model is considered again");
                self.observer.observe(model, &CallEvent::Restored);
            }
            Some(Change::Demoted(reason)) => {
                let reason = reason.to_string();
                tracing::warn!(model, %reason, "a model has become worse and is passed over");
                self.observer.observe(model, &CallEvent::Demoted { reason });
            }
        }
        demotion
    }

    fn stopped(&self, task_type: &str, arm: &str, task: Option<TaskId>) -> Option<String> {
        self.arms.stopped(task_type, arm, task)
    }
}

impl Figures {
    /// What this process measured.
    fn of(snapshot: &StatsSnapshot) -> Self {
        Self {
            calls: snapshot.calls as f64,
            error_ratio: snapshot.error_ratio,
            p50: snapshot.p50,
            p95: snapshot.p95,
            p99: snapshot.p99,
        }
    }
}

#[cfg(test)]
mod tests;
