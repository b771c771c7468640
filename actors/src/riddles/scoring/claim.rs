//! The part of a final answer that claims something: without asides, reasons, and what it says is not so.

use super::extract::THINKING;
use super::tokens::{Kind, Token};

/// Words behind which reasons stand.
const REASONS: [&str; 12] = [
    "because", "since", "as", "due", "given", "which", "whereas", "meaning", "i.e", "e.g", "assuming",
    "where",
];

/// Words that say that what follows is not so, up to the end of its part of the sentence.
const NEGATIONS: [&str; 10] =
    ["not", "never", "neither", "nor", "cannot", "without", "impossible", "unlikely", "hardly", "≠"];

/// Pairs of words that do so.
const NEGATION_PAIRS: [[&str; 2]; 4] =
    [["rather", "than"], ["instead", "of"], ["opposed", "to"], ["contrary", "to"]];

/// Words behind "not" that turn nothing round: "not only", "not sure".
const HARMLESS: [&str; 7] = ["only", "just", "merely", "simply", "sure", "certain", "surprisingly"];

/// The most words of a sentence that is an answer alone.
const BARE_WORDS_MAX: usize = 4;

/// The sentences of a text, without the signs that end them. Questions are left out where there is anything else.
pub(super) fn sentences(tokens: &[Token]) -> Vec<&[Token]> {
    let has_word = |sentence: &&[Token]| sentence.iter().any(|token| !token.is_sign());
    let mut found = Vec::new();
    let mut questions = Vec::new();
    let mut begin = 0;
    for end in 0..=tokens.len() {
        let ends = tokens.get(end).is_none_or(Token::is_end);
        if !ends {
            continue;
        }
        let sentence = &tokens[begin..end];
        begin = end + 1;
        if has_word(&sentence) {
            let asks = matches!(tokens.get(end).map(|token| &token.kind), Some(Kind::Sign('?')));
            if asks { &mut questions } else { &mut found }.push(sentence);
        }
    }
    if found.is_empty() { questions } else { found }
}

/// Whether a sentence is an answer alone, and not the begin of a way of thinking.
pub(super) fn is_bare(sentence: &[Token]) -> bool {
    let mut words = sentence.iter().filter(|token| !token.is_sign());
    let thinks = words.next().is_some_and(|first| THINKING.contains(&first.text.as_str()));
    let announces = sentence.iter().any(|token| matches!(token.kind, Kind::Sign(':')));
    !thinks && !announces && words.count() < BARE_WORDS_MAX
}

/// A sentence without what stands in brackets, and without reasons in front of or behind what it claims.
pub(super) fn core(sentence: &[Token]) -> Vec<Token> {
    let outside = without_brackets(sentence);
    let has_word = |tokens: &[Token]| tokens.iter().any(|token| !token.is_sign());
    let mut core = if has_word(&outside) { outside } else { sentence.to_vec() };
    let is_reason = |token: &Token| REASONS.contains(&token.text.as_str());
    let first = core.iter().position(|token| !token.is_sign()).unwrap_or_default();
    // "Since 8 are gone, 9 are left."
    if core
        .get(first)
        .is_some_and(|token| is_reason(token) || matches!(token.text.as_str(), "if" | "when" | "after"))
        && let Some(comma) = core.iter().position(|token| matches!(token.kind, Kind::Sign(',')))
        && has_word(&core[comma..])
    {
        core.drain(..=comma);
    }
    let is_cut = |place: usize| {
        let after_comma = place > 0 && matches!(core[place - 1].kind, Kind::Sign(',' | '—' | '-'));
        // "As" compares more often than it gives a reason, and "for" belongs to what it follows.
        match core[place].text.as_str() {
            "as" | "where" | "given" | "for" => after_comma && place > first,
            _ => place > first && is_reason(&core[place]),
        }
    };
    if let Some(cut) = (0..core.len()).find(|place| is_cut(*place))
        && has_word(&core[..cut])
    {
        core.truncate(cut);
    }
    core
}

/// What stands outside of brackets. One that is not closed hides nothing.
fn without_brackets(tokens: &[Token]) -> Vec<Token> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut place = 0;
    while let Some(token) = tokens.get(place) {
        let closing = match token.kind {
            Kind::Sign('(') => ')',
            Kind::Sign('[') => ']',
            _ => {
                kept.push(token.clone());
                place += 1;
                continue;
            }
        };
        let end = tokens[place..].iter().position(|token| token.kind == Kind::Sign(closing));
        match end {
            Some(len) => place += len + 1,
            None => place += 1,
        }
    }
    kept
}

/// Marks, for each token, whether the text says that it is not so: from a negation to the next sign, "but" or "so".
pub(super) fn negated(tokens: &[Token]) -> Vec<bool> {
    let text = |place: usize| tokens.get(place).map(|token| token.text.as_str()).unwrap_or_default();
    let mut marks = vec![false; tokens.len()];
    let mut is_inside = false;
    for place in 0..tokens.len() {
        let ends =
            matches!(tokens[place].kind, Kind::Sign(',' | ';' | ':' | '—' | '(' | ')' | '.' | '→' | '='))
                || matches!(text(place), "but" | "so" | "rather" | "instead" | "it's" | "it" | "because");
        if ends {
            is_inside = false;
        }
        let is_negation = NEGATIONS.contains(&text(place)) || text(place).ends_with("n't");
        let is_pair =
            NEGATION_PAIRS.iter().any(|[first, second]| text(place) == *first && text(place + 1) == *second);
        if (is_negation && !HARMLESS.contains(&text(place + 1))) || is_pair {
            is_inside = true;
        }
        marks[place] = is_inside;
    }
    marks
}

/// What is left of a claim without what it says is not so; a comma stands where something was.
pub(super) fn without_negated(tokens: &[Token]) -> Vec<Token> {
    let marks = negated(tokens);
    let mut kept: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut place = 0;
    while place < tokens.len() {
        if marks[place] {
            kept.push(Token { text: ",".to_owned(), kind: Kind::Sign(',') });
            while marks.get(place).copied().unwrap_or_default() {
                place += 1;
            }
            // "Not red but blue": blue is what is so.
            place += usize::from(tokens.get(place).is_some_and(|token| token.text == "but"));
        } else {
            kept.push(tokens[place].clone());
            place += 1;
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn show(tokens: &[Token]) -> String {
        tokens.iter().map(|token| token.text.as_str()).collect::<Vec<_>>().join(" ")
    }

    fn check_core(text: &str, wanted: &str) {
        assert_eq!(show(&core(&tokens(text))), wanted, "{text}");
    }

    #[test]
    fn reasons_and_asides_are_left_out() {
        check_core("40 km/h (120 km in 3 hours)", "40km/h".replace("40km/h", "40 km/h").as_str());
        check_core("a knight, since knaves lie", "a knight ,");
        check_core("Since 8 ran away, 9 are left", "9 are left");
        check_core("(9)", "( 9 )");
        check_core("as tall as a tree", "as tall as a tree");
    }

    #[test]
    fn what_is_not_so_is_marked_up_to_the_end_of_its_part() {
        let check = |text: &str, wanted: &str| {
            assert_eq!(show(&without_negated(&tokens(text))), wanted, "{text}");
        };
        check("it is not 45 but 40", "it is , 40");
        check("40, not 45", "40 , ,");
        check("a knight rather than a knave", "a knight ,");
        check("it isn't red, it's blue", "it , , it's blue");
        check("I'm not sure, but 40", "i'm not sure , but 40");
        check("neither a knight nor a knave", ",");
    }

    #[test]
    fn questions_are_no_claims_where_there_is_another_one() {
        let found = tokens("45? No. It is 40!");
        assert_eq!(sentences(&found).into_iter().map(show).collect::<Vec<_>>(), ["no", "it is 40"]);
        assert_eq!(sentences(&tokens("40?")).into_iter().map(show).collect::<Vec<_>>(), ["40"]);
    }
}
