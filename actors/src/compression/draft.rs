//! What a strategy makes of a text: parts of it in their order, and a little between them.

use std::fmt::Write as _;
use std::ops::Range;

use playhouse_models::tokens::TokenCounter;
use playhouse_protocol::compress::{Dropped, EXCERPT_CHARS_MAX};
use sha2::{Digest as _, Sha256};

use crate::code::text::cut;

/// A piece of the result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Bytes of the original.
    Kept(Range<usize>),
    /// Something of ours: white space, or the mark of an omission.
    Added(&'static str),
}

/// A result before it is written out. Kept ranges ascend and do not overlap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Draft {
    parts: Vec<Part>,
}

impl Draft {
    /// Keeps these bytes; joined to the part before where they follow on it.
    pub(super) fn keep(&mut self, range: Range<usize>) {
        if range.is_empty() {
            return;
        }
        match self.parts.last_mut() {
            Some(Part::Kept(last)) if last.end == range.start => last.end = range.end,
            _ => self.parts.push(Part::Kept(range)),
        }
    }

    pub(super) fn add(&mut self, text: &'static str) {
        if !text.is_empty() {
            self.parts.push(Part::Added(text));
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn render(&self, text: &str) -> String {
        let part = |part: &Part| match part {
            Part::Kept(range) => text[range.clone()].to_owned(),
            Part::Added(added) => (*added).to_owned(),
        };
        self.parts.iter().map(part).collect()
    }

    fn kept(&self) -> impl Iterator<Item = &Range<usize>> {
        self.parts.iter().filter_map(|part| match part {
            Part::Kept(range) => Some(range),
            Part::Added(_) => None,
        })
    }

    /// Whether all these bytes are in the result as they stood. Ranges ascend.
    pub(super) fn keeps(&self, ranges: &[Range<usize>]) -> bool {
        let mut kept = self.kept().peekable();
        ranges.iter().all(|range| {
            while kept.next_if(|part| part.end < range.end).is_some() {}
            kept.peek().is_some_and(|part| part.start <= range.start)
        })
    }

    /// What is not kept, without what is only white space.
    pub(super) fn dropped_ranges(&self, text: &str) -> Vec<Range<usize>> {
        let mut dropped = Vec::new();
        let mut at = 0;
        for kept in self.kept().cloned().chain(std::iter::once(text.len()..text.len())) {
            let gap = trimmed(text, at..kept.start);
            if !gap.is_empty() {
                dropped.push(gap);
            }
            at = kept.end;
        }
        dropped
    }
}

/// The range without white space around it.
pub(super) fn trimmed(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let begin = range.start + (part.len() - part.trim_start().len());
    let len = part.trim().len();
    begin..begin + len
}

/// Describes dropped ranges.
pub(super) fn dropped(text: &str, ranges: &[Range<usize>], counter: &dyn TokenCounter) -> Vec<Dropped> {
    let describe = |range: &Range<usize>| {
        let part = &text[range.clone()];
        let head = &part[..part.floor_char_boundary(EXCERPT_CHARS_MAX * 4)];
        let line = head.split_whitespace().collect::<Vec<_>>().join(" ");
        Dropped {
            sha256: sha256_hex(part),
            begin: range.start as u64,
            end: range.end as u64,
            tokens: counter.count(part),
            excerpt: cut(&line, EXCERPT_CHARS_MAX),
        }
    };
    ranges.iter().map(describe).collect()
}

fn sha256_hex(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        // Writing to a string does not fail.
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Fetches a dropped part again out of the text that it was dropped from. `None` where this is another text: the
/// hash is checked.
pub fn dropped_text<'a>(original: &'a str, dropped: &Dropped) -> Option<&'a str> {
    let range = usize::try_from(dropped.begin).ok()?..usize::try_from(dropped.end).ok()?;
    original.get(range).filter(|part| sha256_hex(part) == dropped.sha256)
}

/// The first part whose hash begins with `hash`.
pub fn find_dropped<'a>(dropped: &'a [Dropped], hash: &str) -> Option<&'a Dropped> {
    let hash = hash.to_ascii_lowercase();
    dropped.iter().find(|part| !hash.is_empty() && part.sha256.starts_with(&hash))
}
