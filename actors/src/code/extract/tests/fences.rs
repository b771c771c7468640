use super::*;

#[test]
fn one_labelled_block_with_prose_around_it() {
    insta::assert_snapshot!(rust("Here is the function:\n\n```rust\nfn add(a: i32, b: i32) -> i32 {\n    a + b\n}\n```\n\nIt adds two numbers."), @"
    [Fenced]
    fn add(a: i32, b: i32) -> i32 {
        a + b
    }
    [says]
    Here is the function:

    It adds two numbers.
    ");
}

#[test]
fn windows_line_ends() {
    insta::assert_snapshot!(rust("Sure!\r\n```rust\r\nfn a() {}\r\n```\r\nDone.\r\n"), @"
    [Fenced]
    fn a() {}
    [says]
    Sure!

    Done.
    ");
}

#[test]
fn an_info_string_with_attributes() {
    insta::assert_snapshot!(rust("```rust,ignore\nfn a() {}\n```"), @"
    [Fenced]
    fn a() {}
    ");
    insta::assert_snapshot!(rust("```rust title=\"src/lib.rs\"\nfn a() {}\n```"), @"
    [Fenced]
    fn a() {}
    ");
    insta::assert_snapshot!(rust("```{.rust .numberLines}\nfn a() {}\n```"), @"
    [Fenced]
    fn a() {}
    ");
    insta::assert_snapshot!(rust("``` Rust\nfn a() {}\n```"), @"
    [Fenced]
    fn a() {}
    ");
}

#[test]
fn tildes_and_longer_fences() {
    insta::assert_snapshot!(rust("~~~rust\nfn a() {}\n~~~"), @"
    [Fenced]
    fn a() {}
    ");
    insta::assert_snapshot!(rust("````rust\n/// ```\n/// a();\n/// ```\nfn a() {}\n````"), @"
    [Fenced]
    /// ```
    /// a();
    /// ```
    fn a() {}
    ");
    insta::assert_snapshot!(rust("```rust\nfn a() {}\n`````\nText"), @"
    [Fenced]
    fn a() {}
    [says]
    Text
    ");
}

#[test]
fn documentation_with_fences_inside_of_code_does_not_end_it() {
    insta::assert_snapshot!(rust("```rust\n/// Adds.\n///\n/// ```\n/// assert_eq!(add(1, 2), 3);\n/// ```\npub fn add(a: i32, b: i32) -> i32 { a + b }\n```"), @"
    [Fenced]
    /// Adds.
    ///
    /// ```
    /// assert_eq!(add(1, 2), 3);
    /// ```
    pub fn add(a: i32, b: i32) -> i32 { a + b }
    ");
}

#[test]
fn a_fence_in_a_list_loses_its_indentation() {
    insta::assert_snapshot!(rust("1. The function:\n\n   ```rust\n   fn a() {\n       b();\n   }\n   ```\n\n2. Enjoy."), @"
    [Fenced]
    fn a() {
        b();
    }
    [says]
    1. The function:

    2. Enjoy.
    ");
    insta::assert_snapshot!(rust("- ```rust\n  fn a() {}\n  ```\n"), @"
    [Fenced]
    fn a() {}
    ");
}

#[test]
fn a_fence_in_a_quote() {
    insta::assert_snapshot!(rust("> ```rust\n> fn a() {\n> }\n> ```\n"), @"
    [Fenced]
    fn a() {
    }
    ");
}

#[test]
fn a_whole_answer_wrapped_in_markdown() {
    insta::assert_snapshot!(rust("```markdown\n### FUNCTION\n```rust\nfn a() {}\n```\nIt does nothing.\n```\n"), @"
    [Fenced]
    fn a() {}
    [says]
    It does nothing.
    ");
    insta::assert_snapshot!(rust("````md\nText\n```rust\nfn a() {}\n```\n````\n"), @"
    [Fenced]
    fn a() {}
    [says]
    Text
    ");
}

#[test]
fn a_fence_that_is_never_closed() {
    insta::assert_snapshot!(rust("```rust\nfn a() {\n    let x = 1;\n"), @"
    [UnclosedFence]
    fn a() {
        let x = 1;
    ");
    insta::assert_snapshot!(rust("```rust\nfn a() {}"), @"
    [UnclosedFence]
    fn a() {}
    ");
}

#[test]
fn a_forgotten_end_before_the_next_block() {
    insta::assert_snapshot!(rust("```rust\nfn a() {}\n```rust\n#[test]\nfn works() { a(); }\n```\n"), @"
    [Fenced]
    fn a() {}
    [tests]
    #[test]
    fn works() { a(); }
    ");
}

#[test]
fn a_fence_only_at_the_end() {
    insta::assert_snapshot!(rust("fn a() {}\n```\n\nThis function does nothing."), @"
    [Bare]
    fn a() {}
    ");
}

#[test]
fn code_on_the_fences_own_line() {
    insta::assert_snapshot!(rust("```rust fn a() -> u8 { 1 } ```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    ");
}

#[test]
fn thoughts_and_marks_of_chat_templates() {
    insta::assert_snapshot!(rust("<think>\nMaybe ```rust\nfn wrong() {}\n```\n</think>\n```rust\nfn right() {}\n```<|im_end|>"), @"
    [Fenced]
    fn right() {}
    ");
}

#[test]
fn no_code_at_all() {
    insta::assert_snapshot!(rust(""), @"- find Rust code in the answer: it is empty");
    insta::assert_snapshot!(rust("I am sorry, but I cannot help with that."), @"- find Rust code in the answer: it holds only prose");
    insta::assert_snapshot!(rust("```\n```"), @"- find Rust code in the answer: it holds only prose");
    insta::assert_snapshot!(rust("```rust\n#\n```\n\n```rust\n#\n```\n\n```rust\n#\n"), @"- find Rust code in the answer: it holds only other blocks (rust)");
    insta::assert_snapshot!(rust("Run it:\n```bash\ncargo run\n```"), @"- find Rust code in the answer: it holds only other blocks (bash)");
    insta::assert_snapshot!(rust("```python\ndef add(a, b):\n    return a + b\n```"), @"- find Rust code in the answer: it holds only other blocks (python)");
    insta::assert_snapshot!(rust("```json\n{\"a\": 1}\n```\n```\n$ ls\n```"), @"- find Rust code in the answer: it holds only other blocks (json, no label)");
}
