//! Several answers to the same question.

use playhouse_protocol::completion::StopReason;
use playhouse_protocol::riddle::{AnswerKey, AnswerMatch, Source, Verdict};

use super::number::counted;
use super::score::score;
use super::tokens::tokens;
use super::words::{texts, without_lead_in};

/// Words that make no difference between answers.
const ARTICLES: [&str; 3] = ["a", "an", "the"];

/// What an answer comes down to, in a form in which answers can be held against each other: a number by its value, words
/// without case, articles and punctuation. `None` for what is no answer. What is accepted plays no part in it.
pub fn vote(key: &AnswerKey, answer: &str, stop_reason: StopReason) -> Option<String> {
    let score = score(key, answer, stop_reason);
    if !matches!(score.verdict, Verdict::Right | Verdict::Wrong) {
        return None;
    }
    let extracted = score.extracted?;
    let number = match key.matching {
        AnswerMatch::Number { .. } => counted(key, &extracted.text, extracted.source == Source::LastLine),
        AnswerMatch::Word | AnswerMatch::Any => None,
    };
    // Adding nothing makes the negative zero a zero.
    number.map(|(value, _)| (value + 0.0).to_string()).or_else(|| in_words(&extracted.text))
}

fn in_words(text: &str) -> Option<String> {
    let words = texts(&tokens(text));
    let kept = without_lead_in(&words, &[]).iter().filter(|word| !ARTICLES.contains(&word.as_str()));
    let kept: Vec<_> = kept.map(String::as_str).collect();
    (!kept.is_empty()).then(|| kept.join(" "))
}

/// The place of the answer that was given most often. Of several that were given equally often it is the one that was given
/// first; 0 where nobody votes.
pub fn elect<'a>(votes: impl IntoIterator<Item = Option<&'a str>>) -> usize {
    let votes: Vec<_> = votes.into_iter().collect();
    let given = |vote: Option<&str>| votes.iter().filter(|other| **other == vote).count();
    let (mut chosen, mut most) = (0, 0);
    for (place, vote) in votes.iter().enumerate().filter(|(_, vote)| vote.is_some()) {
        let count = given(*vote);
        if count > most {
            (chosen, most) = (place, count);
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(matching: AnswerMatch) -> AnswerKey {
        AnswerKey { matching, answers: vec!["1".to_owned()], units: vec!["km/h".to_owned()] }
    }

    fn check(matching: AnswerMatch, answer: &str, expected: Option<&str>) {
        assert_eq!(vote(&key(matching), answer, StopReason::Stop).as_deref(), expected, "{answer}");
    }

    #[test]
    fn the_same_answer_gives_the_same_vote_however_it_is_written() {
        let number = AnswerMatch::Number { tolerance: 0.0 };
        for same in ["Final answer: 1,000 km/h", "So it is **1000**.", "Final answer: 1000.0"] {
            check(number, same, Some("1000"));
        }
        for same in ["Final answer: The Blue Box.", "It is a blue box", "**Final answer:** \"blue box\""] {
            check(AnswerMatch::Word, same, Some("blue box"));
        }
    }

    #[test]
    fn what_is_no_answer_has_no_vote() {
        check(AnswerMatch::Word, " … ", None);
        check(AnswerMatch::Word, "I'm sorry, but I can't help with that.", None);
        assert_eq!(vote(&key(AnswerMatch::Word), "Let us see", StopReason::Length), None);
        assert_eq!(vote(&key(AnswerMatch::Word), "yes", StopReason::ContentFilter), None);
    }

    #[test]
    fn the_most_votes_win_and_ties_go_to_the_answer_that_was_first() {
        assert_eq!(elect([Some("a"), Some("b"), None, Some("b")]), 1);
        assert_eq!(elect([None, Some("b"), Some("a"), Some("a"), Some("b")]), 1);
        assert_eq!(elect([None, None, None]), 0);
        assert_eq!(elect([]), 0);
    }
}
