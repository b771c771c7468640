//! Which words an answer gives.
//!
//! What is accepted has to be what the answer claims: alone, at its beginning in front of a verb or a reason, or at its end. What it
//! says is not so does not count, and neither does one of several alternatives.

use playhouse_protocol::riddle::Match;

use super::claim::{core, is_bare, negated, sentences, without_negated};
use super::tokens::{Kind, Token, tokens};

/// How alike two words have to be for a misspelled one to be accepted, by Damerau and Levenshtein: 0.0 to 1.0.
const ALIKE_MIN: f64 = 0.85;

/// Words shorter than this are never held for misspelled ones: "hot" is not "not".
const ALIKE_LEN_MIN: usize = 6;

/// The most words of a claim that is nothing but alternatives.
const ALTERNATIVES_WORDS_MAX: usize = 6;

/// Words before an answer that say nothing.
pub(super) const LEAD_INS: [&str; 44] = [
    "the",
    "a",
    "an",
    "it",
    "is",
    "it's",
    "its",
    "was",
    "he",
    "she",
    "he's",
    "she's",
    "they",
    "are",
    "therefore",
    "thus",
    "hence",
    "so",
    "that",
    "that's",
    "this",
    "would",
    "be",
    "must",
    "will",
    "i",
    "think",
    "believe",
    "probably",
    "likely",
    "about",
    "approximately",
    "approx",
    "exactly",
    "roughly",
    "around",
    "there",
    "answer",
    "final",
    "my",
    "clearly",
    "simply",
    "just",
    "you",
];

/// Words in front of what is accepted that turn it into something else.
const TURNERS: [&str; 13] = [
    "no", "than", "except", "but", "before", "after", "without", "besides", "unlike", "over", "and", "&",
    "opposite",
];

/// Words that join alternatives.
const ALTERNATIVES: [&str; 4] = ["or", "either", "alternatively", "versus"];

/// How an answer gives one of the accepted words; `all` are all that are accepted.
pub(super) fn as_words(accepted: &str, all: &[String], answer: &str, is_last_line: bool) -> Option<Match> {
    let (wanted, said) = (texts(&tokens(accepted)), tokens(answer));
    let said = sentences(&said);
    let first = said.first()?;
    let last = said.last()?;
    let chosen = if is_last_line && !is_bare(first) { last } else { first };
    let claim = core(chosen);
    let match_in = |claim: &[Token]| in_claim(&wanted, claim);
    // A negation may be part of what is accepted.
    let found = match_in(&claim)
        .filter(|_| !hides(&claim, &wanted))
        .or_else(|| match_in(&without_negated(&claim)))?;
    (!has_alternatives(&claim, &wanted, all)).then_some(found)
}

/// Whether one of the accepted texts is somewhere in an answer, as whole words that it does not say are not so.
pub(super) fn has_words(accepted: &str, all: &[String], answer: &str) -> Option<Match> {
    let (wanted, said) = (texts(&tokens(accepted)), tokens(answer));
    let has_it = |sentence: &&[Token]| {
        let marks = negated(sentence);
        let places = word_places(sentence);
        let is_there = places.windows(wanted.len().max(1)).any(|window| {
            let is_it = window.iter().zip(&wanted).all(|(place, wanted)| sentence[*place].text == *wanted);
            // "Cannot reach" begins with its own negation.
            let first = window.first().copied().unwrap_or_default();
            let own = first == 0 || !marks[first - 1] || !marks[first];
            let has_turner = first > 0 && sentence[first - 1].text == "no";
            is_it && (!marks[first] || (own && starts_negation(&sentence[first].text))) && !has_turner
        });
        let is_short = places.len() <= ALTERNATIVES_WORDS_MAX;
        is_there && !(is_short && has_alternatives(sentence, &wanted, all))
    };
    sentences(&said).iter().any(has_it).then_some(Match::Exact)
}

fn starts_negation(word: &str) -> bool {
    matches!(word, "not" | "never" | "cannot" | "neither" | "without") || word.ends_with("n't")
}

/// The words of a text, without signs.
pub(super) fn texts(tokens: &[Token]) -> Vec<String> {
    let is_word = |token: &&Token| !token.is_sign() || token.text == "%";
    tokens.iter().filter(is_word).map(|token| token.text.clone()).collect()
}

fn word_places(tokens: &[Token]) -> Vec<usize> {
    (0..tokens.len()).filter(|place| !tokens[*place].is_sign() || tokens[*place].text == "%").collect()
}

/// The words behind those that say nothing.
pub(super) fn without_lead_in<'a>(words: &'a [String], accepted: &[String]) -> &'a [String] {
    let is_lead_in = |word: &&String| LEAD_INS.contains(&word.as_str()) && !accepted.contains(word);
    &words[words.iter().take_while(is_lead_in).count()..]
}

/// Whether a claim says of the accepted words that they are not so.
fn hides(claim: &[Token], wanted: &[String]) -> bool {
    let marks = negated(claim);
    let is_wanted = |place: &usize| wanted.contains(&claim[*place].text);
    let mut places = (0..claim.len()).filter(is_wanted).peekable();
    places.peek().is_some() && places.all(|place| marks[place] && !starts_negation(&claim[place].text))
}

fn in_claim(wanted: &[String], claim: &[Token]) -> Option<Match> {
    let words = texts(claim);
    let bare = without_lead_in(&words, wanted);
    if bare.is_empty() || wanted.is_empty() {
        return None;
    }
    if bare == wanted || (bare.starts_with(wanted) && !goes_on(claim, wanted)) || ends_with(claim, wanted) {
        return Some(Match::Exact);
    }
    if is_only_complement(claim, wanted) {
        return Some(Match::Exact);
    }
    let (bare, wanted) = (bare.join(" "), wanted.join(" "));
    let alike = strsim::normalized_damerau_levenshtein(&bare, &wanted);
    let is_long = wanted.chars().count() >= ALIKE_LEN_MIN;
    (is_long && alike >= ALIKE_MIN).then_some(Match::Fuzzy { alike })
}

/// The first place behind the accepted words.
fn behind(claim: &[Token], wanted: &[String]) -> Option<usize> {
    let places = word_places(claim);
    let window = places
        .windows(wanted.len())
        .find(|window| window.iter().zip(wanted).all(|(place, wanted)| claim[*place].text == *wanted))?;
    window.last().map(|last| last + 1)
}

/// Whether the accepted words are only the first of several: "knight and knave".
fn goes_on(claim: &[Token], wanted: &[String]) -> bool {
    let Some(behind) = behind(claim, wanted) else { return false };
    let next = claim.get(behind).map(|token| token.text.as_str());
    let rest = claim.get(behind + 1..).unwrap_or_default();
    matches!(next, Some("and" | "&" | "+")) && rest.iter().any(|token| matches!(token.kind, Kind::Word))
}

/// Whether a claim ends with the accepted words, and nothing in front turns them into something else.
fn ends_with(claim: &[Token], wanted: &[String]) -> bool {
    let words = texts(claim);
    let Some(before) = words.strip_suffix(wanted) else { return false };
    let mut before =
        before.iter().rev().map(String::as_str).filter(|word| !matches!(*word, "the" | "a" | "an"));
    match before.next() {
        Some("of") => !before.next().is_some_and(|word| TURNERS.contains(&word)),
        Some(word) => !TURNERS.contains(&word),
        None => true,
    }
}

/// Whether the accepted words are what the only "is" of a claim says: "the box is blue and holds the ring".
fn is_only_complement(claim: &[Token], wanted: &[String]) -> bool {
    let is_copula =
        |token: &&Token| matches!(token.text.as_str(), "is" | "was" | "it's" | "be" | "are" | "=" | ":");
    if claim.iter().filter(is_copula).count() != 1 {
        return false;
    }
    let Some(place) = claim.iter().position(|token| is_copula(&token)) else { return false };
    let complement = &claim[place + 1..];
    let words = texts(complement);
    let words = words.strip_prefix(&["in".to_owned()][..]).unwrap_or(&words);
    // "There is no reason" answers no question; and "is red and blue" gives two answers, "is red and round as a ball" one.
    let is_word = !matches!(wanted, [word] if matches!(word.as_str(), "yes" | "no"));
    let bare = without_lead_in(words, wanted);
    let is_list = goes_on(complement, wanted) && bare.len() <= wanted.len() + 2;
    is_word && bare.starts_with(wanted) && !is_list
}

/// Whether a claim gives the accepted words as one of several alternatives. Alternatives that are all accepted are none.
fn has_alternatives(claim: &[Token], wanted: &[String], all: &[String]) -> bool {
    let joins = |place: usize| {
        let text = claim[place].text.as_str();
        let next = claim.get(place + 1).map(|token| token.text.as_str()).unwrap_or_default();
        let is_slash = matches!(claim[place].kind, Kind::Sign('/'));
        let is_maybe = matches!(text, "could" | "might" | "may") && matches!(next, "also" | "instead");
        (ALTERNATIVES.contains(&text) && !matches!(next, "rather" | "simply")) || is_slash || is_maybe
    };
    let Some(first) = (0..claim.len()).find(|place| joins(*place)) else { return false };
    // "Or" itself may be accepted, and so may every one of the alternatives.
    if wanted.iter().any(|word| ALTERNATIVES.contains(&word.as_str())) {
        return false;
    }
    let other = match claim[first].text.as_str() {
        "either" => return true,
        _ => {
            let (left, right) = (&claim[..first], &claim[first + 1..]);
            let in_right = behind(right, wanted).is_some();
            texts(if in_right { left } else { right })
        }
    };
    let is_accepted = all.iter().any(|accepted| {
        let accepted = texts(&tokens(accepted));
        !accepted.is_empty() && other.windows(accepted.len()).any(|window| window == accepted)
    });
    !is_accepted && !without_lead_in(&other, wanted).is_empty()
}
