//! An answer against what is accepted.

use playhouse_protocol::completion::StopReason;
use playhouse_protocol::riddle::{AnswerKey, AnswerMatch, Extracted, Match, Score, Source, Verdict};

use super::extract::{Found, find};
use super::number::counted;
use super::plain::plain;
use super::refusal::{refuses, says_nothing};
use super::words::{as_words, has_words};

/// How far the same number may be off for the sake of its decimal form.
const ROUNDING: f64 = 1e-9;

/// How far one that was converted to another unit may be off beyond, as a share.
const CONVERTED_SHARE: f64 = 1e-3;

/// The most words of an answer that is looked at as a whole where one of several texts may be anywhere in it; of a longer one
/// it is the last paragraph.
const WHOLE_WORDS_MAX: usize = 60;

/// Scores the answer of a model. Nothing is dropped: what is no answer has a verdict of its own.
pub fn score(key: &AnswerKey, answer: &str, stop_reason: StopReason) -> Score {
    let verdict = |verdict, extracted| Score { verdict, extracted, matched: None };
    if stop_reason == StopReason::ContentFilter {
        return verdict(Verdict::Refused, None);
    }
    let is_cut = stop_reason == StopReason::Length;
    let text = plain(answer);
    let wants_number = matches!(key.matching, AnswerMatch::Number { .. });
    let Some(Found { extracted, is_open }) = find(&text, wants_number) else {
        return verdict(if is_cut { Verdict::Truncated } else { Verdict::Empty }, None);
    };
    let is_last_line = extracted.source == Source::LastLine;
    if is_last_line && is_cut {
        return verdict(Verdict::Truncated, Some(extracted));
    }
    if (is_last_line && refuses(&text)) || says_nothing(&extracted.text) {
        return verdict(Verdict::Refused, Some(extracted));
    }
    let matched = key
        .answers
        .iter()
        .find_map(|accepted| Some((accepted.clone(), matches(key, accepted, &extracted, &text)?)));
    if matched.is_none() && is_cut && is_open {
        return verdict(Verdict::Truncated, Some(extracted));
    }
    let verdict = if matched.is_some() { Verdict::Right } else { Verdict::Wrong };
    Score { verdict, extracted: Some(extracted), matched }
}

fn matches(key: &AnswerKey, accepted: &str, extracted: &Extracted, text: &str) -> Option<Match> {
    let is_last_line = extracted.source == Source::LastLine;
    match key.matching {
        AnswerMatch::Number { tolerance } => {
            let wanted = accepted.trim().parse::<f64>().ok()?;
            let (value, is_converted) = counted(key, &extracted.text, is_last_line)?;
            let rounding = if is_converted { CONVERTED_SHARE * wanted.abs() } else { ROUNDING };
            ((value - wanted).abs() <= tolerance + rounding).then_some(Match::Exact)
        }
        AnswerMatch::Word => as_words(accepted, &key.answers, &extracted.text, is_last_line),
        AnswerMatch::Any if is_last_line => has_words(accepted, &key.answers, explained(text)),
        AnswerMatch::Any => has_words(accepted, &key.answers, &extracted.text),
    }
}

/// Where an answer that is not announced explains itself: all of a short one, else its last paragraph.
fn explained(text: &str) -> &str {
    if text.split_whitespace().count() <= WHOLE_WORDS_MAX {
        return text;
    }
    let paragraphs = text.split("\n\n").filter(|paragraph| paragraph.chars().any(char::is_alphanumeric));
    paragraphs.last().unwrap_or(text)
}
#[cfg(test)]
mod tests {
    use playhouse_config::riddles::classic;
    use proptest::prelude::*;

    use super::*;

    fn riddle(matching: AnswerMatch, answers: &[&str], units: &[&str]) -> AnswerKey {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        AnswerKey { matching, answers: texts(answers), units: texts(units) }
    }

    fn verdict(key: &AnswerKey, answer: &str) -> Verdict {
        score(key, answer, StopReason::Stop).verdict
    }

    #[test]
    fn numbers_are_right_in_any_form_and_wrong_when_they_are_others() {
        let speed = riddle(AnswerMatch::Number { tolerance: 0.0 }, &["40"], &["km/h"]);
        for right in ["40", "It is forty.", "40 km/h", "Final answer: 40km/h (120 km in 3 hours)", "40.0"] {
            assert_eq!(verdict(&speed, right), Verdict::Right, "{right}");
        }
        for wrong in ["45", "45 km/h, not 40", "four", "Final answer: 400"] {
            assert_eq!(verdict(&speed, wrong), Verdict::Wrong, "{wrong}");
        }
        let about = riddle(AnswerMatch::Number { tolerance: 0.5 }, &["3.1"], &[]);
        assert_eq!((verdict(&about, "3.6"), verdict(&about, "3.7")), (Verdict::Right, Verdict::Wrong));
    }

    #[test]
    fn words_are_right_alone_before_a_reason_and_at_the_end() {
        let knight = riddle(AnswerMatch::Word, &["knight"], &[]);
        for right in [
            "Knight",
            "**A knight.**",
            "Final answer: the knight",
            "knight, since knaves lie",
            "Ada is a knight",
        ] {
            assert_eq!(verdict(&knight, right), Verdict::Right, "{right}");
        }
        for wrong in ["knave", "Ada is a knave, Bo is a knight or a knave", "Final answer: night"] {
            assert_eq!(verdict(&knight, wrong), Verdict::Wrong, "{wrong}");
        }
        let envelope = riddle(AnswerMatch::Word, &["envelope"], &[]);
        let score = score(&envelope, "An envelop.", StopReason::Stop);
        assert!(matches!(score.matched, Some((_, Match::Fuzzy { alike })) if alike > 0.85));
    }

    #[test]
    fn any_of_several_texts_may_stand_anywhere_as_whole_words() {
        let sister = riddle(AnswerMatch::Any, &["sister", "a woman"], &[]);
        assert_eq!(verdict(&sister, "The surgeon is his sister."), Verdict::Right);
        assert_eq!(verdict(&sister, "The surgeon is a woman!"), Verdict::Right);
        assert_eq!(verdict(&sister, "sisters"), Verdict::Wrong);
    }

    #[test]
    fn what_is_no_answer_is_counted_as_what_it_is() {
        let any = riddle(AnswerMatch::Word, &["yes"], &[]);
        assert_eq!(verdict(&any, "I'm sorry, but I can't answer that."), Verdict::Refused);
        assert_eq!(verdict(&any, " … "), Verdict::Empty);
        assert_eq!(score(&any, "yes", StopReason::ContentFilter).verdict, Verdict::Refused);
        assert_eq!(score(&any, "Let us see. If yes", StopReason::Length).verdict, Verdict::Truncated);
        assert_eq!(score(&any, "Answer: yes. For if", StopReason::Length).verdict, Verdict::Right);
    }

    #[test]
    fn every_riddle_that_comes_along_accepts_its_own_answers_and_no_other_ones() {
        for riddle in &classic().unwrap().riddles {
            for accepted in &riddle.key.answers {
                assert_eq!(verdict(&riddle.key, accepted), Verdict::Right, "{}: {accepted}", riddle.id);
                let told = format!("Let me think.\n\n**Final answer:** {accepted}.\n");
                assert_eq!(verdict(&riddle.key, &told), Verdict::Right, "{}: {told}", riddle.id);
            }
            assert_eq!(verdict(&riddle.key, "Final answer: 987654"), Verdict::Wrong, "{}", riddle.id);
            assert_eq!(
                verdict(&riddle.key, "Final answer: a purple giraffe"),
                Verdict::Wrong,
                "{}",
                riddle.id
            );
        }
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_fail(
            parts in prop::collection::vec("\\PC{0,8}|answer: |\n|9 |or |not |, |\\. |- |= |Wait, |\\(|\\)|½|of ", 0..20),
        ) {
            let answer = parts.concat();
            for matching in [AnswerMatch::Number { tolerance: 0.0 }, AnswerMatch::Word, AnswerMatch::Any] {
                let key = riddle(matching, &["9", "7"], &["km/h"]);
                let _ = score(&key, &answer, StopReason::Stop);
                let _ = super::super::vote(&key, &answer, StopReason::Length);
            }
            let _ = super::super::signals(&answer);
        }
    }
}
