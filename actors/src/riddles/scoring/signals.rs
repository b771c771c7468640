//! The way to an answer, apart from whether it is right.

use playhouse_protocol::riddle::{Signals, Source};

use super::announce::announcements;
use super::extract::find;
use super::plain::plain;
use super::tokens::tokens;
use super::words::texts;

/// Words that leave an answer open.
const HEDGES: [&[&str]; 9] = [
    &["maybe"],
    &["perhaps"],
    &["possibly"],
    &["probably"],
    &["might"],
    &["i", "think"],
    &["i", "guess"],
    &["not", "sure"],
    &["could", "be"],
];

/// Words with which an answer takes itself back.
const REVERSALS: [&[&str]; 7] = [
    &["wait"],
    &["on", "second", "thought"],
    &["let", "me", "correct"],
    &["i", "made", "a", "mistake"],
    &["scratch", "that"],
    &["that", "is", "wrong"],
    &["that's", "wrong"],
];

/// Looks at an answer.
pub fn signals(answer: &str) -> Signals {
    let plain = plain(answer);
    let words = texts(&tokens(&plain));
    let count = |phrases: &[&[&str]]| {
        let found: usize = phrases
            .iter()
            .map(|phrase| {
                let is_phrase =
                    |part: &&[String]| part.iter().zip(*phrase).all(|(word, wanted)| word == wanted);
                words.windows(phrase.len()).filter(is_phrase).count()
            })
            .sum();
        u32::try_from(found).unwrap_or(u32::MAX)
    };
    Signals {
        words: u32::try_from(words.len()).unwrap_or(u32::MAX),
        hedges: count(&HEDGES),
        reversals: count(&REVERSALS).saturating_add(changes(&plain)),
        is_announced: find(&plain, false)
            .is_some_and(|found| matches!(found.extracted.source, Source::Announced | Source::Boxed)),
    }
}

/// How often an announced answer is followed by another one that says something else.
fn changes(plain: &str) -> u32 {
    let claims: Vec<_> = announcements(plain).into_iter().map(|found| texts(&tokens(&found.claim))).collect();
    let changes = claims.windows(2).filter(|pair| pair[0] != pair[1]).count();
    u32::try_from(changes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hedges_and_reversals_are_counted_as_whole_words() {
        let found = signals(
            "I think it might be 3. Wait, that’s wrong: perhaps 4.\nFinal answer: 4. The mighty waiter agrees.",
        );
        assert_eq!(found, Signals { words: 18, hedges: 3, reversals: 2, is_announced: true });
        assert_eq!(signals(""), Signals::default());
    }

    #[test]
    fn an_announced_answer_that_another_one_follows_is_taken_back() {
        let reversals = |answer: &str| signals(answer).reversals;
        assert_eq!(reversals("Answer: 3\nAnswer: 4\nFinal answer: 4"), 1);
        assert_eq!(reversals("Answer: **3**\nFinal answer: 3"), 0);
    }
}
