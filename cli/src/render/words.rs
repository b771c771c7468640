//! Numbers and short phrases, the same in every form.

use playhouse_protocol::Usage;
use playhouse_protocol::code::{Language, LineSpan};
use playhouse_protocol::review::Verdict;

/// `12345` as `12,345`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count with its noun: "1 token", "2 tokens".
pub(crate) fn counted(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", thousands(number), if number == 1 { "" } else { "s" })
}

/// Milliseconds as seconds or minutes.
pub(crate) fn seconds(elapsed_ms: u64) -> String {
    match elapsed_ms {
        0..10_000 => format!("{:.1} s", elapsed_ms as f64 / 1_000.0),
        10_000..120_000 => format!("{} s", elapsed_ms / 1_000),
        _ => format!("{} min {} s", elapsed_ms / 60_000, elapsed_ms / 1_000 % 60),
    }
}

/// Bytes as people read them; 1 MB is a million bytes, as in the lists of model files.
pub(crate) fn bytes(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{:.1} kB", bytes as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", bytes as f64 / 1e6),
        _ => format!("{:.2} GB", bytes as f64 / 1e9),
    }
}

/// Tokens, and money where any was spent.
pub(crate) fn usage(usage: &Usage) -> String {
    let tokens = counted(usage.total_tokens(), "token");
    match usage.cost_nano_usd {
        0 => tokens,
        nano_usd => format!("{tokens}, ${:.6}", nano_usd as f64 / 1e9),
    }
}

/// "line 3" or "lines 3-5".
pub(crate) fn lines(span: LineSpan) -> String {
    if span.first == span.last {
        format!("line {}", span.first)
    } else {
        format!("lines {}-{}", span.first, span.last)
    }
}

pub(crate) const fn verdict(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Approve => "approved",
        Verdict::RequestChanges => "changes requested",
    }
}

/// A line of comment in a language.
pub(crate) fn comment(language: Language, text: &str) -> String {
    match language {
        Language::Python => format!("# {text}"),
        Language::C => format!("/* {text} */"),
        Language::Rust
        | Language::TypeScript
        | Language::JavaScript
        | Language::Go
        | Language::Java
        | Language::Cpp => format!("// {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(thousands(number), text);
        }
        assert_eq!((counted(1, "token"), counted(0, "token")), ("1 token".into(), "0 tokens".into()));
    }

    #[test]
    fn times_and_sizes_have_units_that_fit() {
        assert_eq!([seconds(40), seconds(59_900), seconds(125_000)], ["0.0 s", "59 s", "2 min 5 s"]);
        assert_eq!([bytes(5), bytes(1_500), bytes(397_808_192)], ["5 B", "1.5 kB", "397.8 MB"]);
    }

    #[test]
    fn money_is_told_where_it_was_spent() {
        let used = Usage { prompt_tokens: 1_000, cost_nano_usd: 1_500_000, ..Usage::default() };
        assert_eq!(usage(&used), "1,000 tokens, $0.001500");
    }
}
