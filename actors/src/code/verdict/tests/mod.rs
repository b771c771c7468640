//! Answers of reviewers as they really come, and the opinion that is read from each.

mod broken;
mod hostile;
mod json;
mod prose;

use playhouse_protocol::review::{Finding, Parse};

use super::{Opinion, read_opinion};

/// The opinion on code of 20 lines, in one line a part.
fn check(answer: &str) -> String {
    shown(&read_opinion(answer, 20))
}

fn shown(opinion: &Opinion) -> String {
    let verdict = opinion.verdict.map_or("none".to_owned(), |verdict| verdict.to_string());
    let mut lines = vec![format!("{:?}: {verdict}", opinion.parse)];
    let scores: Vec<_> =
        opinion.scores.iter().map(|mark| format!("{} {}", mark.aspect, mark.score)).collect();
    if !scores.is_empty() {
        lines.push(scores.join(", "));
    }
    lines.extend(opinion.overall.map(|overall| format!("overall {overall}")));
    lines.extend(opinion.findings.iter().map(finding));
    lines.extend(opinion.recommendations.iter().map(|text| format!("* {text}")));
    if !opinion.summary.is_empty() {
        lines.push(format!("says {}", opinion.summary));
    }
    lines.join("\n")
}

fn finding(finding: &Finding) -> String {
    let place = finding.lines.map_or(String::new(), |span| format!(" {}-{}", span.first, span.last));
    let aspect = finding.aspect.map_or(String::new(), |aspect| format!(" ({aspect})"));
    let suggestion = finding.suggestion.as_ref().map_or(String::new(), |text| format!(" -> {text}"));
    format!("- {}{place}{aspect}: {}{suggestion}", finding.severity, finding.message)
}

fn parse_of(answer: &str) -> Parse {
    read_opinion(answer, 20).parse
}
