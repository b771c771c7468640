//! What facts alone say against code.

use playhouse_protocol::code::{Diagnostic, Language, LineSpan, SyntaxMetrics};
use playhouse_protocol::review::{Aspect, Finding, FindingSource, Severity};

use super::Case;
use crate::code::extract::holds_tests;

/// Something that facts say against code.
#[derive(Debug, Clone, PartialEq)]
pub struct Fault {
    /// What is shown and sent back to the generator.
    pub finding: Finding,
    /// Whether code with this fault is never approved.
    pub blocks: bool,
    /// The highest score of code with this fault.
    pub score_max: f32,
}

/// The most diagnostics that become findings: those after them are mostly consequences.
const DIAGNOSTICS_MAX: usize = 5;

/// All faults of a case, worst first.
pub fn faults(case: &Case<'_>) -> Vec<Fault> {
    if case.facts.metrics.code_lines == 0 {
        return vec![
            Fault::blocking(Severity::Critical, 0.0, "there is no code").about(Aspect::Functionality),
        ];
    }
    let diagnostics = case.facts.diagnostics.iter().take(DIAGNOSTICS_MAX);
    let mut faults: Vec<Fault> = diagnostics.map(|diagnostic| diagnosed(case, diagnostic)).collect();
    if case.facts.parses == Some(false) && faults.is_empty() {
        faults.push(
            Fault::blocking(Severity::Critical, 2.0, "the code does not parse").about(Aspect::Functionality),
        );
    }
    match &case.facts.metrics.syntax {
        Some(syntax) => faults.extend(counted(case, syntax)),
        None if case.language != Language::Rust
            && case.tests_expected
            && !holds_tests(case.language, case.source) =>
        {
            faults.push(
                Fault::note(Severity::Minor, "tests were asked for, and none can be seen")
                    .about(Aspect::Testing),
            );
        }
        None => {}
    }
    faults
}

fn diagnosed(case: &Case<'_>, diagnostic: &Diagnostic) -> Fault {
    let said = &diagnostic.message;
    let fault = match case.facts.parses {
        Some(false) => Fault::blocking(Severity::Critical, 2.0, format!("the code does not parse: {said}")),
        // A parser that found no item found no code either.
        Some(true) if diagnostic.line.is_none() => Fault::blocking(Severity::Critical, 0.0, said.clone()),
        Some(true) => Fault::blocking(Severity::Major, 5.0, said.clone()),
        None => Fault::blocking(Severity::Major, 5.0, format!("the code could not be parsed: {said}")),
    };
    Fault { finding: Finding { lines: existing_line(case, diagnostic), ..fault.finding }, ..fault }
        .about(Aspect::Functionality)
}

/// A parser may point behind the last line, where something is missing.
fn existing_line(case: &Case<'_>, diagnostic: &Diagnostic) -> Option<LineSpan> {
    let last = u32::try_from(case.source.lines().count()).unwrap_or(u32::MAX);
    let line = diagnostic.line?.min(last);
    (line >= 1).then_some(LineSpan { first: line, last: line })
}

fn counted(case: &Case<'_>, syntax: &SyntaxMetrics) -> Vec<Fault> {
    let mut faults = Vec::new();
    if syntax.placeholders > 0 {
        let said = format!("{} left out with todo!() or unimplemented!()", parts(syntax.placeholders));
        faults.push(Fault::blocking(Severity::Critical, 4.0, said).about(Aspect::Functionality));
    }
    if case.tests_expected && syntax.tests == 0 {
        faults.push(
            Fault::blocking(Severity::Major, 6.0, "tests were asked for, and there is none")
                .about(Aspect::Testing),
        );
    } else if case.tests_expected && syntax.test_assertions == 0 {
        faults.push(Fault::blocking(Severity::Major, 6.0, "no test asserts anything").about(Aspect::Testing));
    }
    // Placeholders inside of tests are not among the panicking calls, hence the saturation.
    let panicking = syntax.panicking_calls.saturating_sub(syntax.placeholders);
    if panicking > 0 {
        let said = format!("{panicking} call(s) of unwrap, expect or panic! outside of tests");
        faults.push(Fault::note(Severity::Minor, said).about(Aspect::Quality));
    }
    if syntax.unsafe_uses > 0 {
        let said = format!("{} unsafe block(s) or function(s)", syntax.unsafe_uses);
        faults.push(Fault::note(Severity::Info, said).about(Aspect::Security));
    }
    faults
}

fn parts(count: u32) -> String {
    if count == 1 { "1 part is".to_owned() } else { format!("{count} parts are") }
}

impl Fault {
    fn blocking(severity: Severity, score_max: f32, message: impl Into<String>) -> Self {
        let finding = Finding {
            severity,
            aspect: None,
            lines: None,
            message: message.into(),
            suggestion: None,
            source: FindingSource::Facts,
        };
        Self { finding, blocks: true, score_max }
    }

    fn note(severity: Severity, message: impl Into<String>) -> Self {
        Self { blocks: false, score_max: 10.0, ..Self::blocking(severity, 10.0, message) }
    }

    fn about(mut self, aspect: Aspect) -> Self {
        self.finding.aspect = Some(aspect);
        self
    }
}
