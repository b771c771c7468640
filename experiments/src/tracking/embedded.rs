//! Tracking in files of the run's own folder.
//!
//! ```text
//! RUN/tracking/run.json        what it is a run of, when it began and how it ended
//! RUN/tracking/params.json     RUN/tracking/tags.json
//! RUN/tracking/metrics.jsonl   a point a line
//! RUN/tracking/artifacts/…     files as they are
//! ```

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use futures::future::BoxFuture;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::blocking;
use super::{ExperimentTracker, MetricPoint, RunStart, RunStatus, TrackingError, validity};
use crate::files;

/// The version of the form of these files.
const VERSION: u32 = 1;

/// Points of one run: they are held in memory while it is tracked, so that none is written twice.
const POINTS_MAX: usize = 1_000_000;

/// What was tracked of a run.
#[derive(Debug, Clone, PartialEq)]
pub struct TrackedRun {
    /// What it is a run of, and when it began.
    pub start: RunStart,
    /// How it stands.
    pub status: RunStatus,
    /// When it ended, in milliseconds since 1970.
    pub ended_unix_ms: Option<u64>,
    /// What it was made with.
    pub params: BTreeMap<String, String>,
    /// Notes on it.
    pub tags: BTreeMap<String, String>,
    /// What was measured, in the order in which it was told.
    pub metrics: Vec<MetricPoint>,
    /// The names of its files, in order.
    pub artifacts: Vec<String>,
}

/// Keeps what it is told in the folders of runs. One process tracks a run at a time.
#[derive(Debug)]
pub struct EmbeddedTracker {
    files: Arc<Files>,
}

#[derive(Debug)]
struct Files {
    dir: PathBuf,
    /// The values of points by run: what is written already.
    known: Mutex<BTreeMap<String, Points>>,
}

/// Values by key, step and time.
type Points = BTreeMap<(String, i64, u64), f64>;

#[derive(Debug, Serialize, Deserialize)]
struct SavedRun {
    version: u32,
    start: RunStart,
    status: RunStatus,
    ended_unix_ms: Option<u64>,
}

impl EmbeddedTracker {
    /// A tracker for the runs in a folder of experiments.
    pub fn new(experiments_dir: impl Into<PathBuf>) -> Self {
        Self { files: Arc::new(Files { dir: experiments_dir.into(), known: Mutex::default() }) }
    }

    fn on_files<'a>(
        &self,
        work: impl FnOnce(&Files) -> Result<(), TrackingError> + Send + 'static,
    ) -> BoxFuture<'a, Result<(), TrackingError>> {
        let files = Arc::clone(&self.files);
        Box::pin(blocking(move || work(&files)))
    }
}

impl ExperimentTracker for EmbeddedTracker {
    fn begin<'a>(&'a self, start: &'a RunStart) -> BoxFuture<'a, Result<(), TrackingError>> {
        let start = start.clone();
        self.on_files(move |files| files.begin(start))
    }

    fn params<'a>(
        &'a self,
        run: &'a str,
        params: &'a [(String, String)],
    ) -> BoxFuture<'a, Result<(), TrackingError>> {
        let (run, params) = (run.to_owned(), params.to_vec());
        self.on_files(move |files| files.pairs(&run, "params.json", &params, false))
    }

    fn metrics<'a>(
        &'a self,
        run: &'a str,
        points: &'a [MetricPoint],
    ) -> BoxFuture<'a, Result<(), TrackingError>> {
        let (run, points) = (run.to_owned(), points.to_vec());
        self.on_files(move |files| files.metrics(&run, points))
    }

    fn tags<'a>(
        &'a self,
        run: &'a str,
        tags: &'a [(String, String)],
    ) -> BoxFuture<'a, Result<(), TrackingError>> {
        let (run, tags) = (run.to_owned(), tags.to_vec());
        self.on_files(move |files| files.pairs(&run, "tags.json", &tags, true))
    }

    fn artifact<'a>(
        &'a self,
        run: &'a str,
        name: &'a str,
        bytes: &'a [u8],
    ) -> BoxFuture<'a, Result<(), TrackingError>> {
        let (run, name, bytes) = (run.to_owned(), name.to_owned(), bytes.to_vec());
        self.on_files(move |files| files.artifact(&run, &name, &bytes))
    }

    fn finish<'a>(
        &'a self,
        run: &'a str,
        status: RunStatus,
        ended_unix_ms: u64,
    ) -> BoxFuture<'a, Result<(), TrackingError>> {
        let run = run.to_owned();
        self.on_files(move |files| {
            let _alone = files.alone();
            let path = files.folder(&run)?.join("run.json");
            let mut saved = saved_run(&path, &run)?;
            saved.status = status;
            saved.ended_unix_ms = Some(ended_unix_ms);
            write_json(&path, &saved)
        })
    }
}

impl Files {
    /// Calls follow one after the other: each reads what the one before has written.
    fn alone(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Points>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn folder(&self, run: &str) -> Result<PathBuf, TrackingError> {
        validity::check_run(run)?;
        Ok(self.dir.join(run).join("tracking"))
    }

    fn begin(&self, start: RunStart) -> Result<(), TrackingError> {
        validity::check_start(&start)?;
        let _alone = self.alone();
        let path = self.folder(&start.run)?.join("run.json");
        match read_json::<SavedRun>(&path)? {
            None => {
                let (status, ended_unix_ms) = (RunStatus::Running, None);
                write_json(&path, &SavedRun { version: VERSION, start, status, ended_unix_ms })
            }
            Some(saved) if saved.start == start => Ok(()),
            Some(_) => Err(TrackingError::Changed { run: start.run, key: "begin".to_owned() }),
        }
    }

    fn pairs(
        &self,
        run: &str,
        file: &str,
        pairs: &[(String, String)],
        may_change: bool,
    ) -> Result<(), TrackingError> {
        validity::check_pairs(pairs)?;
        let _alone = self.alone();
        let folder = self.folder(run)?;
        saved_run(&folder.join("run.json"), run)?;
        let path = folder.join(file);
        let mut kept: BTreeMap<String, String> = read_json(&path)?.unwrap_or_default();
        let before = kept.clone();
        for (key, value) in pairs {
            let was = kept.insert(key.clone(), value.clone());
            if !may_change && was.is_some_and(|was| was != *value) {
                return Err(TrackingError::Changed { run: run.to_owned(), key: key.clone() });
            }
        }
        if kept == before { Ok(()) } else { write_json(&path, &kept) }
    }

    fn metrics(&self, run: &str, points: Vec<MetricPoint>) -> Result<(), TrackingError> {
        validity::check_points(&points)?;
        let mut known = self.alone();
        let folder = self.folder(run)?;
        saved_run(&folder.join("run.json"), run)?;
        let path = folder.join("metrics.jsonl");
        if !known.contains_key(run) {
            let (written, whole_len) = read_points(&path)?;
            cut_torn_line(&path, whole_len)?;
            let written = written.into_iter().map(|point| (identity(&point), point.value));
            known.insert(run.to_owned(), written.collect());
        }
        let known = known.entry(run.to_owned()).or_default();
        let mut new = Points::new();
        let mut lines = Vec::new();
        for point in points {
            let identity = identity(&point);
            match known.get(&identity).or(new.get(&identity)) {
                Some(value) if value.to_bits() == point.value.to_bits() => continue,
                Some(_) => return Err(TrackingError::Changed { run: run.to_owned(), key: point.key }),
                None => {}
            }
            lines.extend(to_json(&path, &point)?);
            lines.push(b'\n');
            new.insert(identity, point.value);
        }
        if known.len() + new.len() > POINTS_MAX {
            return Err(TrackingError::TooMany { run: run.to_owned(), points: known.len() });
        }
        if lines.is_empty() {
            return Ok(());
        }
        files::append(&path, &lines).map_err(|error| TrackingError::file("write", &path, error))?;
        known.extend(new);
        Ok(())
    }

    fn artifact(&self, run: &str, name: &str, bytes: &[u8]) -> Result<(), TrackingError> {
        validity::check_artifact(name, bytes.len() as u64)?;
        let _alone = self.alone();
        let folder = self.folder(run)?;
        saved_run(&folder.join("run.json"), run)?;
        let path = folder.join("artifacts").join(name);
        files::write_whole(&path, bytes).map_err(|error| TrackingError::file("write", &path, error))
    }
}

/// What was tracked of the run in a folder; `None` where nothing was.
///
/// # Errors
/// When a file cannot be read or is damaged. A last line of metrics that a crash has cut off is left out.
pub fn read(run_dir: &Path) -> Result<Option<TrackedRun>, TrackingError> {
    let folder = run_dir.join("tracking");
    let path = folder.join("run.json");
    let Some(saved) = read_json::<SavedRun>(&path)? else { return Ok(None) };
    check_version(&path, saved.version)?;
    let mut artifacts = Vec::new();
    list(&folder.join("artifacts"), "", &mut artifacts)?;
    artifacts.sort_unstable();
    Ok(Some(TrackedRun {
        start: saved.start,
        status: saved.status,
        ended_unix_ms: saved.ended_unix_ms,
        params: read_json(&folder.join("params.json"))?.unwrap_or_default(),
        tags: read_json(&folder.join("tags.json"))?.unwrap_or_default(),
        metrics: read_points(&folder.join("metrics.jsonl"))?.0,
        artifacts,
    }))
}

fn identity(point: &MetricPoint) -> (String, i64, u64) {
    (point.key.clone(), point.step, point.unix_ms)
}

fn saved_run(path: &Path, run: &str) -> Result<SavedRun, TrackingError> {
    let saved: SavedRun = read_json(path)?.ok_or_else(|| TrackingError::NotBegun { run: run.to_owned() })?;
    check_version(path, saved.version)?;
    Ok(saved)
}

fn check_version(path: &Path, found: u32) -> Result<(), TrackingError> {
    if found == VERSION {
        return Ok(());
    }
    Err(TrackingError::Version { path: path.to_owned(), found, known: VERSION })
}

/// The points of a file, and how long it is without a last line that was cut off.
fn read_points(path: &Path) -> Result<(Vec<MetricPoint>, u64), TrackingError> {
    let bytes = files::read_if_there(path).map_err(|error| TrackingError::file("read", path, error))?;
    let bytes = bytes.unwrap_or_default();
    let whole_len = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let whole = bytes.get(..whole_len).unwrap_or_default();
    let lines = whole.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()).enumerate();
    let points = lines.map(|(at, line)| {
        serde_json::from_slice(line).map_err(|error| TrackingError::damaged(path, at + 1, &error))
    });
    Ok((points.collect::<Result<_, _>>()?, whole_len as u64))
}

fn cut_torn_line(path: &Path, whole_len: u64) -> Result<(), TrackingError> {
    let cut = || -> std::io::Result<()> {
        if path.exists() && path.metadata()?.len() > whole_len {
            let file = OpenOptions::new().write(true).open(path)?;
            file.set_len(whole_len)?;
            file.sync_all()?;
        }
        Ok(())
    };
    cut().map_err(|error| TrackingError::file("write", path, error))
}

fn list(folder: &Path, above: &str, names: &mut Vec<String>) -> Result<(), TrackingError> {
    let unreadable = |error| TrackingError::file("read", folder, error);
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unreadable(error)),
    };
    for entry in entries {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        // What a crash has left of a file that was being written.
        if name.starts_with('.') {
            continue;
        }
        let name = if above.is_empty() { name } else { format!("{above}/{name}") };
        if entry.file_type().map_err(unreadable)?.is_dir() {
            list(&entry.path(), &name, names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, TrackingError> {
    let bytes = files::read_if_there(path).map_err(|error| TrackingError::file("read", path, error))?;
    let read = |bytes: Vec<u8>| {
        serde_json::from_slice(&bytes).map_err(|error| TrackingError::damaged(path, error.line(), &error))
    };
    bytes.map(read).transpose()
}

fn write_json(path: &Path, value: &impl Serialize) -> Result<(), TrackingError> {
    let mut bytes = to_json(path, value)?;
    bytes.push(b'\n');
    files::write_whole(path, &bytes).map_err(|error| TrackingError::file("write", path, error))
}

fn to_json(path: &Path, value: &impl Serialize) -> Result<Vec<u8>, TrackingError> {
    serde_json::to_vec(value).map_err(|error| TrackingError::file("write", path, error.into()))
}

#[cfg(test)]
mod tests;
