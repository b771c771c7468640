//! The folders of runs.
//!
//! A run is a folder: `manifest.json`, written before the first question and never changed; `records.jsonl`, to which answers
//! are added and nothing else; `ending.json`, once it has ended. A line that was not written to its end is not there: a
//! reader leaves it out, and whoever takes the run up again cuts it off.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::RunStoreError;
use super::manifest::Manifest;
use super::record::{Ending, Record};
use crate::digest::sha256_hex;
use crate::files::{sync_folder, try_lock, write_whole};

const MANIFEST: &str = "manifest.json";
const RECORDS: &str = "records.jsonl";
const ENDING: &str = "ending.json";
const LOCK: &str = "lock";

/// How many names are tried for a new run: more runs of one experiment are not expected.
const NUMBER_MAX: u32 = 1_000_000;

/// All runs, in one folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunStore {
    folder: PathBuf,
}

/// A run as it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredRun {
    /// Its folder.
    pub folder: PathBuf,
    /// What it is made of.
    pub manifest: Manifest,
    /// What was answered so far, in the order of writing.
    pub records: Vec<Record>,
    /// How it ended; `None` for one that was interrupted or runs.
    pub ending: Option<Ending>,
    /// The files that have another content than when the run ended.
    pub changed: Vec<&'static str>,
}

/// What is written down when a run ends: how, and the SHA-256 of what it was made of by then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Ended {
    ending: Ending,
    manifest_sha256: String,
    records_sha256: String,
}

/// A run that this process works on. Nobody else can while this lives.
#[derive(Debug)]
pub struct OpenRun {
    run: StoredRun,
    file: File,
    /// Held, not read.
    _lock: File,
}

impl RunStore {
    /// The runs in this folder, which need not be there yet.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into() }
    }

    /// The folder of all runs.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Begins a run: gives it the first free name `<experiment>-<number>`, and writes down what it is made of.
    ///
    /// # Errors
    /// When a file cannot be written; nothing is left of the run then.
    pub fn create(
        &self,
        experiment: &str,
        make: impl FnOnce(String) -> Manifest,
    ) -> Result<OpenRun, RunStoreError> {
        fs::create_dir_all(&self.folder).map_err(RunStoreError::io("make", &self.folder))?;
        let folder = self.new_folder(experiment)?;
        let run = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let manifest = make(run);
        let begin = || {
            let lock = lock(&folder)?;
            let records = folder.join(RECORDS);
            File::create_new(&records).map_err(RunStoreError::io("write", &records))?;
            // The manifest comes last: a folder without one is no run.
            write_json(&folder.join(MANIFEST), &manifest)?;
            sync_folder(&self.folder).map_err(RunStoreError::io("write", &self.folder))?;
            Ok(lock)
        };
        let lock = begin().inspect_err(|_| {
            // The first failure is the one to tell.
            let _ = fs::remove_dir_all(&folder);
        })?;
        Self::writer(
            StoredRun { folder, manifest, records: Vec::new(), ending: None, changed: Vec::new() },
            lock,
        )
    }

    fn new_folder(&self, experiment: &str) -> Result<PathBuf, RunStoreError> {
        for number in 1..NUMBER_MAX {
            let folder = self.folder.join(format!("{experiment}-{number}"));
            match fs::create_dir(&folder) {
                Ok(()) => return Ok(folder),
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => return Err(RunStoreError::io("make", &folder)(error)),
            }
        }
        let source = std::io::Error::new(ErrorKind::QuotaExceeded, "every number is taken");
        Err(RunStoreError::io("make a run in", &self.folder)(source))
    }

    /// The names of all runs, in alphabetical order.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn names(&self) -> Result<Vec<String>, RunStoreError> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(RunStoreError::io("read", &self.folder)(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(RunStoreError::io("read", &self.folder))?;
            if entry.path().join(MANIFEST).is_file() {
                names.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        names.sort();
        Ok(names)
    }

    /// Reads a run.
    ///
    /// # Errors
    /// When there is no such run, or a file of it cannot be read or is damaged.
    pub fn read(&self, run: &str) -> Result<StoredRun, RunStoreError> {
        let folder = self.find(run)?;
        let records = folder.join(RECORDS);
        Self::read_with(folder, &read(&records)?)
    }

    fn read_with(folder: PathBuf, records: &[u8]) -> Result<StoredRun, RunStoreError> {
        let manifest: Manifest = read_json(&folder.join(MANIFEST))?;
        if manifest.version != Manifest::VERSION {
            let reason = format!("it is of version {}, known is {}", manifest.version, Manifest::VERSION);
            return Err(RunStoreError::Damaged { path: folder.join(MANIFEST), line: None, reason });
        }
        let ended: Option<Ended> = match folder.join(ENDING) {
            path if path.exists() => Some(read_json(&path)?),
            _ => None,
        };
        let mut changed = Vec::new();
        if let Some(ended) = &ended {
            let manifest = read(&folder.join(MANIFEST))?;
            changed.extend((sha256_hex(&manifest) != ended.manifest_sha256).then_some(MANIFEST));
            changed.extend((sha256_hex(records) != ended.records_sha256).then_some(RECORDS));
        }
        let records = parse_records(&folder.join(RECORDS), records)?;
        Ok(StoredRun { folder, manifest, records, ending: ended.map(|ended| ended.ending), changed })
    }

    /// Takes a run up again.
    ///
    /// # Errors
    /// As [`read`](Self::read); when it has ended, or another process works on it.
    pub fn take_up(&self, run: &str) -> Result<OpenRun, RunStoreError> {
        let folder = self.find(run)?;
        let lock = lock(&folder)?;
        let path = folder.join(RECORDS);
        let mut bytes = Vec::new();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .open(&path)
            .map_err(RunStoreError::io("open", &path))?;
        file.read_to_end(&mut bytes).map_err(RunStoreError::io("read", &path))?;
        let whole = whole_lines(&bytes);
        let run = Self::read_with(folder, whole)?;
        if run.ending.is_some() {
            return Err(RunStoreError::Ended { run: run.manifest.run });
        }
        if whole.len() < bytes.len() {
            file.set_len(whole.len() as u64).map_err(RunStoreError::io("write", &path))?;
        }
        Self::writer(run, lock)
    }

    fn writer(run: StoredRun, lock: File) -> Result<OpenRun, RunStoreError> {
        let path = run.folder.join(RECORDS);
        let file = OpenOptions::new().append(true).open(&path).map_err(RunStoreError::io("open", &path))?;
        Ok(OpenRun { run, file, _lock: lock })
    }

    fn find(&self, run: &str) -> Result<PathBuf, RunStoreError> {
        let is_name = !run.is_empty() && !run.contains(['/', '\\']) && !run.starts_with('.');
        let folder = self.folder.join(run);
        if is_name && folder.join(MANIFEST).is_file() {
            return Ok(folder);
        }
        let names = self.names()?;
        let nearest = playhouse_config::nearest(run, names.iter().map(String::as_str)).map(str::to_owned);
        Err(RunStoreError::Unknown { run: run.to_owned(), folder: self.folder.clone(), nearest })
    }
}

impl OpenRun {
    /// The run as it stands.
    pub fn run(&self) -> &StoredRun {
        &self.run
    }

    /// Adds answers; they are on disk when this returns.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn append(&mut self, records: Vec<Record>) -> Result<(), RunStoreError> {
        let path = self.run.folder.join(RECORDS);
        let mut lines = Vec::new();
        for record in &records {
            to_json(&mut lines, record, &path)?;
            lines.push(b'\n');
        }
        let len = self.file.metadata().map_err(RunStoreError::io("read", &path))?.len();
        let written = self.file.write_all(&lines).and_then(|()| self.file.sync_data());
        written.map_err(|error| {
            // A line that was begun would spoil the next one. When this fails too, whoever takes the run up cuts it off.
            let _ = self.file.set_len(len);
            RunStoreError::io("write", &path)(error)
        })?;
        self.run.records.extend(records);
        Ok(())
    }

    /// Ends the run.
    ///
    /// # Errors
    /// When that cannot be written.
    pub fn end(&mut self, ending: Ending) -> Result<(), RunStoreError> {
        let ended = Ended {
            ending,
            manifest_sha256: sha256_hex(&read(&self.run.folder.join(MANIFEST))?),
            records_sha256: sha256_hex(&read(&self.run.folder.join(RECORDS))?),
        };
        write_json(&self.run.folder.join(ENDING), &ended)?;
        self.run.ending = Some(ending);
        Ok(())
    }
}

/// Keeps other processes off a run until the file is closed.
fn lock(folder: &Path) -> Result<File, RunStoreError> {
    let path = folder.join(LOCK);
    let busy =
        || RunStoreError::Busy { run: folder.file_name().unwrap_or_default().to_string_lossy().into_owned() };
    try_lock(&path).map_err(RunStoreError::io("lock", &path))?.ok_or_else(busy)
}

/// The bytes up to the end of the last whole line.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
    bytes.get(..end).unwrap_or_default()
}

fn parse_records(path: &Path, bytes: &[u8]) -> Result<Vec<Record>, RunStoreError> {
    let lines = whole_lines(bytes).split(|byte| *byte == b'\n').enumerate();
    let parse = |(number, line): (usize, &[u8])| {
        serde_json::from_slice(line).map_err(|error| RunStoreError::Damaged {
            path: path.to_owned(),
            line: Some(number + 1),
            reason: format!("it is not a record: {error}"),
        })
    };
    lines.filter(|(_, line)| !line.is_empty()).map(parse).collect()
}

fn read(path: &Path) -> Result<Vec<u8>, RunStoreError> {
    fs::read(path).map_err(RunStoreError::io("read", path))
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, RunStoreError> {
    let bytes = read(path)?;
    serde_json::from_slice(&bytes).map_err(|error| RunStoreError::Damaged {
        path: path.to_owned(),
        line: None,
        reason: error.to_string(),
    })
}

fn write_json<T: Serialize>(path: &Path, value: &T) -> Result<(), RunStoreError> {
    let mut bytes = Vec::new();
    to_json(&mut bytes, value, path)?;
    bytes.push(b'\n');
    write_whole(path, &bytes).map_err(RunStoreError::io("write", path))
}

fn to_json<T: Serialize>(bytes: &mut Vec<u8>, value: &T, path: &Path) -> Result<(), RunStoreError> {
    let written = serde_json::to_writer(bytes, value);
    written.map_err(|error| RunStoreError::io("write", path)(error.into()))
}

#[cfg(test)]
mod tests;
