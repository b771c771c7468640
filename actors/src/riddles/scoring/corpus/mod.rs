//! What answers of models look like, and what a careful reader says of each.
//!
//! The texts are made up in the manner of models large and small; none is a special case of a rule. One that is scored wrongly is a
//! fault of the rules.

mod numbers;
mod rest;
mod words;

use playhouse_protocol::completion::StopReason;
use playhouse_protocol::riddle::{AnswerKey, AnswerMatch, Verdict};

use super::score;

/// Answers to one riddle.
struct Group {
    matching: AnswerMatch,
    accepted: &'static [&'static str],
    units: &'static [&'static str],
    right: &'static [&'static str],
    wrong: &'static [&'static str],
}

const NUMBER: AnswerMatch = AnswerMatch::Number { tolerance: 0.0 };

fn key(matching: AnswerMatch, accepted: &[&str], units: &[&str]) -> AnswerKey {
    let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    AnswerKey { matching, answers: texts(accepted), units: texts(units) }
}

fn cases() -> Vec<(AnswerKey, &'static str, StopReason, Verdict)> {
    let mut cases = Vec::new();
    for group in numbers::GROUPS.iter().chain(words::GROUPS) {
        let key = key(group.matching, group.accepted, group.units);
        let right = group.right.iter().map(|answer| (*answer, Verdict::Right));
        let wrong = group.wrong.iter().map(|answer| (*answer, Verdict::Wrong));
        cases.extend(
            right.chain(wrong).map(|(answer, verdict)| (key.clone(), answer, StopReason::Stop, verdict)),
        );
    }
    for (matching, accepted, answer, stop_reason, verdict) in rest::CASES {
        cases.push((key(*matching, accepted, &[]), answer, *stop_reason, *verdict));
    }
    cases
}

/// The fewest answers that say anything about the rules.
const CASES_MIN: usize = 220;

#[test]
fn every_answer_gets_the_verdict_of_a_careful_reader() {
    let cases = cases();
    assert!(cases.len() >= CASES_MIN, "{} answers", cases.len());
    let mut faults = Vec::new();
    for (key, answer, stop_reason, wanted) in &cases {
        let scored = score(key, answer, *stop_reason);
        if scored.verdict != *wanted {
            let extracted = scored.extracted.map(|extracted| (extracted.source, extracted.text));
            faults.push(format!(
                "{:?} for {:?}: {answer:?}\n    taken as {extracted:?}, wanted {wanted:?}",
                scored.verdict, key.answers
            ));
        }
    }
    assert!(faults.is_empty(), "{} of {} answers:\n{}", faults.len(), cases.len(), faults.join("\n"));
}
