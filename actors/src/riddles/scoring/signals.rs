//! The way to an answer, apart from whether it is right.

use playhouse_protocol::riddle::{Signals, Source};

use super::extract::final_answer;
use super::normal::words;

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
    let words = words(&answer.replace('’', "'"));
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
        reversals: count(&REVERSALS),
        is_announced: final_answer(answer).is_some_and(|found| found.source != Source::LastLine),
    }
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
}
