//! The text of an answer without what only makes it look good: one way to write each sign, no emphasis, no LaTeX, no thoughts.

use super::latex::without_latex;

/// Marks around the content of a `\boxed{…}` in a plain text.
pub(super) const BOX_BEGIN: char = '⟦';
pub(super) const BOX_END: char = '⟧';

/// Tags around what a model thinks before it answers.
const THOUGHTS: [&str; 3] = ["think", "thinking", "reasoning"];

/// Tags around what it answers.
const ANSWERS: [&str; 3] = ["answer", "final_answer", "final-answer"];

/// The longest tag that is taken for one, in bytes.
const TAG_BYTES_MAX: usize = 14;

/// The plain form of an answer; its letters keep their case.
pub(super) fn plain(answer: &str) -> String {
    let answer = without_struck(&without_thoughts(answer));
    let is_fence = |line: &&str| line.trim_start().starts_with("```");
    let lines = answer.split_inclusive('\n').filter(|line| !is_fence(line));
    let answer: String = lines.collect();
    let one_way: String = answer.chars().flat_map(one_way).collect();
    let text = without_tags(&without_latex(&one_way));
    without_emphasis(&text)
}

/// Takes out what a model thought aloud, with its tags; where a thought does not end, all that follows.
fn without_thoughts(answer: &str) -> String {
    let mut text = answer.to_owned();
    for tag in THOUGHTS {
        let (begin_tag, end_tag) = (format!("<{tag}>"), format!("</{tag}>"));
        // Some chat templates write the first tag themselves.
        if let Some(end) = text.rfind(&end_tag)
            && !text[..end].contains(&begin_tag)
        {
            text = text[end + end_tag.len()..].to_owned();
        }
        while let Some(begin) = text.find(&begin_tag) {
            let end = text[begin..].find(&end_tag).map_or(text.len(), |end| begin + end + end_tag.len());
            text.replace_range(begin..end, "");
        }
    }
    text
}

/// Takes out what is struck through.
fn without_struck(text: &str) -> String {
    let parts: Vec<_> = text.split("~~").collect();
    if parts.len().is_multiple_of(2) {
        return text.to_owned();
    }
    parts.into_iter().step_by(2).collect()
}

/// The one form of a sign that can be written in several.
fn one_way(c: char) -> Vec<char> {
    match c {
        '\u{3000}' | '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\u{205f}' | '|' | '\t' => vec![' '],
        // Joiners, marks of direction, and what makes an emoji of a digit.
        '\u{ad}'
        | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'
        | '\u{feff}'
        | '\u{fe0f}'
        | '\u{20e3}'
        | BOX_BEGIN
        | BOX_END => Vec::new(),
        '\u{1f51f}' => vec!['1', '0'],
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).map(one_way).unwrap_or_default(),
        '\u{660}'..='\u{669}' => digit(c, '\u{660}'),
        '\u{6f0}'..='\u{6f9}' => digit(c, '\u{6f0}'),
        '\u{966}'..='\u{96f}' => digit(c, '\u{966}'),
        '−' | '‐' | '‑' | '﹣' => vec!['-'],
        '—' | '―' => vec![' ', '—', ' '],
        '‒' => vec!['–'],
        '“' | '”' | '„' | '«' | '»' | '「' | '」' | '『' | '』' | '‹' | '›' => vec!['"'],
        '‘' | '’' | '‚' | '‛' | '′' | 'ʼ' => vec!['\''],
        '。' => vec!['.', ' '],
        '、' => vec![',', ' '],
        '½' => " 1/2".chars().collect(),
        '¼' => " 1/4".chars().collect(),
        '¾' => " 3/4".chars().collect(),
        '⅓' => " 1/3".chars().collect(),
        '⅔' => " 2/3".chars().collect(),
        '⁄' => vec!['/'],
        '²' => vec!['^', '2'],
        '³' => vec!['^', '3'],
        '⋅' | '·' => vec!['×'],
        '⇒' | '➡' | '⟹' | '➜' => vec!['→'],
        _ => vec![c],
    }
}

fn digit(c: char, zero: char) -> Vec<char> {
    char::from_digit(u32::from(c) - u32::from(zero), 10).into_iter().collect()
}

/// Takes out tags; one around an answer becomes its announcement.
fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(begin) = rest.find('<') {
        out.push_str(&rest[..begin]);
        let tag = &rest[begin + 1..];
        let end = tag.bytes().take(TAG_BYTES_MAX + 1).position(|byte| byte == b'>');
        let name = end.map(|end| tag[..end].trim_end_matches([' ', '/']).to_ascii_lowercase());
        let is_name = |name: &str| {
            let name = name.strip_prefix('/').unwrap_or(name);
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
        };
        match (end, name.filter(|name| is_name(name))) {
            (Some(end), Some(name)) => {
                if ANSWERS.contains(&name.as_str()) {
                    out.push_str("\nFinal answer: ");
                } else if name == "br" || name.strip_prefix('/').is_some_and(|name| ANSWERS.contains(&name)) {
                    out.push('\n');
                }
                rest = &tag[end + 1..];
            }
            _ => {
                out.push('<');
                rest = tag;
            }
        }
    }
    out.push_str(rest);
    out
}

/// Takes out emphasis. A single asterisk between numbers multiplies.
fn without_emphasis(text: &str) -> String {
    let chars: Vec<_> = text.chars().collect();
    let at = |place: Option<usize>| place.and_then(|place| chars.get(place)).copied().unwrap_or(' ');
    let mut out = String::with_capacity(text.len());
    for (place, c) in chars.iter().enumerate() {
        let (before, behind) = (at(place.checked_sub(1)), at(Some(place + 1)));
        match c {
            '`' => {}
            '*' => {
                let is_alone = before != '*' && behind != '*';
                let far = |step: isize| place.checked_add_signed(step);
                let left = if before == ' ' { at(far(-2)) } else { before };
                let right = if behind == ' ' { at(far(2)) } else { behind };
                if is_alone
                    && left.is_ascii_digit()
                    && right.is_ascii_digit()
                    && (before == ' ') == (behind == ' ')
                {
                    out.push('×');
                }
            }
            '_' if !(before.is_alphanumeric() && behind.is_alphanumeric()) => {}
            _ => out.push(*c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, wanted: &str) {
        assert_eq!(plain(text).trim(), wanted, "{text}");
    }

    #[test]
    fn signs_are_written_one_way() {
        check("４０ km／h", "40 km/h");
        check("It’s “blue”", "It's \"blue\"");
        check("−5 and 1\u{202f}000", "-5 and 1 000");
        check("9️⃣", "9");
        check("2½ or ¾", "2 1/2 or  3/4");
    }

    #[test]
    fn latex_is_taken_apart() {
        check(r"$\frac{1}{2}$", "1/2");
        check(r"Hence $\boxed{\text{Lea}}$.", "Hence ⟦Lea⟧.");
        check(r"\boxed{\dfrac{3}{4}\,\mathrm{km}}", "⟦3/4 km⟧");
        check(r"$1{,}000$", "1,000");
        check(r"\(40\ \text{km/h}\)", "40 km/h");
        check(r"$x = 5$ and $0.10 or $2 more", "x = 5 and $0.10 or $2 more");
        check(r"3 \times 4 \approx 12\%", "3 × 4 ≈ 12%");
    }

    #[test]
    fn emphasis_tags_fences_thoughts_and_what_is_struck_go() {
        check("**Final** _answer_: `40`", "Final answer: 40");
        check("3*4 = 12, 2 * 6 = 12", "3×4 = 12, 2 × 6 = 12");
        check("snake_case", "snake_case");
        check("<think>It is 3.</think>It is 4.", "It is 4.");
        check("It is 3.</think>It is 4.", "It is 4.");
        check("<think>It is 3. Or", "");
        check("It is ~~3~~ 4", "It is  4");
        check("```json\n{\"a\": 1}\n```", "\"a\": 1");
        check("<answer>9</answer> <b>x</b> <9>", "Final answer: 9\n x <9>");
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(
            parts in prop::collection::vec("\\PC{0,8}|\\\\frac|\\\\boxed|\\{|\\}|<think>|</think>|~~|\\*|\\$|\n|\\\\", 0..16),
        ) {
            let _ = plain(&parts.concat());
        }
    }
}
