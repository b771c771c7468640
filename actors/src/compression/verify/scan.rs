//! Finds the facts of a text in one pass over its runs.

use playhouse_protocol::compress::FactKind;

use super::Found;
use super::chunks::{Chunk, chunks};
use super::classify::{classify, is_identifier, is_month, is_negation, is_unit, url};
use crate::compression::words::is_stop_word;

/// The longest words in quotation marks or backticks that are a fact, in bytes.
const QUOTED_BYTES_MAX: usize = 80;

/// The most words of a name; more are a heading.
const NAME_WORDS_MAX: usize = 5;

/// The facts of a text, in order. Facts may overlap: a date holds its numbers.
pub fn facts(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    quoted(text, &mut found);
    let chunks = chunks(text);
    let mut at = 0;
    while let Some(chunk) = chunks.get(at) {
        at += of_chunk(text, &chunks, at, chunk, &mut found).max(1);
    }
    found.sort_by_key(|fact| (fact.range.start, fact.range.end));
    found.dedup_by(|next, fact| next.range == fact.range);
    found
}

/// What is between quotation marks or backticks on one line.
fn quoted(text: &str, found: &mut Vec<Found>) {
    let mut at = 0;
    while let Some(begin) = text[at..].find(['`', '"', '“']).map(|begin| at + begin) {
        let mark = text[begin..].chars().next().unwrap_or('"');
        let inner = begin + mark.len_utf8();
        at = inner;
        if text[inner..].starts_with(mark) {
            // An empty pair, or a fence.
            at = inner + (text[inner..].len() - text[inner..].trim_start_matches(mark).len());
            continue;
        }
        let close = if mark == '“' { '”' } else { mark };
        let window = &text[inner..text.floor_char_boundary((inner + QUOTED_BYTES_MAX).min(text.len()))];
        let Some(len) = window.find([close, '\n']).filter(|len| window[*len..].starts_with(close)) else {
            continue;
        };
        at = inner + len + close.len_utf8();
        let words = &window[..len];
        if words.trim() != words || words.len() < 2 || !words.contains(char::is_alphanumeric) {
            continue;
        }
        let kind = if mark == '`' { FactKind::Identifier } else { FactKind::Quoted };
        found.push(Found { kind, range: inner..inner + len });
    }
}

/// What a run says; gives how many runs that took.
fn of_chunk(text: &str, chunks: &[Chunk], at: usize, chunk: &Chunk, found: &mut Vec<Found>) -> usize {
    let core = &text[chunk.core.clone()];
    if core.is_empty() {
        return 1;
    }
    let run = &text[chunk.range.clone()];
    if let Some(place) = url(run) {
        let begin = chunk.range.start;
        found.push(Found { kind: FactKind::Url, range: begin + place.start..begin + place.end });
        return 1;
    }
    let next = chunks.get(at + 1);
    if is_negation(core) {
        let end =
            next.filter(|_| chunk.core.end == chunk.range.end).map_or(chunk.core.end, |next| next.core.end);
        found.push(Found { kind: FactKind::Negation, range: chunk.core.start..end });
        return 1;
    }
    if let Some(kind) = classify(core) {
        let mut range = chunk.core.clone();
        if kind == FactKind::Number
            && chunk.core.end == chunk.range.end
            && let Some(next) = next.filter(|next| is_unit(&text[next.core.clone()]))
        {
            range.end = next.core.end;
        }
        let taken = if range.end > chunk.core.end { 2 } else { 1 };
        found.push(Found { kind, range });
        return taken;
    }
    if is_month(core) && date(text, chunks, at, found) {
        return 1;
    }
    let (name_words, range) = name(text, chunks, at);
    if let Some(range) = range {
        found.push(Found { kind: FactKind::Name, range });
        return name_words;
    }
    parts(text, chunk, found);
    name_words
}

/// Digits joined by nothing but marks: a day or a year, as a number.
fn small_number(text: &str, chunk: Option<&Chunk>, max: u32) -> bool {
    let core = chunk.map(|chunk| &text[chunk.core.clone()]);
    core.and_then(|core| core.trim_end_matches(|char: char| char.is_ascii_alphabetic()).parse::<u32>().ok())
        .is_some_and(|number| (1..=max).contains(&number))
}

/// "3 May 2024", "May 3, 2024", "May 2024".
fn date(text: &str, chunks: &[Chunk], at: usize, found: &mut Vec<Found>) -> bool {
    const YEAR_MAX: u32 = 2_999;
    let before = at.checked_sub(1).and_then(|before| chunks.get(before));
    let (mut begin, mut end) = (chunks[at].core.start, chunks[at].core.end);
    if small_number(text, before, 31) {
        begin = before.map_or(begin, |chunk| chunk.core.start);
    }
    let mut next = at + 1;
    while next <= at + 2 && small_number(text, chunks.get(next), YEAR_MAX) {
        end = chunks[next].core.end;
        next += 1;
    }
    let is_date = begin < chunks[at].core.start || next > at + 1;
    if is_date {
        found.push(Found { kind: FactKind::Date, range: begin..end });
    }
    is_date
}

fn is_capitalised(core: &str) -> bool {
    core.starts_with(char::is_uppercase)
        && core.len() > 1
        && core.chars().all(|char| char.is_alphanumeric() || "-.'’&".contains(char))
}

/// Words with capitals, one behind the other, and how many runs that is. One word with a capital at the beginning of a
/// sentence is no name, unless it is all capitals.
fn name(text: &str, chunks: &[Chunk], at: usize) -> (usize, Option<std::ops::Range<usize>>) {
    let mut len = 0;
    while let Some(chunk) = chunks.get(at + len).filter(|_| len < NAME_WORDS_MAX) {
        let core = &text[chunk.core.clone()];
        if !is_capitalised(core)
            || (len > 0 && chunk.begins_sentence)
            || (len > 0 && classify(core).is_some())
        {
            break;
        }
        len += 1;
        if chunk.core.end < chunk.range.end {
            break;
        }
    }
    if len == 0 {
        return (1, None);
    }
    let word = |number: usize| &text[chunks[at + number].core.clone()];
    let is_weak = |number: usize| is_stop_word(&word(number).to_lowercase());
    let mut first = 0;
    while first < len && is_weak(first) {
        first += 1;
    }
    let is_acronym = |word: &str| word.chars().count() > 1 && !word.contains(char::is_lowercase);
    let only = len - first == 1;
    let begins = first == 0 && chunks[at].begins_sentence;
    if first == len || (only && begins && !is_acronym(word(first))) {
        return (len, None);
    }
    (len, Some(chunks[at + first].core.start..chunks[at + len - 1].core.end))
}

/// Names in code within a run: `self.max_len(x)`.
fn parts(text: &str, chunk: &Chunk, found: &mut Vec<Found>) {
    let run = &text[chunk.range.clone()];
    let mut at = chunk.range.start;
    for part in run.split_inclusive(|char: char| !(char.is_alphanumeric() || char == '_')) {
        let word = part.trim_end_matches(|char: char| !(char.is_alphanumeric() || char == '_'));
        if word.len() > 3 && is_identifier(word) {
            found.push(Found { kind: FactKind::Identifier, range: at..at + word.len() });
        }
        at += part.len();
    }
}
