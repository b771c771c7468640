//! Generated code for people, and as a file.

use std::fmt::Write as _;

use playhouse_protocol::code::Language;
use playhouse_protocol::generate::{GeneratedCode, join_source};

use super::{SCRIPTED_LABEL, words};
use crate::style::Style;

/// The result of `playhouse generate`; `code` stands where the code belongs.
pub(crate) fn text(generated: &GeneratedCode, code: &str, style: Style) -> String {
    let parses = match generated.facts.parses {
        Some(true) => " · parses",
        Some(false) => " · does not parse",
        None => "",
    };
    let mut text = format!(
        "{}{parses} · {} · {} · {}\n",
        style.bold(&format!("generated {}", generated.language.display_name())),
        generated.origin.model,
        words::usage(&generated.usage),
        words::seconds(generated.elapsed_ms)
    );
    if generated.origin.provider.is_scripted() {
        let _ = writeln!(text, "{}", style.yellow(SCRIPTED_LABEL));
    }
    text.push('\n');
    text.push_str(code);
    if !generated.explanation.trim().is_empty() {
        text.push('\n');
        text.push_str(generated.explanation.trim());
        text.push('\n');
    }
    for diagnostic in &generated.facts.diagnostics {
        let _ = writeln!(text, "{} {diagnostic}", style.red("parser:"));
    }
    for warning in &generated.warnings {
        let _ = writeln!(text, "{} {warning}", style.yellow("warning:"));
    }
    text
}

/// Code and tests as a source file, labelled when no model was asked.
pub(crate) fn source(language: Language, code: &str, tests: &str, scripted: bool) -> String {
    let source = join_source(code, tests);
    if scripted { format!("{}\n{source}", words::comment(language, SCRIPTED_LABEL)) } else { source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn generated_code_stands_between_facts_and_explanation() {
        let generated = sample::generated("fn add() {}");
        assert_eq!(
            text(&generated, &generated.source(), Style::PLAIN),
            "generated Rust · parses · demo · 150 tokens · 1.5 s
scripted answers: no model was asked

fn add() {}

#[test]
fn one() {}

It adds.
warning: the answer was cut
"
        );
    }

    #[test]
    fn a_source_file_says_when_no_model_was_asked() {
        let file = |language, scripted| source(language, "x", "", scripted);
        assert_eq!(file(Language::Python, true), "# scripted answers: no model was asked\nx\n");
        assert_eq!(file(Language::Rust, false), "x\n");
    }
}
