use playhouse_protocol::generate::join_source;
use proptest::prelude::*;

use super::*;

/// A method that is not linear does not end in reasonable time.
#[test]
fn hostile_answers_are_read() {
    for piece in ["`", "```\n"] {
        let _ = extract(Language::Rust, &piece.repeat(1_000_000 / piece.len()));
    }
    let pieces = [
        "`",
        "```",
        "```\n",
        "```rust\n",
        "```markdown\n",
        "~~~\n",
        "````\n```\n",
        "```rust\nfn a() {}\n```\n",
        "```rust x```\n",
        "> ",
        "- ",
        "1. ",
        "> ```\n",
        "#",
        "# Tests:\n",
        "//\n",
        "// a\nfn\n",
        "fn a() {\n",
        "fn a() {}\n",
        "{",
        "(",
        "}\n",
        "\n",
        "\r",
        "use a;\n",
        "def a():\n",
        "@a\n",
        "# a\n",
        "import a\n",
        "\"",
        "'",
        "/*",
        "r#\"",
        "Complexity: x\n",
        "...\n",
        "é",
        "</s>",
        "<think>",
    ];
    for piece in pieces {
        let answer = piece.repeat(100_000 / piece.len());
        for language in [Language::Rust, Language::Python] {
            let _ = extract(language, &answer);
        }
    }
}

#[test]
fn only_so_many_blocks_are_looked_at() {
    let answer: String =
        (0..100).fold(String::new(), |answer, n| answer + &format!("```rust\nfn f{n}() {{}}\n```\n"));
    let found = extract(Language::Rust, &answer).unwrap();
    assert_eq!(found.blocks.len(), super::super::BLOCKS_MAX);
    assert!(found.notes[0].contains("100"), "{:?}", found.notes);
}

/// A top-level item of Rust, with names that repeat from block to block.
fn item() -> impl Strategy<Value = String> {
    let name = prop::sample::select(vec!["a", "b", "c", "main"]);
    prop_oneof![
        name.clone().prop_map(|name| format!("fn {name}() -> u8 {{ 1 }}")),
        name.clone()
            .prop_map(|name| format!("/// Says é.\npub fn {name}(x: &str) {{ println!(\"{{x}}\"); }}")),
        name.clone().prop_map(|name| format!("struct {name};")),
        name.clone().prop_map(|name| format!("impl S {{ fn {name}(&self) {{}} fn b() {{}} }}")),
        Just("use std::fmt;".to_owned()),
        Just("use super::*;".to_owned()),
        Just("#![allow(dead_code)]".to_owned()),
        name.prop_map(|name| format!("#[test]\nfn {name}() {{ assert!(true); }}")),
        Just("#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn t() {}\n}".to_owned()),
    ]
}

fn block() -> impl Strategy<Value = String> {
    let fence = prop::sample::select(vec!["```rust", "```", "~~~rs", "````rust,ignore"]);
    let before = prop::sample::select(vec!["", "Here:\n", "### TESTS\n", "Example usage:\n", "1. "]);
    (before, fence, prop::collection::vec(item(), 1..5)).prop_map(|(before, fence, mut items)| {
        items.push("const K: u8 = 1;".to_owned());
        // Inner attributes stand first.
        items.sort_by_key(|item| !item.starts_with("#!["));
        let close: String = fence.chars().take_while(|char| matches!(char, '`' | '~')).collect();
        format!("{before}{fence}\n{}\n{close}\n", items.join("\n\n"))
    })
}

proptest! {
    #[test]
    fn any_text_is_read(answer in ".{0,300}") {
        for language in Language::ALL {
            let _ = extract(language, &answer);
        }
    }

    #[test]
    fn any_mix_of_marks_is_read(words in prop::collection::vec(prop::sample::select(vec![
        "```", "```rust", "~~~", "````md", "\n", "fn a() {", "}", "> ", "- ", "### TESTS", "#[test]", "use super::*;", "é", "...", "Complexity: 1", "def a():", "    ",
    ]), 0..60)) {
        for language in [Language::Rust, Language::Python, Language::Go] {
            if let Ok(found) = extract(language, &words.concat()) {
                prop_assert!(!found.code.trim().is_empty());
            }
        }
    }

    #[test]
    fn what_parsed_in_blocks_parses_as_one_file(blocks in prop::collection::vec(block(), 1..5)) {
        let answer = blocks.concat();
        let found = extract(Language::Rust, &answer).unwrap();
        let source = join_source(&found.code, &found.tests);
        prop_assert!(syn::parse_file(&source).is_ok(), "{answer}\n-----\n{source}");
    }

    #[test]
    fn taking_code_from_code_changes_nothing(blocks in prop::collection::vec(block(), 1..5)) {
        let found = extract(Language::Rust, &blocks.concat()).unwrap();
        let source = join_source(&found.code, &found.tests);
        let again = extract(Language::Rust, &format!("```rust\n{source}```")).unwrap();
        let source_again = join_source(&again.code, &again.tests);
        prop_assert_eq!(source_again.trim(), source.trim());
    }
}
