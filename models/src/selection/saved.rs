//! The file in which measured figures survive a process: JSON with a version.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::quality::Judged;
use super::{DemotionReason, Measured};
use crate::stats::DriftState;

/// Counts up when a field changes its meaning. Figures of another version are left out: they are only a start.
const VERSION: u32 = 1;

/// The time after which figures count half: models and their load change from week to week.
const HALF_LIFE: Duration = Duration::from_hours(7 * 24);

/// The largest file that is read, in bytes: a thousand models take a third of it.
const FILE_BYTES_MAX: u64 = 8 * 1024 * 1024;

/// Models that are kept in the file, those with the most calls first.
const MODELS_MAX: usize = 1_000;

/// Calls that a model must have to be kept: what is older than some ten half-lives is forgotten.
const CALLS_MIN: f64 = 0.5;

/// A file of figures that cannot be used. What it holds is only a start, so this is never fatal.
#[derive(Debug, thiserror::Error)]
pub enum PerformanceFileError {
    /// It cannot be read.
    #[error("read measured figures from {}: {source}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is larger than such files are.
    #[error("read measured figures from {}: it is larger than {FILE_BYTES_MAX} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It holds something else.
    #[error("read measured figures from {}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where and why.
        reason: String,
    },
    /// Another version wrote it.
    #[error("read measured figures from {}: it has version {found}, this program reads {VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
    },
    /// It cannot be written.
    #[error("save measured figures to {}: {source}", path.display())]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The whole file.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SavedFile {
    version: u32,
    pub(super) saved_unix_ms: u64,
    /// By identity.
    pub(super) models: BTreeMap<String, SavedModel>,
}

/// One model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct SavedModel {
    #[serde(flatten)]
    pub(super) figures: Figures,
    /// By type of task.
    pub(super) quality: BTreeMap<String, Judged>,
    pub(super) demotion: Option<SavedDemotion>,
    /// What its calls were at first, and what they are. It does not age: a model is held against its own beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) drift: Option<DriftState>,
}

/// A demotion that outlives its process.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SavedDemotion {
    pub(super) reason: DemotionReason,
    pub(super) until_unix_ms: u64,
}

/// Calls, and how they went.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Figures {
    /// Old ones count less, so the number is not whole.
    pub(super) calls: f64,
    pub(super) error_ratio: Option<f64>,
    #[serde(with = "ms")]
    pub(super) p50: Option<Duration>,
    #[serde(with = "ms")]
    pub(super) p95: Option<Duration>,
    #[serde(with = "ms")]
    pub(super) p99: Option<Duration>,
}

/// Times as milliseconds with a fraction.
mod ms {
    use std::time::Duration;

    use serde::{Deserialize as _, Deserializer, Serialize as _, Serializer};

    #[expect(clippy::ref_option, reason = "the form that serde asks for")]
    pub(super) fn serialize<S: Serializer>(time: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        time.map(|time| time.as_secs_f64() * 1e3).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        let time = Option::<f64>::deserialize(from)?;
        let time = time.map(|ms| Duration::try_from_secs_f64(ms / 1e3)).transpose();
        time.map_err(serde::de::Error::custom)
    }
}

impl Figures {
    pub(super) fn aged(&self, weight: f64) -> Self {
        Self { calls: self.calls * weight, ..self.clone() }
    }

    /// These with older ones, each counting for its calls, up to `enough` of both. A mean of percentiles is not the percentile of
    /// all, and near enough to choose by.
    pub(super) fn with(&self, older: &Self, enough: f64) -> Self {
        let weight = self.calls.min(enough);
        let older_weight = older.calls.min(enough - weight);
        let mean = |new: Option<f64>, old: Option<f64>| match (new, old) {
            (Some(new), Some(old)) if older_weight > 0.0 => {
                Some((new * weight + old * older_weight) / (weight + older_weight))
            }
            (Some(new), _) => Some(new),
            (None, old) => old.filter(|_| older_weight > 0.0),
        };
        let time = |new: Option<Duration>, old: Option<Duration>| {
            let mean = mean(new.map(|time| time.as_secs_f64()), old.map(|time| time.as_secs_f64()));
            mean.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
        };
        Self {
            calls: self.calls + older.calls,
            error_ratio: mean(self.error_ratio, older.error_ratio),
            p50: time(self.p50, older.p50),
            p95: time(self.p95, older.p95),
            p99: time(self.p99, older.p99),
        }
    }

    pub(super) fn measured(&self) -> Measured {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a count of calls is never negative, and a float saturates"
        )]
        let calls = self.calls.round() as u64;
        let Self { error_ratio, p50, p95, p99, .. } = *self;
        Measured { calls, error_ratio, p50, p95, p99, quality: None }
    }

    fn is_sound(&self) -> bool {
        self.calls.is_finite()
            && self.calls >= 0.0
            && self.error_ratio.is_none_or(|ratio| (0.0..=1.0).contains(&ratio))
    }
}

impl SavedModel {
    pub(super) fn aged(&self, weight: f64) -> Self {
        let aged = |judged: &Judged| Judged {
            answers: judged.answers * weight,
            score_sum: judged.score_sum * weight,
        };
        let quality = self.quality.iter().map(|(task, judged)| (task.clone(), aged(judged))).collect();
        Self {
            figures: self.figures.aged(weight),
            quality,
            demotion: self.demotion.clone(),
            drift: self.drift.clone(),
        }
    }

    /// How much it tells.
    pub(super) fn weight(&self) -> f64 {
        let judged: f64 = self.quality.values().map(|judged| judged.answers).sum();
        self.figures.calls + judged
    }

    fn is_sound(&self) -> bool {
        self.figures.is_sound() && self.quality.values().all(Judged::is_sound)
    }
}

/// What figures count that were saved then.
pub(super) fn weight(saved_unix_ms: u64, now_unix_ms: u64) -> f64 {
    let age = Duration::from_millis(now_unix_ms.saturating_sub(saved_unix_ms));
    0.5_f64.powf(age.as_secs_f64() / HALF_LIFE.as_secs_f64())
}

/// The file's content; `None` when there is no such file.
pub(super) fn read(path: &Path) -> Result<Option<SavedFile>, PerformanceFileError> {
    let unreadable = |source| PerformanceFileError::Unreadable { path: path.to_owned(), source };
    let damaged = |reason| PerformanceFileError::Damaged { path: path.to_owned(), reason };
    match std::fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(unreadable(error)),
        Ok(metadata) if metadata.len() > FILE_BYTES_MAX => {
            return Err(PerformanceFileError::TooLarge { path: path.to_owned() });
        }
        Ok(_) => {}
    }
    let bytes = std::fs::read(path).map_err(unreadable)?;
    let version: Version = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    if version.version != VERSION {
        return Err(PerformanceFileError::Version { path: path.to_owned(), found: version.version });
    }
    let file: SavedFile = serde_json::from_slice(&bytes).map_err(|error| damaged(error.to_string()))?;
    if !file.models.values().all(SavedModel::is_sound) {
        return Err(damaged("it holds a figure that cannot be".to_owned()));
    }
    Ok(Some(file))
}

#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// Writes the file whole or not at all.
pub(super) fn write(
    path: &Path,
    now_unix_ms: u64,
    models: BTreeMap<String, SavedModel>,
) -> Result<(), PerformanceFileError> {
    let unwritable = |source| PerformanceFileError::Unwritable { path: path.to_owned(), source };
    let mut models: Vec<_> = models.into_iter().filter(|(_, model)| model.weight() >= CALLS_MIN).collect();
    models.sort_by(|(_, a), (_, b)| b.weight().total_cmp(&a.weight()));
    let models = models.into_iter().take(MODELS_MAX).collect();
    let file = SavedFile { version: VERSION, saved_unix_ms: now_unix_ms, models };
    let bytes = serde_json::to_vec_pretty(&file).map_err(|error| unwritable(error.into()))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(unwritable)?;
    }
    // Beside the file, so that it can be renamed; of this process, so that two do not write into one.
    let mut part = path.as_os_str().to_owned();
    part.push(format!(".{}.part", std::process::id()));
    let part = PathBuf::from(part);
    let written = std::fs::write(&part, &bytes).and_then(|()| std::fs::rename(&part, path));
    written.map_err(|error| {
        drop(std::fs::remove_file(&part));
        unwritable(error)
    })
}
