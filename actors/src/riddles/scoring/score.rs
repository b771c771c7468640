//! An answer against what is accepted.

use playhouse_protocol::completion::StopReason;
use playhouse_protocol::riddle::{AnswerKey, AnswerMatch, Match, Score, Source, Verdict};

use super::extract::final_answer;
use super::normal::{quantities, words};

/// How alike two words have to be for a misspelled one to be accepted, by Damerau and Levenshtein: 0.0 to 1.0.
const ALIKE_MIN: f64 = 0.85;

/// Words shorter than this are never held for misspelled ones: "hot" is not "not".
const ALIKE_LEN_MIN: usize = 6;

/// How far the same number may be off for the sake of its decimal form.
const ROUNDING: f64 = 1e-9;

/// How answers begin that refuse to be any. Held against the beginning alone.
const REFUSALS: [&str; 8] = [
    "i cannot help",
    "i can't help",
    "i cannot assist",
    "i can't assist",
    "i'm sorry, but i can",
    "i am sorry, but i can",
    "as an ai",
    "i'm unable to",
];

/// Words before an answer that say nothing.
const LEAD_INS: [&str; 12] =
    ["the", "a", "an", "it", "is", "it's", "was", "he", "she", "they", "are", "therefore"];

/// Scores the answer of a model. Nothing is dropped: what is no answer has a verdict of its own.
pub fn score(key: &AnswerKey, answer: &str, stop_reason: StopReason) -> Score {
    let verdict = |verdict, extracted| Score { verdict, extracted, matched: None };
    if stop_reason == StopReason::ContentFilter {
        return verdict(Verdict::Refused, None);
    }
    let Some(extracted) = final_answer(answer) else {
        let cut = stop_reason == StopReason::Length;
        return verdict(if cut { Verdict::Truncated } else { Verdict::Empty }, None);
    };
    let is_announced = extracted.source != Source::LastLine;
    if !is_announced && stop_reason == StopReason::Length {
        return verdict(Verdict::Truncated, Some(extracted));
    }
    let beginning = answer.trim_start().to_lowercase().replace('’', "'");
    if !is_announced && REFUSALS.iter().any(|refusal| beginning.starts_with(refusal)) {
        return verdict(Verdict::Refused, Some(extracted));
    }
    let matched = key
        .answers
        .iter()
        .find_map(|accepted| Some((accepted.clone(), matches(key, accepted, &extracted.text)?)));
    let verdict = if matched.is_some() { Verdict::Right } else { Verdict::Wrong };
    Score { verdict, extracted: Some(extracted), matched }
}

fn matches(key: &AnswerKey, accepted: &str, answer: &str) -> Option<Match> {
    match key.matching {
        AnswerMatch::Number { tolerance } => {
            is_number(key, accepted, answer, tolerance).then_some(Match::Exact)
        }
        AnswerMatch::Word => as_words(&words(accepted), &words(answer)),
        AnswerMatch::Any => {
            let (accepted, answer) = (words(accepted), words(answer));
            let is_there = answer.windows(accepted.len().max(1)).any(|part| part == accepted);
            is_there.then_some(Match::Exact)
        }
    }
}

/// Whether the number of an answer is the accepted one. Of several numbers the last one counts, but for those that carry a
/// unit of the riddle's: then it is the last of these. A unit that is none of the riddle's makes it another number.
fn is_number(key: &AnswerKey, accepted: &str, answer: &str, tolerance: f64) -> bool {
    let Ok(wanted) = accepted.trim().parse::<f64>() else { return false };
    counted(key, answer).is_some_and(|value| (value - wanted).abs() <= tolerance + ROUNDING)
}

/// The number of an answer.
pub(super) fn counted(key: &AnswerKey, answer: &str) -> Option<f64> {
    let found = quantities(answer);
    let has_unit = |unit: &str| key.units.iter().any(|known| known.to_lowercase() == unit);
    let counts = found.iter().rev().find(|quantity| has_unit(&quantity.unit)).or(found.last());
    counts.map(|quantity| quantity.value)
}

/// The words behind those that say nothing.
pub(super) fn without_lead_in(words: &[String]) -> &[String] {
    let begin = words.iter().take_while(|word| LEAD_INS.contains(&word.as_str())).count();
    &words[begin..]
}

/// Whether an answer is the accepted words: alone, behind words that say nothing, at its beginning in front of a reason, or
/// at its end.
fn as_words(accepted: &[String], answer: &[String]) -> Option<Match> {
    let begin = answer
        .iter()
        .take_while(|word| LEAD_INS.contains(&word.as_str()) && !accepted.contains(word))
        .count();
    let bare = &answer[begin..];
    if bare.starts_with(accepted) || bare.ends_with(accepted) {
        return Some(Match::Exact);
    }
    let (bare, accepted) = (bare.join(" "), accepted.join(" "));
    let alike = strsim::normalized_damerau_levenshtein(&bare, &accepted);
    let is_long = accepted.chars().count() >= ALIKE_LEN_MIN;
    (is_long && alike >= ALIKE_MIN).then_some(Match::Fuzzy { alike })
}

#[cfg(test)]
mod tests {
    use playhouse_config::riddles::classic;

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
}
