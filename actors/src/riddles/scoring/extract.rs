//! What an answer comes down to.

use playhouse_protocol::riddle::{Extracted, Source};

/// What announces a final answer, in the order of trust: whoever writes the first was asked to.
const MARKS: [&str; 6] =
    ["final answer:", "final answer is", "answer:", "the answer is", "####", "in conclusion,"];

/// Finds the final answer: behind the last words that announce one, in the last `\boxed{…}`, else in the last line. `None`
/// for an answer without any letter or digit.
pub fn final_answer(answer: &str) -> Option<Extracted> {
    announced(answer)
        .map(|text| Extracted { text, source: Source::Announced })
        .or_else(|| boxed(answer).map(|text| Extracted { text, source: Source::Boxed }))
        .or_else(|| {
            let text = answer.lines().rev().find_map(clean)?;
            Some(Extracted { text, source: Source::LastLine })
        })
}

fn announced(answer: &str) -> Option<String> {
    let lines: Vec<_> = answer.lines().collect();
    MARKS.iter().find_map(|mark| {
        let (number, line) =
            lines.iter().enumerate().rev().find(|(_, line)| line.to_ascii_lowercase().contains(mark))?;
        let begin = line.to_ascii_lowercase().rfind(mark)? + mark.len();
        let behind = line.get(begin..)?;
        // The announcement may stand alone, with the answer below.
        let text = clean(behind).or_else(|| lines[number + 1..].iter().find_map(|line| clean(line)))?;
        Some(boxed(&text).unwrap_or(text))
    })
}

fn boxed(answer: &str) -> Option<String> {
    let begin = answer.rfind("\\boxed{")? + "\\boxed{".len();
    let inner = answer.get(begin..)?;
    let mut depth = 1_u32;
    let end = inner.char_indices().find(|(_, c)| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    // What stood around a text inside is gone but for its brace.
    clean(&inner[..end?.0]).map(|text| text.trim_matches(['{', '}']).to_owned())
}

/// A line without emphasis and the signs around it; `None` when nothing is left.
fn clean(line: &str) -> Option<String> {
    let line = line.replace(['*', '`'], "").replace("\\text{", "").replace("__", "");
    let line = line.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '"' | '>' | '#' | '$'));
    line.chars().any(char::is_alphanumeric).then(|| line.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(answer: &str, source: Source, text: &str) {
        assert_eq!(final_answer(answer), Some(Extracted { text: text.to_owned(), source }), "{answer}");
    }

    #[test]
    fn the_last_announcement_counts_before_a_box_and_the_last_line() {
        check("Answer: 3\nNo, wait.\n**Final answer:** 4\nHope it helps!", Source::Announced, "4");
        check("So the answer is\n\n  `blue`.", Source::Announced, "blue.");
        check("Hence $\\boxed{\\text{Lea}}$ did it.", Source::Boxed, "Lea");
        check("#### 42", Source::Announced, "42");
        check("First this.\n\nThen *that*.\n\n", Source::LastLine, "Then that.");
        check("Final answer: $\\boxed{7}$", Source::Announced, "7");
        assert_eq!(final_answer(" \n…\n"), None);
    }

    proptest! {
        #[test]
        fn what_is_found_is_never_empty_and_no_text_makes_it_fail(
            parts in prop::collection::vec("\\PC{0,12}|\n|answer:|\\\\boxed\\{|\\}|İ", 0..12),
        ) {
            if let Some(found) = final_answer(&parts.concat()) {
                prop_assert!(found.text.chars().any(char::is_alphanumeric));
            }
        }
    }
}
