use playhouse_protocol::Usage;
use playhouse_protocol::completion::{Completion, Origin, ProviderKind, Route, Sampling, StopReason};
use playhouse_protocol::generate::{GenerateCode, SPEC_BYTES_MAX};

use super::CodeGenerator;
use super::agent::read_answer;
use crate::agent::{Agent, AgentError};

fn completion(text: &str, stop_reason: StopReason) -> Completion {
    Completion {
        text: text.to_owned(),
        stop_reason,
        usage: Usage { model_calls: 1, completion_tokens: 9, ..Usage::default() },
        usage_reported: true,
        route: Route::default(),
        origin: Origin { model: "m".to_owned(), provider: ProviderKind::Scripted, request_id: None },
    }
}

fn with_tests() -> GenerateCode {
    GenerateCode { spec: "add".to_owned(), tests: true, ..GenerateCode::default() }
}

#[test]
fn code_comes_with_its_facts_and_the_models_usage() {
    let answer = "Here:\n```rust\nfn add(a: i32, b: i32) -> i32 { a + b }\n```\n```rust\n#[test]\nfn adds() { assert_eq!(add(1, 2), 3); }\n```\nDone.";
    let generated = read_answer(&with_tests(), completion(answer, StopReason::Stop)).unwrap();
    assert_eq!(generated.facts.parses, Some(true));
    let syntax = generated.facts.metrics.syntax.unwrap();
    assert_eq!((syntax.functions, syntax.tests, syntax.test_assertions), (1, 1, 1));
    assert_eq!(generated.usage.completion_tokens, 9);
    assert!(generated.warnings.is_empty(), "{:?}", generated.warnings);
}

#[test]
fn a_cut_answer_and_missing_tests_are_warned_of() {
    let answer = "```rust\nfn add(a: i32, b: i32) -> i32 { a + b }\n```";
    let generated = read_answer(&with_tests(), completion(answer, StopReason::Length)).unwrap();
    assert_eq!(generated.warnings.len(), 2, "{:?}", generated.warnings);
    assert!(generated.warnings[0].contains("cut"));
    assert!(generated.warnings[1].contains("none were found"));
}

#[test]
fn an_answer_without_code_is_a_retryable_failure() {
    let refused = read_answer(&with_tests(), completion("I cannot do that.", StopReason::Stop)).unwrap_err();
    assert!(refused.class().is_retryable());
    assert!(matches!(refused, AgentError::Failed(failure) if failure.hint.is_some()));
}

#[test]
fn wrong_requests_are_refused_by_the_field_that_is_wrong() {
    let ok = with_tests();
    let sampling = |sampling| GenerateCode { sampling, ..with_tests() };
    for (request, word) in [
        (GenerateCode { spec: " \n".to_owned(), ..ok.clone() }, "the spec: it is empty"),
        (GenerateCode { spec: "x".repeat(SPEC_BYTES_MAX + 1), ..ok.clone() }, "the limit is 65536"),
        (GenerateCode { context: Some("x".repeat(SPEC_BYTES_MAX + 1)), ..ok.clone() }, "the context"),
        (GenerateCode { constraints: vec![String::new(); 33], ..ok.clone() }, "33 constraints"),
        (sampling(Sampling { temperature: Some(-1.0), ..Sampling::default() }), "temperature is -1"),
        (sampling(Sampling { temperature: Some(f32::NAN), ..Sampling::default() }), "temperature is NaN"),
        (sampling(Sampling { top_p: Some(0.0), ..Sampling::default() }), "top_p is 0"),
        (sampling(Sampling { top_k: Some(0), ..Sampling::default() }), "top_k is 0"),
    ] {
        let failure = CodeGenerator.validate(&request).unwrap_err();
        assert!(failure.message.contains(word), "{failure}");
        assert!(failure.hint.is_some(), "{failure} has no hint");
    }
    assert!(CodeGenerator.validate(&ok).is_ok());
}
