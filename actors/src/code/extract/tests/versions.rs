use super::*;

#[test]
fn parts_of_one_program_are_joined_in_order() {
    insta::assert_snapshot!(rust("```rust\nuse std::fmt;\nstruct A;\n```\nNow display:\n```rust\nuse std::fmt;\nimpl fmt::Display for A {\n    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result { f.write_str(\"A\") }\n}\n```"), @r#"
    [Fenced]
    use std::fmt;
    struct A;

    impl fmt::Display for A {
        fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result { f.write_str("A") }
    }
    [says]
    Now display:
    "#);
}

#[test]
fn the_later_version_of_a_function_stands() {
    insta::assert_snapshot!(rust("```rust\nfn a() -> u8 { 0 }\n```\nWait, that is wrong. Corrected:\n```rust\nfn a() -> u8 { 1 }\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    [says]
    Wait, that is wrong. Corrected:
    [notes]
    A later version of `fn a` replaced an earlier one.
    ");
    insta::assert_snapshot!(python("```python\ndef a():\n    return 0\n```\nCorrected:\n```python\ndef a():\n    return 1\n```"), @"
    [Fenced]
    def a():
        return 1
    [says]
    Corrected:
    [notes]
    A later version of `fn a` replaced an earlier one.
    ");
}

#[test]
fn single_items_are_replaced_in_rust() {
    insta::assert_snapshot!(rust("```rust\nfn helper() -> u8 { 1 }\n\nfn a() -> u8 { 0 }\n\nfn main() { a(); }\n```\nBetter:\n```rust\n/// Calls.\nfn a() -> u8 { helper() }\n```"), @"
    [Fenced]
    fn helper() -> u8 { 1 }


    fn main() { a(); }

    /// Calls.
    fn a() -> u8 { helper() }
    [says]
    Better:
    [notes]
    A later version of `fn a` replaced an earlier one.
    ");
}

#[test]
fn an_earlier_whole_version_stands_against_a_later_broken_or_elided_one() {
    insta::assert_snapshot!(rust("```rust\nfn a() -> u8 { 1 }\n```\n```rust\nfn a() -> u8 {\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    ");
    insta::assert_snapshot!(rust("```rust\nfn a() -> u8 { 1 }\n```\n```rust\nfn a() -> u8 {\n    // ... as before\n    2\n}\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    ");
    insta::assert_snapshot!(rust("```rust\nfn a() -> u8 {\n```\n```rust\nfn a() -> u8 { 1 }\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    [notes]
    A later version of `fn a` replaced an earlier one.
    ");
}

#[test]
fn an_excerpt_that_explains_changes_nothing() {
    insta::assert_snapshot!(rust("```rust\nfn a() -> u8 {\n    let x = 1;\n    x\n}\n```\nThe line\n```rust\n    let x = 1;\n```\nsets x."), @"
    [Fenced]
    fn a() -> u8 {
        let x = 1;
        x
    }
    [says]
    The line

    sets x.
    ");
    insta::assert_snapshot!(rust("```rust\nfn a() -> u8 { 1 }\nfn b() -> u8 { 2 }\n```\nLet us look at `b`:\n```rust\nfn b() -> u8 { 2 }\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    fn b() -> u8 { 2 }
    [says]
    Let us look at `b`:
    ");
}

#[test]
fn the_same_block_twice_is_taken_once() {
    insta::assert_snapshot!(rust("```rust\nfn a() {}\n```\n```rust\nfn a() {}\n```"), @"
    [Fenced]
    fn a() {}
    ");
}

#[test]
fn methods_in_several_impl_blocks_are_no_versions_of_each_other() {
    insta::assert_snapshot!(rust("```rust\nstruct A;\nimpl A { fn a() {} }\n```\n```rust\nimpl A { fn b() {} }\n```"), @"
    [Fenced]
    struct A;
    impl A { fn a() {} }

    impl A { fn b() {} }
    ");
    insta::assert_snapshot!(rust("```rust\nstruct A;\nimpl A { fn a() {} fn b() {} }\n```\n```rust\nimpl A { fn b() { a() } }\n```"), @"
    [Fenced]
    struct A;
    impl A { fn a() {} fn b() {} }
    ");
}

#[test]
fn tests_replace_the_tests_in_the_code() {
    insta::assert_snapshot!(rust("```rust\nfn a() -> u8 { 1 }\n#[cfg(test)]\nmod tests { #[test] fn t() {} }\n```\n```rust\n#[cfg(test)]\nmod tests { use super::*; #[test] fn t() { assert_eq!(a(), 1); } }\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    [tests]
    #[cfg(test)]
    mod tests { use super::*; #[test] fn t() { assert_eq!(a(), 1); } }
    ");
}

#[test]
fn what_stands_only_at_the_beginning_of_a_file_is_left_out_later() {
    insta::assert_snapshot!(rust("```rust\n#![allow(dead_code)]\nfn a() {}\n```\n```rust\n#![allow(unused)]\n//! Second.\nfn b() {}\n```\n```rust\n//! Tests.\n#[test]\nfn t() {}\n```"), @"
    [Fenced]
    #![allow(dead_code)]
    fn a() {}

    fn b() {}
    [tests]
    #[test]
    fn t() {}
    ");
}

#[test]
fn a_block_that_restates_parts_of_others_takes_nothing_away() {
    insta::assert_snapshot!(python("```python\ndef a():\n    return 1\n```\n```python\ndef b():\n    return 2\n\ndef c():\n    return 3\n\ndef d():\n    return 4\n```\nSo far:\n```python\ndef a():\n    return 9\n\ndef b():\n    return 9\n```"), @"
    [Fenced]
    def a():
        return 1

    def b():
        return 2

    def c():
        return 3

    def d():
        return 4
    [says]
    So far:
    ");
}
