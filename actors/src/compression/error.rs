//! Why a text cannot be made to fit.

use playhouse_protocol::{Failure, FailureClass};

/// Why a text cannot be made to fit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CompressError {
    /// The limit is below what is taken at all.
    #[error("compress to {limit_tokens} tokens: the smallest limit that works is {smallest_tokens}")]
    LimitTooSmall {
        /// What was asked for.
        limit_tokens: u64,
        /// What would work.
        smallest_tokens: u64,
    },
    /// What is pinned does not fit.
    #[error(
        "compress to {limit_tokens} tokens: the pinned spans need more; the smallest limit that works is \
         {smallest_tokens}"
    )]
    PinsTooLarge {
        /// What was asked for.
        limit_tokens: u64,
        /// What would work.
        smallest_tokens: u64,
    },
}

impl CompressError {
    /// What to decide on.
    pub const fn class(self) -> FailureClass {
        FailureClass::InvalidInput
    }

    /// The smallest limit that would work, in tokens.
    pub const fn smallest_tokens(self) -> u64 {
        match self {
            Self::LimitTooSmall { smallest_tokens, .. } | Self::PinsTooLarge { smallest_tokens, .. } => {
                smallest_tokens
            }
        }
    }
}

impl From<CompressError> for Failure {
    fn from(error: CompressError) -> Self {
        let smallest = error.smallest_tokens();
        let hint = match error {
            CompressError::LimitTooSmall { .. } => format!("Allow at least {smallest} tokens."),
            CompressError::PinsTooLarge { .. } => {
                format!("Allow at least {smallest} tokens, or pin less.")
            }
        };
        Self::new(error.class(), error.to_string()).with_hint(hint)
    }
}
