//! What an answer comes down to.

use playhouse_protocol::riddle::{Extracted, Source};

use super::announce::{Announcement, announcements};
use super::claim::core;
use super::plain::{BOX_BEGIN, BOX_END, plain};
use super::retract::retraction;
use super::tokens::{Kind, Token, tokens};

/// How often an answer can take itself back; what is left of it gets shorter each time.
const RETRACTIONS_MAX: u32 = 8;

/// The most words of an answer that stands alone in front of its reasons, all and without those that say nothing.
const BARE_WORDS_MAX: usize = 5;
const BARE_TELLING_WORDS_MAX: usize = 3;

/// The fewest words that are reasons.
const REASON_WORDS_MIN: usize = 5;

/// Words that say nothing in a bare answer.
const UNTELLING: [&str; 9] = ["the", "a", "an", "it", "is", "it's", "are", "was", "be"];

/// First words of lines that begin to think, not to answer.
pub(super) const THINKING: [&str; 34] = [
    "let",
    "let's",
    "lets",
    "first",
    "step",
    "ok",
    "okay",
    "sure",
    "thinking",
    "think",
    "reasoning",
    "explanation",
    "solution",
    "analysis",
    "hmm",
    "well",
    "alright",
    "certainly",
    "absolutely",
    "great",
    "good",
    "nice",
    "hello",
    "hi",
    "thanks",
    "we",
    "i",
    "i'll",
    "given",
    "there",
    "this",
    "so",
    "if",
    "question",
];

/// How lines begin that say good-bye.
const CLOSERS: [&str; 9] = [
    "hope this",
    "i hope",
    "let me know",
    "good luck",
    "is there anything",
    "feel free",
    "would you like",
    "thanks",
    "happy to",
];

/// How lines begin with which a model goes on to ask itself the next question.
const NEXT_QUESTIONS: [&str; 5] = ["question:", "q:", "human:", "user:", "next question"];

/// What an answer comes down to, and whether the text ends with it unfinished: without a full stop or a new line.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) extracted: Extracted,
    pub(super) is_open: bool,
}

/// Finds the final answer: behind the last words that announce one, in the last `\boxed{…}`, alone in front of its reasons,
/// else in the last line. What is taken back behind it is replaced by what comes then. `None` for an answer without any letter
/// or digit.
pub fn final_answer(answer: &str) -> Option<Extracted> {
    find(&plain(answer), false).map(|found| found.extracted)
}

/// The same in a plain text; an answer in front of its reasons has to be a number where one is wanted.
pub(super) fn find(text: &str, wants_number: bool) -> Option<Found> {
    let mut text = without_next_question(text).to_owned();
    let mut found = find_once(&text, wants_number)?;
    for _ in 0..RETRACTIONS_MAX {
        let Some(rest) = retraction(&text[found.begin.min(text.len())..]) else { break };
        let Some(next) = find_once(&rest, wants_number) else { break };
        (text, found) = (rest, next);
    }
    let is_open = text.ends_with(&found.text);
    Some(Found { extracted: Extracted { text: found.text, source: found.source }, is_open })
}

/// A final answer, and where in the text it begins.
struct Place {
    text: String,
    source: Source,
    begin: usize,
}

fn find_once(text: &str, wants_number: bool) -> Option<Place> {
    let announced = announcements(text);
    let last = |trust: u8| announced.iter().rev().find(|found| found.trust == trust);
    if let Some(found) = last(3) {
        return announced_place(found);
    }
    let boxed = boxed(text);
    match (boxed, last(2)) {
        (Some((content, begin)), other) if other.is_none_or(|other| other.begin < begin) => {
            Some(Place { text: content, source: Source::Boxed, begin })
        }
        (_, Some(found)) => announced_place(found),
        (_, None) => last(1)
            .and_then(announced_place)
            .or_else(|| first_line(text, wants_number))
            .or_else(|| last_line(text)),
    }
}

fn announced_place(found: &Announcement) -> Option<Place> {
    let text = boxed(&found.claim).map_or_else(|| clean(&found.claim), |(content, _)| Some(content))?;
    Some(Place { text, source: Source::Announced, begin: found.begin })
}

/// What is in the last box that has something in it, and where it begins.
fn boxed(text: &str) -> Option<(String, usize)> {
    let mut end = text.len();
    while let Some(begin) = text[..end].rfind(BOX_BEGIN) {
        let inside = &text[begin + BOX_BEGIN.len_utf8()..];
        let inside = inside.split(BOX_END).next().unwrap_or_default();
        if let Some(content) = clean(inside) {
            return Some((content, begin));
        }
        end = begin;
    }
    None
}

/// The first sentence where it is an answer alone, or begins with yes or no, and reasons follow.
fn first_line(text: &str, wants_number: bool) -> Option<Place> {
    let begin = text.find(|c: char| !c.is_whitespace())?;
    let rest = &text[begin..];
    let line = rest.lines().next()?;
    let all = tokens(rest);
    let end = all.iter().position(Token::is_end)?;
    let (sentence, reasons) = all.split_at(end);
    let words = |tokens: &[Token]| tokens.iter().filter(|token| !token.is_sign()).count();
    let first = sentence.iter().find(|token| !token.is_sign())?;
    let second = sentence.iter().filter(|token| !token.is_sign()).nth(1);
    let thinks = |token: &Token| THINKING.contains(&token.text.as_str());
    if thinks(first) || line.starts_with(['#', '-', '•']) || words(reasons) < REASON_WORDS_MIN {
        return None;
    }
    // "A riddle!" is about the riddle, and what something is not is no answer but "no".
    let is_aside = sentence.iter().any(|token| {
        matches!(token.text.as_str(), "riddle" | "puzzle" | "question" | "problem" | "classic" | "not")
            || token.text.ends_with("n't")
    });
    let is_question = matches!(all.get(end).map(|token| &token.kind), Some(Kind::Sign('?')));
    // "9 are left, because …" is bare too.
    let claim = core(sentence);
    let telling =
        claim.iter().filter(|token| !token.is_sign() && !UNTELLING.contains(&token.text.as_str())).count();
    let is_bare = (1..=BARE_TELLING_WORDS_MAX).contains(&telling)
        && words(&claim) <= BARE_WORDS_MAX
        && !sentence.iter().any(|token| matches!(token.kind, Kind::Sign(':')));
    let opens = matches!(first.text.as_str(), "yes" | "no")
        && sentence.get(1).is_none_or(Token::is_sign)
        && !second.is_some_and(|token| thinks(token) || token.text == "wait");
    let has_number = || !super::numbers::quantities(sentence).is_empty();
    let is_answer = (is_bare && !is_aside) || (opens && !wants_number);
    if is_question || (wants_number && !has_number()) || !is_answer {
        return None;
    }
    // Up to the sentence's end, however it is written.
    let shown = line.find(['.', '!', '?', ';']).filter(|end| {
        let behind = line[end + 1..].chars().next();
        behind.is_none_or(char::is_whitespace)
    });
    let text = clean(&line[..shown.unwrap_or(line.len())])?;
    // A list of answers is none.
    (!is_listed(rest, line)).then_some(Place { text, source: Source::FirstLine, begin })
}

/// Whether a line is the first of a numbered list.
fn is_listed(text: &str, line: &str) -> bool {
    line.starts_with("1.") && text.lines().any(|line| line.trim_start().starts_with("2."))
}

fn last_line(text: &str) -> Option<Place> {
    let lines: Vec<_> = text.lines().collect();
    let is_closer = |line: &str| {
        let lower = line.trim_start().to_lowercase();
        CLOSERS.iter().any(|closer| lower.starts_with(closer))
    };
    let pick = |skips_closers: bool| {
        lines.iter().enumerate().rev().find_map(|(number, line)| {
            let line = without_list_mark(line, &lines[..number]);
            clean(line).filter(|_| !(skips_closers && is_closer(line)))
        })
    };
    let shown = pick(true).or_else(|| pick(false))?;
    let begin = text.rfind(&shown).unwrap_or_default();
    Some(Place { text: shown, source: Source::LastLine, begin })
}

/// A line without its number in a list, where a line with the number before it is above.
fn without_list_mark<'a>(line: &'a str, above: &[&str]) -> &'a str {
    let trimmed = line.trim_start();
    let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
    let Ok(number) = trimmed[..digits].parse::<u32>() else { return line };
    let Some(behind) = trimmed[digits..].strip_prefix(['.', ')']).filter(|rest| rest.starts_with(' ')) else {
        return line;
    };
    let is_item = |line: &&str| {
        let before = number.checked_sub(1).map(|before| before.to_string());
        let rest = before.and_then(|before| line.trim_start().strip_prefix(before.as_str()));
        rest.is_some_and(|rest| rest.starts_with(['.', ')']))
    };
    if number > 1 && above.iter().any(is_item) { behind } else { line }
}

/// The text up to where a model goes on to ask itself another question, once it has announced an answer.
fn without_next_question(text: &str) -> &str {
    let Some(first) = announcements(text).first().map(|found| found.begin) else { return text };
    let mut place = 0;
    for line in text.split_inclusive('\n') {
        let lower = line.trim_start().to_lowercase();
        let is_next = NEXT_QUESTIONS.iter().any(|begin| lower.starts_with(begin));
        if is_next && first < place {
            return &text[..place];
        }
        place += line.len();
    }
    text
}

/// A text without what stands around it; `None` when nothing is left.
pub(super) fn clean(text: &str) -> Option<String> {
    let text: String = text.chars().filter(|c| !matches!(*c, BOX_BEGIN | BOX_END)).collect();
    let text =
        text.trim_matches(|c: char| c.is_whitespace() || matches!(c, ':' | '"' | '>' | '<' | '#' | '='));
    let text =
        text.strip_prefix(['-', '•', '→', '—']).filter(|rest| rest.starts_with(' ')).unwrap_or(text).trim();
    text.chars().any(char::is_alphanumeric).then(|| text.to_owned())
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
        check("{\"reasoning\": \"8 + 1\", \"answer\": \"9\"}", Source::Announced, "9");
        check("## Final Answer\n\n40 km/h", Source::Announced, "40 km/h");
        assert_eq!(final_answer(" \n…\n"), None);
    }

    #[test]
    fn an_answer_may_stand_in_front_of_its_reasons() {
        check("A towel.\n\nIt gets wet while it dries other things.", Source::FirstLine, "A towel");
        check(
            "No, it cannot.\n\nEvery glorp is a blint, and no blint is red.",
            Source::FirstLine,
            "No, it cannot",
        );
        check(
            "Let me think.\nThe pond is half covered on day 29.",
            Source::LastLine,
            "The pond is half covered on day 29.",
        );
    }

    #[test]
    fn what_is_taken_back_is_replaced_by_what_comes_then() {
        check("Answer: 3. Wait, actually 4", Source::LastLine, "4");
        check(
            "Final answer: 3\nHmm, wait. Let me recheck: 5 - 1 = 4.\nFinal answer: 4",
            Source::Announced,
            "4",
        );
        check(
            "Final answer: 9. Wait for the trick in it.",
            Source::Announced,
            "9. Wait for the trick in it.",
        );
    }

    proptest! {
        #[test]
        fn what_is_found_is_never_empty_and_no_text_makes_it_fail(
            parts in prop::collection::vec("\\PC{0,12}|\n|answer:|Wait, |No, |\\. |\\\\boxed\\{|\\}|İ|1\\. ", 0..12),
        ) {
            if let Some(found) = final_answer(&parts.concat()) {
                prop_assert!(found.text.chars().any(char::is_alphanumeric));
            }
        }
    }
}
