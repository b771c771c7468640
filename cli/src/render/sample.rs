//! A result to render in tests.

use playhouse_protocol::Usage;
use playhouse_protocol::code::{CodeFacts, Language, LineSpan};
use playhouse_protocol::completion::{Origin, ProviderKind};
use playhouse_protocol::develop::{DevelopStop, Developed, Round};
use playhouse_protocol::generate::{CodeMetadata, Extraction, GeneratedCode};
use playhouse_protocol::review::{
    Aspect, AspectScore, Finding, FindingSource, Parse, Review, Severity, Verdict,
};

fn origin() -> Origin {
    Origin { model: "demo".to_owned(), provider: ProviderKind::Scripted, request_id: None }
}

fn usage(completion_tokens: u64) -> Usage {
    Usage { model_calls: 1, prompt_tokens: 100, completion_tokens, ..Usage::default() }
}

pub(crate) fn generated(code: &str) -> GeneratedCode {
    GeneratedCode {
        language: Language::Rust,
        code: code.to_owned(),
        tests: "#[test]\nfn one() {}".to_owned(),
        explanation: "It adds.".to_owned(),
        blocks: Vec::new(),
        extraction: Extraction::Fenced,
        metadata: CodeMetadata { complexity: Some("O(1)".to_owned()), ..CodeMetadata::default() },
        facts: CodeFacts { parses: Some(true), ..CodeFacts::default() },
        warnings: vec!["the answer was cut".to_owned()],
        origin: origin(),
        usage: usage(50),
        elapsed_ms: 1_500,
    }
}

pub(crate) fn review(verdict: Verdict) -> Review {
    let findings = match verdict {
        Verdict::Approve => Vec::new(),
        Verdict::RequestChanges => vec![Finding {
            severity: Severity::Major,
            aspect: Some(Aspect::Functionality),
            lines: Some(LineSpan { first: 1, last: 1 }),
            message: "it overflows".to_owned(),
            suggestion: Some("use checked_add".to_owned()),
            source: FindingSource::Model,
        }],
    };
    Review {
        verdict,
        overruled: None,
        score: 8.5,
        scores: vec![AspectScore { aspect: Aspect::Functionality, score: 8.5 }],
        findings,
        recommendations: vec!["Add a doc comment.".to_owned()],
        summary: "Short and clear.".to_owned(),
        facts: CodeFacts::default(),
        parse: Parse::Exact,
        origin: origin(),
        usage: usage(30),
        elapsed_ms: 900,
    }
}

/// Two rounds, the second approved, all from a script.
pub(crate) fn developed() -> Developed {
    let round = |number, code: &str, verdict| Round {
        number,
        generated: generated(code),
        review: Some(review(verdict)),
        review_failure: None,
    };
    Developed {
        language: Language::Rust,
        code: "fn add() {}".to_owned(),
        tests: "#[test]\nfn one() {}".to_owned(),
        approved: true,
        best_round: 2,
        best_because: "it was approved".to_owned(),
        rounds: vec![
            round(1, "fn a() {}", Verdict::RequestChanges),
            round(2, "fn add() {}", Verdict::Approve),
        ],
        stop: DevelopStop::Approved,
        warnings: vec!["round 1: the answer was cut".to_owned()],
        scripted: true,
        usage: Usage { model_calls: 4, prompt_tokens: 4_000, completion_tokens: 160, ..Usage::default() },
        elapsed_ms: 4_800,
    }
}
