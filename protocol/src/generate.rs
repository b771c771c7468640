//! Request and reply of the code generator.

use serde::{Deserialize, Serialize};

use crate::code::{CodeBlock, CodeFacts, Language};
use crate::completion::{Origin, Sampling};
use crate::usage::Usage;

/// The longest spec, in bytes: more than 16,000 tokens of English prose, which no shipped model takes.
pub const SPEC_BYTES_MAX: usize = 64 * 1024;

/// Write code for a spec.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GenerateCode {
    /// What the code must do: 1 to [`SPEC_BYTES_MAX`] bytes, not only white space.
    pub spec: String,
    /// The language to write.
    pub language: Language,
    /// Rules beyond the spec, one sentence each.
    pub constraints: Vec<String>,
    /// Code or text that the answer has to fit to.
    pub context: Option<String>,
    /// Whether tests are asked for.
    pub tests: bool,
    /// What to change, when this is not the first attempt.
    pub revision: Option<Revision>,
    /// The catalog entry to ask; `None` selects by task type.
    pub model: Option<String>,
    /// How tokens are chosen; unset fields take the agent's settings.
    pub sampling: Sampling,
}

/// An earlier attempt and what was found wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The earlier answer's code.
    pub code: String,
    /// The earlier answer's tests; may be empty.
    pub tests: String,
    /// What must change, most important first.
    pub feedback: Vec<String>,
}

/// Code for a spec.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GeneratedCode {
    /// The language asked for.
    pub language: Language,
    /// The code, without its tests where these stood apart.
    pub code: String,
    /// The tests; empty where none were given apart from the code.
    pub tests: String,
    /// What the model said around the code.
    pub explanation: String,
    /// Every fenced block of the answer, in order.
    pub blocks: Vec<CodeBlock>,
    /// How the code was found in the answer.
    pub extraction: Extraction,
    /// What the model says of its code.
    pub metadata: CodeMetadata,
    /// What is known of code and tests together.
    pub facts: CodeFacts,
    /// What a user should know: a cut answer, missing tests.
    pub warnings: Vec<String>,
    /// Who answered.
    pub origin: Origin,
    /// What it used.
    pub usage: Usage,
    /// Time from request to reply, in milliseconds.
    pub elapsed_ms: u64,
}

impl GeneratedCode {
    /// Code and tests as one file.
    pub fn source(&self) -> String {
        join_source(&self.code, &self.tests)
    }
}

/// Code and tests as one file: the code, a blank line, the tests.
pub fn join_source(code: &str, tests: &str) -> String {
    let code = code.trim_end();
    let tests = tests.trim();
    match (code.is_empty(), tests.is_empty()) {
        (_, true) => format!("{code}\n"),
        (true, false) => format!("{tests}\n"),
        (false, false) => format!("{code}\n\n{tests}\n"),
    }
}

/// How code was found in an answer, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Extraction {
    /// Fenced blocks that were closed.
    Fenced,
    /// A fence that the answer never closed.
    UnclosedFence,
    /// No fence: the part of the answer that looks like code.
    Bare,
}

/// What a model says of its code; every field is its word alone.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeMetadata {
    /// For example "low", "medium", "high" or "O(n)".
    pub complexity: Option<String>,
    /// Packages that the code needs.
    pub dependencies: Vec<String>,
    /// How long a person would need for it.
    pub estimated_time: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_tests_are_joined_by_one_blank_line() {
        assert_eq!(join_source("a\n\n", "\nb\n\n"), "a\n\nb\n");
        assert_eq!(join_source("a", "  "), "a\n");
        assert_eq!(join_source("", "b"), "b\n");
    }
}
