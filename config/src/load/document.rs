//! Text → a value, with the place of everything in it.

use serde_json::Value;

use crate::error::ConfigError;
use crate::report::Report;
use crate::{marks, yaml};

/// Reads one YAML document and gives its marks to the report. Errors of the whole text come back; errors of
/// single keys go into the report.
pub(crate) fn read(text: &str, report: &mut Report) -> Result<Value, ConfigError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (marks, duplicates) = marks::scan(text)?;
    if marks.is_empty() {
        return Ok(Value::Null);
    }
    report.set_marks(marks);
    let mut key_errors = Vec::new();
    let value = yaml::parse(text, &mut key_errors)?;
    for (path, error) in key_errors {
        // The scan has seen equal keys too, and knows both places. Where the two readers do not agree on
        // what a key is, there is this word alone.
        if !duplicates.iter().any(|(seen, _)| *seen == path) {
            report.value(&path, error);
        }
    }
    for (_, duplicate) in duplicates {
        report.add(duplicate);
    }
    Ok(value)
}
