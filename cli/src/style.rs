//! Colours, and text that is safe to show in a terminal.

use std::borrow::Cow;

/// Colours text, or leaves it as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Style {
    enabled: bool,
}

impl Style {
    /// A style that leaves text as it is.
    pub(crate) const PLAIN: Self = Self { enabled: false };

    pub(crate) const fn new(enabled: bool) -> Self {
        Self { enabled }
    }

    pub(crate) fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }

    pub(crate) fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    pub(crate) fn red(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    pub(crate) fn green(self, text: &str) -> String {
        self.paint("1;32", text)
    }

    pub(crate) fn yellow(self, text: &str) -> String {
        self.paint("33", text)
    }

    pub(crate) fn cyan(self, text: &str) -> String {
        self.paint("36", text)
    }

    fn paint(self, code: &str, text: &str) -> String {
        if self.enabled { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// The text without what moves the cursor, starts escape sequences or turns the writing direction: a model's
/// answer must not do that to a terminal.
pub(crate) fn printable(text: &str) -> Cow<'_, str> {
    let is_harmful = |c: char| match c {
        '\n' | '\t' => false,
        // Source: Unicode Standard Annex 9, table of explicit formatting characters ("Trojan Source").
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        c => c.is_control(),
    };
    if text.contains(is_harmful) {
        Cow::Owned(text.replace(is_harmful, "\u{fffd}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_style_adds_nothing_and_colour_is_ended() {
        assert_eq!(Style::PLAIN.red("x"), "x");
        assert_eq!(Style::new(true).dim("x"), "\u{1b}[2mx\u{1b}[0m");
    }

    #[test]
    fn escape_sequences_and_direction_marks_are_not_shown_as_such() {
        assert_eq!(printable("a\u{1b}[31mb\tc\n"), "a\u{fffd}[31mb\tc\n");
        assert_eq!(printable("a\u{202e}b"), "a\u{fffd}b");
        assert!(matches!(printable("fn é() {}\n"), Cow::Borrowed(_)));
    }
}
