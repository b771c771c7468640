//! Texts from outside (names, questions, answers) as text, whatever is in them.

/// A text within HTML, or within an attribute in quotes. Characters that are not text (all below the space but for tab and
/// line break, and those that turn the direction of what stands around them) are shown as a replacement.
pub(super) fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for char in text.chars() {
        match char {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            char if is_text(char) => escaped.push(char),
            _ => escaped.push(char::REPLACEMENT_CHARACTER),
        }
    }
    escaped
}

/// A text within a line of Markdown, also of a table: nothing in it begins, ends or links anything.
pub(super) fn markdown(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    for char in text.chars() {
        match char {
            '\n' | '\r' | '\t' => escaped.push(' '),
            '<' => escaped.push_str("&lt;"),
            '\\' | '`' | '*' | '[' | ']' | '|' | '#' | '~' | '!' => escaped.extend(['\\', char]),
            char if is_text(char) => escaped.push(char),
            _ => escaped.push(char::REPLACEMENT_CHARACTER),
        }
    }
    escaped
}

const fn is_text(char: char) -> bool {
    match char {
        '\n' | '\t' => true,
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => false,
        char => !(char.is_ascii_control() || matches!(char, '\u{80}'..='\u{9f}')),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_becomes_text() {
        assert_eq!(html("<a href=\"x\" b='y'>&"), "&lt;a href=&quot;x&quot; b=&#39;y&#39;&gt;&amp;");
        assert_eq!(html("a\tb\nc\0d\u{202e}e"), "a\tb\nc\u{fffd}d\u{fffd}e");
        assert_eq!(
            markdown("a|b\n<i> [x](y) `z` total_tokens"),
            "a\\|b &lt;i> \\[x\\](y) \\`z\\` total_tokens"
        );
    }
}
