//! A text as runs without white space, and the core of each without punctuation around it.

use std::ops::Range;

/// A run without white space.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    /// All of it.
    pub(super) range: Range<usize>,
    /// Without brackets, quotes and marks around it.
    pub(super) core: Range<usize>,
    /// Whether a sentence begins with it.
    pub(super) begins_sentence: bool,
}

pub(super) fn chunks(text: &str) -> Vec<Chunk> {
    let mut chunks: Vec<Chunk> = Vec::with_capacity(text.len() / 6);
    let mut at = 0;
    for run in text.split_inclusive(char::is_whitespace) {
        let begin = at;
        at += run.len();
        let run = run.trim_end();
        if run.is_empty() {
            continue;
        }
        let range = begin..begin + run.len();
        let begins_sentence = match chunks.last() {
            None => true,
            Some(before) => {
                let gap = &text[before.range.end..range.start];
                let closers = ['"', '\'', ')', ']', '”', '’', '*', '_', '`'];
                text[before.range.clone()]
                    .trim_end_matches(closers)
                    .ends_with(['.', '!', '?', ':', '…', '|', '-', '#', '>'])
                    || gap.bytes().filter(|byte| *byte == b'\n').count() > 1
            }
        };
        chunks.push(Chunk { core: core(text, range.clone()), range, begins_sentence });
    }
    chunks
}

fn core(text: &str, range: Range<usize>) -> Range<usize> {
    let run = &text[range.clone()];
    let opened =
        run.trim_start_matches(['(', '[', '{', '<', '"', '\'', '“', '‘', '«', '*', '_', '`', '|', '>']);
    let begin = range.start + (run.len() - opened.len());
    let closed = closed(opened);
    begin..begin + closed.len()
}

/// Without marks at the end; `f()` keeps its brackets.
fn closed(run: &str) -> &str {
    let mut rest = run;
    loop {
        let shorter = rest.trim_end_matches([
            '.', ',', ';', ':', '!', '?', '"', '\'', '”', '’', '»', '*', '`', '|', ']', '}', '>', '…',
        ]);
        let shorter = match shorter.strip_suffix(')') {
            Some(inner) if !inner.contains('(') => inner,
            _ => shorter,
        };
        if shorter.len() == rest.len() {
            return rest;
        }
        rest = shorter;
    }
}
