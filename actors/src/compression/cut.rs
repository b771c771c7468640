//! Cuts one piece of text to a number of tokens.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

use super::select::Side;
use super::strategy::Work;

/// The largest part of `range` at its beginning or end that fits: whole words; where not even one fits, whole
/// graphemes; where not even one of these does (a grapheme may be of any length), whole characters. Empty where
/// nothing fits.
pub(super) fn cut(work: &Work<'_>, range: Range<usize>, side: Side) -> Range<usize> {
    let piece = &work.text[range.clone()];
    let words = piece.char_indices().filter(|(at, char)| *at > 0 && char.is_whitespace()).map(|(at, _)| at);
    let graphemes = piece.grapheme_indices(true).map(|(at, _)| at).filter(|at| *at > 0);
    let characters = piece.char_indices().map(|(at, _)| at).filter(|at| *at > 0);
    let borders: [Vec<usize>; 3] = [words.collect(), graphemes.collect(), characters.collect()];
    let found = borders.iter().find_map(|borders| largest(work, &range, borders, side));
    found.unwrap_or(range.start..range.start)
}

/// The largest part that ends (or begins) at one of `borders` and fits. Longer parts mostly have more tokens, so the
/// place is found by halving, and then corrected where that was not so.
fn largest(work: &Work<'_>, range: &Range<usize>, borders: &[usize], side: Side) -> Option<Range<usize>> {
    let part = |at: usize| match side {
        Side::Beginning => range.start..range.start + at,
        Side::End => range.start + at..range.end,
    };
    // From the shortest part to the longest.
    let at = |number: usize| match side {
        Side::Beginning => borders[number],
        Side::End => borders[borders.len() - 1 - number],
    };
    let fits = |number: usize| {
        let text = work.text[part(at(number))].trim();
        !text.is_empty() && work.counter.count(text) <= work.limit_tokens
    };
    let (mut low, mut high) = (0, borders.len());
    while low < high {
        let middle = low + (high - low) / 2;
        if work.counter.count(work.text[part(at(middle))].trim()) <= work.limit_tokens {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    let number = (0..low).rev().find(|number| fits(*number))?;
    Some(super::draft::trimmed(work.text, part(at(number))))
}
