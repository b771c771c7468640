//! What went wrong, in a form that can be decided on and sent.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The one property of a failure on which code decides: whether to retry, what status or exit code to give.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureClass {
    /// The same request may succeed later: a provider's 5xx, a broken connection, a crashed agent.
    Retryable,
    /// A bound was reached; nothing was started. Try again after the hint.
    Overloaded,
    /// The request itself is wrong and will fail again until it is changed.
    InvalidInput,
    /// A rule forbids it: a wrong key, a spent budget, a missing right.
    Denied,
    /// The time limit passed before the answer came.
    Deadline,
    /// Whoever asked took the request back.
    Cancelled,
    /// A fault in Playhouse or in an agent.
    Internal,
}

impl FailureClass {
    /// Every class, in the order of declaration.
    pub const ALL: [Self; 7] = [
        Self::Retryable,
        Self::Overloaded,
        Self::InvalidInput,
        Self::Denied,
        Self::Deadline,
        Self::Cancelled,
        Self::Internal,
    ];

    /// The name used in metrics, logs and JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Retryable => "retryable",
            Self::Overloaded => "overloaded",
            Self::InvalidInput => "invalid_input",
            Self::Denied => "denied",
            Self::Deadline => "deadline",
            Self::Cancelled => "cancelled",
            Self::Internal => "internal",
        }
    }

    /// Whether trying the same request again can help.
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::Retryable | Self::Overloaded => true,
            Self::InvalidInput | Self::Denied | Self::Deadline | Self::Cancelled | Self::Internal => false,
        }
    }
}

impl fmt::Display for FailureClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A failure as it travels: between actors, into reports, over the wire.
///
/// `message` is a lower-case fragment that fits after "failed to", names the value that was wrong, and never
/// holds a secret or a prompt's text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What to decide on.
    pub class: FailureClass,
    /// What was wrong and where.
    pub message: String,
    /// What to do next, as a sentence of its own.
    pub hint: Option<String>,
    /// How long to wait before another try, in milliseconds, where somebody said so.
    pub retry_after_ms: Option<u64>,
}

impl Failure {
    /// A failure without a hint.
    pub fn new(class: FailureClass, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), hint: None, retry_after_ms: None }
    }

    /// A request that is wrong in itself.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(FailureClass::InvalidInput, message)
    }

    /// A fault of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(FailureClass::Internal, message)
    }

    /// The same failure with what to do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same failure with the time to wait before another try.
    #[must_use]
    pub fn with_retry_after_ms(mut self, retry_after_ms: u64) -> Self {
        self.retry_after_ms = Some(retry_after_ms);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn class_names_are_the_serde_names() {
        for class in FailureClass::ALL {
            let json = serde_json::to_string(&class).unwrap();
            assert_eq!(json, format!("\"{class}\""));
        }
    }

    #[test]
    fn only_retryable_and_overloaded_are_worth_another_try() {
        let worth: Vec<_> = FailureClass::ALL.into_iter().filter(|class| class.is_retryable()).collect();
        assert_eq!(worth, [FailureClass::Retryable, FailureClass::Overloaded]);
    }
}
