//! What is customary in each language: the one place for it.

use playhouse_protocol::code::Language;
use serde::Serialize;

/// What a prompt says about a language; whole sentences that a template can take over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Customs {
    /// How code is written.
    pub code_hint: &'static str,
    /// The form that tests have.
    pub tests_hint: &'static str,
    /// What reviewers look for.
    pub review_hint: &'static str,
}

impl Customs {
    /// The customs of a language.
    pub const fn of(language: Language) -> Self {
        match language {
            Language::Rust => Self {
                code_hint: "Use only the standard library. Keep to the signature that the task asks for. \
                            Write no main function, and no examples in doc comments.",
                tests_hint: "Write them as `#[cfg(test)] mod tests { use super::*; ... }` with `#[test]` \
                             functions that call assert_eq! or assert!.",
                review_hint: "Look for overflow, panics, needless clones, and errors that are dropped.",
            },
            Language::Python => Self {
                code_hint: "Use only the standard library, type hints, and a docstring for each function.",
                tests_hint: "Write them as pytest functions named test_..., with plain assert statements.",
                review_hint: "Look for mutable default arguments, bare except, and missing type hints.",
            },
            Language::TypeScript => Self {
                code_hint: "Write strict TypeScript, export what callers need, and do not use `any`.",
                tests_hint: "Write them with `describe`, `it` and `expect`, as Vitest and Jest run them.",
                review_hint: "Look for `any`, unchecked null or undefined, and promises that nobody awaits.",
            },
            Language::JavaScript => Self {
                code_hint: "Write a modern ES module, export what callers need, and use const and let.",
                tests_hint: "Write them with `node:test` and `node:assert/strict`.",
                review_hint: "Look for loose equality, undefined values, and promises that nobody awaits.",
            },
            Language::Go => Self {
                code_hint: "Use only the standard library, begin with a package clause, and return errors.",
                tests_hint: "Write them for the `testing` package as one table-driven func TestXxx(t *testing.T).",
                review_hint: "Look for errors that are ignored, goroutines that never end, and data races.",
            },
            Language::Java => Self {
                code_hint: "Use only the JDK and put everything into one public class.",
                tests_hint: "Write them for JUnit 5 with @Test methods and assertEquals.",
                review_hint: "Look for null, integer overflow, and resources that are not closed.",
            },
            Language::C => Self {
                code_hint: "Write C11 with the needed #include lines, and check every allocation.",
                tests_hint: "Write them as static functions that call assert, run by one main function.",
                review_hint: "Look for buffer overruns, leaks, undefined behaviour, and unchecked results.",
            },
            Language::Cpp => Self {
                code_hint: "Write C++17 with the needed #include lines, and let objects own their memory.",
                tests_hint: "Write them as functions that call assert, run by one main function.",
                review_hint: "Look for raw owning pointers, undefined behaviour, and needless copies.",
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hint_is_made_of_whole_sentences_of_one_line() {
        for language in Language::ALL {
            let Customs { code_hint, tests_hint, review_hint } = Customs::of(language);
            for hint in [code_hint, tests_hint, review_hint] {
                assert!(hint.ends_with('.') && !hint.contains('\n') && !hint.contains("  "), "{hint}");
            }
        }
    }
}
