//! The file of a test: lines that are added and nothing else, until there are so many that what they come to is written in
//! their place.
//!
//! Several processes may add to it. Each holds the lock while it reads what others have added, adds its own and takes both up, so
//! that all of them have seen the same outcomes in the same order. A line that was not written to its end is not there:
//! readers leave it out, and the next writer cuts it off. Outcomes reach the disk when the system sees fit (a crash of the
//! machine may cost the last of them, a crash of the process none); what takes an arm out or back is on disk at once.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::error::AbError;
use super::line::{Line, VERSION};
use crate::files;

/// Lines behind which a file is written anew: some hundred kilobytes.
pub(super) const LINES_MAX: u64 = 2_000;

/// The largest file that is read, in bytes: a hundred times what [`LINES_MAX`] lines and the states of a few arms take.
pub(super) const FILE_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// A file of a test.
#[derive(Debug, Clone)]
pub(super) struct AbFile {
    path: PathBuf,
}

/// How far a reader has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Position {
    generation: u64,
    /// Bytes that were taken up.
    offset: u64,
    /// Lines that were taken up.
    lines: u64,
}

/// What a reader had not seen.
#[derive(Debug, Default)]
pub(super) struct News {
    /// The file was written anew: what was taken up before does not count.
    pub(super) is_anew: bool,
    pub(super) lines: Vec<Line>,
}

/// The file, while nobody else writes to it.
#[derive(Debug)]
pub(super) struct Locked<'a> {
    of: &'a AbFile,
    /// Held, not read.
    _lock: File,
}

impl AbFile {
    /// The file of the test of this type of task.
    pub(super) fn new(folder: &Path, task_type: &str) -> Self {
        Self { path: folder.join(format!("{}.jsonl", file_name(task_type))) }
    }

    /// Keeps other writers off. They hold it for the time of one write, and the system takes it from those that die.
    pub(super) fn lock(&self) -> Result<Locked<'_>, AbError> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(|error| self.failed("make the folder of", error))?;
        }
        let lock =
            files::lock(&self.path.with_extension("lock")).map_err(|error| self.failed("lock", error))?;
        Ok(Locked { of: self, _lock: lock })
    }

    /// What a reader at `position` has not seen. Nothing, where there is no file.
    pub(super) fn read(&self, position: &mut Position) -> Result<News, AbError> {
        let mut file = match File::open(&self.path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let is_anew = *position != Position::default();
                *position = Position::default();
                return Ok(News { is_anew, lines: Vec::new() });
            }
            Err(error) => return Err(self.failed("read", error)),
        };
        let read = |error| self.failed("read", error);
        let len = file.metadata().map_err(read)?.len();
        if len > FILE_BYTES_MAX {
            return Err(AbError::TooLarge { path: self.path.clone() });
        }
        let generation = self.generation(&mut file)?;
        let is_anew = generation != position.generation || len < position.offset;
        if is_anew {
            *position = Position { generation, ..Position::default() };
        }
        file.seek(SeekFrom::Start(position.offset)).map_err(read)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(read)?;
        let lines = self.parse(whole_lines(&bytes), position)?;
        Ok(News { is_anew, lines })
    }

    /// What the first line says; 0 for a file without one.
    fn generation(&self, file: &mut File) -> Result<u64, AbError> {
        /// The longest first line.
        const HEAD_BYTES_MAX: u64 = 128;
        let mut head = Vec::new();
        file.take(HEAD_BYTES_MAX).read_to_end(&mut head).map_err(|error| self.failed("read", error))?;
        let Some(line) = head.split(|byte| *byte == b'\n').next().filter(|line| line.len() < head.len())
        else {
            return Ok(0);
        };
        match serde_json::from_slice(line) {
            Ok(Line::Head { version: VERSION, generation }) => Ok(generation),
            Ok(Line::Head { version, .. }) => {
                Err(self.damaged(1, format!("it has version {version}, this program reads {VERSION}")))
            }
            _ => Err(self.damaged(1, "it does not begin as such files do".to_owned())),
        }
    }

    fn parse(&self, bytes: &[u8], position: &mut Position) -> Result<Vec<Line>, AbError> {
        let mut lines = Vec::new();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            let number = usize::try_from(position.lines).unwrap_or(usize::MAX).saturating_add(1);
            let parsed: Line =
                serde_json::from_slice(line).map_err(|error| self.damaged(number, error.to_string()))?;
            let is_sound = match &parsed {
                Line::Outcome { score, .. } => (0.0..=1.0).contains(score),
                Line::State { state, .. } => state.is_sound(),
                Line::Head { .. } | Line::Stopped { .. } | Line::Resumed { .. } => true,
            };
            if !is_sound {
                return Err(self.damaged(number, "it holds a figure that cannot be".to_owned()));
            }
            position.offset += line.len() as u64;
            position.lines += 1;
            lines.push(parsed);
        }
        Ok(lines)
    }

    fn damaged(&self, line: usize, reason: String) -> AbError {
        AbError::Damaged { path: self.path.clone(), line, reason }
    }

    fn failed(&self, what: &'static str, source: std::io::Error) -> AbError {
        AbError::File { what, path: self.path.clone(), source }
    }
}

impl Locked<'_> {
    /// What a reader has not seen; see [`AbFile::read`].
    pub(super) fn catch_up(&self, position: &mut Position) -> Result<News, AbError> {
        self.of.read(position)
    }

    /// Adds a line behind the last whole one, for a reader that has caught up. `is_durable` waits for the disk.
    pub(super) fn append(
        &self,
        position: &mut Position,
        line: &Line,
        unix_ms: u64,
        is_durable: bool,
    ) -> Result<(), AbError> {
        let failed = |error| self.of.failed("write", error);
        if position.lines == 0 {
            return self.rewrite(position, std::slice::from_ref(line), unix_ms);
        }
        let bytes = self.bytes(std::slice::from_ref(line))?;
        let mut file = OpenOptions::new().write(true).open(&self.of.path).map_err(failed)?;
        // Behind the last whole line there is at most one that was not written to its end.
        file.set_len(position.offset).map_err(failed)?;
        file.seek(SeekFrom::End(0)).map_err(failed)?;
        file.write_all(&bytes).map_err(failed)?;
        if is_durable {
            file.sync_data().map_err(failed)?;
        }
        position.offset += bytes.len() as u64;
        position.lines += 1;
        Ok(())
    }

    /// Writes the file anew with these lines, whole or not at all.
    pub(super) fn rewrite(
        &self,
        position: &mut Position,
        lines: &[Line],
        unix_ms: u64,
    ) -> Result<(), AbError> {
        // Greater than before also where the clock was set back.
        let generation = unix_ms.max(position.generation.saturating_add(1));
        let mut bytes = self.bytes(&[Line::Head { version: VERSION, generation }])?;
        bytes.extend(self.bytes(lines)?);
        files::write_whole(&self.of.path, &bytes).map_err(|error| self.of.failed("write", error))?;
        *position = Position { generation, offset: bytes.len() as u64, lines: lines.len() as u64 + 1 };
        Ok(())
    }

    fn bytes(&self, lines: &[Line]) -> Result<Vec<u8>, AbError> {
        let mut bytes = Vec::new();
        for line in lines {
            serde_json::to_writer(&mut bytes, line).map_err(|error| self.of.failed("write", error.into()))?;
            bytes.push(b'\n');
        }
        Ok(bytes)
    }
}

impl Position {
    /// Whether so many lines were taken up that the file is to be written anew.
    pub(super) const fn is_long(&self) -> bool {
        self.lines > LINES_MAX
    }
}

/// The bytes up to the end of the last whole line.
fn whole_lines(bytes: &[u8]) -> &[u8] {
    let end = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |place| place + 1);
    bytes.get(..end).unwrap_or_default()
}

/// A type of task as the name of a file: what is no letter, digit, `-` or `_` is written as its bytes.
fn file_name(task_type: &str) -> String {
    let mut name = String::new();
    for byte in task_type.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_') {
            name.push(char::from(byte));
        } else {
            use std::fmt::Write as _;
            // Writing to a string does not fail.
            let _ = write!(name, "%{byte:02x}");
        }
    }
    name
}
