//! Facts of the original, looked for in the result.
//!
//! A fact is a span that a reader cannot make up again: an address, a number with its unit, a name. Which facts a text
//! has is found out by its form alone ([`facts`]), so it costs one pass and no model, and names of any language are
//! found that write them with capitals. The score is the share of different facts that the result still has. It says
//! nothing of what was meant.

mod chunks;
mod classify;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::ops::Range;

use playhouse_protocol::compress::{Fact, FactKind, LOST_MAX, Verification};

pub use scan::facts;

/// The most bytes that are searched for facts that a result has in another form than the original (a name at the
/// beginning of a sentence): facts times the result's length.
const SEARCH_BYTES_MAX: usize = 64 * 1024 * 1024;

/// A fact and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What it is.
    pub kind: FactKind,
    /// Its bytes.
    pub range: Range<usize>,
}

/// Looks for the facts of `original` in `result`.
pub fn verify(original: &str, result: &str) -> Verification {
    compare(original, &facts(original), result)
}

/// As [`verify`], where the facts of the original are known.
pub(super) fn compare(original: &str, found: &[Found], result: &str) -> Verification {
    let after: HashSet<String> = if original == result {
        HashSet::new()
    } else {
        facts(result).into_iter().map(|fact| key(&result[fact.range])).collect()
    };
    let mut seen = HashSet::new();
    let mut missing = Vec::new();
    for fact in found {
        let text = key(&original[fact.range.clone()]);
        if seen.insert(text.clone()) && original != result && !after.contains(&text) {
            missing.push(Fact { kind: fact.kind, text });
        }
    }
    let total = seen.len() as u64;
    let normal = key(result);
    let mut searched = 0;
    missing.retain(|fact| {
        searched += normal.len();
        searched > SEARCH_BYTES_MAX || !stands_in(&normal, &fact.text)
    });
    let kept = total - missing.len() as u64;
    missing.truncate(LOST_MAX);
    Verification {
        facts_total: total,
        facts_kept: kept,
        score: if total == 0 { 1.0 } else { kept as f64 / total as f64 },
        lost: missing,
    }
}

/// Whether the words stand in the text on their own: "12 ms" is not in "512 ms".
fn stands_in(text: &str, words: &str) -> bool {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    text.match_indices(words).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + words.len()..].chars().next();
        let joins = |inner: Option<char>, outer: Option<char>| {
            inner.is_some_and(is_word) && outer.is_some_and(is_word)
        };
        !joins(words.chars().next(), before) && !joins(words.chars().next_back(), after)
    })
}

/// The words with single spaces between them.
pub(super) fn key(text: &str) -> String {
    let mut key = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !key.is_empty() {
            key.push(' ');
        }
        key.push_str(word);
    }
    key
}
