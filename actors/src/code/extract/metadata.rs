//! What a model says of its code: lines such as `Complexity: low`.

use playhouse_protocol::generate::CodeMetadata;

use crate::code::text::cut;

/// The most packages that are taken from an answer.
const DEPENDENCIES_MAX: usize = 32;
/// The longest value, in characters.
const VALUE_CHARS_MAX: usize = 120;

/// Takes what `line` says into `metadata`; whether it said anything. The first word on a matter stands.
pub(super) fn take(metadata: &mut CodeMetadata, line: &str) -> bool {
    let plain: String = line.chars().filter(|char| !matches!(char, '*' | '`' | '_')).collect();
    let plain = plain.trim().trim_start_matches(['-', '+', '•', '#']).trim_start();
    let Some((name, value)) = plain.split_once([':', '：']) else { return false };
    let value = value.trim().trim_end_matches(',');
    match name.trim().to_ascii_lowercase().as_str() {
        "complexity" | "time complexity" | "difficulty" => set(&mut metadata.complexity, value),
        "estimated time" | "estimatedtime" | "time estimate" => set(&mut metadata.estimated_time, value),
        "dependencies" | "required packages" | "requirements" | "crates" => {
            if metadata.dependencies.is_empty() {
                metadata.dependencies = names(value);
            }
        }
        // Counted here, so the model's own count is of no use.
        "lines of code" | "linesofcode" | "loc" => {}
        _ => return false,
    }
    true
}

fn set(field: &mut Option<String>, value: &str) {
    if field.is_none() && !value.is_empty() {
        *field = Some(cut(value, VALUE_CHARS_MAX));
    }
}

fn names(value: &str) -> Vec<String> {
    let listed = value.trim_start_matches(['[', '(']).trim_end_matches([']', ')', '.']);
    let names = listed.split([',', ';']).map(|name| name.trim().trim_matches(['"', '\'', ' ']));
    let nothing = |name: &str| {
        let name = name.to_ascii_lowercase();
        matches!(name.as_str(), "" | "none" | "n/a" | "na" | "nothing" | "-" | "no external dependencies")
            || name.starts_with("none ")
    };
    names
        .filter(|name| !nothing(name))
        .take(DEPENDENCIES_MAX)
        .map(|name| cut(name, VALUE_CHARS_MAX))
        .collect()
}
