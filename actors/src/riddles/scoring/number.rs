//! Which number an answer gives.
//!
//! Of the numbers in what an answer claims these do not count: what it says is not so; parts of a calculation; bounds ("more
//! than 3"); numbers in another kind of unit than the riddle's. Of those that are left, ones in the riddle's units go before
//! others; then the one counts that the claim begins with, else the last one behind "=" or "so". Alternatives and ranges are no number.

use playhouse_protocol::riddle::AnswerKey;

use super::claim::{core, is_bare, sentences, without_negated};
use super::numbers::{Quantity, quantities};
use super::tokens::{Kind, Token, tokens};
use super::units::{factor, is_known};
use super::words::LEAD_INS;

/// How far a converted number may be off, as a share: it may have been rounded.
const CONVERTED_SHARE: f64 = 0.005;

/// How far alternatives stand apart at most, in words and signs.
const NEAR_TOKENS_MAX: usize = 12;

/// Words in front of a number that is a bound.
const BOUNDS: [&str; 8] = ["than", "least", "most", "over", "under", "above", "below", "almost"];

/// Words that open a sentence with a condition, up to a comma.
const OPENINGS: [&str; 10] = ["in", "with", "for", "of", "by", "if", "when", "from", "at", "out"];

/// Words that are a number where there is no other one.
const NONE: [&str; 4] = ["none", "nothing", "nobody", "no"];

/// A number that counts, in the riddle's unit.
#[derive(Debug, Clone)]
struct Candidate {
    value: f64,
    /// Whether it has a unit of the riddle's, as it is or converted.
    has_unit: bool,
    is_converted: bool,
    begin: usize,
    end: usize,
}

/// The number that an answer gives; `None` where it gives none, or several. Whether it was converted comes with it.
pub(super) fn counted(key: &AnswerKey, answer: &str, is_last_line: bool) -> Option<(f64, bool)> {
    let all = tokens(answer);
    let all = sentences(&all);
    let has_number = |sentence: &&&[Token]| !quantities(sentence).is_empty();
    let first = all.iter().find(has_number);
    let chosen = if is_last_line && !first.is_some_and(|first| is_bare(first)) {
        all.iter().rev().find(has_number)
    } else {
        first
    };
    let Some(sentence) = chosen else { return none(all.first()?) };
    let sentence = behind_which(sentence);
    let core = core(sentence);
    let core = if quantities(&core).is_empty() { sentence.to_vec() } else { core };
    let claim = without_negated(&core);
    pick(&claim, &candidates(key, &claim), is_last_line)
}

/// What stands behind "which is" where that is a number: "120 km in 3 hours, which is 40 km/h".
fn behind_which(sentence: &[Token]) -> &[Token] {
    let is_result = |pair: &[Token]| {
        let text = pair[1].text.as_str();
        pair[0].text == "which" && matches!(text, "is" | "makes" | "gives" | "equals" | "leaves" | "means")
    };
    let place = sentence.windows(2).rposition(is_result);
    let behind = place.and_then(|place| sentence.get(place + 2..));
    behind.filter(|behind| !quantities(behind).is_empty()).unwrap_or(sentence)
}

/// "None" and the like.
fn none(sentence: &[Token]) -> Option<(f64, bool)> {
    let mut words = sentence.iter().filter(|token| !token.is_sign()).map(|token| token.text.as_str());
    let first = words.find(|word| !LEAD_INS.contains(word))?;
    NONE.contains(&first).then_some((0.0, false))
}

/// The numbers that can be the answer, in order.
fn candidates(key: &AnswerKey, claim: &[Token]) -> Vec<Candidate> {
    let units: Vec<String> = key.units.iter().map(|unit| unit_text(unit)).collect();
    let found = quantities(claim);
    let kept = found.iter().filter(|quantity| {
        !is_part(claim, quantity, &found)
            && !is_bound(claim, quantity)
            && !is_whole_of(claim, quantity, &found)
    });
    let mut kept: Vec<_> = kept.filter_map(|quantity| candidate(quantity, claim, &units)).collect();
    // "One" is mostly no number: "the one who is left".
    let is_one = |candidate: &Candidate| claim[candidate.begin].text == "one" && !candidate.has_unit;
    if kept.iter().any(|candidate| !is_one(candidate)) {
        kept.retain(|candidate| !is_one(candidate) || is_first(claim, candidate));
    }
    kept
}

fn unit_text(unit: &str) -> String {
    let words: Vec<_> = tokens(unit).into_iter().map(|token| token.text).collect();
    words.join(" ")
}

/// A number in the riddle's unit; `None` where it is in another kind of unit.
fn candidate(quantity: &Quantity, claim: &[Token], units: &[String]) -> Option<Candidate> {
    let given = quantity.units(claim);
    let (begin, end) = (quantity.begin, quantity.end);
    let of = |value: f64, has_unit: bool, is_converted: bool| Candidate {
        value,
        has_unit,
        is_converted,
        begin,
        end,
    };
    if given.iter().any(|given| units.contains(given)) {
        return Some(of(quantity.value, true, false));
    }
    // The longest first: "miles per hour" before "miles".
    for given in given.iter().rev() {
        if let Some(factor) = units.iter().find_map(|unit| factor(given, unit)) {
            let is_same = (factor - 1.0).abs() < f64::EPSILON;
            return Some(of(quantity.value * factor, true, !is_same));
        }
    }
    // A word behind a number may be no unit of it; what is written against it is.
    let is_sure = !quantity.attached.is_empty() || units.iter().any(|unit| is_known(unit));
    let is_other = !units.is_empty() && given.iter().any(|given| is_known(given));
    (!(is_other && is_sure)).then(|| of(quantity.value, false, false))
}

/// Whether a number is part of a calculation: a sign of arithmetic is on a side of it, with at most its unit between.
fn is_part(claim: &[Token], quantity: &Quantity, all: &[Quantity]) -> bool {
    let begins = |place: usize| all.binary_search_by_key(&place, |other| other.begin).is_ok();
    let ends = |place: usize| all.binary_search_by_key(&place, |other| other.end).is_ok();
    let operates = |place: usize| {
        let Some(token) = claim.get(place) else { return false };
        let is_word = matches!(token.text.as_str(), "plus" | "minus" | "times");
        let is_sign = matches!(token.kind, Kind::Sign('+' | '×' | '÷' | '*' | '/'));
        // A dash and a word join numbers alone: "20 times", "day 29 - the day before".
        let joins = is_word || matches!(token.kind, Kind::Sign('-'));
        is_sign || (joins && begins(place + 1) && (ends(place) || place.checked_sub(1).is_some_and(ends)))
    };
    let behind = quantity.end;
    let is_unit = claim.get(behind).is_some_and(|token| matches!(token.kind, Kind::Word));
    let left = quantity.begin.checked_sub(1).is_some_and(operates);
    left || operates(behind) || (is_unit && operates(behind + 1))
}

fn is_bound(claim: &[Token], quantity: &Quantity) -> bool {
    let before = quantity.begin.checked_sub(1).and_then(|place| claim.get(place));
    before.is_some_and(|token| {
        BOUNDS.contains(&token.text.as_str()) || matches!(token.kind, Kind::Sign('>' | '<' | '≥' | '≤'))
    })
}

/// Whether it is the whole of which another number is a part: "9 of 17", "9 sheep out of the 17".
fn is_whole_of(claim: &[Token], quantity: &Quantity, all: &[Quantity]) -> bool {
    let before =
        claim[..quantity.begin].iter().rev().skip_while(|token| matches!(token.text.as_str(), "the" | "all"));
    let mut before = before.map(|token| token.text.as_str());
    if before.next() != Some("of") {
        return false;
    }
    let of = claim[..quantity.begin].iter().rposition(|token| token.text == "of").unwrap_or_default();
    let of = if of > 0 && claim[of - 1].text == "out" { of - 1 } else { of };
    all.iter().any(|other| other.end == of || other.end + 1 == of)
}

/// Whether only words that say nothing are in front of it.
fn is_first(claim: &[Token], candidate: &Candidate) -> bool {
    claim[..candidate.begin].iter().all(|token| {
        LEAD_INS.contains(&token.text.as_str())
            || matches!(token.kind, Kind::Sign(',' | '≈' | '~' | '$' | '€' | '£' | '"' | '\'' | '(' | '⟦'))
    })
}

/// The candidate that counts.
fn pick(claim: &[Token], all: &[Candidate], is_last_line: bool) -> Option<(f64, bool)> {
    // In the riddle's units, else converted to them, else in none.
    let rank = |candidate: &Candidate| (candidate.has_unit, !candidate.is_converted);
    let best = all.iter().map(rank).max()?;
    let preferred: Vec<_> = all.iter().filter(|candidate| rank(candidate) == best).collect();
    let is_result = |token: &Token| {
        matches!(token.kind, Kind::Sign('=' | '→'))
            || matches!(
                token.text.as_str(),
                "so" | "therefore" | "thus" | "hence" | "equals" | "leaves" | "leaving" | "total"
            )
    };
    let results = claim.iter().rposition(is_result);
    let result =
        preferred.iter().rev().find(|candidate| results.is_some_and(|result| candidate.begin > result));
    let first = preferred.first().filter(|first| is_first(claim, first));
    // What an announced answer says in front of its first comma.
    let comma = claim.iter().position(|token| matches!(token.kind, Kind::Sign(',')));
    let is_opening = claim.first().is_some_and(|token| OPENINGS.contains(&token.text.as_str()));
    let main = comma.filter(|_| !is_last_line && !is_opening);
    let main = main.and_then(|comma| preferred.iter().rev().find(|candidate| candidate.begin < comma));
    let chosen = *result.or(first).or(main).or(preferred.last())?;
    let is_ambiguous = all.iter().any(|other| {
        other.begin != chosen.begin && !is_same(chosen, other) && are_alternatives(claim, chosen, other)
    });
    (!is_ambiguous).then_some((chosen.value, chosen.is_converted))
}

fn is_same(one: &Candidate, other: &Candidate) -> bool {
    let share = if one.is_converted || other.is_converted { CONVERTED_SHARE } else { 1e-9 };
    (one.value - other.value).abs() <= share * one.value.abs().max(1.0)
}

/// Whether two numbers stand side by side as alternatives, as a range or as a list.
fn are_alternatives(claim: &[Token], one: &Candidate, other: &Candidate) -> bool {
    let (first, second) = if one.begin < other.begin { (one, other) } else { (other, one) };
    let Some(between) = claim.get(first.end..second.begin).filter(|between| between.len() <= NEAR_TOKENS_MAX)
    else {
        return false;
    };
    let has = |word: &str| between.iter().any(|token| token.text == word);
    // A unit and an article may stand between.
    let is_near = between.iter().filter(|token| !token.is_sign()).count() <= 4;
    let is_between = claim[..first.begin].iter().rev().take(2).any(|token| token.text == "between");
    let is_range = between.len() <= 2
        && between
            .iter()
            .any(|token| token.text == "to" || matches!(token.kind, Kind::Sign('-' | '–' | '/')));
    let words: Vec<_> =
        between.iter().filter(|token| !token.is_sign()).map(|token| token.text.as_str()).collect();
    let is_list = matches!(words.last(), Some(&"and")) && words.len() <= 2;
    (has("or") && !has("rather") && is_near) || is_range || is_list || (is_between && has("and"))
}
