//! What is known of code before a model is asked.
//!
//! Rust is parsed with syn and measured; for other languages only lines are counted, and
//! [`CodeFacts::parses`] is `None`.

mod depth;
mod lines;
mod rust_metrics;
mod rust_source;
#[cfg(test)]
mod tests;

use playhouse_protocol::code::{CodeFacts, CodeMetrics, Language};

pub use rust_source::{PATH_TOKENS_MAX, RUST_BYTES_MAX};
pub(crate) use rust_source::{ParseOutcome, with_parsed};

/// What is known of `source`. Never fails: what cannot be found out is left out or becomes a diagnostic.
pub fn facts(language: Language, source: &str) -> CodeFacts {
    let counts = lines::count(language, source);
    let mut metrics = CodeMetrics { code_lines: counts.code, comment_lines: counts.comment, syntax: None };
    if language != Language::Rust {
        return CodeFacts { parses: None, diagnostics: Vec::new(), metrics };
    }
    match rust_source::with_parsed(source, rust_metrics::measure) {
        ParseOutcome::Parsed { value, diagnostics } => {
            metrics.syntax = Some(value);
            CodeFacts { parses: Some(true), diagnostics, metrics }
        }
        ParseOutcome::Broken(diagnostics) => CodeFacts { parses: Some(false), diagnostics, metrics },
        ParseOutcome::Unknown(diagnostic) => {
            CodeFacts { parses: None, diagnostics: vec![diagnostic], metrics }
        }
    }
}
