//! The numbers of a text, in digits and in English words.

use super::tokens::{Kind, Token};

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 8] = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [(&str, f64); 4] = [("hundred", 100.0), ("thousand", 1e3), ("million", 1e6), ("billion", 1e9)];

/// Ordinals as words. The first three are left out: "first" mostly begins a sentence, and a second is a unit.
const ORDINALS: [&str; 17] = [
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
    "eleventh",
    "twelfth",
    "thirteenth",
    "fourteenth",
    "fifteenth",
    "sixteenth",
    "seventeenth",
    "eighteenth",
    "nineteenth",
    "twentieth",
];
const SMALL_ORDINALS: [&str; 3] = ["first", "second", "third"];

/// Parts of one.
const PARTS: [(&str, f64); 9] = [
    ("half", 2.0),
    ("halves", 2.0),
    ("third", 3.0),
    ("thirds", 3.0),
    ("quarter", 4.0),
    ("quarters", 4.0),
    ("fifths", 5.0),
    ("tenth", 10.0),
    ("tenths", 10.0),
];

/// The most words behind a number that its unit takes.
pub(super) const UNIT_WORDS_MAX: usize = 3;

/// A number and the words behind it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantity {
    pub(super) value: f64,
    /// What is written against it: `km/h`, `%`, `$`. Empty where nothing is.
    pub(super) attached: String,
    /// The places of its first token, and behind its last one.
    pub(super) begin: usize,
    pub(super) end: usize,
}

impl Quantity {
    /// What its unit can be: what is written against it, or up to [`UNIT_WORDS_MAX`] words behind it.
    pub(super) fn units(&self, tokens: &[Token]) -> Vec<String> {
        if !self.attached.is_empty() {
            return vec![self.attached.clone()];
        }
        let is_unit = |token: &&Token| {
            matches!(token.kind, Kind::Word) || matches!(token.text.as_str(), "%" | "°" | "€" | "$" | "£")
        };
        let behind = tokens[self.end..].iter().take(UNIT_WORDS_MAX).take_while(is_unit);
        let mut so_far = String::new();
        let grown = behind.map(|token| {
            if !so_far.is_empty() {
                so_far.push(' ');
            }
            so_far.push_str(&token.text);
            so_far.clone()
        });
        grown.collect()
    }
}

/// The numbers of a text, in order.
pub(super) fn quantities(tokens: &[Token]) -> Vec<Quantity> {
    let mut found = Vec::new();
    let mut begin = 0;
    while let Some(token) = tokens.get(begin) {
        let next = match &token.kind {
            Kind::Number { value, unit } => Some((*value, unit.clone(), begin + 1)),
            Kind::Word => {
                in_words(&tokens[begin..]).map(|(value, taken)| (value, String::new(), begin + taken))
            }
            Kind::Sign(_) => None,
        };
        let Some((mut value, attached, mut end)) = next else {
            begin += 1;
            continue;
        };
        // "1.5 million", "3 dozen"
        while attached.is_empty()
            && let Some(scale) = tokens.get(end).and_then(|token| scale(&token.text))
        {
            value *= scale;
            end += 1;
        }
        found.push(Quantity { value, attached, begin, end });
        begin = end;
    }
    found
}

fn scale(word: &str) -> Option<f64> {
    let known = SCALES.iter().find(|(name, _)| *name == word).map(|(_, value)| *value);
    known.or_else(|| (word == "dozen").then_some(12.0))
}

fn place(words: &[&str], word: &str, first: u32) -> Option<f64> {
    let place = words.iter().position(|known| *known == word)?;
    u32::try_from(place).ok().map(|place| f64::from(first + place))
}

fn small(word: &str) -> Option<f64> {
    place(&SMALL, word, 0)
}

fn tens(word: &str) -> Option<f64> {
    place(&TENS, word, 2).map(|value| value * 10.0)
}

/// The number below a hundred at the begin of a list, and how many words it takes: `twenty-one`, `twenty one`.
fn below_hundred(texts: &[&str]) -> Option<(f64, usize)> {
    let word = texts.first()?;
    if let Some((first, second)) = word.split_once('-') {
        let second = small(second)
            .or_else(|| place(&ORDINALS, second, 4))
            .or_else(|| place(&SMALL_ORDINALS, second, 1));
        return Some((tens(first)? + second.filter(|value| (1.0..10.0).contains(value))?, 1));
    }
    if let Some(value) = small(word).or_else(|| place(&ORDINALS, word, 4)) {
        return Some((value, 1));
    }
    let value = tens(word)?;
    let next = texts.get(1).and_then(|next| small(next)).filter(|value| (1.0..10.0).contains(value));
    Some(next.map_or((value, 1), |next| (value + next, 2)))
}

/// A number in words at the begin of a list of tokens, and how many of them it takes.
fn in_words(tokens: &[Token]) -> Option<(f64, usize)> {
    let is_word = |token: &&Token| matches!(token.kind, Kind::Word);
    let texts: Vec<_> = tokens.iter().take(12).take_while(is_word).map(|token| token.text.as_str()).collect();
    if let Some(part) = part(&texts) {
        return Some(part);
    }
    let mut place = 0;
    // "A hundred", "a dozen": the article is one.
    let is_article = texts.first() == Some(&"a") && texts.get(1).is_some_and(|next| scale(next).is_some());
    let (mut total, mut current, mut is_number) = (0.0, 0.0, false);
    if is_article {
        (current, place) = (1.0, 1);
    }
    while let Some(word) = texts.get(place) {
        if let Some((value, taken)) = below_hundred(&texts[place..])
            && (!is_number || (current == 0.0 && total > 0.0) || (current >= 100.0 && value < 100.0))
        {
            current += value;
            place += taken;
            is_number = true;
        } else if let Some(scale) = scale(word).filter(|_| is_number || is_article || *word == "hundred") {
            let factor = if current == 0.0 { 1.0 } else { current };
            if scale > 100.0 {
                total += factor * scale;
                current = 0.0;
            } else {
                current = factor * scale;
            }
            place += 1;
            is_number = true;
        } else if *word == "and"
            && is_number
            && (current >= 100.0 || total > 0.0)
            && below_hundred(texts.get(place + 1..)?).is_some()
        {
            place += 1;
        } else {
            break;
        }
    }
    is_number.then_some((total + current, place))
}

/// `half`, `one half`, `two thirds`, `a quarter`. A quarter past or to something is a time.
fn part(texts: &[&str]) -> Option<(f64, usize)> {
    let at = |place: usize| texts.get(place).copied().unwrap_or_default();
    let parts = |word: &str| PARTS.iter().find(|(name, _)| *name == word).map(|(_, parts)| *parts);
    let is_time = |behind: usize| matches!(at(behind), "past" | "to" | "an");
    let first = at(0);
    if first == "half" && !is_time(1) && at(1) != "a" {
        return Some((0.5, 1));
    }
    let (counted, below) = match first.split_once('-') {
        Some((counted, below)) => (counted, below),
        None => (first, at(1)),
    };
    let taken = if first.contains('-') { 1 } else { 2 };
    let count = if matches!(counted, "a") { Some(1.0) } else { small(counted).filter(|count| *count >= 1.0) };
    let value = count? / parts(below)?;
    (!is_time(taken)).then_some((value, taken))
}

#[cfg(test)]
mod tests {
    use super::super::tokens::tokens;
    use super::*;

    fn check(text: &str, wanted: &[f64]) {
        let found: Vec<_> = quantities(&tokens(text)).into_iter().map(|quantity| quantity.value).collect();
        assert_eq!(found, wanted, "{text}");
    }

    #[test]
    fn numbers_in_words_have_their_value() {
        check("twenty-one or twenty one", &[21.0, 21.0]);
        check("One hundred lamps, a hundred, hundred", &[100.0, 100.0, 100.0]);
        check("one hundred and twenty-one", &[121.0]);
        check("two thousand three hundred and five", &[2305.0]);
        check("1.5 million, two dozen, a dozen", &[1_500_000.0, 24.0, 12.0]);
        check("five five", &[5.0, 5.0]);
        check("the twenty-ninth day, the fifth", &[29.0, 5.0]);
        check("a half, half, one third, two thirds, three-quarters", &[0.5, 0.5, 1.0 / 3.0, 2.0 / 3.0, 0.75]);
        check("half past three", &[3.0]);
        check("no number, someone, often", &[]);
    }

    #[test]
    fn the_words_behind_a_number_may_be_its_unit() {
        let tokens = tokens("It is 96 per cent of it");
        assert_eq!(quantities(&tokens)[0].units(&tokens), ["per", "per cent", "per cent of"]);
    }
}
