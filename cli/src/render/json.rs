//! Results for programs.

use playhouse_protocol::Failure;
use serde::Serialize;

use super::SCRIPTED_LABEL;

/// Counts up when a field is renamed, removed or changes its meaning; new fields do not count.
pub(crate) const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Envelope<'a, T> {
    schema_version: u32,
    /// What this is: "developed", "generated", …
    kind: &'static str,
    /// Says that no model was asked, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    notice: Option<&'static str>,
    #[serde(flatten)]
    body: &'a T,
}

/// A result as JSON with its schema version.
pub(crate) fn envelope<T: Serialize>(
    kind: &'static str,
    scripted: bool,
    body: &T,
) -> Result<String, Failure> {
    let notice = scripted.then_some(SCRIPTED_LABEL);
    let envelope = Envelope { schema_version: SCHEMA_VERSION, kind, notice, body };
    let text = serde_json::to_string_pretty(&envelope)
        .map_err(|error| Failure::internal(format!("write the result as JSON: {error}")))?;
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn a_result_carries_its_version_and_the_notice_that_no_model_was_asked() {
        let text = envelope("developed", true, &sample::developed()).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json["schema_version"], 1);
        assert_eq!(json["kind"], "developed");
        assert_eq!(json["notice"], SCRIPTED_LABEL);
        assert_eq!(json["approved"], true);
        assert_eq!(json["rounds"][1]["review"]["verdict"], "approve");
    }
}
