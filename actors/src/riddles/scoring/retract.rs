//! Answers that take themselves back.

/// Words with which an answer takes itself back, whatever follows.
const STRONG: [&str; 18] = [
    "wait",
    "hold on",
    "on second thought",
    "let me correct",
    "i made a mistake",
    "i made an error",
    "i was wrong",
    "scratch that",
    "correction",
    "that is wrong",
    "that's wrong",
    "that is incorrect",
    "that's incorrect",
    "that's not right",
    "my mistake",
    "make that",
    "i meant",
    "oops",
];

/// Words that do so only when little follows: "Actually, 4." is another answer, and a long sentence is a reason.
const WEAK: [&str; 6] = ["actually", "no", "sorry", "i mean", "or rather", "rather"];

/// The most words of what little is.
const LITTLE_WORDS_MAX: usize = 5;

/// How far is looked for the end of that, in characters: longer than any five words.
const LOOK_CHARS: usize = 120;

/// What comes in place of an answer that takes itself back, from a text that begins with the answer. `None` where it stands by
/// it.
pub(super) fn retraction(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let mut last = None;
    for (begin, end) in segments(&lower).skip(1) {
        if let Some(behind) = reversal(&lower, begin, end) {
            last = Some((begin, behind));
        }
    }
    let (begin, mut behind) = last?;
    // "Wait, no, actually 4": all of it takes back.
    loop {
        let skipped = behind + lower[behind..].len()
            - lower[behind..].trim_start_matches(|c: char| !c.is_alphanumeric()).len();
        let rest = &lower[skipped..];
        let next = STRONG
            .iter()
            .chain(&WEAK)
            .filter(|phrase| starts_with_words(rest, phrase))
            .map(|phrase| phrase.len())
            .max();
        // The last word may be the answer: "Wait, no."
        match next.filter(|len| rest[*len..].contains(char::is_alphanumeric)) {
            Some(len) => behind = skipped + len,
            None => break,
        }
    }
    let rest = text[behind..].trim_start_matches(|c: char| {
        c.is_whitespace() || matches!(c, ',' | '.' | '!' | '…' | ';' | '—' | ':')
    });
    Some(if rest.chars().any(char::is_alphanumeric) { rest.to_owned() } else { text[begin..].to_owned() })
}

/// The parts of a text between signs that can stand in front of a word that takes back.
fn segments(lower: &str) -> impl Iterator<Item = (usize, usize)> {
    let is_cut = |c: char| matches!(c, '.' | '!' | '?' | ';' | '\n' | ',' | '—' | '…' | '(');
    let mut begin = 0;
    lower.split_inclusive(is_cut).map(move |part| {
        let segment = (begin, begin + part.len());
        begin += part.len();
        segment
    })
}

/// Where the words end that take back, when a segment begins with such.
fn reversal(lower: &str, begin: usize, end: usize) -> Option<usize> {
    let segment = &lower[begin..end];
    let skipped = segment.len() - segment.trim_start_matches(|c: char| !c.is_alphanumeric()).len();
    let fillers = ["hmm, ", "hmm ", "oh ", "but ", "no "];
    let filler = fillers.iter().find(|filler| {
        segment[skipped..].starts_with(**filler) && segment[skipped + filler.len()..].starts_with("wait")
    });
    let start = begin + skipped + filler.map_or(0, |filler| filler.len());
    let rest = &lower[start..];
    if let Some(phrase) = STRONG.iter().find(|phrase| starts_with_words(rest, phrase)) {
        let next = rest[phrase.len()..].split_whitespace().next().unwrap_or_default();
        let waits_for = *phrase == "wait" && matches!(next, "for" | "until" | "till" | "times" | "time");
        return (!waits_for).then_some(start + phrase.len());
    }
    let phrase = WEAK.iter().find(|phrase| starts_with_words(rest, phrase))?;
    let behind = &rest[phrase.len()..];
    // "No" is followed by a comma where it takes back: "no sheep ran away" is a reason.
    if *phrase == "no" && !behind.starts_with([',', '.', '!', '—']) {
        return None;
    }
    // Behind a comma it is part of a sentence: "yes, no doubt".
    let near: String = behind.chars().take(LOOK_CHARS).collect();
    let sentence = near.trim_start_matches([',', ' ', '.', '!']);
    let sentence = sentence.split(['.', '!', '?', '\n', ';']).next().unwrap_or_default();
    let words = sentence.split_whitespace().count();
    (1..=LITTLE_WORDS_MAX).contains(&words).then_some(start + phrase.len())
}

fn starts_with_words(text: &str, phrase: &str) -> bool {
    text.strip_prefix(phrase)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '\''))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, wanted: Option<&str>) {
        assert_eq!(retraction(text).as_deref(), wanted, "{text}");
    }

    #[test]
    fn an_answer_is_taken_back_by_the_words_for_it() {
        check("3. Wait, actually 4", Some("4"));
        check("3. Wait, no, it's 4.", Some("it's 4."));
        check("3. Scratch that: 4", Some("4"));
        check("3\nOn second thought, the farmer keeps 4.", Some("the farmer keeps 4."));
        check("3. No, 4.", Some("4."));
        check("3. Actually, it is 4.", Some("it is 4."));
        check("7. Wait, that's wrong.", Some(" that's wrong."));
        check("red — wait — blue", Some("blue"));
    }

    #[test]
    fn reasons_take_nothing_back() {
        check("9. The farmer started with 17.", None);
        check("no. Actually, the match was not called off, which means it was dry.", None);
        check("9, no sheep were added", None);
        check("9. Wait for the trick.", None);
        check("wait", None);
    }
}
