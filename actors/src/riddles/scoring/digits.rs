//! Numbers in digits, as a text writes them.

use super::tokens::{Kind, Token, fold};

/// Whether a number begins here: a digit, or a point or sign in front of one. A sign behind a letter, a digit or a bracket
/// joins or subtracts.
pub(super) fn starts_number(chars: &[char], place: usize, before: char) -> bool {
    let digit_at = |place: usize| chars.get(place).is_some_and(char::is_ascii_digit);
    match chars.get(place) {
        Some(c) if c.is_ascii_digit() => true,
        Some('.') => digit_at(place + 1) && !before.is_alphanumeric(),
        Some('-' | '+') => {
            let is_number =
                digit_at(place + 1) || (chars.get(place + 1) == Some(&'.') && digit_at(place + 2));
            is_number && !before.is_alphanumeric() && !matches!(before, ')' | ']' | '%' | '-' | '"')
        }
        _ => false,
    }
}

/// The number that begins here, and where it ends.
pub(super) fn number(chars: &[char], begin: usize, before: char) -> (Token, usize) {
    let signed = matches!(chars.get(begin), Some('-' | '+'));
    let first = begin + usize::from(signed);
    let (value, mut end) = digits(chars, first, before != ',');
    let (Some(mut value), at) = (value, |place: usize| chars.get(place).copied().unwrap_or(' ')) else {
        return (Token::word(chars[begin..end].iter().collect()), end);
    };
    let whole = |from: usize| {
        let len = chars[from.min(chars.len())..].iter().take_while(|c| c.is_ascii_digit()).count();
        let text: String = chars[from.min(chars.len())..].iter().take(len).collect();
        (text.parse::<f64>().ok(), from + len)
    };
    match at(end) {
        // A time of day or a ratio is no number.
        ':' if at(end + 1).is_ascii_digit() => {
            end = whole(end + 1).1;
            return (Token::word(chars[begin..end].iter().collect()), end);
        }
        '/' if before != '/' => {
            if let (Some(below), behind) = whole(end + 1)
                && below != 0.0
                && at(behind) != '/'
            {
                (value, end) = (value / below, behind);
            }
        }
        '^' => {
            if let (Some(power), behind) = whole(end + 1) {
                (value, end) = (value.powf(power), behind);
            }
        }
        _ => {}
    }
    if chars.get(begin) == Some(&'-') {
        value = -value;
    }
    let unit_end = unit_end(chars, end);
    let mut unit = fold(&chars[end..unit_end]);
    if matches!(unit.as_str(), "st" | "nd" | "rd" | "th") {
        unit.clear();
    } else if unit == "k" {
        (value, unit) = (value * 1_000.0, String::new());
    } else if unit.is_empty() && matches!(before, '$' | '€' | '£') {
        unit = before.to_string();
    }
    (Token { text: fold(&chars[begin..unit_end]), kind: Kind::Number { value, unit } }, unit_end)
}

/// Where a unit ends that is written against a number: `km/h`, `%`, `°C`.
fn unit_end(chars: &[char], begin: usize) -> usize {
    if chars.get(begin) == Some(&'%') {
        return begin + 1;
    }
    let mut end = begin + usize::from(chars.get(begin) == Some(&'°'));
    while let Some(&c) = chars.get(end) {
        let is_inside = c == '/' && end > begin && chars.get(end + 1).is_some_and(|c| c.is_alphabetic());
        if !c.is_alphabetic() && !is_inside {
            break;
        }
        end += 1;
    }
    end
}

/// Digits with the signs that may stand among them, and where they end. `None` for what is no number, such as `1.2.3`.
fn digits(chars: &[char], begin: usize, may_have_comma: bool) -> (Option<f64>, usize) {
    let is_digit = |place: usize| chars.get(place).is_some_and(char::is_ascii_digit);
    let three = |place: usize| (place..place + 3).all(is_digit) && !is_digit(place + 3);
    let mut end = begin;
    while is_digit(end) {
        end += 1;
    }
    let is_short = (1..=3).contains(&(end - begin));
    // Groups of three digits, all parted by the same sign.
    let separator = chars.get(end).copied().unwrap_or_default();
    let mut groups = 0;
    let mut grouped = end;
    if is_short && matches!(separator, ',' | '.' | '\'' | ' ') {
        while chars.get(grouped) == Some(&separator) && three(grouped + 1) {
            grouped += 4;
            groups += 1;
        }
    }
    // One point in front of three digits is a decimal point.
    let decimal = |end: usize, point: char| chars.get(end) == Some(&point) && is_digit(end + 1);
    let is_grouped = groups > 1 || (groups == 1 && (separator != '.' || decimal(grouped, ',')));
    let points: &[char] = match separator {
        _ if is_grouped && separator == '.' => &[','],
        _ if is_grouped => &['.'],
        _ if may_have_comma => &['.', ','],
        _ => &['.'],
    };
    if is_grouped {
        end = grouped;
    }
    let whole: String = chars[begin..end].iter().filter(|c| c.is_ascii_digit()).collect();
    let Some(&point) = points.iter().find(|point| decimal(end, **point)) else {
        return (whole.parse().ok(), end);
    };
    let mut behind = end + 1;
    while is_digit(behind) {
        behind += 1;
    }
    // `1.2.3` is no number, and `1,2,3` is three.
    if decimal(behind, point) {
        if point == ',' {
            return (whole.parse().ok(), end);
        }
        while decimal(behind, point) || is_digit(behind) {
            behind += 1;
        }
        return (None, behind);
    }
    let part: String = chars[end + 1..behind].iter().collect();
    let whole = if whole.is_empty() { "0".to_owned() } else { whole };
    (format!("{whole}.{part}").parse().ok(), behind)
}
