//! Rust: bodies, comments and private items are left out; signatures, types and docs stay; what is left parses.
//!
//! Elisions are applied in steps, the gentlest first; within a step the longest first, since it frees the most for one
//! mark. When the result fits, those that turn out not to be needed are taken back.

mod apply;
mod candidates;

use std::ops::Range;

use crate::code::facts::{ParseOutcome, with_parsed};

use super::draft::Draft;
use super::strategy::{Compression, Work};

/// How often a result that came out too long is shortened further. Each time frees twice as much beyond the excess.
const CORRECTIONS_MAX: u32 = 6;

/// The part of the limit that comments may take which tell a fact: half. They are kept before signatures, which the
/// source of a function tells again when it is asked for; a number that stands in a comment stands nowhere else.
const NOTES_PART: u64 = 2;

/// See the [module](self).
pub(super) struct Code;

impl Compression for Code {
    fn draft(&self, work: &Work<'_>) -> Result<Draft, String> {
        let outcome = with_parsed(work.text, |file| candidates::candidates(work.text, file));
        let mut candidates = match outcome {
            // What the parser has to say of a text that it read: it is a snippet, or there is nothing in it.
            ParseOutcome::Parsed { value, diagnostics } if diagnostics.is_empty() => value,
            ParseOutcome::Parsed { .. } => return Err("it is no file of Rust with items".to_owned()),
            ParseOutcome::Broken(_) => return Err("it does not parse as Rust".to_owned()),
            ParseOutcome::Unknown(_) => return Err("it is too large to parse".to_owned()),
        };
        candidates.retain(|candidate| {
            let next = work.pins.partition_point(|pin| pin.end <= candidate.range.start);
            work.pins.get(next).is_none_or(|pin| pin.start >= candidate.range.end)
        });
        let notes = candidates::notes(work, work.limit_tokens / NOTES_PART);
        shortened(work, &candidates, &notes).or_else(|_| shortened(work, &candidates, &[]))
    }
}

/// Leaves out as much as is needed, all but the notes.
fn shortened(
    work: &Work<'_>,
    candidates: &[candidates::Candidate],
    notes: &[Range<usize>],
) -> Result<Draft, String> {
    let tokens_before = work.counter.count(work.text);
    let mut excess = 0;
    for correction in 0..=CORRECTIONS_MAX {
        let draft = apply::apply(work, candidates, notes, tokens_before + (excess << correction));
        let tokens = work.counter.count(&draft.render(work.text));
        if tokens <= work.limit_tokens {
            return parses(work, draft);
        }
        excess += tokens - work.limit_tokens;
    }
    Err("signatures and types alone do not fit".to_owned())
}

/// The items of a file: one without any is no code.
fn items_len(file: &syn::File) -> usize {
    file.items.len()
}

/// The draft, where its text is a file of Rust.
fn parses(work: &Work<'_>, draft: Draft) -> Result<Draft, String> {
    match with_parsed(&draft.render(work.text), items_len) {
        ParseOutcome::Parsed { value, diagnostics } if diagnostics.is_empty() && value > 0 => Ok(draft),
        ParseOutcome::Parsed { .. } => Err("nothing of it would be left".to_owned()),
        ParseOutcome::Broken(_) | ParseOutcome::Unknown(_) => Err("what is left would not parse".to_owned()),
    }
}
