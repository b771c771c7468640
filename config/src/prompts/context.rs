//! What templates are given.

use playhouse_protocol::code::{CodeFacts, Language};
use playhouse_protocol::generate::GenerateCode;
use playhouse_protocol::review::ReviewCode;
use serde::Serialize;

use super::language::Customs;

/// A language as templates see it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct LanguageContext {
    /// The name in prose.
    pub name: &'static str,
    /// The label of a fenced block.
    pub label: &'static str,
    /// What is customary in it.
    #[serde(flatten)]
    pub customs: Customs,
}

impl From<Language> for LanguageContext {
    fn from(language: Language) -> Self {
        Self { name: language.display_name(), label: language.as_str(), customs: Customs::of(language) }
    }
}

/// What `generate` is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct GenerateContext {
    /// What the code must do.
    pub spec: String,
    /// The language to write.
    pub language: LanguageContext,
    /// Rules beyond the spec.
    pub constraints: Vec<String>,
    /// Code or text that the answer has to fit to.
    pub context: Option<String>,
    /// Whether tests are asked for.
    pub tests: bool,
    /// The earlier attempt and what to change in it.
    pub revision: Option<RevisionContext>,
}

/// An earlier attempt as templates see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RevisionContext {
    /// Its code.
    pub code: String,
    /// Its tests; may be empty.
    pub tests: String,
    /// What must change, most important first.
    pub feedback: Vec<String>,
}

impl From<&GenerateCode> for GenerateContext {
    fn from(request: &GenerateCode) -> Self {
        Self {
            spec: request.spec.clone(),
            language: request.language.into(),
            constraints: request.constraints.clone(),
            context: request.context.clone(),
            tests: request.tests,
            revision: request.revision.as_ref().map(|revision| RevisionContext {
                code: revision.code.clone(),
                tests: revision.tests.clone(),
                feedback: revision.feedback.clone(),
            }),
        }
    }
}

/// What `review` is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReviewContext {
    /// What the code should do, where known.
    pub spec: Option<String>,
    /// The code; templates number its lines.
    pub code: String,
    /// Its tests where they stand apart; may be empty.
    pub tests: String,
    /// The language it is written in.
    pub language: LanguageContext,
    /// Aspects to look at most; empty means all alike.
    pub focus: Vec<String>,
    /// What is known without a model.
    pub facts: FactsContext,
    /// The JSON schema of the answer, as text.
    pub schema: String,
    /// Whether the provider itself makes the answer fit the schema.
    pub structured: bool,
}

/// What `compress` is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompressContext {
    /// The text, or the part of it that the model's context holds.
    pub text: String,
    /// The most words that the answer may have.
    pub words: u64,
    /// What must be in the answer word for word; one line each.
    pub pins: Vec<String>,
}

/// What `judge` is given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct JudgeContext {
    /// What was asked.
    pub question: String,
    /// What is accepted.
    pub accepted: Vec<String>,
    /// What was answered.
    pub answer: String,
}

/// What is known of code without a model, as templates see it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FactsContext {
    /// Whether a parser read the code; `None` where there is no parser for the language.
    pub parses: Option<bool>,
    /// What the parser found wrong, one line each.
    pub diagnostics: Vec<String>,
    /// What was counted, one line each.
    pub metrics: Vec<String>,
}

impl From<&CodeFacts> for FactsContext {
    fn from(facts: &CodeFacts) -> Self {
        let metrics = &facts.metrics;
        let mut lines = vec![format!("lines of code: {}", metrics.code_lines)];
        if let Some(syntax) = &metrics.syntax {
            lines.push(format!("functions: {}, tests: {}", syntax.functions, syntax.tests));
            lines.push(format!("highest cyclomatic complexity: {}", syntax.complexity_max));
            let notable = [
                (syntax.panicking_calls, "calls that can panic (unwrap, expect, panic!)"),
                (syntax.unsafe_uses, "uses of unsafe"),
                (syntax.placeholders, "placeholders (todo!, unimplemented!)"),
            ];
            let present = notable.iter().filter(|(count, _)| *count > 0);
            lines.extend(present.map(|(count, what)| format!("{what}: {count}")));
        }
        Self {
            parses: facts.parses,
            diagnostics: facts.diagnostics.iter().map(ToString::to_string).collect(),
            metrics: lines,
        }
    }
}

impl ReviewContext {
    /// The context for a request, with what is known of its code.
    pub fn new(request: &ReviewCode, facts: &CodeFacts, structured: bool) -> Self {
        Self {
            spec: request.spec.clone(),
            code: request.code.clone(),
            tests: request.tests.clone(),
            language: request.language.into(),
            focus: request.focus.iter().map(ToString::to_string).collect(),
            facts: facts.into(),
            schema: super::review_schema().to_owned(),
            structured,
        }
    }
}
