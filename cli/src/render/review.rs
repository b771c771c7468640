//! Reviews for people.

use std::fmt::Write as _;

use playhouse_protocol::review::{Review, Severity, Verdict};

use super::{SCRIPTED_LABEL, words};
use crate::style::Style;

/// The result of `playhouse review`.
pub(crate) fn text(review: &Review, style: Style) -> String {
    let head = match review.verdict {
        Verdict::Approve => style.green("approved"),
        Verdict::RequestChanges => style.yellow("changes requested"),
    };
    let facts = format!(
        "{:.1} of 10 · {} · {} · {}",
        review.score,
        review.origin.model,
        words::usage(&review.usage),
        words::seconds(review.elapsed_ms)
    );
    let mut text = format!("{head} · {facts}\n");
    if review.origin.provider.is_scripted() {
        let _ = writeln!(text, "{}", style.yellow(SCRIPTED_LABEL));
    }
    text.push_str(&details(review, style));
    text
}

/// The review at the end of a development: one line of marks, then what was found.
pub(crate) fn summary(review: &Review, style: Style) -> String {
    let head = format!(
        "review: {}, {:.1} of 10, by {}",
        words::verdict(review.verdict),
        review.score,
        review.origin.model
    );
    format!("{}\n{}", style.bold(&head), details(review, style))
}

fn details(review: &Review, style: Style) -> String {
    let mut text = String::new();
    let mut line = |words: String| {
        text.push_str("  ");
        text.push_str(&words);
        text.push('\n');
    };
    if let Some(overruled) = &review.overruled {
        line(format!("facts outrank the model: {overruled}"));
    }
    let marks: Vec<_> =
        review.scores.iter().map(|mark| format!("{} {:.1}", mark.aspect, mark.score)).collect();
    if !marks.is_empty() {
        line(marks.join(" · "));
    }
    if !review.summary.trim().is_empty() {
        line(one_line(&review.summary));
    }
    for finding in &review.findings {
        let place = finding.lines.map(|span| format!("{}: ", words::lines(span))).unwrap_or_default();
        let severity = format!("{:<8}", finding.severity.to_string());
        line(format!(
            "{} {place}{}",
            severity_style(finding.severity, &severity, style),
            one_line(&finding.message)
        ));
        if let Some(suggestion) = &finding.suggestion {
            line(format!("         → {}", one_line(suggestion)));
        }
    }
    for advice in &review.recommendations {
        line(format!("{} {}", style.dim("advice  "), one_line(advice)));
    }
    text
}

fn severity_style(severity: Severity, text: &str, style: Style) -> String {
    match severity {
        Severity::Critical | Severity::Major => style.red(text),
        Severity::Minor => style.yellow(text),
        Severity::Info => style.dim(text),
    }
}

/// A model's sentence in one line.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn a_review_names_verdict_marks_findings_and_who_answered() {
        assert_eq!(
            text(&sample::review(Verdict::RequestChanges), Style::PLAIN),
            "changes requested · 8.5 of 10 · demo · 130 tokens · 0.9 s
scripted answers: no model was asked
  functionality 8.5
  Short and clear.
  major    line 1: it overflows
           → use checked_add
  advice   Add a doc comment.
"
        );
    }
}
