//! A plain text as words, numbers and signs.

use super::digits::{number, starts_number};

/// A piece of a text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    /// In lower case, without accents.
    pub(super) text: String,
    pub(super) kind: Kind,
}

/// What a piece is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    Word,
    /// A number in digits, and the unit that is written against it: behind, or a currency in front. Empty where there is none.
    Number {
        value: f64,
        unit: String,
    },
    /// Anything else.
    Sign(char),
}

impl Token {
    pub(super) fn word(text: String) -> Self {
        Self { text, kind: Kind::Word }
    }

    fn sign(c: char) -> Self {
        Self { text: c.to_string(), kind: Kind::Sign(c) }
    }

    pub(super) fn is_sign(&self) -> bool {
        matches!(self.kind, Kind::Sign(_))
    }

    /// Whether a sentence ends here.
    pub(super) fn is_end(&self) -> bool {
        matches!(self.kind, Kind::Sign('.' | '!' | '?' | ';' | '\n' | '…'))
    }
}

/// The pieces of a plain text, in order.
pub(super) fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<_> = text.chars().collect();
    let mut found: Vec<Token> = Vec::new();
    let mut place = 0;
    while let Some(&c) = chars.get(place) {
        let before = place.checked_sub(1).and_then(|place| chars.get(place)).copied().unwrap_or(' ');
        if starts_number(&chars, place, before) {
            let (token, end) = number(&chars, place, before);
            push_number(&mut found, token, before);
            place = end;
        } else if c.is_alphanumeric() {
            let end = word_end(&chars, place);
            found.push(Token::word(fold(&chars[place..end])));
            place = end;
        } else {
            if !c.is_whitespace() || c == '\n' {
                found.push(Token::sign(c));
            }
            place += 1;
        }
    }
    found
}

/// A fraction behind a whole number is one number with it.
fn push_number(found: &mut Vec<Token>, token: Token, before: char) {
    if let (Kind::Number { value, unit }, Some(last)) = (&token.kind, found.last_mut())
        && let Kind::Number { value: whole, unit: none } = &mut last.kind
        && token.text.contains('/')
        && before == ' '
        && none.is_empty()
        && whole.fract() == 0.0
        && (0.0..1.0).contains(value)
    {
        *whole += value;
        none.clone_from(unit);
        last.text = format!("{} {}", last.text, token.text);
        return;
    }
    found.push(token);
}

/// Where a word ends: letters and digits, and signs that join them.
fn word_end(chars: &[char], begin: usize) -> usize {
    let is_letter = |place: usize| chars.get(place).is_some_and(|c| c.is_alphanumeric());
    let is_single = |place: usize| {
        let alone = |place: Option<usize>| place.is_none_or(|place| !is_letter(place));
        is_letter(place) && alone(place.checked_sub(1)) && alone(Some(place + 1))
    };
    let mut end = begin;
    while let Some(&c) = chars.get(end) {
        let is_joined = match c {
            '\'' | '-' | '_' => is_letter(end + 1),
            // `e.g.` and `p.m.`
            '.' => {
                end == begin + 1 && is_single(begin) && is_single(end + 1) && !chars[end + 1].is_ascii_digit()
            }
            '/' => is_unit_with_slash(chars, begin, end),
            _ => false,
        };
        // Scripts without spaces put digits against words.
        let breaks = c.is_ascii_digit() && !chars[begin].is_ascii() && u32::from(chars[begin]) > 0x2e80;
        if !(c.is_alphanumeric() || is_joined || is_mark(c)) || breaks {
            break;
        }
        end += 1;
    }
    end
}

/// `km/h` is one word, `knight/knave` is two.
fn is_unit_with_slash(chars: &[char], begin: usize, slash: usize) -> bool {
    let behind = chars[slash + 1..].iter().take_while(|c| c.is_alphabetic()).count();
    slash - begin <= 2 && (1..=3).contains(&behind)
}

/// A mark that belongs to the letter before it.
fn is_mark(c: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&c)
}

/// Lower case without accents.
pub(super) fn fold(chars: &[char]) -> String {
    let lower = chars.iter().filter(|c| !is_mark(**c)).flat_map(|c| c.to_lowercase());
    let mut text = String::with_capacity(chars.len());
    for c in lower.filter(|c| !is_mark(*c)) {
        match c {
            'à'..='å' | 'ā' | 'ă' | 'ą' => text.push('a'),
            'ç' | 'ć' | 'č' => text.push('c'),
            'ď' => text.push('d'),
            'è'..='ë' | 'ē' | 'ę' | 'ě' => text.push('e'),
            'ì'..='ï' | 'ī' => text.push('i'),
            'ł' => text.push('l'),
            'ñ' | 'ń' | 'ň' => text.push('n'),
            'ò'..='ö' | 'ø' | 'ō' | 'ő' => text.push('o'),
            'ř' => text.push('r'),
            'ś' | 'š' | 'ş' => text.push('s'),
            'ß' => text.push_str("ss"),
            'ť' => text.push('t'),
            'ù'..='ü' | 'ū' | 'ů' | 'ű' => text.push('u'),
            'ý' | 'ÿ' => text.push('y'),
            'ź' | 'ż' | 'ž' => text.push('z'),
            'æ' => text.push_str("ae"),
            'œ' => text.push_str("oe"),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(text: &str, wanted: &[&str]) {
        let show = |token: Token| match token.kind {
            Kind::Word => token.text,
            Kind::Number { value, unit } => format!("#{value}{unit}"),
            Kind::Sign(c) => format!("!{c}"),
        };
        assert_eq!(tokens(text).into_iter().map(show).collect::<Vec<_>>(), wanted, "{text}");
    }

    #[test]
    fn numbers_are_read_however_they_are_written() {
        check(
            "1,234.5 1.234,5 1.234.567 1'000 1 000 2,5",
            &["#1234.5", "#1234.5", "#1234567", "#1000", "#1000", "#2.5"],
        );
        check("1,2,3 and 1.2.3", &["#1", "!,", "#2", "!,", "#3", "and", "1.2.3"]);
        check("-2 +3 .5 5-3 a-5", &["#-2", "#3", "#0.5", "#5", "!-", "#3", "a-5"]);
        check("1/2 3 1/2 10^3 1/2/2024", &["#0.5", "#3.5", "#1000", "#1", "!/", "#2", "!/", "#2024"]);
        check("40km/h 96% $0.10 29th 10k 3:15", &["#40km/h", "#96%", "!$", "#0.1$", "#29", "#10000", "3:15"]);
    }

    #[test]
    fn words_are_lower_case_without_accents() {
        check(
            "It's the Café, e.g. knight/knave at km/h.",
            &["it's", "the", "cafe", "!,", "e.g", "!.", "knight", "!/", "knave", "at", "km/h", "!."],
        );
        check("答案是40", &["答案是", "#40"]);
        check("Muße twenty-one", &["musse", "twenty-one"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_fail(text in "[\\PC0-9.,/'^: -]{0,60}") {
            let _ = tokens(&text);
        }

        #[test]
        fn whole_numbers_come_back(value in -1_000_000_i32..1_000_000) {
            let found = tokens(&format!("it is {value}."));
            let is_it = |token: &Token| matches!(token.kind, Kind::Number { value: found, .. } if (found - f64::from(value)).abs() < 1e-9);
            prop_assert!(found.iter().any(is_it));
        }
    }
}
