//! Answers as small models really give them, and what is made of each.

mod bare;
mod fences;
mod hostile;
mod roles;
mod versions;

use playhouse_protocol::code::Language;

use super::extract;

/// What was found, with a line before each part; `-` where there is no code.
fn show(language: Language, answer: &str) -> String {
    let found = match extract(language, answer) {
        Ok(found) => found,
        Err(error) => return format!("- {error}"),
    };
    let mut shown = vec![format!("[{:?}]", found.extraction), found.code.trim_end().to_owned()];
    let mut part = |name: &str, text: String| {
        if !text.is_empty() {
            shown.extend([format!("[{name}]"), text.trim_end().to_owned()]);
        }
    };
    part("tests", found.tests);
    part("says", found.explanation);
    let metadata = found.metadata;
    let said = [metadata.complexity, Some(metadata.dependencies.join("+")), metadata.estimated_time];
    if said.iter().flatten().any(|value| !value.is_empty()) {
        part("metadata", said.map(Option::unwrap_or_default).join(" | "));
    }
    part("notes", found.notes.join("\n"));
    shown.join("\n")
}

fn rust(answer: &str) -> String {
    show(Language::Rust, answer)
}

fn python(answer: &str) -> String {
    show(Language::Python, answer)
}
