//! Made-up data that templates are tried with: once everything is there, once as little as can be.

use playhouse_protocol::code::Language;
use serde_json::Value;

use super::context::{
    CompressContext, FactsContext, GenerateContext, JudgeContext, ReviewContext, RevisionContext,
};
use super::library::PromptName;

/// The names of the variables that a prompt is given.
pub(super) fn variables(name: PromptName) -> Vec<String> {
    let full = contexts(name).into_iter().next();
    let fields = full.as_ref().and_then(Value::as_object);
    fields.map(|fields| fields.keys().cloned().collect()).unwrap_or_default()
}

/// The full data first.
pub(super) fn contexts(name: PromptName) -> Vec<Value> {
    let values = match name {
        PromptName::Generate => {
            [serde_json::to_value(full_generate()), serde_json::to_value(sparse_generate())]
        }
        PromptName::Review => [serde_json::to_value(full_review()), serde_json::to_value(sparse_review())],
        PromptName::Compress => [
            serde_json::to_value(compress(vec!["47 kPa".to_owned()])),
            serde_json::to_value(compress(Vec::new())),
        ],
        PromptName::Judge => [serde_json::to_value(judge("Nine are left.")), serde_json::to_value(judge(""))],
    };
    // Plain structs of texts always have a JSON form.
    values.into_iter().flatten().collect()
}

fn compress(pins: Vec<String>) -> CompressContext {
    CompressContext { text: "The pressure was 47 kPa.".to_owned(), words: 3, pins }
}

fn judge(answer: &str) -> JudgeContext {
    JudgeContext {
        question: "All but 9 of 17 sheep run away. How many are left?".to_owned(),
        accepted: vec!["9".to_owned()],
        answer: answer.to_owned(),
    }
}

fn full_generate() -> GenerateContext {
    GenerateContext {
        spec: "Add two numbers.".to_owned(),
        language: Language::Rust.into(),
        constraints: vec!["Be brief.".to_owned()],
        context: Some("Numbers are u64.".to_owned()),
        tests: true,
        revision: Some(RevisionContext {
            code: "fn add() {}".to_owned(),
            tests: "mod tests {}".to_owned(),
            feedback: vec!["It adds nothing.".to_owned()],
        }),
    }
}

fn sparse_generate() -> GenerateContext {
    GenerateContext {
        spec: "Add two numbers.".to_owned(),
        language: Language::Rust.into(),
        constraints: Vec::new(),
        context: None,
        tests: false,
        revision: None,
    }
}

fn full_review() -> ReviewContext {
    ReviewContext {
        spec: Some("Add two numbers.".to_owned()),
        code: "fn add() {}".to_owned(),
        tests: "mod tests {}".to_owned(),
        language: Language::Rust.into(),
        focus: vec!["security".to_owned()],
        facts: FactsContext {
            parses: Some(false),
            diagnostics: vec!["line 1: expected an expression".to_owned()],
            metrics: vec!["lines of code: 1".to_owned()],
        },
        schema: super::review_schema().to_owned(),
        structured: false,
    }
}

fn sparse_review() -> ReviewContext {
    ReviewContext {
        spec: None,
        code: "fn add() {}".to_owned(),
        tests: String::new(),
        language: Language::Rust.into(),
        focus: Vec::new(),
        facts: FactsContext::default(),
        schema: super::review_schema().to_owned(),
        structured: true,
    }
}
