//! What the shipped agents ask: templates from files, versioned, checked when they are loaded.
//!
//! A template is a file `NAME.vN.j2` with two blocks, `system` and `user`. What a user wrote is data in it:
//! template syntax in a spec or in code stays text, and every such text stands between marks that it does
//! not itself contain.

mod context;
mod error;
mod files;
mod filters;
mod language;
mod library;
mod sample;
mod template;

pub use context::{
    CompressContext, FactsContext, GenerateContext, JudgeContext, LanguageContext, ReviewContext,
    RevisionContext,
};
pub use error::PromptError;
pub use language::Customs;
pub use library::{PromptLibrary, PromptName, RenderedPrompt};
pub(crate) use template::{InnerTemplate, sha256_hex};

/// The JSON schema of a review, for providers that make answers fit one and for the prompt of those that
/// do not.
pub const fn review_schema() -> &'static str {
    include_str!("../prompts/review.v1.schema.json")
}

#[cfg(test)]
mod tests;
