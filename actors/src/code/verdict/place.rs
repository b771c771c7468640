//! Where a finding stands, in any of the forms that models use.

use playhouse_protocol::code::LineSpan;
use serde_json::{Map, Value};

use super::shape::field;

/// The place that a finding's members name.
pub(super) fn lines(members: &Map<String, Value>) -> Option<LineSpan> {
    if let (Some(first), Some(last)) = (
        field(members, &["linestart", "startline", "firstline", "linefirst", "start"]).and_then(line),
        field(members, &["lineend", "endline", "lastline", "linelast", "end"]).and_then(line),
    ) {
        return Some(LineSpan { first, last });
    }
    match field(
        members,
        &["line", "lines", "linenumber", "linenumbers", "linespan", "span", "location", "startline"],
    )? {
        Value::Object(members) => lines(members).or_else(|| {
            Some(LineSpan {
                first: field(members, &["first"]).and_then(line)?,
                last: field(members, &["last"]).and_then(line)?,
            })
        }),
        Value::Array(values) => Some(LineSpan { first: line(values.first()?)?, last: line(values.last()?)? }),
        Value::String(text) => span_in(text),
        value => line(value).map(|line| LineSpan { first: line, last: line }),
    }
}

fn line(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => number.as_u64().and_then(|line| u32::try_from(line).ok()),
        Value::String(text) => span_in(text).map(|span| span.first),
        _ => None,
    }
}

/// `7`, `L7`, `lines 3-5`, `3 to 5`: the first one or two numbers.
fn span_in(text: &str) -> Option<LineSpan> {
    let mut numbers = text.split(|char: char| !char.is_ascii_digit()).filter(|digits| !digits.is_empty());
    let first = numbers.next()?.parse().ok()?;
    let last = numbers.next().and_then(|digits| digits.parse().ok()).unwrap_or(first);
    Some(LineSpan { first, last })
}

/// The place that a message names itself: "line 7", "lines 3-5".
pub(super) fn line_in(message: &str) -> Option<LineSpan> {
    let lower = message.to_ascii_lowercase();
    let after = lower.split_once("line ").or_else(|| lower.split_once("lines "))?.1;
    if !after.starts_with(|char: char| char.is_ascii_digit()) {
        return None;
    }
    let numbers: String =
        after.chars().take_while(|char| char.is_ascii_digit() || matches!(char, '-' | '–')).collect();
    span_in(&numbers)
}
