//! From a reviewer's answer to an opinion, whatever form the answer has.
//!
//! In this order, and [`Parse`] tells which it was: JSON as it was asked for; JSON in a fence or in text, with
//! other names, other scales, or broken; prose with a verdict word or marks in it; nothing. A verdict word
//! counts with the words around it: "cannot approve" is no approval. Nothing is an approval that does not
//! say so.

mod lenient_json;
mod place;
mod prose;
mod shape;
#[cfg(test)]
mod tests;
mod words;

use playhouse_protocol::review::{AspectScore, Finding, Parse, Verdict};
use serde_json::Value;

use super::text::clean_answer;

/// The most findings that are kept, worst first: more are of no use to whoever must act on them.
pub const FINDINGS_MAX: usize = 50;
/// The most recommendations that are kept.
pub const RECOMMENDATIONS_MAX: usize = 20;
/// The longest message, suggestion or recommendation, in characters.
pub const TEXT_CHARS_MAX: usize = 600;
/// The longest summary, in characters.
pub const SUMMARY_CHARS_MAX: usize = 1_500;
/// The longest answer that is read, in bytes. Longer ones are no reviews.
pub const ANSWER_BYTES_MAX: usize = 1024 * 1024;

/// The brackets in an answer that are tried as the beginning of a review before the answer is taken for prose.
const STARTS_MAX: usize = 16;

/// What a model thinks of code.
#[derive(Debug, Clone, PartialEq)]
pub struct Opinion {
    /// Its verdict, where it gave one.
    pub verdict: Option<Verdict>,
    /// A mark for each aspect that was given one, 0.0 to 10.0.
    pub scores: Vec<AspectScore>,
    /// A mark for the whole, where it gave one, 0.0 to 10.0.
    pub overall: Option<f32>,
    /// What it found, worst first; at most [`FINDINGS_MAX`].
    pub findings: Vec<Finding>,
    /// Advice beyond the findings; at most [`RECOMMENDATIONS_MAX`].
    pub recommendations: Vec<String>,
    /// Its summary; may be empty.
    pub summary: String,
    /// How the answer was read.
    pub parse: Parse,
}

/// Reads a reviewer's answer on code of `line_count` lines; findings on lines that do not exist lose their place.
///
/// Never fails; takes time in proportion to the answer's length.
pub fn read_opinion(answer: &str, line_count: u32) -> Opinion {
    let answer = if answer.len() <= ANSWER_BYTES_MAX { clean_answer(answer) } else { String::new() };
    if let Ok(value @ Value::Object(_)) = serde_json::from_str(answer.trim())
        && let Some(opinion) = shape::read(&value, line_count)
    {
        return opinion;
    }
    let opinion = from_repaired(&answer, line_count).unwrap_or_else(|| prose::read(&answer, line_count));
    // What can be read in neither way says nothing.
    if opinion.parse == Parse::Prose
        && opinion.verdict.is_none()
        && opinion.scores.is_empty()
        && opinion.overall.is_none()
    {
        return Opinion { parse: Parse::Unreadable, ..opinion };
    }
    opinion
}

/// The first object (or list of findings) in the answer that can be a review; one in a fence for JSON first.
fn from_repaired(answer: &str, line_count: u32) -> Option<Opinion> {
    let fenced = answer.find("```json").and_then(|at| first_review(answer, at, line_count));
    fenced.or_else(|| first_review(answer, 0, line_count))
}

fn first_review(answer: &str, start: usize, line_count: u32) -> Option<Opinion> {
    let mut at = start;
    for _ in 0..STARTS_MAX {
        at += answer[at..].find(['{', '['])?;
        let read = lenient_json::read_at(answer, at);
        if let Some(opinion) = read.as_ref().and_then(|(value, _)| shape::read(value, line_count)) {
            return Some(Opinion { parse: Parse::Repaired, ..opinion });
        }
        at = match read {
            // What was closed and is no review is passed over as a whole.
            Some((_, end)) if end < answer.len() => end,
            _ => at + 1,
        };
    }
    None
}
