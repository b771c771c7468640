//! The file of operations: a head, then an operation a line.
//!
//! A line is whole when its line break is there, so whatever a crash cuts off is the last line, of a call that has not
//! returned. The head is written with the file as a whole.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{Operation, checkpoint};
use crate::files;
use crate::tracking::TrackingError;

/// The version of the form of the file.
const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    version: u32,
    /// Counts up when the file is written anew, so that other processes notice.
    generation: u64,
    /// The number that the next operation gets where no line has a higher one.
    next_seq: u64,
}

/// An operation and its number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Counts up from 1, and is never given twice.
    pub(super) seq: u64,
    pub(super) operation: Operation,
}

/// A journal as it is read.
#[derive(Debug, PartialEq)]
pub(super) struct Journal {
    head: Head,
    pub(super) entries: Vec<Entry>,
    /// How long the file is without a last line that was cut off.
    pub(super) whole_len: u64,
}

/// Reads the file; makes it when it is not there.
pub(super) fn read(path: &Path) -> Result<Journal, TrackingError> {
    let read = files::read_if_there(path).map_err(|error| TrackingError::file("read", path, error))?;
    if let Some(bytes) = read {
        return scan(path, &bytes);
    }
    // Behind what was delivered before: somebody may have moved a damaged journal away.
    let delivered =
        path.parent().map(checkpoint::read).transpose()?.map_or(0, |checkpoint| checkpoint.delivered);
    let head = Head { version: VERSION, generation: 1, next_seq: delivered + 1 };
    let whole_len = write(path, &head, &[])?;
    Ok(Journal { head, entries: Vec::new(), whole_len })
}

/// What is in the bytes of a journal.
pub(super) fn scan(path: &Path, bytes: &[u8]) -> Result<Journal, TrackingError> {
    let whole_len = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let whole = bytes.get(..whole_len).unwrap_or_default();
    let mut lines = whole.split_inclusive(|byte| *byte == b'\n').enumerate();
    let head = lines.next().map(|(_, line)| serde_json::from_slice::<Head>(line));
    let head = match head {
        Some(Ok(head)) if head.version == VERSION => head,
        Some(Ok(head)) => {
            return Err(TrackingError::Version {
                path: path.to_owned(),
                found: head.version,
                known: VERSION,
            });
        }
        Some(Err(error)) => return Err(TrackingError::damaged(path, 1, &error)),
        None => return Err(TrackingError::damaged(path, 1, &"it has no head")),
    };
    let mut entries: Vec<Entry> = Vec::new();
    for (at, line) in lines {
        let entry: Entry =
            serde_json::from_slice(line).map_err(|error| TrackingError::damaged(path, at + 1, &error))?;
        if entries.last().is_some_and(|last| last.seq >= entry.seq) {
            return Err(TrackingError::damaged(
                path,
                at + 1,
                &format!("number {} does not count up", entry.seq),
            ));
        }
        entries.push(entry);
    }
    Ok(Journal { head, entries, whole_len: whole_len as u64 })
}

fn write(path: &Path, head: &Head, entries: &[Entry]) -> Result<u64, TrackingError> {
    let mut bytes = Vec::new();
    line(path, head, &mut bytes)?;
    for entry in entries {
        line(path, entry, &mut bytes)?;
    }
    files::write_whole(path, &bytes).map_err(|error| TrackingError::file("write", path, error))?;
    Ok(bytes.len() as u64)
}

fn line(path: &Path, value: &impl Serialize, bytes: &mut Vec<u8>) -> Result<(), TrackingError> {
    serde_json::to_writer(&mut *bytes, value)
        .map_err(|error| TrackingError::file("write", path, error.into()))?;
    bytes.push(b'\n');
    Ok(())
}

/// What a process knows of the journal, so that an append need not read it all.
#[derive(Debug, Default)]
pub(super) struct Index {
    generation: u64,
    /// How much of the file this knows.
    whole_len: u64,
    next_seq: u64,
    /// The digests of operations that are kept once.
    known: BTreeSet<[u8; 32]>,
    /// Runs that were begun.
    begun: BTreeSet<String>,
    told: Told,
}

/// What was told and cannot change.
#[derive(Debug, Default)]
struct Told {
    /// Parameters by run.
    params: BTreeMap<String, BTreeMap<String, String>>,
    /// The bits of points' values by run; by key, step and time.
    points: BTreeMap<String, BTreeMap<(String, i64, u64), u64>>,
}

/// Leaves the items that neither `kept` nor `told` has; gives back one that has another value there.
fn retain_new<T: Clone, K: Ord, V: PartialEq>(
    items: &mut Vec<T>,
    kept: Option<&BTreeMap<K, V>>,
    told: &mut BTreeMap<K, V>,
    of: impl Fn(&T) -> (K, V),
) -> Result<(), T> {
    let mut changed = None;
    items.retain(|item| {
        let (key, value) = of(item);
        match kept.and_then(|kept| kept.get(&key)).or(told.get(&key)) {
            Some(was) => {
                if *was != value {
                    changed.get_or_insert_with(|| item.clone());
                }
                false
            }
            None => told.insert(key, value).is_none(),
        }
    });
    changed.map_or(Ok(()), Err)
}

impl Index {
    pub(super) const fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// Learns what other processes have written meanwhile. Called under the lock.
    pub(super) fn refresh(&mut self, path: &Path) -> Result<(), TrackingError> {
        let file_len = path.metadata().map_or(0, |found| found.len());
        if self.whole_len > 0 && file_len == self.whole_len && self.generation == generation(path) {
            return Ok(());
        }
        let journal = read(path)?;
        *self = Self { generation: journal.head.generation, ..Self::default() };
        self.whole_len = journal.whole_len;
        self.next_seq = journal.head.next_seq;
        for entry in &journal.entries {
            self.next_seq = entry.seq + 1;
            self.learn(&entry.operation);
        }
        Ok(())
    }

    /// Those that are not in the journal yet.
    pub(super) fn new_of(&self, operations: Vec<Operation>) -> Result<Vec<Operation>, TrackingError> {
        let mut new = Vec::new();
        let mut told = Told::default();
        let mut begun = BTreeSet::new();
        for mut operation in operations {
            let run = operation.run().unwrap_or_default().to_owned();
            let changed = |key: &str| TrackingError::Changed { run: run.clone(), key: key.to_owned() };
            let is_begun = operation.run().is_none_or(|run| self.begun.contains(run) || begun.contains(run));
            let is_known = operation.is_once() && self.known.contains(&digest(&operation));
            let is_new = match &mut operation {
                Operation::Begin(_) if is_begun && !is_known => return Err(changed("begin")),
                Operation::Begin(_) | Operation::Version(_) | Operation::Alias(_) => !is_known,
                _ if !is_begun => return Err(TrackingError::NotBegun { run }),
                Operation::Params { params, .. } => {
                    let kept = self.told.params.get(&run);
                    retain_new(params, kept, told.params.entry(run.clone()).or_default(), |(key, value)| {
                        (key.clone(), value.clone())
                    })
                    .map_err(|(key, _)| changed(&key))?;
                    !params.is_empty()
                }
                Operation::Metrics { points, .. } => {
                    let kept = self.told.points.get(&run);
                    retain_new(points, kept, told.points.entry(run.clone()).or_default(), |point| {
                        ((point.key.clone(), point.step, point.unix_ms), point.value.to_bits())
                    })
                    .map_err(|point| changed(&point.key))?;
                    !points.is_empty()
                }
                Operation::Tags { tags, .. } => !tags.is_empty(),
                Operation::Artifact { .. } | Operation::Finish { .. } => true,
            };
            if is_new {
                if let Operation::Begin(start) = &operation {
                    begun.insert(start.run.clone());
                }
                new.push(operation);
            }
        }
        Ok(new)
    }

    /// The lines of operations that are to be appended.
    pub(super) fn lines(&self, operations: &[Operation]) -> Result<Vec<u8>, TrackingError> {
        let mut bytes = Vec::new();
        for (seq, operation) in (self.next_seq..).zip(operations) {
            line(Path::new("the journal"), &Entry { seq, operation: operation.clone() }, &mut bytes)?;
        }
        Ok(bytes)
    }

    /// Appends lines; they are on disk when this returns. Called under the lock.
    pub(super) fn append(
        &mut self,
        path: &Path,
        lines: &[u8],
        operations: Vec<Operation>,
    ) -> Result<(), TrackingError> {
        let written = (|| {
            let mut file = OpenOptions::new().append(true).open(path)?;
            // What a crash has cut off is dropped here, for good.
            file.set_len(self.whole_len)?;
            file.write_all(lines)?;
            file.sync_all()
        })();
        if let Err(error) = written {
            // The file may be longer than this knows: it is read anew the next time.
            let failed = TrackingError::file("write", path, error);
            let cut = OpenOptions::new().write(true).open(path).and_then(|file| file.set_len(self.whole_len));
            if cut.is_err() {
                self.whole_len = 0;
            }
            return Err(failed);
        }
        self.whole_len += lines.len() as u64;
        for operation in operations {
            self.next_seq += 1;
            self.learn(&operation);
        }
        Ok(())
    }

    /// Writes the journal anew without what was sent of runs that have ended. Called under the lock.
    pub(super) fn compact(
        &mut self,
        path: &Path,
        journal: Journal,
        delivered: u64,
    ) -> Result<(), TrackingError> {
        let ended: BTreeSet<String> = journal
            .entries
            .iter()
            .filter(|entry| entry.seq <= delivered && matches!(entry.operation, Operation::Finish { .. }))
            .filter_map(|entry| entry.operation.run().map(str::to_owned))
            .collect();
        let head =
            Head { version: VERSION, generation: journal.head.generation + 1, next_seq: self.next_seq };
        // A run that has ended and of which something waits keeps its beginning.
        let waiting: BTreeSet<String> = journal
            .entries
            .iter()
            .filter(|entry| entry.seq > delivered)
            .filter_map(|entry| entry.operation.run().map(str::to_owned))
            .collect();
        let needed = |run: &str| !ended.contains(run) || waiting.contains(run);
        let entries_before = journal.entries.len();
        let kept = journal
            .entries
            .into_iter()
            .filter(|entry| entry.seq > delivered || entry.operation.run().is_some_and(needed));
        let kept: Vec<_> = kept.collect();
        // Writing most of it again would free little, and be repeated after each operation of a long run.
        if kept.len() * 2 > entries_before {
            return Ok(());
        }
        write(path, &head, &kept)?;
        self.whole_len = 0;
        self.refresh(path)
    }

    /// Whether a run's beginning is in the journal.
    pub(super) fn has_begun(&self, run: &str) -> bool {
        self.begun.contains(run)
    }

    fn learn(&mut self, operation: &Operation) {
        if operation.is_once() {
            self.known.insert(digest(operation));
        }
        match operation {
            Operation::Begin(start) => {
                self.begun.insert(start.run.clone());
            }
            Operation::Params { run, params } => {
                self.told.params.entry(run.clone()).or_default().extend(params.iter().cloned());
            }
            Operation::Metrics { run, points } => {
                let points = points
                    .iter()
                    .map(|point| ((point.key.clone(), point.step, point.unix_ms), point.value.to_bits()));
                self.told.points.entry(run.clone()).or_default().extend(points);
            }
            _ => {}
        }
    }
}

/// The generation of a file; 0 where its head cannot be read.
fn generation(path: &Path) -> u64 {
    use std::io::BufRead as _;
    let mut line = String::new();
    let read = std::fs::File::open(path).and_then(|file| std::io::BufReader::new(file).read_line(&mut line));
    read.ok().and_then(|_| serde_json::from_str::<Head>(&line).ok()).map_or(0, |head| head.generation)
}

fn digest(operation: &Operation) -> [u8; 32] {
    Sha256::digest(serde_json::to_vec(operation).unwrap_or_default()).into()
}
