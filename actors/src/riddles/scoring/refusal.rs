//! Answers that refuse to be any.

/// How answers begin that refuse, in lower case with straight apostrophes.
const BEGINNINGS: [&str; 26] = [
    "i cannot help",
    "i can't help",
    "i cannot assist",
    "i can't assist",
    "i cannot answer",
    "i can't answer",
    "i cannot provide",
    "i can't provide",
    "i cannot fulfill",
    "i can't fulfill",
    "i cannot comply",
    "i can't comply",
    "i cannot solve",
    "i can't solve",
    "i'm not able to",
    "i am not able to",
    "i'm unable to",
    "i am unable to",
    "i must decline",
    "i won't",
    "i will not",
    "i do not feel comfortable",
    "i'm not comfortable",
    "i refuse",
    "unfortunately, i can",
    "as an ai",
];

/// Apologies that a refusal follows.
const APOLOGIES: [&str; 6] = ["i'm sorry", "i am sorry", "sorry", "i apologize", "my apologies", "apologies"];

/// What follows them.
const AFTER_APOLOGY: [&str; 8] = [
    "can't",
    "cannot",
    "unable",
    "not able",
    "won't",
    "don't have enough",
    "do not have enough",
    "don't know",
];

/// Answers that say that they have none.
const NO_ANSWERS: [&str; 11] = [
    "i don't know",
    "i do not know",
    "i have no idea",
    "no idea",
    "i'm not sure",
    "i am not sure",
    "not sure",
    "i can't say",
    "i cannot say",
    "n/a",
    "i give up",
];

/// The most of an answer that is looked at behind an apology, in characters.
const LOOK_CHARS: usize = 160;

/// Whether an answer refuses to be any. Held against its beginning alone: in the middle of a text the same words say something
/// about the riddle.
pub(super) fn refuses(answer: &str) -> bool {
    let text = answer.trim_start_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
    if BEGINNINGS.iter().any(|beginning| text.starts_with(beginning)) {
        return true;
    }
    let begin: String = text.chars().take(LOOK_CHARS).collect();
    let apology = APOLOGIES.iter().find(|apology| begin.starts_with(**apology));
    apology.is_some_and(|apology| AFTER_APOLOGY.iter().any(|words| begin[apology.len()..].contains(words)))
}

/// Whether all that is said is that there is no answer.
pub(super) fn says_nothing(claim: &str) -> bool {
    let text = claim.to_lowercase();
    let text = text.trim_matches(|c: char| !c.is_alphanumeric());
    NO_ANSWERS.contains(&text) || refuses(claim)
}
