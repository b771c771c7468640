//! Reports in Markdown.

use std::fmt::Write as _;

use playhouse_protocol::develop::{Developed, Round};
use playhouse_protocol::generate::GeneratedCode;
use playhouse_protocol::review::Review;

use super::review::one_line;
use super::{SCRIPTED_LABEL, develop, words};
use crate::style::Style;

/// A development with every round.
pub(crate) fn developed(developed: &Developed, spec: &str) -> String {
    let mut text = format!("# Develop: {}\n\n", title(spec));
    notice(&mut text, developed.scripted);
    let _ = writeln!(text, "**{}**\n", develop::header(developed, Style::PLAIN));
    let _ = writeln!(text, "Round {} was kept: {}.\n", developed.best_round, developed.best_because);
    text.push_str("## Result\n\n");
    block(&mut text, developed.language.as_str(), &developed.source());
    for warning in &developed.warnings {
        let _ = writeln!(text, "- warning: {}", one_line(warning));
    }
    if !developed.warnings.is_empty() {
        text.push('\n');
    }
    for one in &developed.rounds {
        round(&mut text, one);
    }
    text.push_str("## Spec\n\n");
    block(&mut text, "text", spec);
    finish(&text)
}

/// Generated code.
pub(crate) fn generated(generated: &GeneratedCode, spec: &str) -> String {
    let mut text = format!("# Generate: {}\n\n", title(spec));
    notice(&mut text, generated.origin.provider.is_scripted());
    code(&mut text, generated);
    text.push_str("## Spec\n\n");
    block(&mut text, "text", spec);
    finish(&text)
}

/// A review.
pub(crate) fn reviewed(review: &Review, name: &str) -> String {
    let mut text = format!("# Review: {}\n\n", title(name));
    notice(&mut text, review.origin.provider.is_scripted());
    judgement(&mut text, review);
    finish(&text)
}

fn notice(text: &mut String, scripted: bool) {
    if scripted {
        let _ = writeln!(text, "> {SCRIPTED_LABEL}\n");
    }
}

fn round(text: &mut String, round: &Round) {
    let _ = writeln!(text, "## Round {}\n", round.number);
    code(text, &round.generated);
    if let Some(review) = &round.review {
        text.push_str("### Review\n\n");
        judgement(text, review);
    }
    if let Some(failure) = &round.review_failure {
        let _ = writeln!(text, "No review: failed to {}\n", one_line(failure));
    }
}

fn code(text: &mut String, generated: &GeneratedCode) {
    block(text, generated.language.as_str(), &generated.source());
    if !generated.explanation.trim().is_empty() {
        let _ = writeln!(text, "{}\n", generated.explanation.trim());
    }
    let parses = match generated.facts.parses {
        Some(true) => "it parses, ",
        Some(false) => "it does not parse, ",
        None => "",
    };
    let _ = writeln!(
        text,
        "By {}: {parses}{}, {}.\n",
        generated.origin.model,
        words::usage(&generated.usage),
        words::seconds(generated.elapsed_ms)
    );
    for diagnostic in &generated.facts.diagnostics {
        let _ = writeln!(text, "- parser: {diagnostic}");
    }
    for warning in &generated.warnings {
        let _ = writeln!(text, "- warning: {}", one_line(warning));
    }
    if !(generated.facts.diagnostics.is_empty() && generated.warnings.is_empty()) {
        text.push('\n');
    }
}

fn judgement(text: &mut String, review: &Review) {
    let _ = writeln!(
        text,
        "**{}, {:.1} of 10**, by {}: {}, {}.\n",
        words::verdict(review.verdict),
        review.score,
        review.origin.model,
        words::usage(&review.usage),
        words::seconds(review.elapsed_ms)
    );
    if let Some(overruled) = &review.overruled {
        let _ = writeln!(text, "Facts outrank the model: {}\n", one_line(overruled));
    }
    if !review.summary.trim().is_empty() {
        let _ = writeln!(text, "{}\n", one_line(&review.summary));
    }
    if !review.scores.is_empty() {
        text.push_str("| aspect | score |\n|---|---|\n");
        for mark in &review.scores {
            let _ = writeln!(text, "| {} | {:.1} |", mark.aspect, mark.score);
        }
        text.push('\n');
    }
    for finding in &review.findings {
        let place = finding.lines.map(|span| format!("{}: ", words::lines(span))).unwrap_or_default();
        let _ = writeln!(text, "- **{}** {place}{}", finding.severity, one_line(&finding.message));
        if let Some(suggestion) = &finding.suggestion {
            let _ = writeln!(text, "  - {}", one_line(suggestion));
        }
    }
    for advice in &review.recommendations {
        let _ = writeln!(text, "- advice: {}", one_line(advice));
    }
    if !(review.findings.is_empty() && review.recommendations.is_empty()) {
        text.push('\n');
    }
}

/// The first words of a spec.
fn title(spec: &str) -> String {
    const CHARS_MAX: usize = 80;
    let line = one_line(spec);
    if line.chars().count() <= CHARS_MAX {
        return line;
    }
    let cut: String = line.chars().take(CHARS_MAX).collect();
    format!("{cut}…")
}

/// A fenced block whose fence is longer than any run of backticks in it.
fn block(text: &mut String, label: &str, content: &str) {
    let mut longest = 0;
    let mut run = 0;
    for c in content.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(longest.max(2) + 1);
    let _ = writeln!(text, "{fence}{label}\n{}\n{fence}\n", content.trim_end());
}

/// One line break at the end, as text files have.
fn finish(text: &str) -> String {
    format!("{}\n", text.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn a_report_has_every_round_with_code_and_review() {
        let text = developed(&sample::developed(), "Add\nnumbers.");
        assert!(text.starts_with(
            "# Develop: Add numbers.

> scripted answers: no model was asked

**approved in round 2 · demo · 4,160 tokens · 4.8 s**

Round 2 was kept: it was approved.

## Result

```rust
fn add() {}

#[test]
fn one() {}
```

- warning: round 1: the answer was cut

## Round 1

```rust
fn a() {}
"
        ));
        assert!(text.contains(
            "### Review

**changes requested, 8.5 of 10**, by demo: 130 tokens, 0.9 s.

Short and clear.

| aspect | score |
|---|---|
| functionality | 8.5 |

- **major** line 1: it overflows
  - use checked_add
- advice: Add a doc comment.

## Round 2
"
        ));
        assert!(text.ends_with("## Spec\n\n```text\nAdd\nnumbers.\n```\n"));
    }

    #[test]
    fn a_fence_is_longer_than_those_in_the_code() {
        let mut text = String::new();
        block(&mut text, "text", "a ```` b");
        assert_eq!(text, "`````text\na ```` b\n`````\n\n");
    }
}
