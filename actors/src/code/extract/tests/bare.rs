use super::*;

#[test]
fn bare_code_alone() {
    insta::assert_snapshot!(rust("fn add(a: i32, b: i32) -> i32 {\n    a + b\n}"), @"
    [Bare]
    fn add(a: i32, b: i32) -> i32 {
        a + b
    }
    ");
    insta::assert_snapshot!(python("def add(a, b):\n    return a + b"), @"
    [Bare]
    def add(a, b):
        return a + b
    ");
    insta::assert_snapshot!(python("print('hello')\nx = 1\n"), @"
    [Bare]
    print('hello')
    x = 1
    ");
}

#[test]
fn bare_code_between_sentences() {
    insta::assert_snapshot!(rust("Sure! Here is a function that adds:\n\n/// Adds.\n#[must_use]\npub fn add(a: i32, b: i32) -> i32 {\n    // It's a sum.\n    a + b\n}\n\nThis function uses the plus operator. I hope it helps!"), @"
    [Bare]
    /// Adds.
    #[must_use]
    pub fn add(a: i32, b: i32) -> i32 {
        // It's a sum.
        a + b
    }
    [says]
    Sure! Here is a function that adds:

    This function uses the plus operator. I hope it helps!
    ");
    insta::assert_snapshot!(python("Here is the code:\n\nimport math\n\n@cache\ndef area(r):\n    x = r * r\n\n    return math.pi * x\n\nIt computes the area of a circle."), @"
    [Bare]
    import math

    @cache
    def area(r):
        x = r * r

        return math.pi * x
    [says]
    Here is the code:

    It computes the area of a circle.
    ");
}

#[test]
fn bare_code_with_tests_and_explanations() {
    insta::assert_snapshot!(rust("fn a() -> u8 { 1 }\n\nAnd the tests:\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n\n    #[test]\n    fn one() {\n        assert_eq!(a(), 1);\n    }\n}\n\nThe tests check that a() is one."), @"
    [Bare]
    fn a() -> u8 { 1 }
    [tests]
    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn one() {
            assert_eq!(a(), 1);
        }
    }
    [says]
    And the tests:

    The tests check that a() is one.
    ");
}

#[test]
fn bare_code_of_several_items_with_blank_lines() {
    insta::assert_snapshot!(rust("use std::collections::HashMap;\n\nstruct A {\n    x: u8,\n}\n\nimpl A {\n    fn new() -> Self {\n        A { x: 1 }\n    }\n\n    fn x(&self) -> u8 { self.x }\n}"), @"
    [Bare]
    use std::collections::HashMap;

    struct A {
        x: u8,
    }

    impl A {
        fn new() -> Self {
            A { x: 1 }
        }

        fn x(&self) -> u8 { self.x }
    }
    ");
}

#[test]
fn bare_code_that_was_cut() {
    insta::assert_snapshot!(rust("Here you go:\nfn add_i32(i32 a, i32 b) -> i32 {\n    return a + i32(i32::add::"), @"
    [Bare]
    fn add_i32(i32 a, i32 b) -> i32 {
        return a + i32(i32::add::
    [says]
    Here you go:
    ");
}

#[test]
fn bare_sections_without_fences() {
    insta::assert_snapshot!(python("### FUNCTION\ndef add(a, b):\n    return a + b\n\n### TESTS\nimport pytest\n\ndef test_add():\n    assert add(1, 2) == 3\n\n### METADATA\nComplexity: low\n"), @"
    [Bare]
    def add(a, b):
        return a + b
    [tests]
    import pytest

    def test_add():
        assert add(1, 2) == 3
    [metadata]
    low |  |
    ");
}

#[test]
fn bare_code_of_other_languages() {
    insta::assert_snapshot!(show(Language::Go, "The function is:\n\nfunc Add(a, b int) int {\n\treturn a + b\n}\n\nIt adds."), @"
    [Bare]
    func Add(a, b int) int {
    	return a + b
    }
    [says]
    The function is:

    It adds.
    ");
    insta::assert_snapshot!(show(Language::TypeScript, "Of course.\n\nexport const add = (a: number, b: number): number => {\n  return a + b;\n};\n\nThat is all."), @"
    [Bare]
    export const add = (a: number, b: number): number => {
      return a + b;
    };
    [says]
    Of course.

    That is all.
    ");
    insta::assert_snapshot!(show(Language::Java, "Here:\npublic class A {\n  int a() { return 1; }\n}\nDone."), @"
    [Bare]
    public class A {
      int a() { return 1; }
    }
    [says]
    Here:

    Done.
    ");
    insta::assert_snapshot!(show(Language::C, "Here:\n#include <stdio.h>\n\nint main(void) {\n  printf(\"%d\\n\", 1);\n  return 0;\n}\nDone."), @r#"
    [Bare]
    #include <stdio.h>

    int main(void) {
      printf("%d\n", 1);
      return 0;
    }
    [says]
    Here:

    Done.
    "#);
}

#[test]
fn prose_that_only_sounds_like_code_is_none() {
    insta::assert_snapshot!(rust("use a loop to add the numbers.\ntype the code into your editor.\nconst is a keyword."), @"- find Rust code in the answer: it holds only prose");
    insta::assert_snapshot!(python("import the module and call it from your code, then print the result to the screen."), @"- find Python code in the answer: it holds only prose");
}
