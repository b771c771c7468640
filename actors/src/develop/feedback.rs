//! From a review to what the next attempt is asked to change.

use playhouse_protocol::review::{Finding, Review, Severity};

/// The most points of feedback: more than a model follows at once.
const POINTS_MAX: usize = 8;

/// The longest point, in characters: a sentence or two.
const POINT_CHARS_MAX: usize = 300;

/// What must change, worst first. Facts stand before opinions of the same severity, as in the review. Remarks are
/// left out as long as there is anything else to say. Never empty.
pub(super) fn feedback(review: &Review) -> Vec<String> {
    let mut points: Vec<_> =
        review.findings.iter().filter(|finding| finding.severity > Severity::Info).map(point).collect();
    points.extend(review.overruled.clone());
    points.extend(review.recommendations.iter().cloned());
    if points.is_empty() {
        points.extend(review.findings.iter().map(point));
    }
    if points.is_empty() && !review.summary.trim().is_empty() {
        points.push(review.summary.clone());
    }
    if points.is_empty() {
        points.push("Check every case that the task names, and correct what is wrong.".to_owned());
    }
    points.truncate(POINTS_MAX);
    points.iter().map(|point| cut(point)).collect()
}

fn point(finding: &Finding) -> String {
    let place = finding.lines.map(|lines| format!("Line {}: ", lines.first)).unwrap_or_default();
    let advice = finding.suggestion.as_ref().map(|advice| format!(" {advice}")).unwrap_or_default();
    format!("{place}{}{advice}", finding.message)
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(POINT_CHARS_MAX) {
        None => text.to_owned(),
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
    }
}
