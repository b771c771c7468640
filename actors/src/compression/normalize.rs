//! The gentlest: white space that says nothing, and exact repetitions.

use std::collections::HashSet;
use std::ops::Range;

use playhouse_protocol::compress::Content;

use super::draft::Draft;
use super::strategy::{Compression, Work};
use super::units::Unit;

/// The shortest piece whose repetition is left out, in bytes: short lines (`}`, `---`, "Yes.") repeat with a meaning.
const REPETITION_BYTES_MIN: usize = 24;

/// See the [module](self).
pub(super) struct Normalize;

impl Compression for Normalize {
    fn draft(&self, work: &Work<'_>) -> Result<Draft, String> {
        if work.content == Content::Rust {
            return Err("white space and repetitions have a meaning in source".to_owned());
        }
        let mut draft = Draft::default();
        let mut seen = HashSet::new();
        let mut pins = work.pins.iter().peekable();
        for unit in work.units() {
            let text = &work.text[unit.begin..unit.end];
            let mut unit_pins: Vec<Range<usize>> = Vec::new();
            while let Some(pin) = pins.next_if(|pin| pin.start < unit.end) {
                unit_pins.push(pin.clone());
            }
            let repeats = !seen.insert(text) && text.len() >= REPETITION_BYTES_MIN;
            if repeats && unit_pins.is_empty() {
                continue;
            }
            if !draft.is_empty() {
                lead(work.text, unit, &mut draft);
            }
            if unit.fenced || work.content == Content::Lines {
                draft.keep(unit.begin..unit.end);
            } else {
                words(work.text, unit, &unit_pins, &mut draft);
            }
        }
        Ok(draft)
    }
}

/// White space in front of a unit: at most one empty line, and the indentation.
fn lead(text: &str, unit: &Unit, draft: &mut Draft) {
    let lead = &text[unit.lead..unit.begin];
    match lead.rfind('\n') {
        None => draft.keep(unit.lead..unit.begin),
        Some(last) => {
            draft.add(if lead[..last].contains('\n') { "\n\n" } else { "\n" });
            draft.keep(unit.lead + last + 1..unit.begin);
        }
    }
}

/// The unit with single spaces and without spaces in front of line ends. Pinned spans and indentation stay.
fn words(text: &str, unit: &Unit, pins: &[Range<usize>], draft: &mut Draft) {
    let bytes = text.as_bytes();
    let is_space = |at: usize| at < unit.end && matches!(bytes[at], b' ' | b'\t');
    let (mut at, mut kept) = (unit.begin, unit.begin);
    let mut pins = pins.iter().peekable();
    while at < unit.end {
        if !is_space(at) {
            at += 1;
            continue;
        }
        let begin = at;
        while is_space(at) {
            at += 1;
        }
        while pins.next_if(|pin| pin.end <= begin).is_some() {}
        let is_pinned = pins.peek().is_some_and(|pin| pin.start < at);
        let is_indentation = begin > 0 && bytes[begin - 1] == b'\n';
        if is_pinned || is_indentation {
            continue;
        }
        let needed = usize::from(at < unit.end && !matches!(bytes[at], b'\n' | b'\r'));
        if at - begin > needed {
            draft.keep(kept..begin + needed);
            kept = at;
        }
    }
    draft.keep(kept..unit.end);
}
