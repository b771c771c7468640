//! Makes what a provider said fit to be shown: one line, short, and without keys.

/// The longest text of a provider that is kept, in characters.
const TEXT_CHARS_MAX: usize = 200;

/// The most of a provider's text that is looked at, in bytes: what is behind it would be cut anyway.
const TEXT_BYTES_READ_MAX: usize = 16 * 1024;

/// What stands in place of a key.
const REDACTED: &str = "[key]";

/// Prefixes by which keys of well-known providers are recognised, also when they are not ours.
const KEY_PREFIXES: [&str; 6] = ["sk-", "pk-", "gsk_", "xai-", "hf_", "AIza"];

/// Cleans a text: `key` is taken out wherever it stands, and so is what looks like a key of any provider, even
/// half hidden (`sk-ab***yz`).
pub(super) fn scrub(text: &str, key: Option<&str>) -> String {
    if is_clean(text, key) {
        return text.to_owned();
    }
    let text = &text[..text.floor_char_boundary(TEXT_BYTES_READ_MAX)];
    let without_key = match key {
        Some(key) if !key.is_empty() => text.replace(key, REDACTED),
        _ => text.to_owned(),
    };
    let printable = without_key.replace(|c: char| c.is_control(), " ");
    let words: Vec<_> = printable.split_whitespace().map(redact_word).collect();
    let mut line = words.join(" ");
    if let Some((end, _)) = line.char_indices().nth(TEXT_CHARS_MAX) {
        line.truncate(end);
        line.push('…');
    }
    line
}

/// Whether a text is a single short word in which nothing looks like a key: what the name of a request is as a rule.
fn is_clean(text: &str, key: Option<&str>) -> bool {
    let looks_like_key =
        |at: usize| KEY_PREFIXES.iter().any(|prefix| text.as_bytes()[at..].starts_with(prefix.as_bytes()));
    text.len() <= TEXT_CHARS_MAX
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !(0..text.len()).any(looks_like_key)
        && !key.is_some_and(|key| text.contains(key))
}

/// Hides the part of a word that looks like a key.
fn redact_word(word: &str) -> String {
    let begin = KEY_PREFIXES.iter().filter_map(|prefix| word.find(prefix)).find(|begin| {
        let before = word[..*begin].chars().next_back();
        before.is_none_or(|c| !c.is_alphanumeric())
    });
    let Some(begin) = begin else { return word.to_owned() };
    let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '*' | '…') || c == '.';
    let key = &word[begin..];
    let key_len = key.find(|c| !is_key(c)).unwrap_or(key.len());
    format!("{}{REDACTED}{}", &word[..begin], &key[key_len..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(scrub(text, Some("secret/42")), expected);
    }

    #[test]
    fn our_key_is_taken_out_wherever_it_stands() {
        check("key secret/42 and xsecret/42y", "key [key] and x[key]y");
    }

    #[test]
    fn what_looks_like_a_key_is_taken_out() {
        check("Incorrect API key provided: sk-abc12***wxyz.", "Incorrect API key provided: [key]");
        check("\"gsk_abcdef\", try", "\"[key]\", try");
        check("a risk-free task-list", "a risk-free task-list");
    }

    #[test]
    fn lines_are_joined_and_controls_dropped() {
        check("a\r\n\tb\u{7}\u{1b}[31mc", "a b [31mc");
    }

    #[test]
    fn a_long_text_is_cut_after_the_key_was_taken_out() {
        let text = format!("{} secret/42", "ä".repeat(196));
        let cut = scrub(&text, Some("secret/42"));
        assert_eq!(cut.chars().count(), 201);
        assert!(cut.ends_with("ä [ke…"), "{cut}");
    }
}
