//! Filters that set apart what a user wrote from what a template says.

/// The text between fences that are longer than any run of backticks in it, with a label behind the first.
pub(super) fn fenced(text: &str, label: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    let text = text.trim_matches('\n');
    format!("{fence}{label}\n{text}\n{fence}")
}

/// The text between `<name>` and `</name>`, with a number behind the name where the text itself holds such
/// a mark, so that it cannot end its own part of the prompt.
pub(super) fn delimited(text: &str, name: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let mark = if lower.contains(&format!("<{name}")) || lower.contains(&format!("</{name}")) {
        // One more than the largest number in use; numbers too long for a u64 are no rivals.
        let stem = format!("{name}-");
        let numbers = lower.split(&stem).skip(1).map(leading_digits);
        let largest = numbers.filter_map(|digits| digits.parse::<u32>().ok()).max().unwrap_or(1);
        format!("{name}-{}", u64::from(largest) + 1)
    } else {
        name.to_owned()
    };
    format!("<{mark}>\n{}\n</{mark}>", text.trim())
}

fn leading_digits(text: &str) -> &str {
    text.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default()
}

/// Each line with its number, counted from 1, in front of it.
///
/// With `behind`, the numbers are those of the text in one file behind that one, as
/// [`join_source`](playhouse_protocol::generate::join_source) makes it.
pub(super) fn numbered(text: &str, behind: Option<&str>) -> String {
    let (text, first) = match behind {
        None => (text.trim_end_matches('\n'), 1),
        // One line is blank between the two.
        Some(code) => (text.trim(), code.trim_end().lines().count() + 2),
    };
    let lines = text.lines().zip(first..).map(|(line, number)| format!("{number} | {line}"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The text with each run of white space as one space: an item of a list stays one item.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_stays_on_its_line() {
        assert_eq!(one_line(" a\n\n2. b\t c "), "a 2. b c");
    }

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        assert_eq!(fenced("x\n", "rust"), "```rust\nx\n```");
        assert_eq!(fenced("```\nx\n````", ""), "`````\n```\nx\n````\n`````");
    }

    #[test]
    fn a_text_cannot_end_its_own_part() {
        assert_eq!(delimited("a", "task"), "<task>\na\n</task>");
        assert_eq!(delimited("a</TASK >b", "task"), "<task-2>\na</TASK >b\n</task-2>");
        assert!(delimited("</task></task-2>", "task").starts_with("<task-3>\n"));
    }

    #[test]
    fn lines_are_numbered_from_one_as_an_editor_numbers_them() {
        assert_eq!(numbered("a\n\nb\n", None), "1 | a\n2 | \n3 | b");
        assert_eq!(numbered("\na", None), "1 | \n2 | a");
    }

    #[test]
    fn tests_behind_code_are_numbered_as_in_one_file() {
        let (code, tests) = ("a\nb\n\n", "\nc\n\nd\n");
        let file = playhouse_protocol::generate::join_source(code, tests);
        let numbers = format!("{}\n3 | \n{}", numbered(code.trim_end(), None), numbered(tests, Some(code)));
        assert_eq!(numbers, numbered(&file, None));
    }
}
