use playhouse_protocol::code::SyntaxMetrics;
use proptest::prelude::*;

use super::*;

fn syntax(source: &str) -> SyntaxMetrics {
    let facts = facts(Language::Rust, source);
    assert_eq!(facts.parses, Some(true), "{:?}\n{source}", facts.diagnostics);
    facts.metrics.syntax.unwrap()
}

fn said(source: &str) -> String {
    let facts = facts(Language::Rust, source);
    let diagnostics: Vec<_> = facts.diagnostics.iter().map(ToString::to_string).collect();
    format!("{:?} {}", facts.parses, diagnostics.join("; "))
}

const SAMPLE: &str = r#"
//! A stack.

/// A stack of numbers.
pub struct Stack {
    items: Vec<i32>,
}

impl Stack {
    /// Makes an empty one.
    pub fn new() -> Self { Self { items: Vec::new() } }

    pub fn top(&self, or: Option<i32>) -> i32 {
        // The last one.
        if let Some(last) = self.items.last() && or.is_none() {
            for item in &self.items {
                if *item < 0 || *item > 9 { return *last; }
            }
            *last
        } else if or == Some(3) {
            panic!("three")
        } else {
            match or { Some(n) if n > 0 => n, Some(_) => 0, None => self.items.first().copied().unwrap() }
        }
    }
}

unsafe fn later() { unsafe { todo!() } }

#[cfg(test)]
mod tests {
    use super::*;
    fn helper() -> Stack { Some(Stack::new()).unwrap() }
    #[test]
    fn empty() { assert!(helper().items.is_empty()); assert_eq!(1, 1); }
    #[tokio::test]
    #[should_panic]
    async fn panics() { helper().top(None); }
}
"#;

#[test]
fn a_rust_file_is_measured() {
    insta::assert_debug_snapshot!(facts(Language::Rust, SAMPLE).metrics, @"
    CodeMetrics {
        code_lines: 29,
        comment_lines: 4,
        syntax: Some(
            SyntaxMetrics {
                functions: 3,
                tests: 2,
                test_assertions: 3,
                public_items: 3,
                public_items_documented: 2,
                function_lines_max: 13,
                complexity_max: 10,
                nesting_max: 3,
                panicking_calls: 3,
                unsafe_uses: 2,
                placeholders: 1,
            },
        ),
    }
    ");
}

#[test]
fn calls_in_macros_are_counted_and_strings_are_not() {
    let metrics = syntax(
        r#"fn main() { println!("{} todo!() .unwrap()", a.unwrap()); vec![b.expect("x"), todo!()]; }"#,
    );
    assert_eq!((metrics.panicking_calls, metrics.placeholders), (3, 1));
}

#[test]
fn code_that_does_not_parse_is_told_with_its_place() {
    insta::assert_snapshot!(said("fn add(i32 a, i32 b) -> i32 { a + b }"), @"Some(false) line 1, column 12: expected `:`");
    insta::assert_snapshot!(said("fn a() {\n    let x = ;\n}"), @"Some(false) line 2, column 13: expected an expression");
    insta::assert_snapshot!(said("fn a() {\n    (1, 2];\n}"), @"Some(false) line 2, column 10: `]` closes `(` of line 2");
    insta::assert_snapshot!(said("fn a() {\n    if true {\n"), @"Some(false) line 1, column 8: `{` is never closed");
    insta::assert_snapshot!(said("fn a() {}\n}"), @"Some(false) line 2, column 1: `}` closes nothing");
    insta::assert_snapshot!(said("fn a() { \"open }"), @"Some(false) line 1, column 8: `{` is never closed");
    insta::assert_snapshot!(said("def add(a, b):\n    return a + b"), @"Some(false) line 1, column 5: expected `!`");
    insta::assert_snapshot!(said("Here is your function. I hope it helps!"), @"Some(false) line 1, column 6: expected `!`");
}

#[test]
fn empty_code_and_snippets_parse_and_are_told() {
    insta::assert_snapshot!(said(""), @"Some(true) there is no item in it: no function, no type, nothing");
    insta::assert_snapshot!(said("// only a comment\n"), @"Some(true) there is no item in it: no function, no type, nothing");
    insta::assert_snapshot!(said("let x = 1;\nprintln!(\"{x}\");"), @"Some(true) line 1, column 1: statements stand outside of any function: this is a snippet, not a file");
    insta::assert_snapshot!(said("fn main() {}"), @"Some(true)");
    insta::assert_snapshot!(said("#!/usr/bin/env run\nfn main() {}"), @"Some(true)");
    insta::assert_snapshot!(said("\u{FEFF}fn main() {}"), @"Some(true)");
}

#[test]
fn lines_are_counted_for_every_language() {
    let count = |language, source| {
        let metrics = facts(language, source).metrics;
        (metrics.code_lines, metrics.comment_lines)
    };
    assert_eq!(count(Language::Python, "# a\n\nx = '# no'  # b\n\"\"\"doc\n# still doc\n\"\"\"\n"), (4, 1));
    assert_eq!(count(Language::Go, "/* a\n b */\nx := `//\n`\n"), (2, 2));
    assert_eq!(count(Language::Rust, "/* a */ fn a() {}\n// b"), (1, 1));
    assert_eq!(count(Language::TypeScript, ""), (0, 0));
}

/// Each of these makes a careless parser recurse once for every repetition.
const NESTS: [(&str, &str, &str); 22] = [
    ("fn f() { ", "(", "}"),
    ("fn f() { ", "{", "}"),
    ("fn f() { ", "[", "}"),
    ("fn f() { x = ", "!", "1; }"),
    ("fn f() { x = ", "- ", "1; }"),
    ("fn f() { x = ", "&", "1; }"),
    ("fn f() { x = ", "a = ", "1; }"),
    ("fn f() { x = ", "a + ", "1; }"),
    ("fn f() { x = ", "|| ", "1; }"),
    ("fn f() { x = ", "|a, b| ", "1; }"),
    ("fn f() { x = ", "return ", "1; }"),
    ("fn f() { x = ", "if a {} else ", "{}; }"),
    ("fn f() { ", "if ", "a {} }"),
    ("fn f() { x = ", "a.b()", "; }"),
    ("fn f() { x = a", "?", "; }"),
    ("fn f() { x = 1", " as u8", "; }"),
    ("type A = ", "Vec<", "u8;"),
    ("type A = ", "Map<u8, ", "u8;"),
    ("type A = ", "F<fn() -> u8, ", "u8;"),
    ("type A = ", "fn() -> ", "u8;"),
    ("type A = ", "&", "u8;"),
    ("macro_rules! a { () => { ", "(", "} }"),
];

#[test]
fn no_depth_exhausts_the_stack() {
    for (before, piece, after) in NESTS {
        for repeats in [PATH_TOKENS_MAX as usize / 8, PATH_TOKENS_MAX as usize - 40, 60_000] {
            let closing = match piece {
                "(" => ")",
                "{" => "}",
                "[" => "]",
                _ if piece.contains('<') => ">",
                _ => "",
            };
            let (opening, closing) = (piece.repeat(repeats), closing.repeat(repeats));
            let tail = after.trim_start_matches("u8;").trim_start_matches('1');
            let inner = if after.starts_with("u8") { "u8" } else { "1" };
            let tail = if after.starts_with("u8") { ";" } else { tail };
            let _ = facts(Language::Rust, &format!("{before}{opening}{inner}{closing}{tail}"));
            let _ = facts(Language::Rust, &format!("{before}{opening}{after}"));
        }
    }
}

#[test]
fn wide_code_is_not_taken_for_deep_code() {
    let list = format!("const A: [u32; 20000] = [{}];", "1, ".repeat(20_000));
    let statements = format!("fn f() {{ {} }}", "if a { b(); } x += 1; ".repeat(5_000));
    let items = "#[derive(Debug)]\nstruct A { a: Vec<u8>, b: u8 }\n".repeat(5_000);
    let arms = format!("fn f() {{ match x {{ {} _ => 0 }} }}", "A | B => { 1 } C => 2, ".repeat(1_500));
    for source in [list, statements, items, arms] {
        assert_eq!(facts(Language::Rust, &source).parses, Some(true), "{}", &source[..60]);
    }
}

#[test]
fn too_many_bytes_are_not_parsed() {
    let facts = facts(Language::Rust, &" ".repeat(RUST_BYTES_MAX + 1));
    assert_eq!(facts.parses, None);
    assert_eq!(facts.diagnostics.len(), 1);
}

proptest! {
    #[test]
    fn any_text_has_facts(source in ".{0,200}") {
        for language in Language::ALL {
            let _ = facts(language, &source);
        }
    }

    #[test]
    fn any_sequence_of_rust_tokens_has_facts(words in prop::collection::vec(
        prop::sample::select(vec![
            "fn", "a", "<", ">", "(", ")", "{", "}", "[", "]", "|", "&", "-", "=", "=>", "->", "if", "else", "match", "let",
            ";", ",", "::", "..", "'a", "\"s\"", "1", "impl", "for", "where", "unsafe", "#", "!", "todo!()", "as", "\n", "//",
        ]),
        0..60,
    )) {
        let _ = facts(Language::Rust, &words.join(" "));
    }
}
