//! A text as the pieces that are kept or dropped: sentences, headings, list items, lines, fenced blocks.

use std::ops::Range;

use playhouse_protocol::compress::Content;
use unicode_segmentation::GraphemeCursor;

/// The longest sentence that is one piece, in bytes. Longer ones are cut at words, so that one piece does not decide
/// over a small limit; a quarter of a thousand tokens is far beyond what people write.
const UNIT_BYTES_MAX: usize = 1_024;

/// The longest fenced block that is one piece, in bytes; longer ones are taken line by line.
const FENCE_BYTES_MAX: usize = 2_048;

/// Words whose full stop ends no sentence.
const ABBREVIATIONS: [&str; 20] = [
    "e.g", "i.e", "mr", "mrs", "ms", "dr", "prof", "st", "vs", "cf", "fig", "no", "vol", "al", "approx",
    "dept", "est", "inc", "eq", "sec",
];

/// A piece with the white space in front of it. The pieces of a text follow on each other without gaps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unit {
    /// Where the white space in front begins.
    pub(super) lead: usize,
    /// Its first byte.
    pub(super) begin: usize,
    /// The byte behind its last one.
    pub(super) end: usize,
    /// Whether it belongs to a fenced block.
    pub(super) fenced: bool,
}

/// The pieces of a text. None ends inside one of `atoms`, which ascend and do not overlap.
pub(super) fn units(text: &str, content: Content, atoms: &[Range<usize>]) -> Vec<Unit> {
    let mut starts = Starts { text, found: Vec::new(), fenced: false };
    let mut paragraph: Option<Range<usize>> = None;
    for block in blocks(text) {
        let (range, kind) = block;
        let flows = kind == Kind::Text && content != Content::Lines && content != Content::Rust;
        let own = is_own_block(&text[range.clone()]);
        if flows && !own {
            match &mut paragraph {
                Some(paragraph) => paragraph.end = range.end,
                None => paragraph = Some(range),
            }
            continue;
        }
        if let Some(paragraph) = paragraph.take() {
            starts.sentences(paragraph);
        }
        match kind {
            Kind::Text if flows && begins_item(&text[range.clone()]) => paragraph = Some(range),
            Kind::Text => starts.piece(range),
            Kind::Fence if range.len() <= FENCE_BYTES_MAX => {
                starts.fenced = true;
                starts.push(range.start);
                starts.fenced = false;
            }
            Kind::Fence => {
                starts.fenced = true;
                for line in lines(text, range) {
                    starts.piece(line);
                }
                starts.fenced = false;
            }
            Kind::Blank => {}
        }
    }
    if let Some(paragraph) = paragraph.take() {
        starts.sentences(paragraph);
    }
    starts.into_units(atoms)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One line.
    Text,
    /// A line of white space.
    Blank,
    /// All lines of a fenced block.
    Fence,
}

fn lines(text: &str, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let mut at = range.start;
    text[range].split_inclusive('\n').map(move |line| {
        let begin = at;
        at += line.len();
        begin..at
    })
}

/// The fence that a line begins or ends a block with: its character and how many.
fn fence(line: &str) -> Option<(char, usize)> {
    let line = line.trim_start();
    let mark = line.chars().next().filter(|first| matches!(first, '`' | '~'))?;
    let len = line.chars().take_while(|char| *char == mark).count();
    (len >= 3).then_some((mark, len))
}

fn blocks(text: &str) -> Vec<(Range<usize>, Kind)> {
    let mut blocks = Vec::new();
    let mut open: Option<((char, usize), usize)> = None;
    for range in lines(text, 0..text.len()) {
        let line = &text[range.clone()];
        match (open, fence(line)) {
            (Some((mark, begin)), Some(close)) => {
                let closes =
                    mark.0 == close.0 && close.1 >= mark.1 && line.trim().chars().all(|char| char == mark.0);
                if closes {
                    blocks.push((begin..range.end, Kind::Fence));
                    open = None;
                }
            }
            (Some(_), None) => {}
            (None, Some(mark)) => open = Some((mark, range.start)),
            (None, None) if line.trim().is_empty() => blocks.push((range, Kind::Blank)),
            (None, None) => blocks.push((range, Kind::Text)),
        }
    }
    if let Some((_, begin)) = open {
        blocks.push((begin..text.len(), Kind::Fence));
    }
    blocks
}

/// The fenced blocks of a text, without white space around them.
pub(super) fn fenced_blocks(text: &str) -> Vec<Range<usize>> {
    let fences = blocks(text).into_iter().filter(|(_, kind)| *kind == Kind::Fence);
    fences.map(|(range, _)| super::draft::trimmed(text, range)).collect()
}

/// Headings and rows of tables stand for themselves; list items begin a paragraph of their own.
fn is_own_block(line: &str) -> bool {
    line.trim_start().starts_with(['#', '|']) || begins_item(line)
}

fn begins_item(line: &str) -> bool {
    let line = line.trim_start();
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    line.starts_with("- ")
        || line.starts_with("* ")
        || line.starts_with("+ ")
        || line.starts_with('>')
        || (digits > 0 && (line[digits..].starts_with(". ") || line[digits..].starts_with(") ")))
}

struct Starts<'a> {
    text: &'a str,
    /// First bytes of pieces, ascending, and whether each is fenced.
    found: Vec<(usize, bool)>,
    fenced: bool,
}

impl Starts<'_> {
    fn push(&mut self, at: usize) {
        self.found.push((at, self.fenced));
    }

    /// A piece, or several where it is too long.
    fn piece(&mut self, range: Range<usize>) {
        let range = super::draft::trimmed(self.text, range);
        let mut at = range.start;
        while at < range.end {
            self.push(at);
            if range.end - at <= UNIT_BYTES_MAX {
                return;
            }
            at = cut_point(self.text, at, range.end);
        }
    }

    fn sentences(&mut self, range: Range<usize>) {
        let range = super::draft::trimmed(self.text, range);
        let mut begin = range.start;
        let mut chars = self.text[range.clone()].char_indices().peekable();
        while let Some((at, char)) = chars.next() {
            let after = range.start + at + char.len_utf8();
            let ends = match char {
                '。' | '！' | '？' => true,
                '.' | '!' | '?' | '…' => {
                    let closing = |next: &(usize, char)| {
                        matches!(
                            next.1,
                            '"' | '\'' | ')' | ']' | '”' | '’' | '»' | '*' | '_' | '.' | '!' | '?'
                        )
                    };
                    while chars.next_if(closing).is_some() {}
                    let rest_at = chars.peek().map_or(range.end, |(at, _)| range.start + at);
                    let rest = &self.text[rest_at..range.end];
                    rest.starts_with(char::is_whitespace)
                        && !rest.trim_start().starts_with(char::is_lowercase)
                        && !(char == '.' && is_abbreviation(&self.text[begin..after - 1]))
                }
                _ => false,
            };
            if ends {
                let at = chars.peek().map_or(range.end, |(at, _)| range.start + at);
                self.piece(begin..at);
                begin = at;
            }
        }
        self.piece(begin..range.end);
    }

    fn into_units(self, atoms: &[Range<usize>]) -> Vec<Unit> {
        let Self { text, found: starts, .. } = self;
        let mut atoms = atoms.iter().peekable();
        let mut whole: Vec<(usize, bool)> = Vec::with_capacity(starts.len());
        for (start, fenced) in starts {
            while atoms.next_if(|atom| atom.end <= start).is_some() {}
            if atoms.peek().is_none_or(|atom| atom.start >= start) {
                whole.push((start, fenced));
            }
        }
        let ends = whole.iter().skip(1).map(|(start, _)| *start).chain(std::iter::once(text.len()));
        let mut lead = 0;
        let mut units = Vec::with_capacity(whole.len());
        for ((begin, fenced), next) in whole.iter().zip(ends) {
            let end = begin + text[*begin..next].trim_end().len();
            units.push(Unit { lead, begin: *begin, end, fenced: *fenced });
            lead = end;
        }
        units
    }
}

fn is_abbreviation(before: &str) -> bool {
    let word = before.rsplit(|char: char| char.is_whitespace() || char == '(').next().unwrap_or_default();
    let mut chars = word.chars();
    let initial = chars.next().is_some_and(char::is_uppercase) && chars.next().is_none();
    initial || ABBREVIATIONS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// Where a piece that is too long is cut: behind a white space, else between two graphemes, else between two
/// characters (a grapheme may be of any length).
fn cut_point(text: &str, begin: usize, end: usize) -> usize {
    let limit = text.floor_char_boundary(begin + UNIT_BYTES_MAX);
    let window = &text[begin..limit];
    if let Some((at, space)) = window.char_indices().rev().find(|(at, char)| *at > 0 && char.is_whitespace())
    {
        return begin + at + space.len_utf8();
    }
    let mut cursor = GraphemeCursor::new(limit - begin, end - begin, true);
    let piece = &text[begin..end];
    match cursor.is_boundary(piece, 0) {
        Ok(true) | Err(_) => limit,
        Ok(false) => match cursor.prev_boundary(piece, 0) {
            Ok(Some(at)) if at > 0 => begin + at,
            Ok(_) | Err(_) => limit,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str, content: Content) -> Vec<&str> {
        units(text, content, &[]).iter().map(|unit| &text[unit.begin..unit.end]).collect()
    }

    #[test]
    fn sentences_end_where_people_end_them() {
        let text = "Dr. A. Smith paid 3.50 at 5 p.m. on Monday. \"Good!\" she said. Was it, e.g. Rust? Yes…";
        assert_eq!(
            texts(text, Content::Prose),
            [
                "Dr. A. Smith paid 3.50 at 5 p.m. on Monday.",
                "\"Good!\" she said.",
                "Was it, e.g. Rust?",
                "Yes…"
            ]
        );
        assert_eq!(texts("今日は。明日も！", Content::Prose), ["今日は。", "明日も！"]);
    }

    #[test]
    fn headings_items_and_fences_are_pieces() {
        let text = "# Title\nOne line\ngoes on.\n- first item. More.\n- second\n\n```rust\nfn f() {}\n\nx\n```\nEnd.";
        assert_eq!(
            texts(text, Content::Markdown),
            [
                "# Title",
                "One line\ngoes on.",
                "- first item.",
                "More.",
                "- second",
                "```rust\nfn f() {}\n\nx\n```",
                "End."
            ]
        );
    }

    #[test]
    fn no_piece_ends_inside_an_atom() {
        let text = "One. Two. Three.";
        let units = units(text, Content::Prose, std::slice::from_ref(&(2..7)));
        let texts: Vec<_> = units.iter().map(|unit| &text[unit.begin..unit.end]).collect();
        assert_eq!(texts, ["One. Two.", "Three."]);
    }

    #[test]
    fn a_run_without_an_end_is_cut_between_graphemes() {
        let family = "👩‍👩‍👧";
        let text = family.repeat(200);
        for unit in texts(&text, Content::Prose) {
            assert_eq!(unit.len() % family.len(), 0);
        }
    }
}
