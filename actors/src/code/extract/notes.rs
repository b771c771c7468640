//! What a model writes around its code: headings, explanations, metadata.

use playhouse_protocol::generate::CodeMetadata;

use super::metadata;

/// What the text before a block announces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Heading {
    /// Nothing in particular, or code.
    None,
    /// Tests.
    Tests,
    /// How to call or run the code, or what it prints.
    Usage,
    /// Facts about the code.
    Metadata,
}

impl Heading {
    /// What the last heading, or line that ends like one, of `prose` announces.
    pub(super) fn last_in(prose: &str) -> Self {
        let line = prose.lines().rev().find(|line| is_heading(line));
        line.map_or(Self::None, Self::of)
    }

    fn of(line: &str) -> Self {
        let words: Vec<String> = line
            .split(|char: char| !char.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect();
        let any = |known: &[&str]| words.iter().any(|word| known.contains(&word.as_str()));
        if any(&["metadata"]) {
            Self::Metadata
        } else if any(&[
            "usage", "example", "examples", "output", "run", "running", "compile", "call", "demo",
        ]) {
            Self::Usage
        } else if any(&["test", "tests", "testing", "unittest", "unittests"]) {
            Self::Tests
        } else {
            Self::None
        }
    }
}

/// The longest line that is taken for a heading, in bytes.
const HEADING_BYTES_MAX: usize = 160;

fn is_heading(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty()
        && line.len() <= HEADING_BYTES_MAX
        && (line.starts_with('#')
            || line.ends_with([':', '：'])
            || (line.starts_with("**") && line.ends_with("**")))
}

/// A heading that names a section of the answer and says nothing else.
fn is_section_name(line: &str) -> bool {
    let name: String = line.chars().filter(|char| char.is_alphabetic() || *char == ' ').collect();
    let marked = line.trim_start().starts_with(['#', '*']) || line.trim_end().ends_with(':');
    let sections = [
        "function",
        "code",
        "implementation",
        "solution",
        "tests",
        "test",
        "unit tests",
        "metadata",
        "explanation",
    ];
    marked && sections.contains(&name.trim().to_lowercase().as_str())
}

/// The explanation and the metadata of an answer's prose and of its blocks that are no code.
pub(super) fn read(prose: &[String], other_blocks: &[String]) -> (String, CodeMetadata) {
    let mut metadata = CodeMetadata::default();
    let mut lines: Vec<&str> = Vec::new();
    for text in prose {
        for line in text.lines() {
            let blank = line.trim().is_empty();
            if blank && lines.last().is_none_or(|last| last.is_empty()) {
                continue;
            }
            if !is_section_name(line) && !is_fence(line) && !metadata::take(&mut metadata, line) {
                lines.push(if blank { "" } else { line.trim_end() });
            }
        }
        if lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push("");
        }
    }
    for line in other_blocks.iter().flat_map(|block| block.lines()) {
        metadata::take(&mut metadata, line);
    }
    (lines.join("\n").trim().to_owned(), metadata)
}

fn is_fence(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && (line.bytes().all(|byte| byte == b'`') || line.bytes().all(|byte| byte == b'~'))
}
