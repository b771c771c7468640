//! Compressed texts for people.

use std::fmt::Write as _;

use playhouse_protocol::compress::{Compressed, Strategy};

use super::{SCRIPTED_LABEL, words};
use crate::style::{Style, printable};

/// The most dropped parts that are listed; the JSON form has all.
const DROPPED_SHOWN_MAX: usize = 10;

/// The characters of a hash that are shown: enough to tell the parts of one text apart.
const HASH_CHARS: usize = 12;

/// Before and after, and what was dropped. Without a line end.
pub(crate) fn summary(compressed: &Compressed, style: Style) -> String {
    let Some(strategy) = compressed.strategy else {
        return format!("{}: it fits as it is", words::counted(compressed.tokens_before, "token"));
    };
    let verification = &compressed.verification;
    let mut text = format!(
        "{} → {} tokens ({:.1} %) by {strategy}; {} of {} facts kept",
        words::thousands(compressed.tokens_before),
        words::thousands(compressed.tokens_after),
        compressed.ratio * 100.0,
        words::thousands(verification.facts_kept),
        words::thousands(verification.facts_total),
    );
    if compressed.origin.as_ref().is_some_and(|origin| origin.provider.is_scripted()) {
        let _ = write!(text, "\n{}", style.yellow(SCRIPTED_LABEL));
    }
    for refused in &compressed.refused {
        let _ = write!(text, "\n  {} was not used: {}", refused.strategy, printable(&refused.reason));
    }
    if strategy == Strategy::Summarize {
        return text;
    }
    let shown = compressed.dropped.iter().take(DROPPED_SHOWN_MAX);
    for part in shown {
        let hash: String = part.sha256.chars().take(HASH_CHARS).collect();
        let size = words::counted(part.tokens, "token");
        let _ = write!(text, "\n  dropped {}  {size}: {}", style.dim(&hash), printable(&part.excerpt));
    }
    if let Some(more) = compressed.dropped.len().checked_sub(DROPPED_SHOWN_MAX).filter(|more| *more > 0) {
        let _ =
            write!(text, "\n  and {} (--format json lists all)", words::counted(more as u64, "more part"));
    }
    if !compressed.dropped.is_empty() {
        text.push_str("\n  print one of them with the same flags and --show-dropped HASH");
    }
    text
}

/// The original by lines: `-` in front of what was dropped, a space in front of what was kept; for a summary the
/// original behind `-` and the summary behind `+`.
pub(crate) fn diff(original: &str, compressed: &Compressed) -> String {
    let mut text = String::new();
    let mut lines = |mark: char, part: &str| {
        for line in part.lines().filter(|line| !line.trim().is_empty()) {
            let _ = writeln!(text, "{mark} {line}");
        }
    };
    let mut at = 0;
    for part in &compressed.dropped {
        let place = |byte: u64| usize::try_from(byte).unwrap_or(original.len());
        let (begin, end) = (place(part.begin), place(part.end));
        lines(' ', original.get(at..begin).unwrap_or_default());
        lines('-', original.get(begin..end).unwrap_or_default());
        at = end;
    }
    lines(' ', original.get(at..).unwrap_or_default());
    if compressed.strategy == Some(Strategy::Summarize) {
        lines('+', &compressed.text);
    }
    text.truncate(text.trim_end().len());
    text
}
