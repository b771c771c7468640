//! Reads a review out of a JSON value, whatever names it uses.

use playhouse_protocol::code::LineSpan;
use playhouse_protocol::review::{AspectScore, Finding, FindingSource, Parse, Verdict};
use serde_json::{Map, Value};

use super::place::{line_in, lines};
use super::words::{self, plain};
use super::{FINDINGS_MAX, Opinion, RECOMMENDATIONS_MAX, SUMMARY_CHARS_MAX, TEXT_CHARS_MAX};
use crate::code::text::cut;

/// How deep a review may stand in other objects, such as `{"review": {…}}`.
const WRAPPERS_MAX: u32 = 3;

/// The review in `value`, or `None` where there is none. [`Parse::Exact`] where there is a verdict and every
/// name and type is one that was asked for.
pub(super) fn read(value: &Value, line_count: u32) -> Option<Opinion> {
    match value {
        Value::Object(members) => {
            object(members, line_count).or_else(|| wrapped(members, line_count, WRAPPERS_MAX))
        }
        // A list of findings alone.
        Value::Array(values) if values.iter().any(|value| matches!(value, Value::Object(_))) => {
            let mut reading = Reading::new(line_count);
            reading.findings(value);
            (!reading.opinion.findings.is_empty()).then(|| reading.finish())
        }
        _ => None,
    }
}

fn wrapped(members: &Map<String, Value>, line_count: u32, wrappers_left: u32) -> Option<Opinion> {
    let left = wrappers_left.checked_sub(1)?;
    members.values().find_map(|value| {
        let inner = value.as_object()?;
        let found = object(inner, line_count).or_else(|| wrapped(inner, line_count, left))?;
        Some(Opinion { parse: Parse::Repaired, ..found })
    })
}

fn object(members: &Map<String, Value>, line_count: u32) -> Option<Opinion> {
    let mut reading = Reading::new(line_count);
    for (name, value) in members {
        reading.member(name, value);
    }
    let opinion = &reading.opinion;
    let said = opinion.verdict.is_some()
        || !opinion.scores.is_empty()
        || opinion.overall.is_some()
        || reading.has_findings;
    said.then(|| reading.finish())
}

struct Reading {
    opinion: Opinion,
    line_count: u32,
    /// Whether there was a list of findings, even an empty one.
    has_findings: bool,
}

impl Reading {
    fn new(line_count: u32) -> Self {
        let opinion = Opinion {
            verdict: None,
            scores: Vec::new(),
            overall: None,
            findings: Vec::new(),
            recommendations: Vec::new(),
            summary: String::new(),
            parse: Parse::Exact,
        };
        Self { opinion, line_count, has_findings: false }
    }

    fn repaired(&mut self) {
        self.opinion.parse = Parse::Repaired;
    }

    fn finish(mut self) -> Opinion {
        self.opinion.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        self.opinion.findings.truncate(FINDINGS_MAX);
        self.opinion.scores.sort_by_key(|mark| mark.aspect);
        if self.opinion.verdict.is_none() {
            self.repaired();
        }
        self.opinion
    }

    fn member(&mut self, name: &str, value: &Value) {
        let exact = matches!(name, "verdict" | "summary" | "scores" | "findings" | "recommendations");
        match plain(name).as_str() {
            "verdict" | "decision" | "approved" | "approve" | "approval" | "status" | "result"
            | "outcome" | "isapproved" => self.verdict(value),
            "scores" | "aspects" | "aspectscores" | "metrics" | "ratings" | "criteria" => self.scores(value),
            "score" | "overallscore" | "overall" | "rating" | "overallrating" | "totalscore"
            | "finalscore" => {
                self.opinion.overall = number(value).or(self.opinion.overall);
            }
            "findings" | "issues" | "problems" | "bugs" | "violations" | "errors" | "comments"
            | "defects" => self.findings(value),
            "recommendations" | "suggestions" | "improvements" | "advice" | "nextsteps" => {
                self.recommendations(value);
            }
            "summary" | "overview" | "explanation" | "comment" | "rationale" | "reason" | "reasoning"
            | "feedback" | "assessment" => {
                self.summary(value);
            }
            _ => {
                if let (Some(aspect), Some(score)) = (words::aspect(name), number(value)) {
                    self.mark(aspect, score);
                }
            }
        }
        if !exact {
            self.repaired();
        }
    }

    fn verdict(&mut self, value: &Value) {
        let (verdict, exact) = match value {
            Value::Bool(true) => (Some(Verdict::Approve), false),
            Value::Bool(false) => (Some(Verdict::RequestChanges), false),
            Value::String(text) => {
                (words::verdict(text), matches!(text.as_str(), "approve" | "request_changes"))
            }
            _ => (None, false),
        };
        if !exact {
            self.repaired();
        }
        // Two fields that disagree: the cautious one stands.
        self.opinion.verdict = match (self.opinion.verdict, verdict) {
            (Some(Verdict::RequestChanges), _) | (_, Some(Verdict::RequestChanges)) => {
                Some(Verdict::RequestChanges)
            }
            (one, other) => other.or(one),
        };
    }

    fn scores(&mut self, value: &Value) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    match (words::aspect(name), number(value)) {
                        (Some(aspect), Some(score)) => {
                            if name != aspect.as_str()
                                || !value.is_number()
                                || value.as_f64() != Some(f64::from(score))
                            {
                                self.repaired();
                            }
                            self.mark(aspect, score);
                        }
                        (None, Some(score)) if plain(name).starts_with("overall") => {
                            self.opinion.overall = Some(score);
                            self.repaired();
                        }
                        _ => self.repaired(),
                    }
                }
            }
            Value::Array(values) => {
                self.repaired();
                // Marks without names: only their mean can be told.
                let marks: Vec<f32> =
                    values.iter().filter(|value| !value.is_object()).filter_map(number).collect();
                if !marks.is_empty() {
                    self.opinion.overall = Some(marks.iter().sum::<f32>() / marks.len() as f32);
                }
                for member in values.iter().filter_map(Value::as_object) {
                    let aspect =
                        field(member, &["aspect", "name", "criterion", "category"]).and_then(Value::as_str);
                    let score = field(member, &["score", "value", "rating", "mark"]).and_then(number);
                    if let (Some(aspect), Some(score)) = (aspect.and_then(words::aspect), score) {
                        self.mark(aspect, score);
                    }
                }
            }
            other => {
                self.repaired();
                self.opinion.overall = number(other).or(self.opinion.overall);
            }
        }
    }

    /// The first mark for an aspect stands.
    fn mark(&mut self, aspect: playhouse_protocol::review::Aspect, score: f32) {
        if self.opinion.scores.iter().all(|known| known.aspect != aspect) {
            self.opinion.scores.push(AspectScore { aspect, score });
        }
    }

    fn findings(&mut self, value: &Value) {
        self.has_findings = true;
        match value {
            Value::Array(values) => values.iter().for_each(|value| self.finding(value)),
            Value::Null => self.repaired(),
            other => {
                self.repaired();
                self.finding(other);
            }
        }
    }

    fn finding(&mut self, value: &Value) {
        let finding = match value {
            Value::String(text) => {
                self.repaired();
                let lines = line_in(text).and_then(|span| self.existing(span));
                Finding { lines, ..bare_finding(text) }
            }
            Value::Object(members) => self.finding_object(members),
            _ => return self.repaired(),
        };
        if says_something(&finding.message) {
            self.opinion.findings.push(finding);
        } else {
            self.repaired();
        }
    }

    fn finding_object(&mut self, members: &Map<String, Value>) -> Finding {
        if !members.keys().all(|name| matches!(name.as_str(), "severity" | "line" | "message" | "suggestion"))
        {
            self.repaired();
        }
        let text = |names: &[&str]| field(members, names).and_then(text).unwrap_or_default();
        let message = text(&[
            "message",
            "issue",
            "description",
            "problem",
            "text",
            "title",
            "comment",
            "detail",
            "finding",
            "bug",
            "error",
        ]);
        let suggestion = text(&["suggestion", "fix", "recommendation", "solution", "advice", "correction"]);
        let severity = text(&["severity", "level", "priority", "importance", "type"]);
        let aspect = text(&["aspect", "category", "area", "criterion"]);
        let lines = lines(members).and_then(|span| self.existing(span));
        if !matches!(severity.as_str(), "info" | "minor" | "major" | "critical") {
            self.repaired();
        }
        Finding {
            severity: words::severity(&severity),
            aspect: words::aspect(&aspect),
            lines: lines.or_else(|| line_in(&message).and_then(|span| self.existing(span))),
            suggestion: Some(cut(&suggestion, TEXT_CHARS_MAX)).filter(|text| says_something(text)),
            ..bare_finding(&message)
        }
    }

    fn existing(&self, span: LineSpan) -> Option<LineSpan> {
        (1 <= span.first && span.first <= span.last && span.last <= self.line_count).then_some(span)
    }

    fn recommendations(&mut self, value: &Value) {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            other => {
                self.repaired();
                std::slice::from_ref(other)
            }
        };
        for value in values {
            let said = match value {
                Value::Object(members) => field(
                    members,
                    &["message", "text", "suggestion", "recommendation", "description", "title"],
                )
                .and_then(text),
                other => text(other),
            };
            if !value.is_string() {
                self.repaired();
            }
            if let Some(said) = said.filter(|said| says_something(said))
                && self.opinion.recommendations.len() < RECOMMENDATIONS_MAX
            {
                self.opinion.recommendations.push(cut(&said, TEXT_CHARS_MAX));
            }
        }
    }

    fn summary(&mut self, value: &Value) {
        if let Some(said) = text(value)
            && self.opinion.summary.is_empty()
            && says_something(&said)
        {
            self.opinion.summary = cut(&said, SUMMARY_CHARS_MAX);
        }
        if !value.is_string() {
            self.repaired();
        }
    }
}

/// A finding of a model with nothing but a message.
pub(super) fn bare_finding(message: &str) -> Finding {
    Finding {
        severity: words::severity(""),
        aspect: None,
        lines: None,
        message: cut(message, TEXT_CHARS_MAX),
        suggestion: None,
        source: FindingSource::Model,
    }
}

/// Whether a text is more than a placeholder or a "nothing".
pub(super) fn says_something(text: &str) -> bool {
    !matches!(
        plain(text).as_str(),
        "" | "none"
            | "na"
            | "null"
            | "nil"
            | "no"
            | "string"
            | "text"
            | "message"
            | "noissues"
            | "noissuesfound"
            | "nofindings"
            | "noproblems"
            | "nothing"
            | "whatiswrong"
            | "howtorepairit"
            | "onesentence"
            | "noneneeded"
            | "noproblemsfound"
            | "nosuggestions"
    )
}

/// The first member with one of these names, whatever its case.
pub(super) fn field<'a>(members: &'a Map<String, Value>, names: &[&str]) -> Option<&'a Value> {
    names
        .iter()
        .find_map(|wanted| members.iter().find(|(name, _)| plain(name) == *wanted).map(|(_, value)| value))
}

fn number(value: &Value) -> Option<f32> {
    match value {
        Value::Number(number) => number.as_f64().and_then(words::score),
        Value::String(text) => words::score_in(text),
        Value::Object(members) => {
            field(members, &["score", "value", "rating"]).filter(|value| !value.is_object()).and_then(number)
        }
        _ => None,
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
