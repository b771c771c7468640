//! Values that are never printed.

use std::fmt;

/// A key or a password: can be used, not shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    value: String,
    reference: String,
}

impl Secret {
    /// A secret that was read from `reference`, for example `env:OPENAI_API_KEY`.
    pub fn new(value: impl Into<String>, reference: impl Into<String>) -> Self {
        Self { value: value.into(), reference: reference.into() }
    }

    /// The value itself; for the one place that sends it.
    pub fn reveal(&self) -> &str {
        &self.value
    }

    /// Where it was read from.
    pub fn reference(&self) -> &str {
        &self.reference
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.reference)
    }
}
