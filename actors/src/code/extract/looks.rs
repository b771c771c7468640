//! What a text looks like, judged by words that are usual in each language. Guesses, used only where a label
//! is missing or wrong and no parser can tell.

use playhouse_protocol::code::Language;

use super::signs::Signs;

/// How much of `code` looks like `language`: the number of lines with something usual in it.
pub(super) fn score(language: Language, code: &str) -> u32 {
    let signs = Signs::of(language);
    let hits = code.lines().filter(|line| {
        let line = line.trim();
        signs.starts.iter().any(|start| line.starts_with(start))
            || signs.inside.iter().any(|inside| line.contains(inside))
    });
    u32::try_from(hits.count()).unwrap_or(u32::MAX)
}

/// Whether `code` looks like `language` at all, and no other language looks more like it.
pub(super) fn looks_like(language: Language, code: &str) -> bool {
    let own = score(language, code);
    own > 0 && Language::ALL.iter().all(|other| score(*other, code) <= own)
}

/// Whether a line opens a top-level piece of code in `language`.
pub(super) fn opens_code(language: Language, line: &str) -> bool {
    let line = line.trim_end();
    let opens = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start));
    match language {
        // Prose begins sentences with "use", "type" or "const" too, but does not end them like code.
        Language::Rust => {
            opens(&[
                "fn ",
                "pub ",
                "pub(",
                "impl ",
                "impl<",
                "#[",
                "#![",
                "async fn ",
                "unsafe fn ",
                "const fn ",
                "macro_rules!",
            ]) || (opens(&[
                "use ", "struct ", "enum ", "trait ", "mod ", "const ", "static ", "type ", "extern ",
                "unsafe ",
            ]) && line.ends_with(['{', ';', '}', '(', ',']))
        }
        Language::Python => {
            (opens(&["def ", "async def ", "class ", "if __name__"]) && line.contains(':'))
                || (opens(&["import ", "from "])
                    && !line.ends_with('.')
                    && line.split_whitespace().count() <= 12)
                || (line.starts_with('@') && line.len() > 1 && !line.contains(' '))
        }
        Language::TypeScript | Language::JavaScript => {
            opens(&["function ", "async function ", "export ", "interface ", "class "])
                && line.ends_with(['{', ';', '}', ','])
                || (opens(&["const ", "let ", "import ", "type ", "describe(", "test(", "it("])
                    && line.ends_with(['{', ';', '}', '(', ',', '>']))
        }
        Language::Go => {
            (opens(&["func ", "type "]) && line.ends_with(['{', '}'])) || opens(&["package ", "import "])
        }
        Language::Java => {
            opens(&[
                "public ",
                "class ",
                "interface ",
                "enum ",
                "record ",
                "abstract ",
                "final ",
                "import ",
                "package ",
            ]) && line.ends_with(['{', ';', '}'])
                || (line.starts_with('@') && line.len() > 1 && !line.contains(' '))
        }
        Language::C | Language::Cpp => {
            opens(&["#include", "#define", "#pragma"])
                || (opens(&[
                    "int ",
                    "void ",
                    "static ",
                    "struct ",
                    "unsigned ",
                    "char ",
                    "double ",
                    "float ",
                    "bool ",
                    "long ",
                    "size_t ",
                    "template",
                    "class ",
                    "namespace ",
                    "using ",
                    "std::",
                    "typedef ",
                    "auto ",
                ]) && line.ends_with(['{', ';', '}', ')', '>']))
        }
    }
}

/// Whether code holds tests.
pub(crate) fn holds_tests(language: Language, code: &str) -> bool {
    let any = |signs: &[&str]| {
        code.lines().any(|line| {
            let line = line.trim_start();
            signs.iter().any(|sign| line.starts_with(sign))
        })
    };
    match language {
        Language::Rust => any(&["#[test]", "#[cfg(test)]", "#[tokio::test"]),
        Language::Python => any(&[
            "import pytest",
            "from pytest",
            "import unittest",
            "from unittest",
            "def test_",
            "async def test_",
            "class Test",
        ]),
        Language::TypeScript | Language::JavaScript => any(&["describe(", "test(", "it("]),
        Language::Go => any(&["func Test", "func Benchmark"]),
        Language::Java => {
            any(&["@Test", "@ParameterizedTest", "import org.junit", "import static org.junit"])
        }
        Language::C => any(&["void test_", "static void test_", "int test_"]),
        Language::Cpp => any(&["TEST(", "TEST_F(", "TEST_CASE(", "void test_"]),
    }
}

/// Whether every line is a command for a shell.
pub(super) fn is_shell(code: &str) -> bool {
    let mut commands =
        code.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).peekable();
    commands.peek().is_some()
        && commands.all(|line| {
            let first = line.split_whitespace().next().unwrap_or_default();
            line.starts_with("$ ")
                || (COMMANDS.contains(&first) && !line.ends_with(['{', ';', ':']) && !line.contains(" = "))
        })
}

const COMMANDS: [&str; 33] = [
    "cargo", "rustc", "rustup", "pip", "pip3", "python", "python3", "pytest", "npm", "npx", "node", "yarn",
    "pnpm", "tsc", "ts-node", "jest", "go", "javac", "java", "mvn", "gradle", "gcc", "g++", "clang", "cmake",
    "make", "cd", "mkdir", "git", "curl", "sudo", "apt-get", "touch",
];

/// Labels of blocks that are never code in a language that agents write.
pub(super) fn is_other_label(label: &str) -> bool {
    const OTHER: [&str; 33] = [
        "sh",
        "bash",
        "zsh",
        "fish",
        "shell",
        "console",
        "terminal",
        "powershell",
        "ps1",
        "cmd",
        "bat",
        "json",
        "jsonc",
        "toml",
        "yaml",
        "yml",
        "xml",
        "html",
        "css",
        "sql",
        "csv",
        "ini",
        "diff",
        "patch",
        "dockerfile",
        "makefile",
        "mermaid",
        "markdown",
        "md",
        "output",
        "log",
        "metadata",
        "latex",
    ];
    OTHER.contains(&label)
}

/// Whether something was left out with dots.
pub(super) fn is_elided(code: &str) -> bool {
    code.lines().any(|line| {
        let text = line.trim().trim_start_matches(['/', '#', '*', ' ', '\t']);
        let marked = text.len() < line.trim().len() || text.starts_with('…');
        (marked || text == "...") && (text.starts_with("...") || text.starts_with('…'))
    })
}
