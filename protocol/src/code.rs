//! Source code as it is passed around: its language, its blocks, what was found in it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;

/// A programming language that agents write and review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
pub enum Language {
    /// Rust: generated code is parsed and measured with syn.
    #[default]
    Rust,
    /// Python.
    Python,
    /// TypeScript.
    TypeScript,
    /// JavaScript.
    JavaScript,
    /// Go.
    Go,
    /// Java.
    Java,
    /// C.
    C,
    /// C++.
    Cpp,
}

impl Language {
    /// Every language.
    pub const ALL: [Self; 8] = [
        Self::Rust,
        Self::Python,
        Self::TypeScript,
        Self::JavaScript,
        Self::Go,
        Self::Java,
        Self::C,
        Self::Cpp,
    ];

    /// The name on the command line, in settings and as the label of a fenced block.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::Python => "python",
            Self::TypeScript => "typescript",
            Self::JavaScript => "javascript",
            Self::Go => "go",
            Self::Java => "java",
            Self::C => "c",
            Self::Cpp => "cpp",
        }
    }

    /// The name in prose.
    pub const fn display_name(self) -> &'static str {
        match self {
            Self::Rust => "Rust",
            Self::Python => "Python",
            Self::TypeScript => "TypeScript",
            Self::JavaScript => "JavaScript",
            Self::Go => "Go",
            Self::Java => "Java",
            Self::C => "C",
            Self::Cpp => "C++",
        }
    }

    /// The usual ending of a file name, without the dot.
    pub const fn file_extension(self) -> &'static str {
        match self {
            Self::Rust => "rs",
            Self::Python => "py",
            Self::TypeScript => "ts",
            Self::JavaScript => "js",
            Self::Go => "go",
            Self::Java => "java",
            Self::C => "c",
            Self::Cpp => "cpp",
        }
    }

    /// The language that a name, a usual short form, or a file ending stands for; case does not matter.
    pub fn from_label(label: &str) -> Option<Self> {
        match label.to_ascii_lowercase().as_str() {
            "rust" | "rs" => Some(Self::Rust),
            "python" | "py" | "python3" => Some(Self::Python),
            "typescript" | "ts" | "tsx" => Some(Self::TypeScript),
            "javascript" | "js" | "jsx" | "mjs" | "node" => Some(Self::JavaScript),
            "go" | "golang" => Some(Self::Go),
            "java" => Some(Self::Java),
            "c" | "h" => Some(Self::C),
            "cpp" | "c++" | "cxx" | "cc" | "hpp" => Some(Self::Cpp),
            _ => None,
        }
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Language {
    type Err = Failure;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::from_label(text).ok_or_else(|| {
            let known: Vec<_> = Self::ALL.iter().map(|language| language.as_str()).collect();
            Failure::invalid(format!("read the language {text:?}: it is not known"))
                .with_hint(format!("Known languages: {}.", known.join(", ")))
        })
    }
}

/// One fenced block of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeBlock {
    /// The label behind the fence as the model wrote it; empty where there was none.
    pub label: String,
    /// The text between the fences.
    pub code: String,
}

/// A range of lines in a text, counted from 1, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LineSpan {
    /// The first line.
    pub first: u32,
    /// The last line; at least `first`.
    pub last: u32,
}

/// What a parser said of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Diagnostic {
    /// The parser's message.
    pub message: String,
    /// Line, counted from 1, where the parser gave one.
    pub line: Option<u32>,
    /// Column in characters, counted from 1, where the parser gave one.
    pub column: Option<u32>,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.line, self.column) {
            (Some(line), Some(column)) => write!(f, "line {line}, column {column}: {}", self.message),
            (Some(line), None) => write!(f, "line {line}: {}", self.message),
            (None, _) => f.write_str(&self.message),
        }
    }
}

/// What can be counted in code without running it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeMetrics {
    /// Lines that are neither blank nor comment only.
    pub code_lines: u32,
    /// Lines that hold only a comment.
    pub comment_lines: u32,
    /// Facts from the syntax tree; only for languages that are parsed (Rust).
    pub syntax: Option<SyntaxMetrics>,
}

/// What the syntax tree of a Rust file tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyntaxMetrics {
    /// Functions and methods with a body, tests left out.
    pub functions: u32,
    /// Functions marked `#[test]` (or any attribute whose last segment is `test`).
    pub tests: u32,
    /// Assertions (`assert!` and its kin) in those tests.
    pub test_assertions: u32,
    /// Public items.
    pub public_items: u32,
    /// Public items with a doc comment.
    pub public_items_documented: u32,
    /// The longest function body, in lines.
    pub function_lines_max: u32,
    /// The largest cyclomatic complexity of a function: decision points plus one. Source: `McCabe` 1976.
    pub complexity_max: u32,
    /// The deepest nesting of blocks in a function.
    pub nesting_max: u32,
    /// Calls of `unwrap` and `expect`, and `panic!`, `todo!` and `unimplemented!`, outside tests.
    pub panicking_calls: u32,
    /// `unsafe` blocks and functions.
    pub unsafe_uses: u32,
    /// `todo!()` and `unimplemented!()` anywhere: work that was left out.
    pub placeholders: u32,
}

/// What is known of code before a model is asked: it outranks the model's opinion.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeFacts {
    /// Whether a parser read the code; `None` where there is no parser for the language.
    pub parses: Option<bool>,
    /// What the parser found wrong.
    pub diagnostics: Vec<Diagnostic>,
    /// What was counted.
    pub metrics: CodeMetrics,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_is_found_by_its_name_and_its_file_ending() {
        for language in Language::ALL {
            assert_eq!(language.as_str().parse::<Language>().unwrap(), language);
            assert_eq!(Language::from_label(language.file_extension()), Some(language));
            assert_eq!(Language::from_label(language.display_name()), Some(language));
        }
    }

    #[test]
    fn an_unknown_language_is_refused_with_the_known_ones() {
        let failure = "klingon".parse::<Language>().unwrap_err();
        assert!(failure.message.contains("klingon"));
        assert!(failure.hint.unwrap().contains("typescript"));
    }
}
