//! Finds code in an answer without fences.

use playhouse_protocol::code::Language;

use super::looks::{looks_like, opens_code};
use super::markdown::{Fenced, Piece};
use crate::code::scan::code_only;

/// Splits a text into prose and runs of lines that look like code, as if these had been fenced.
///
/// A run begins at a line that opens an item, with the comments and attributes above it, and goes on while
/// brackets are open, lines are indented, or the next piece is an item again. Linear in the text's length.
pub(super) fn pieces(language: Language, text: &str) -> Vec<Piece> {
    let text_lines = Lines::of(language, text);
    let mut found = Vec::new();
    let mut prose = String::new();
    let mut at = 0;
    while at < text_lines.all.len() {
        let Some(end) = text_lines.run_end(at) else {
            prose.push_str(text_lines.all[at]);
            at += 1;
            continue;
        };
        if !prose.trim().is_empty() {
            found.push(Piece::Prose(std::mem::take(&mut prose)));
        }
        prose.clear();
        found.push(block(text_lines.all[at..end].concat()));
        at = end;
    }
    if found.is_empty() && whole_text_is_code(language, text) {
        return vec![block(text.to_owned())];
    }
    if !prose.trim().is_empty() {
        found.push(Piece::Prose(prose));
    }
    found
}

fn block(code: String) -> Piece {
    Piece::Block(Fenced { info: String::new(), code, closed: true })
}

/// A short script has no item at all: then most lines look like code, and none like a sentence.
fn whole_text_is_code(language: Language, text: &str) -> bool {
    let sentence = |line: &str| {
        line.split_whitespace().count() > 3
            && line.trim_end().ends_with(['.', '!', '?', ':'])
            && !line.contains(['(', '='])
    };
    looks_like(language, text) && !text.lines().any(sentence)
}

struct Lines<'a> {
    language: Language,
    all: Vec<&'a str>,
    /// For each line the first one from it on that is no comment, attribute or blank line.
    item: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(language: Language, text: &'a str) -> Self {
        let all: Vec<&str> = text.split_inclusive('\n').collect();
        let mut item = vec![all.len(); all.len() + 1];
        for at in (0..all.len()).rev() {
            let above = all[at].trim().is_empty() || is_preamble(language, all[at]);
            item[at] = if above { item[at + 1] } else { at };
        }
        Self { language, all, item }
    }

    fn line(&self, at: usize) -> &'a str {
        self.all.get(at).copied().unwrap_or_default()
    }

    /// Where the run that begins with line `start` ends, if one does.
    fn run_end(&self, start: usize) -> Option<usize> {
        if self.line(start).trim().is_empty() || !opens_code(self.language, self.line(self.item[start])) {
            return None;
        }
        let mut end = self.piece_end(self.item[start]);
        while end < self.all.len() {
            let next = self.item[end];
            let line = self.line(next);
            if !(opens_code(self.language, line) || goes_on(self.language, line)) {
                break;
            }
            end = self.piece_end(next);
        }
        Some(end)
    }

    /// The end of the piece that begins with line `at`: all brackets are closed and the next line is not indented.
    fn piece_end(&self, at: usize) -> usize {
        let (mut at, mut depth) = (at, 0_i64);
        while at < self.all.len() {
            depth = (depth + balance(self.language, self.line(at))).max(0);
            at += 1;
            let next = self.line(at);
            let indented = next.starts_with([' ', '\t']) && !next.trim().is_empty();
            if depth == 0 && !indented {
                break;
            }
        }
        at
    }
}

/// Opening brackets minus closing ones, strings and comments of the line left out.
fn balance(language: Language, line: &str) -> i64 {
    code_only(language, line).bytes().fold(0, |sum, byte| match byte {
        b'{' | b'(' | b'[' => sum + 1,
        b'}' | b')' | b']' => sum - 1,
        _ => sum,
    })
}

/// Comments and attributes, which belong to the item below them.
fn is_preamble(language: Language, line: &str) -> bool {
    let line = line.trim();
    match language {
        Language::Python => line.starts_with("# ") || line.starts_with('@'),
        Language::Rust => line.starts_with("//") || (line.starts_with("#[") && line.ends_with(']')),
        _ => {
            line.starts_with("//") || line.starts_with("/*") || (line.starts_with('@') && !line.contains(' '))
        }
    }
}

/// A line that opens nothing but belongs to what stands above it: indented, a closing bracket, or of a script a
/// call or an assignment.
fn goes_on(language: Language, line: &str) -> bool {
    let line = line.trim_end();
    let statement = match language {
        Language::Python => line.ends_with(')') || line.contains(" = "),
        _ => line.ends_with([';', '{']),
    };
    let first = line.chars().next().unwrap_or(' ');
    line.starts_with(['}', ')', ']', ' ', '\t'])
        || (statement && !first.is_uppercase() && !line.ends_with('.'))
}
