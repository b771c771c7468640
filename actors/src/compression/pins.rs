//! What must survive word for word.

use std::collections::HashSet;
use std::ops::Range;

use playhouse_protocol::compress::{FactKind, Pin, PinRule};

use super::units::fenced_blocks;
use super::verify::Found;

/// The pinned spans of a text: of equal ones the first; overlapping ones are one. They ascend.
pub(super) fn resolve(text: &str, pins: &[Pin], facts: &[Found]) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for pin in pins {
        match pin {
            Pin::Text(words) => {
                let begin = if words.is_empty() { None } else { text.find(words.as_str()) };
                ranges.extend(begin.map(|begin| begin..begin + words.len()));
            }
            Pin::Rule(PinRule::FencedCode) => ranges.extend(fenced_blocks(text)),
            Pin::Rule(rule) => {
                let of_rule = facts.iter().filter(|fact| rule_of(fact.kind) == Some(*rule));
                ranges.extend(of_rule.map(|fact| fact.range.clone()));
            }
        }
    }
    ranges.sort_by_key(|range| (range.start, range.end));
    let mut seen = HashSet::new();
    ranges.retain(|range| seen.insert(&text[range.clone()]));
    merged(ranges)
}

fn merged(ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    let mut merged: Vec<Range<usize>> = Vec::with_capacity(ranges.len());
    for range in ranges {
        match merged.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => merged.push(range),
        }
    }
    merged
}

const fn rule_of(kind: FactKind) -> Option<PinRule> {
    match kind {
        FactKind::Url => Some(PinRule::Urls),
        FactKind::Path => Some(PinRule::Paths),
        FactKind::Date | FactKind::Number => Some(PinRule::Numbers),
        FactKind::Identifier => Some(PinRule::Identifiers),
        FactKind::Quoted | FactKind::Name | FactKind::Negation => None,
    }
}
