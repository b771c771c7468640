use super::*;

#[test]
fn the_earlier_systems_three_sections() {
    insta::assert_snapshot!(python("### FUNCTION\n```python\ndef add(a: int, b: int) -> int:\n    \"\"\"Add.\"\"\"\n    return a + b\n```\n\n### TESTS\n```python\nimport pytest\nfrom solution import add\n\ndef test_add():\n    assert add(1, 2) == 3\n```\n\n### METADATA\nComplexity: low\nLines of Code: 3\nDependencies: [pytest, typing]\nEstimated Time: 5 minutes\n"), @r#"
    [Fenced]
    def add(a: int, b: int) -> int:
        """Add."""
        return a + b
    [tests]
    import pytest
    from solution import add

    def test_add():
        assert add(1, 2) == 3
    [metadata]
    low | pytest+typing | 5 minutes
    "#);
}

#[test]
fn metadata_in_bold_and_in_a_block() {
    insta::assert_snapshot!(rust("```rust\nfn a() {}\n```\n- **Time Complexity**: O(n)\n- **Dependencies**: None\n"), @"
    [Fenced]
    fn a() {}
    [metadata]
    O(n) |  |
    ");
    insta::assert_snapshot!(rust("```rust\nfn a() {}\n```\n### METADATA\n```\nComplexity: medium\nDependencies: [\"serde\", 'tokio']\nEstimated Time: 1 hour\n```\n"), @"
    [Fenced]
    fn a() {}
    [metadata]
    medium | serde+tokio | 1 hour
    ");
}

#[test]
fn a_block_of_tests_stands_apart() {
    insta::assert_snapshot!(rust("```rust\npub fn add(a: i32, b: i32) -> i32 { a + b }\n```\n```rust\n#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn adds() { assert_eq!(add(1, 2), 3); }\n}\n```\nThe tests check the sum."), @"
    [Fenced]
    pub fn add(a: i32, b: i32) -> i32 { a + b }
    [tests]
    #[cfg(test)]
    mod tests {
        use super::*;
        #[test]
        fn adds() { assert_eq!(add(1, 2), 3); }
    }
    [says]
    The tests check the sum.
    ");
}

#[test]
fn tests_inside_of_the_code_stay_there() {
    insta::assert_snapshot!(rust("```rust\nfn a() -> u8 { 1 }\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn one() { assert_eq!(a(), 1); }\n}\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }

    #[cfg(test)]
    mod tests {
        use super::*;
        #[test]
        fn one() { assert_eq!(a(), 1); }
    }
    ");
}

#[test]
fn tests_before_the_code() {
    insta::assert_snapshot!(rust("```rust\n#[test]\nfn one() { assert_eq!(a(), 1); }\n```\n```rust\nfn a() -> u8 { 1 }\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    [tests]
    #[test]
    fn one() { assert_eq!(a(), 1); }
    ");
}

#[test]
fn tests_that_import_from_super_get_a_module() {
    insta::assert_snapshot!(rust("```rust\nfn a() -> u8 { 1 }\n```\n### Tests\n```rust\nuse super::*;\n\n#[test]\nfn one() { assert_eq!(a(), 1); }\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    [tests]
    #[cfg(test)]
    mod tests {
    use super::*;

    #[test]
    fn one() { assert_eq!(a(), 1); }
    }
    ");
}

#[test]
fn tests_with_a_helper_under_their_heading() {
    insta::assert_snapshot!(rust("```rust\nfn a() -> u8 { 1 }\n```\n**Unit tests:**\n```rust\nfn helper() -> u8 { 1 }\n#[test]\nfn one() { assert_eq!(a(), helper()); }\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    [tests]
    fn helper() -> u8 { 1 }
    #[test]
    fn one() { assert_eq!(a(), helper()); }
    ");
}

#[test]
fn a_block_of_tests_that_repeats_the_function_is_the_whole_file() {
    insta::assert_snapshot!(rust("```rust\nfn a() -> u8 { 1 }\n```\n### TESTS\n```rust\nfn a() -> u8 { 1 }\n#[test]\nfn one() { assert_eq!(a(), 1); }\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    #[test]
    fn one() { assert_eq!(a(), 1); }
    [notes]
    A later version of `fn a` replaced an earlier one.
    ");
}

#[test]
fn only_tests() {
    insta::assert_snapshot!(rust("```rust\n#[test]\nfn one() { assert_eq!(1, 1); }\n```"), @"
    [Fenced]
    #[test]
    fn one() { assert_eq!(1, 1); }
    [notes]
    The answer holds only tests.
    ");
}

#[test]
fn shell_and_output_are_never_code() {
    insta::assert_snapshot!(rust("Create it:\n```bash\ncargo new add\ncd add\n```\n```rust\nfn main() { println!(\"3\"); }\n```\nRun:\n```\ncargo run\n```\nOutput:\n```\n3\n```"), @r#"
    [Fenced]
    fn main() { println!("3"); }
    [says]
    Create it:

    Run:

    Output:
    "#);
    insta::assert_snapshot!(rust("```rust\nfn a() {}\n```\n```toml\n[dependencies]\nserde = \"1\"\n```"), @"
    [Fenced]
    fn a() {}
    ");
    insta::assert_snapshot!(python("```python\nx = 1\nprint(x)\n```\n```python\npip install pytest\npytest\n```"), @"
    [Fenced]
    x = 1
    print(x)
    ");
}

#[test]
fn usage_is_left_out_and_a_main_of_its_own_stays() {
    insta::assert_snapshot!(rust("```rust\nfn a() -> u8 { 1 }\n```\nExample usage:\n```rust\nfn main() { println!(\"{}\", a()); }\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    [says]
    Example usage:
    ");
    insta::assert_snapshot!(rust("```rust\nfn a() -> u8 { 1 }\n```\nAnd the program:\n```rust\nfn main() { println!(\"{}\", a()); }\n```"), @r#"
    [Fenced]
    fn a() -> u8 { 1 }

    fn main() { println!("{}", a()); }
    [says]
    And the program:
    "#);
    insta::assert_snapshot!(rust("```rust\nfn a() -> u8 { 1 }\n```\nCall it:\n```rust\nlet x = a();\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    [says]
    Call it:
    ");
    insta::assert_snapshot!(python("```python\ndef add(a, b):\n    return a + b\n```\nUsage:\n```python\nfrom solution import add\nprint(add(1, 2))\n```"), @"
    [Fenced]
    def add(a, b):
        return a + b
    [says]
    Usage:
    ");
}

#[test]
fn calls_in_other_languages_that_only_show_usage_are_left_out() {
    insta::assert_snapshot!(show(Language::JavaScript, "```js\nconst add = (a, b) => a + b;\n```\nUsage:\n```js\nconst sum = add(1, 2);\nconsole.log(sum);\n```"), @"
    [Fenced]
    const add = (a, b) => a + b;
    [says]
    Usage:
    ");
}

#[test]
fn a_missing_or_wrong_label_is_seen_through() {
    insta::assert_snapshot!(rust("```\nfn a() -> u8 { 1 }\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    ");
    insta::assert_snapshot!(rust("```python\nfn a() -> u8 { 1 }\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    ");
    insta::assert_snapshot!(rust("```text\nfn a() -> u8 { 1 }\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    ");
    insta::assert_snapshot!(python("```\ndef a():\n    return 1\n```"), @"
    [Fenced]
    def a():
        return 1
    ");
    insta::assert_snapshot!(python("```rust\ndef a():\n    return 1\n```"), @"
    [Fenced]
    def a():
        return 1
    ");
    insta::assert_snapshot!(rust("```rust\ndef a():\n    return 1\n```"), @"
    [Fenced]
    def a():
        return 1
    ");
}

#[test]
fn several_languages() {
    insta::assert_snapshot!(rust("```python\ndef a():\n    return 1\n```\nIn Rust:\n```rust\nfn a() -> u8 { 1 }\n```"), @"
    [Fenced]
    fn a() -> u8 { 1 }
    [says]
    In Rust:
    ");
    insta::assert_snapshot!(python("```rust\nfn a() -> u8 { 1 }\n```\nIn Python:\n```python\ndef a():\n    return 1\n```"), @"
    [Fenced]
    def a():
        return 1
    [says]
    In Python:
    ");
    insta::assert_snapshot!(show(Language::TypeScript, "```javascript\nfunction a() { return 1; }\n```"), @"
    [Fenced]
    function a() { return 1; }
    ");
}

#[test]
fn tests_of_other_languages() {
    insta::assert_snapshot!(show(Language::TypeScript, "```typescript\nexport function a(): number { return 1; }\n```\n```typescript\nimport { a } from './a';\ndescribe('a', () => {\n  it('is one', () => { expect(a()).toBe(1); });\n});\n```"), @"
    [Fenced]
    export function a(): number { return 1; }
    [tests]
    import { a } from './a';
    describe('a', () => {
      it('is one', () => { expect(a()).toBe(1); });
    });
    ");
    insta::assert_snapshot!(show(Language::Go, "```go\npackage a\n\nfunc A() int { return 1 }\n```\n```go\npackage a\n\nimport \"testing\"\n\nfunc TestA(t *testing.T) {\n\tif A() != 1 { t.Fatal(\"no\") }\n}\n```"), @r#"
    [Fenced]
    package a

    func A() int { return 1 }
    [tests]
    package a

    import "testing"

    func TestA(t *testing.T) {
    	if A() != 1 { t.Fatal("no") }
    }
    "#);
    insta::assert_snapshot!(show(Language::Java, "```java\npublic class A {\n    static int a() { return 1; }\n}\n```\n```java\nimport org.junit.jupiter.api.Test;\n\nclass ATest {\n    @Test\n    void one() { assertEquals(1, A.a()); }\n}\n```"), @"
    [Fenced]
    public class A {
        static int a() { return 1; }
    }
    [tests]
    import org.junit.jupiter.api.Test;

    class ATest {
        @Test
        void one() { assertEquals(1, A.a()); }
    }
    ");
    insta::assert_snapshot!(python("```python\ndef a():\n    return 1\n```\nHere are some tests:\n```python\nimport unittest\n\nclass TestA(unittest.TestCase):\n    def test_a(self):\n        self.assertEqual(a(), 1)\n```"), @"
    [Fenced]
    def a():
        return 1
    [tests]
    import unittest

    class TestA(unittest.TestCase):
        def test_a(self):
            self.assertEqual(a(), 1)
    [says]
    Here are some tests:
    ");
    insta::assert_snapshot!(show(Language::Cpp, "```cpp\n#include <vector>\nint a() { return 1; }\n```\n```cpp\n#include <gtest/gtest.h>\nTEST(A, One) { EXPECT_EQ(a(), 1); }\n```"), @"
    [Fenced]
    #include <vector>
    int a() { return 1; }
    [tests]
    #include <gtest/gtest.h>
    TEST(A, One) { EXPECT_EQ(a(), 1); }
    ");
}
