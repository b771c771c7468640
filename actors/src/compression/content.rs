//! What kind of text it is, by cheap signs.

use playhouse_protocol::compress::Content;

/// How much of a text is looked at, in bytes: the kind shows early.
const SAMPLE_BYTES_MAX: usize = 64 * 1024;

/// Words that begin a line of Rust.
const RUST_STARTS: [&str; 16] = [
    "fn ", "pub ", "use ", "impl ", "impl<", "struct ", "enum ", "trait ", "mod ", "let ", "#[", "#![",
    "//!", "///", "match ", "const ",
];

/// Finds out what kind of text it is.
pub(super) fn detect(text: &str) -> Content {
    let sample = &text[..text.floor_char_boundary(SAMPLE_BYTES_MAX)];
    let (mut lines, mut rust, mut alone, mut marked) = (0_usize, 0_usize, 0_usize, 0_usize);
    for line in sample.lines().map(str::trim).filter(|line| !line.is_empty()) {
        lines += 1;
        rust += usize::from(is_rust(line));
        alone += usize::from(stands_alone(line));
        marked += usize::from(is_marked(line));
    }
    // A quarter of all lines: closing brackets and expressions make up most of the rest of a source file.
    if rust * 4 >= lines && rust >= 1 && alone + rust >= lines / 2 && marked * 4 < lines {
        return Content::Rust;
    }
    if alone * 2 > lines && lines > 1 {
        return Content::Lines;
    }
    if marked > 0 { Content::Markdown } else { Content::Prose }
}

fn is_rust(line: &str) -> bool {
    RUST_STARTS.iter().any(|start| line.starts_with(start))
}

/// Lines of code, of logs, of tables: they end like code or begin with a time, a level or a number.
fn stands_alone(line: &str) -> bool {
    let ends_like_code = line.ends_with(['{', '}', ';', '(', ')', '[', ']', ',', '|', '\\']);
    let begins_like_a_log = line.starts_with(|first: char| first.is_ascii_digit())
        && line.bytes().take(20).filter(|byte| matches!(byte, b':' | b'-' | b'/')).count() >= 2;
    let level = ["[", "INFO", "WARN", "ERROR", "DEBUG", "TRACE", "level="];
    ends_like_code || begins_like_a_log || level.iter().any(|level| line.starts_with(level))
}

fn is_marked(line: &str) -> bool {
    line.starts_with("# ")
        || line.starts_with("## ")
        || line.starts_with("### ")
        || line.starts_with("```")
        || line.starts_with("- ")
        || line.starts_with("* ")
        || (line.starts_with('|') && line.len() > 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_apart() {
        let rust = "//! Docs.\nuse std::fmt;\n\npub fn f() -> u8 {\n    let x = 1;\n    x\n}\n";
        let log = "2026-01-02 03:04:05 INFO started\n2026-01-02 03:04:06 WARN slow\n";
        for (text, content) in [
            (rust, Content::Rust),
            (log, Content::Lines),
            ("# Title\n\nSome words.\n\n- one\n- two\n", Content::Markdown),
            ("It was late. She went home.\nNobody saw her.", Content::Prose),
            ("def f(x):\n    y = (x,\n      1)\n    return g(y)\nf(2)\n", Content::Lines),
            ("", Content::Prose),
        ] {
            assert_eq!(detect(text), content, "{text}");
        }
    }
}
