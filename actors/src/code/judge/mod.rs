//! Facts and a model's opinion become a judgement, and facts outrank the opinion.
//!
//! | fact | finding | approval | score at most |
//! |---|---|---|---|
//! | no line of code, or no item | critical | never | 0 |
//! | it does not parse | critical, with its line, for each of the first few diagnostics | never | 2 |
//! | it cannot be parsed for its size | major | never | 5 |
//! | a placeholder (`todo!`, `unimplemented!`) | critical | never | 4 |
//! | statements outside of any function | major | never | 5 |
//! | tests expected, none there or none that asserts (Rust) | major | never | 6 |
//! | tests expected, none to be seen (other languages, which are not parsed) | minor | as the model says | 10 |
//! | calls that can panic | minor | as the model says | 10 |
//! | `unsafe` | info | as the model says | 10 |
//!
//! Of the model's opinion: what cannot be read, or names no verdict, is no approval. An approval beside a
//! critical finding of its own contradicts itself and is none. A request for changes stands even where it
//! names none and facts are clean: the summary then says so.

mod faults;
#[cfg(test)]
mod tests;

use std::cmp::Reverse;

use playhouse_protocol::code::{CodeFacts, Language};
use playhouse_protocol::review::{AspectScore, Finding, FindingSource, Parse, Severity, Verdict};

pub use faults::{Fault, faults};

use super::verdict::{FINDINGS_MAX, Opinion};

/// The score of code whose reviewer gave no mark at all: the middle, for nothing is known.
pub const SCORE_UNMARKED: f32 = 5.0;

/// What is judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Case<'a> {
    /// The language.
    pub language: Language,
    /// Code and tests as one file.
    pub source: &'a str,
    /// What is known of it.
    pub facts: &'a CodeFacts,
    /// Whether missing tests are a fault.
    pub tests_expected: bool,
}

/// The outcome: the part of a review that neither asks nor measures.
#[derive(Debug, Clone, PartialEq)]
pub struct Judgement {
    /// The outcome.
    pub verdict: Verdict,
    /// Why it is not the model's own.
    pub overruled: Option<String>,
    /// 0.0 to 10.0.
    pub score: f32,
    /// A mark for each aspect that was given one.
    pub scores: Vec<AspectScore>,
    /// Worst first; of equally bad ones those from facts first, then by line.
    pub findings: Vec<Finding>,
    /// Advice beyond the findings.
    pub recommendations: Vec<String>,
    /// The model's summary, with what is to be known of it.
    pub summary: String,
    /// How the answer was read.
    pub parse: Parse,
}

/// Judges: see the table above.
pub fn judge(opinion: Opinion, case: &Case<'_>) -> Judgement {
    let faults = faults(case);
    let (verdict, overruled) = verdict(&opinion, &faults);
    let score = score(&opinion, &faults);
    let summary = summary(&opinion, verdict, &faults);
    let mut findings: Vec<_> =
        faults.into_iter().map(|fault| fault.finding).chain(opinion.findings).collect();
    findings.sort_by_key(|finding| {
        (
            Reverse(finding.severity),
            finding.source == FindingSource::Model,
            finding.lines.map_or(u32::MAX, |span| span.first),
        )
    });
    findings.truncate(FINDINGS_MAX);
    Judgement {
        verdict,
        overruled,
        score,
        scores: opinion.scores,
        findings,
        recommendations: opinion.recommendations,
        summary,
        parse: opinion.parse,
    }
}

fn verdict(opinion: &Opinion, faults: &[Fault]) -> (Verdict, Option<String>) {
    if opinion.verdict != Some(Verdict::Approve) {
        return (Verdict::RequestChanges, None);
    }
    let mut reasons: Vec<String> =
        faults.iter().filter(|fault| fault.blocks).map(|fault| reason(&fault.finding)).collect();
    if opinion.findings.iter().any(|finding| finding.severity == Severity::Critical) {
        reasons.push("the reviewer itself names a critical fault".to_owned());
    }
    if reasons.is_empty() {
        return (Verdict::Approve, None);
    }
    (Verdict::RequestChanges, Some(format!("The reviewer approved, but {}.", reasons.join("; "))))
}

/// A finding as a part of a sentence.
fn reason(finding: &Finding) -> String {
    let message = finding.message.trim_end_matches('.');
    match finding.lines {
        Some(span) => format!("{message} (line {})", span.first),
        None => message.to_owned(),
    }
}

/// The mean of the marks, or the mark for the whole where there are none, and never more than facts allow.
fn score(opinion: &Opinion, faults: &[Fault]) -> f32 {
    let marks = &opinion.scores;
    let sum: f32 = marks.iter().map(|mark| mark.score).sum();
    let own =
        if marks.is_empty() { opinion.overall.unwrap_or(SCORE_UNMARKED) } else { sum / marks.len() as f32 };
    faults.iter().map(|fault| fault.score_max).fold(own.clamp(0.0, 10.0), f32::min)
}

fn summary(opinion: &Opinion, verdict: Verdict, faults: &[Fault]) -> String {
    let note = if opinion.parse == Parse::Unreadable {
        "The reviewer's answer could not be read, so this stands on facts alone."
    } else if opinion.verdict.is_none() {
        "The reviewer gave no clear verdict, so changes are requested."
    } else if verdict == Verdict::RequestChanges && opinion.findings.is_empty() && faults.is_empty() {
        "The reviewer asked for changes without naming any."
    } else {
        return opinion.summary.clone();
    };
    // What could not be read as a review is no summary of one.
    if opinion.summary.is_empty() || opinion.parse == Parse::Unreadable {
        note.to_owned()
    } else {
        format!("{note} {}", opinion.summary)
    }
}
