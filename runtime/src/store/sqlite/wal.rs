//! The write-ahead log, looked at before SQLite does.
//!
//! SQLite takes a log up to the first frame that does not fit, and writes the next one over the rest without a word: right
//! for what a crash left unfinished, wrong for damage. Each commit is synced before the next one is written, so a commit
//! that another frame goes on from was complete once; when it stands behind a frame that does not fit, something that was
//! acknowledged is damaged. Damage in the last commit alone looks as a crash does.
//!
//! Source: sqlite.org, "Database File Format", section 4, "The Write-Ahead Log".

use std::ffi::OsString;
use std::fs::File;
use std::io::{BufReader, ErrorKind, Read, Result};
use std::path::{Path, PathBuf};

use super::faults::Fault;
use super::lock::io;
use crate::store::StoreErrorKind;

/// The first four bytes of a log, where the last bit tells in which order its checksums take the bytes.
const MAGIC: u32 = 0x377f_0682;
const HEADER_BYTES: usize = 32;
const FRAME_HEADER_BYTES: usize = 24;

/// Looks at a log that another process writes meanwhile: one that is found damaged twice at the same place is.
const LOOKS_MAX: usize = 8;

/// The name of the file that stands beside `path` under the same name and `suffix`.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name: OsString = path.to_owned().into_os_string();
    name.push(suffix);
    name.into()
}

/// The bytes of the log of `path`: 0 when there is none.
pub(super) fn bytes_len(path: &Path) -> u64 {
    beside(path, "-wal").metadata().map_or(0, |log| log.len())
}

/// Refuses a log in which something acknowledged is damaged. Writes nothing.
pub(super) fn check(path: &Path) -> std::result::Result<(), Fault> {
    let log = beside(path, "-wal");
    let mut before = None;
    for _ in 0..LOOKS_MAX {
        let Some(damage) = look(&log).map_err(|error| io(&error))? else { return Ok(()) };
        if before.as_ref() == Some(&damage) {
            return Err(Fault::Kind(StoreErrorKind::Corrupt { message: damage.to_string() }));
        }
        before = Some(damage);
    }
    // It was different each time: somebody writes it, and has looked at it before.
    Ok(())
}

/// Where a log is damaged.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Damage {
    #[error("the header of its write-ahead log does not fit its checksum")]
    Header([u8; HEADER_BYTES]),
    #[error("frame {frame} of its write-ahead log does not fit, and commits stand behind it")]
    Frame { header: [u8; HEADER_BYTES], frame: u64 },
}

fn look(log: &Path) -> Result<Option<Damage>> {
    let file = match File::open(log) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let is_longer_than_header = file.metadata()?.len() > HEADER_BYTES as u64;
    let mut reader = BufReader::new(file);
    let mut bytes = [0; HEADER_BYTES];
    // The header is synced before the first frame is written, and smaller than what a disk writes at once.
    if !is_longer_than_header || !fill(&mut reader, &mut bytes)? {
        return Ok(None);
    }
    let Some(header) = Header::read(&bytes) else { return Ok(Some(Damage::Header(bytes))) };
    let damaged = damaged_frame(&header, reader)?;
    Ok(damaged.map(|frame| Damage::Frame { header: bytes, frame }))
}

/// The first frame that does not fit, counted from 1, if a commit behind it was complete once.
fn damaged_frame(header: &Header, mut reader: impl Read) -> Result<Option<u64>> {
    let mut frame = Frame { head: [0; FRAME_HEADER_BYTES], page: vec![0; header.page_bytes] };
    let mut sums = header.sums;
    let mut at = 0;
    // The frame before, as far as it was a commit: its checksums, of which either may be the right one in a damaged frame.
    let mut commit_before = loop {
        if !frame.fill(&mut reader)? {
            return Ok(None);
        }
        at += 1;
        let computed = frame.computed(header, sums);
        if !frame.has_salts(header) || computed != frame.sums() {
            break frame.is_commit().then(|| [computed, frame.sums()]);
        }
        sums = computed;
    };
    while frame.fill(&mut reader)? {
        let follows = |sums: Sums| frame.computed(header, sums) == frame.sums();
        if frame.has_salts(header) && commit_before.is_some_and(|sums| sums.into_iter().any(follows)) {
            return Ok(Some(at));
        }
        commit_before = frame.is_commit().then(|| [frame.sums(); 2]);
    }
    Ok(None)
}

/// The two numbers that a checksum is.
type Sums = [u32; 2];

struct Header {
    is_big_endian: bool,
    page_bytes: usize,
    /// Drawn anew whenever a log begins again from its head: what is left of before has others.
    salts: [u8; 8],
    sums: Sums,
}

impl Header {
    /// `None` when the bytes are damaged.
    fn read(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let magic = number(bytes, 0);
        let is_big_endian = magic & 1 == 1;
        let page_bytes = usize::try_from(number(bytes, 8)).ok()?;
        let is_page = page_bytes.is_power_of_two() && (512..=65_536).contains(&page_bytes);
        let (summed, _) = bytes.split_at(24);
        let sums = [number(bytes, 24), number(bytes, 28)];
        let fits = magic & !1 == MAGIC && is_page && checksum(is_big_endian, [0, 0], summed) == sums;
        let salts = bytes.get(16..24)?.try_into().ok()?;
        fits.then_some(Self { is_big_endian, page_bytes, salts, sums })
    }
}

struct Frame {
    head: [u8; FRAME_HEADER_BYTES],
    page: Vec<u8>,
}

impl Frame {
    /// Reads the next frame; false behind the last whole one.
    fn fill(&mut self, reader: &mut impl Read) -> Result<bool> {
        Ok(fill(reader, &mut self.head)? && fill(reader, &mut self.page)?)
    }

    /// Whether it ends a commit: then it tells how many pages the file has.
    fn is_commit(&self) -> bool {
        number(&self.head, 4) != 0
    }

    fn has_salts(&self, header: &Header) -> bool {
        self.head.get(8..16) == Some(&header.salts[..])
    }

    /// The checksum that stands in it.
    fn sums(&self) -> Sums {
        [number(&self.head, 16), number(&self.head, 20)]
    }

    /// The checksum that it has behind a frame with the checksum `before`.
    fn computed(&self, header: &Header, before: Sums) -> Sums {
        let head = self.head.get(..8).unwrap_or_default();
        checksum(header.is_big_endian, checksum(header.is_big_endian, before, head), &self.page)
    }
}

/// Four bytes as SQLite's files hold numbers.
pub(super) fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_be_bytes)
}

fn checksum(is_big_endian: bool, [mut first, mut second]: Sums, bytes: &[u8]) -> Sums {
    let word = |bytes: [u8; 4]| {
        if is_big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    };
    let (pairs, _) = bytes.as_chunks::<8>();
    for [a, b, c, d, e, f, g, h] in pairs {
        first = first.wrapping_add(word([*a, *b, *c, *d])).wrapping_add(second);
        second = second.wrapping_add(word([*e, *f, *g, *h])).wrapping_add(first);
    }
    [first, second]
}

/// Fills a buffer; false when the end comes before.
fn fill(reader: &mut impl Read, buffer: &mut [u8]) -> Result<bool> {
    match reader.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
