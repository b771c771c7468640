//! The form of a report that is compared byte for byte.

use crate::analysis::Report;

/// The report as JSON with a line break at its end: the same bytes for the same run.
///
/// # Errors
/// Never: everything in a report can be written.
pub fn json(report: &Report) -> serde_json::Result<String> {
    serde_json::to_string_pretty(report).map(|text| text + "\n")
}
