use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::code::verdict::lenient_json::read_at;
use crate::code::verdict::{FINDINGS_MAX, RECOMMENDATIONS_MAX, SUMMARY_CHARS_MAX, TEXT_CHARS_MAX};

/// A method that is not linear does not end in reasonable time.
#[test]
fn hostile_answers_are_read() {
    let _ = read_opinion(&"{".repeat(1_000_000), 20);
    let pieces = [
        "{",
        "[",
        "}",
        "]",
        "\"",
        "'",
        "\\",
        "{\"a\":",
        "[[{",
        "{\"a\": \"",
        "\" \"",
        "/*",
        "//\n",
        "#",
        "a",
        "a ",
        "a:",
        ",",
        ":",
        "1",
        "-",
        "\n",
        "{}",
        "[]",
        "{\"verdict\"",
        "not approve ",
        "approve. ",
        "Score: 7\n",
        "- ",
        "line 1 ",
        "```json",
        "```json\n",
        "é",
        "“",
        "|",
        "{|",
    ];
    for piece in pieces {
        let _ = read_opinion(&piece.repeat(100_000 / piece.len()), 20);
        let _ = read_opinion(&format!("{{{}", piece.repeat(100_000 / piece.len())), 20);
    }
}

#[test]
fn more_than_enough_is_cut() {
    let finding = |n: usize| json!({"severity": if n == 99 { "critical" } else { "minor" }, "line": 1, "message": "é".repeat(5_000), "suggestion": null});
    let findings: Vec<_> = (0..100).map(finding).collect();
    let recommendations: Vec<_> = (0..100).map(|n| n.to_string()).collect();
    let answer = json!({"verdict": "approve", "scores": {}, "summary": "s".repeat(9_000), "findings": findings, "recommendations": recommendations});
    let opinion = read_opinion(&answer.to_string(), 20);
    assert_eq!(opinion.findings.len(), FINDINGS_MAX);
    assert_eq!(opinion.findings[0].severity, playhouse_protocol::review::Severity::Critical);
    assert_eq!(opinion.findings[0].message.chars().count(), TEXT_CHARS_MAX);
    assert_eq!(opinion.recommendations.len(), RECOMMENDATIONS_MAX);
    assert_eq!(opinion.summary.chars().count(), SUMMARY_CHARS_MAX);
    assert!(opinion.summary.ends_with('…'));
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(".{0,8}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn fragments() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "'",
        "\\",
        "\n",
        " ",
        "verdict",
        "approve",
        "request_changes",
        "findings",
        "line",
        "3",
        "8/10",
        "1e999",
        "-",
        "true",
        "None",
        "//",
        "#",
        "/*",
        "|",
        "é",
        "“",
        "```json",
        "score",
        "not ",
        "I approve.",
        "\\u12",
        "\\ud83d",
    ]);
    prop::collection::vec(words, 0..60).prop_map(|words| words.concat())
}

proptest! {
    #[test]
    fn any_text_is_read_within_bounds(answer in prop_oneof![".{0,300}", fragments()], line_count in 0_u32..30) {
        let opinion = read_opinion(&answer, line_count);
        for score in opinion.scores.iter().map(|mark| mark.score).chain(opinion.overall) {
            prop_assert!((0.0..=10.0).contains(&score), "{score}");
        }
        for finding in &opinion.findings {
            prop_assert!(finding.lines.is_none_or(|span| 1 <= span.first && span.first <= span.last && span.last <= line_count));
            prop_assert!(!finding.message.is_empty());
        }
        prop_assert!(opinion.parse != Parse::Unreadable || opinion.verdict.is_none());
    }

    #[test]
    fn valid_json_is_read_as_what_it_is(value in any_json()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            // What serde_json reads; a float that was printed may come back as its neighbour.
            let expected: Value = serde_json::from_str(&text).unwrap();
            match read_at(&text, 0) {
                Some((read, end)) => {
                    prop_assert_eq!(&read, &expected, "{}", text);
                    prop_assert_eq!(end, text.len());
                }
                None => prop_assert!(!expected.is_object() && !expected.is_array()),
            }
        }
    }

    #[test]
    fn repair_is_done_once(text in fragments()) {
        if let Some((value, _)) = read_at(&format!("{{{text}"), 0) {
            let repaired = value.to_string();
            prop_assert_eq!(read_at(&repaired, 0).map(|(again, _)| again), Some(value));
        }
    }
}
