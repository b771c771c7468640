//! Texts and numbers in a form in which they can be compared.

/// Number words that answers are commonly given in.
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

/// The words of a text in lower case, without what is neither letter nor digit at their ends. A word of signs alone, such as
/// `%`, stays.
pub(super) fn words(text: &str) -> Vec<String> {
    let clean = |word: &str| {
        let trimmed = word.trim_matches(|c: char| !c.is_alphanumeric()).to_lowercase();
        if trimmed.is_empty() { word.trim_matches(['*', '_', '`', '"', '\'']).to_owned() } else { trimmed }
    };
    text.split_whitespace()
        .map(clean)
        .filter(|word| word.chars().any(|c| c.is_alphanumeric() || c == '%'))
        .collect()
}

/// A number and the words behind it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Quantity {
    pub(super) value: f64,
    /// What is written against it or behind it, in lower case: `km/h`, `%`, `cents`.
    pub(super) unit: String,
}

/// The numbers of a text, in order: digits with thousands' commas and a decimal point, or words up to a hundred.
pub(super) fn quantities(text: &str) -> Vec<Quantity> {
    let raw: Vec<_> = text.split_whitespace().collect();
    let mut found: Vec<Quantity> = Vec::new();
    let mut place = 0;
    while let Some(word) = raw.get(place) {
        let (value, attached, taken) = match digits(word) {
            Some((value, attached)) => (value, attached, 1),
            None => match in_words(&raw[place..]) {
                Some((value, taken)) => (value, String::new(), taken),
                None => {
                    place += 1;
                    continue;
                }
            },
        };
        place += taken;
        let next = raw.get(place).map(|next| words(next).concat()).unwrap_or_default();
        found.push(Quantity { value, unit: if attached.is_empty() { next } else { attached } });
    }
    found
}

/// A number in digits at the begin of a word, and what is written against it.
fn digits(word: &str) -> Option<(f64, String)> {
    let word = word.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '-' && c != '+' && c != '.');
    let end = word
        .char_indices()
        .find(|(place, c)| {
            !(c.is_ascii_digit() || matches!(c, '.' | ',') || (*place == 0 && matches!(c, '-' | '+')))
        })
        .map_or(word.len(), |(place, _)| place);
    let number = word[..end].trim_end_matches(['.', ',']);
    let value = without_thousands(number)?.parse().ok()?;
    let attached = words(&word[end.min(word.len())..]).concat();
    let attached = if word[number.len()..].starts_with('%') { "%".to_owned() } else { attached };
    Some((value, attached))
}

/// Takes out the commas of `1,234,567`; other commas make it no number.
fn without_thousands(number: &str) -> Option<String> {
    if !number.chars().any(|c| c.is_ascii_digit()) {
        return None;
    }
    if !number.contains(',') {
        return Some(number.to_owned());
    }
    let whole = number.split('.').next().unwrap_or_default();
    let mut groups = whole.split(',');
    let first = groups.next().unwrap_or_default().trim_start_matches(['-', '+']);
    let is_grouped = (1..=3).contains(&first.len()) && groups.all(|group| group.len() == 3);
    is_grouped.then(|| number.replace(',', ""))
}

/// A number in words at the begin of a list of words, and how many of them it takes.
fn in_words(raw: &[&str]) -> Option<(f64, usize)> {
    let word = words(raw.first()?).concat();
    let small = |word: &str| SMALL.iter().position(|known| *known == word);
    let tens = |word: &str| TENS.iter().position(|known| *known == word).map(|place| 20 + 10 * place);
    let value = |number: usize| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    if let Some((tens_part, small_part)) = word.split_once('-') {
        let number = tens(tens_part)? + small(small_part).filter(|number| (1..10).contains(number))?;
        return Some((value(number), 1));
    }
    if word == "hundred" {
        return Some((100.0, 1));
    }
    if let Some(number) = small(&word) {
        let is_hundred = number == 1 && raw.get(1).is_some_and(|next| words(next).concat() == "hundred");
        return Some(if is_hundred { (100.0, 2) } else { (value(number), 1) });
    }
    let number = tens(&word)?;
    let next = raw.get(1).map(|next| words(next).concat()).unwrap_or_default();
    match small(&next).filter(|small| (1..10).contains(small)) {
        Some(small) => Some((value(number + small), 2)),
        None => Some((value(number), 1)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, wanted: &[(f64, &str)]) {
        let found: Vec<_> =
            quantities(text).into_iter().map(|quantity| (quantity.value, quantity.unit)).collect();
        let wanted: Vec<_> = wanted.iter().map(|(value, unit)| (*value, (*unit).to_owned())).collect();
        assert_eq!(found, wanted, "{text}");
    }

    #[test]
    fn numbers_are_found_however_they_are_written() {
        check("40", &[(40.0, "")]);
        check("The speed is **40 km/h**.", &[(40.0, "km/h")]);
        check("40km/h", &[(40.0, "km/h")]);
        check("1,234.5 and -2", &[(1_234.5, "and"), (-2.0, "")]);
        check("96%", &[(96.0, "%")]);
        check("96 %", &[(96.0, "%")]);
        check("$0.10.", &[(0.1, "")]);
        check("twenty-one or twenty one", &[(21.0, "or"), (21.0, "")]);
        check("One hundred lamps", &[(100.0, "lamps")]);
        check("Seven.", &[(7.0, "")]);
        check("a, b: 1,2", &[]);
        check("no number", &[]);
    }

    #[test]
    fn words_are_compared_without_case_and_punctuation() {
        assert_eq!(words("**It's** the \"Blue\" box."), ["it's", "the", "blue", "box"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in "\\PC{0,60}") {
            let _ = (words(&text), quantities(&text));
        }

        #[test]
        fn whole_numbers_come_back(value in -1_000_000_i32..1_000_000) {
            let found = quantities(&format!("it is {value}."));
            prop_assert_eq!(found.len(), 1);
            prop_assert!((found[0].value - f64::from(value)).abs() < 1e-9);
        }
    }
}
