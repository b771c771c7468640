//! The one door of this crate to `serde_yaml`.

use serde::de::DeserializeOwned;

/// A text that is not the YAML that was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct YamlError {
    /// The line, from 1; 0 when the error is about the whole text.
    pub line: usize,
    /// The column, from 1; 0 when the error is about the whole text.
    pub column: usize,
    /// What is wrong there.
    pub message: String,
}

/// Reads a text.
///
/// # Errors
/// With the place of the first thing that is wrong.
pub(crate) fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, YamlError> {
    serde_yaml::from_str(text).map_err(|error| {
        let location = error.location();
        let text = error.to_string();
        // The place is told once, by our own fields.
        let message = match text.rfind(" at line ") {
            Some(place) if location.is_some() => text[..place].to_owned(),
            _ => text,
        };
        YamlError {
            line: location.as_ref().map_or(0, serde_yaml::Location::line),
            column: location.as_ref().map_or(0, serde_yaml::Location::column),
            message,
        }
    })
}
