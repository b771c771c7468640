//! Tells code, comments and strings apart, for every language, in one pass over the bytes.
//!
//! This is no parser: it reads broken code as well as good code, never fails, and where a string is not
//! closed it goes on at the next line (or at the end, for strings that may hold line ends).

use playhouse_protocol::code::Language;

/// What a byte of source code belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Code, white space included.
    Code,
    /// A comment, its marks included.
    Comment,
    /// A string or character literal, its quotes included.
    Text,
}

/// The class of each byte of `source`. Linear in its length.
pub(crate) fn classes(language: Language, source: &str) -> Vec<Class> {
    let mut scanner = Scanner { bytes: source.as_bytes(), at: 0, classes: Vec::with_capacity(source.len()) };
    let rules = Rules::of(language);
    while scanner.at < scanner.bytes.len() {
        scanner.step(language, &rules);
    }
    scanner.classes.resize(source.len(), Class::Code);
    scanner.classes
}

/// The code with comments and literals blanked out (each byte becomes a space; line ends stay).
pub(crate) fn code_only(language: Language, source: &str) -> String {
    let classes = classes(language, source);
    let bytes = source.bytes().zip(classes).map(|(byte, class)| match class {
        Class::Code => byte,
        Class::Comment | Class::Text if byte == b'\n' => byte,
        Class::Comment | Class::Text => b' ',
    });
    String::from_utf8_lossy(&bytes.collect::<Vec<_>>()).into_owned()
}

/// How a language writes comments and strings.
struct Rules {
    line_comment: &'static [u8],
    block_comments: bool,
    block_comments_nest: bool,
    /// Quotes of strings that end with their line; a backslash escapes.
    line_quotes: &'static [u8],
    /// Quotes of strings that may hold line ends. Longer ones first.
    long_quotes: &'static [&'static [u8]],
    /// Whether a backslash escapes in long strings.
    long_escapes: bool,
}

impl Rules {
    const fn of(language: Language) -> Self {
        let c_like = Self {
            line_comment: b"//",
            block_comments: true,
            block_comments_nest: false,
            line_quotes: b"\"'",
            long_quotes: &[],
            long_escapes: true,
        };
        match language {
            Language::Rust => {
                Self { block_comments_nest: true, line_quotes: b"", long_quotes: &[b"\""], ..c_like }
            }
            Language::Python => Self {
                line_comment: b"#",
                block_comments: false,
                long_quotes: &[b"\"\"\"", b"'''"],
                ..c_like
            },
            Language::TypeScript | Language::JavaScript => Self { long_quotes: &[b"`"], ..c_like },
            Language::Go => Self { long_quotes: &[b"`"], long_escapes: false, ..c_like },
            Language::Java => Self { long_quotes: &[b"\"\"\""], ..c_like },
            Language::C | Language::Cpp => c_like,
        }
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    classes: Vec<Class>,
}

impl Scanner<'_> {
    fn step(&mut self, language: Language, rules: &Rules) {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(rules.line_comment) {
            let len = line_len(rest);
            self.take(len, Class::Comment);
        } else if rules.block_comments && rest.starts_with(b"/*") {
            let len = block_comment_len(rest, rules.block_comments_nest);
            self.take(len, Class::Comment);
        } else if let Some(len) = self.raw_string_len(language) {
            self.take(len, Class::Text);
        } else if let Some(quote) = rules.long_quotes.iter().find(|quote| rest.starts_with(quote)) {
            let len = long_string_len(rest, quote, rules.long_escapes);
            self.take(len, Class::Text);
        } else if rules.line_quotes.contains(&rest[0]) {
            let len = line_string_len(rest);
            self.take(len, Class::Text);
        } else if language == Language::Rust && rest[0] == b'\'' {
            match rust_char_len(rest) {
                Some(len) => self.take(len, Class::Text),
                None => self.take(1, Class::Code),
            }
        } else {
            self.take(1, Class::Code);
        }
    }

    fn take(&mut self, len: usize, class: Class) {
        let len = len.clamp(1, self.bytes.len() - self.at);
        self.at += len;
        self.classes.resize(self.at, class);
    }

    /// Rust's `r#"…"#` and C++'s `R"mark(…)mark"`; an identifier that only ends in `r` does not count.
    fn raw_string_len(&self, language: Language) -> Option<usize> {
        let rest = &self.bytes[self.at..];
        let letter = match language {
            Language::Rust => b'r',
            Language::Cpp => b'R',
            _ => return None,
        };
        let inside_word = self.at > 0 && is_word(self.bytes[self.at - 1]) && {
            let prefix = self.bytes[self.at - 1];
            let begins = self.at < 2 || !is_word(self.bytes[self.at - 2]);
            !(begins && matches!(prefix, b'b' | b'c' | b'L' | b'u' | b'U'))
        };
        if rest[0] != letter || inside_word {
            return None;
        }
        let (open_len, close) = if language == Language::Rust {
            let hashes = rest[1..].iter().take(RAW_MARK_BYTES_MAX).take_while(|byte| **byte == b'#').count();
            (rest.get(1 + hashes) == Some(&b'"')).then(|| {
                let mut close = vec![b'"'];
                close.resize(1 + hashes, b'#');
                (2 + hashes, close)
            })?
        } else {
            let mark = rest.strip_prefix(b"R\"")?;
            let len = mark.iter().take(RAW_MARK_BYTES_MAX).position(|byte| *byte == b'(')?;
            let mut close = vec![b')'];
            close.extend_from_slice(&mark[..len]);
            close.push(b'"');
            (3 + len, close)
        };
        Some(find(&rest[open_len..], &close).map_or(rest.len(), |at| open_len + at + close.len()))
    }
}

/// The longest mark of a raw string: Rust allows 255 hashes, C++ 16 characters; real code needs few, and the
/// search for an end costs the mark's length for each byte.
const RAW_MARK_BYTES_MAX: usize = 16;

fn is_word(byte: u8) -> bool {
    byte == b'_' || byte.is_ascii_alphanumeric()
}

fn line_len(rest: &[u8]) -> usize {
    rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

fn block_comment_len(rest: &[u8], nest: bool) -> usize {
    let mut depth = 1_usize;
    let mut at = 2;
    while at < rest.len() {
        if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else if nest && rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn long_string_len(rest: &[u8], quote: &[u8], escapes: bool) -> usize {
    let mut at = quote.len();
    while at < rest.len() {
        if escapes && rest[at] == b'\\' {
            at += 2;
        } else if rest[at..].starts_with(quote) {
            return at + quote.len();
        } else {
            at += 1;
        }
    }
    rest.len()
}

fn line_string_len(rest: &[u8]) -> usize {
    let mut at = 1;
    while at < rest.len() {
        match rest[at] {
            b'\\' => at += 2,
            b'\n' => return at,
            byte if byte == rest[0] => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

/// The length of a character literal, or `None` for a lifetime.
fn rust_char_len(rest: &[u8]) -> Option<usize> {
    if rest.get(1) == Some(&b'\\') {
        // The longest escape is `\u{10FFFF}`.
        let close = rest.iter().skip(3).take(10).position(|byte| *byte == b'\'')?;
        return Some(close + 4);
    }
    // One character of 1 to 4 bytes, then the quote; `'a` without it is a lifetime.
    (2..=5)
        .find(|at| rest.get(*at) == Some(&b'\'') && std::str::from_utf8(&rest[1..*at]).is_ok_and(one_char))
        .map(|at| at + 1)
}

fn one_char(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|first| first != '\'' && first != '\n') && chars.next().is_none()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Shows comments as `c`, literals as `t`, code as it is.
    fn check(language: Language, source: &str, expected: &str) {
        let shown: String = source
            .bytes()
            .zip(classes(language, source))
            .map(|(byte, class)| match class {
                Class::Code => char::from(byte),
                Class::Comment => 'c',
                Class::Text => 't',
            })
            .collect();
        assert_eq!(shown, expected, "{language}: {source}");
    }

    #[test]
    fn comments_and_literals_are_told_from_code() {
        check(Language::Rust, r#"a("x\"//") // b"#, r"a(ttttttt) cccc");
        check(Language::Rust, "/* a /* b */ c */ d", "ccccccccccccccccc d");
        check(Language::Rust, r##"r#"a"b"# ; for"{""##, "tttttttt ; forttt");
        check(
            Language::Rust,
            r"fn f<'a>(x: &'a str) { '{' ; '\'' ; '\u{41}' }",
            r"fn f<'a>(x: &'a str) { ttt ; tttt ; tttttttt }",
        );
        check(Language::Python, "x = '''a\n#b''' # c", "x = tttttttttt ccc");
        check(Language::Python, "x = 'open\ny", "x = ttttt\ny");
        check(Language::TypeScript, "`a\n${b}` + '\"' // c", "tttttttt + ttt cccc");
        check(Language::Go, r"`\` + 1", "ttt + 1");
        check(Language::Java, "\"\"\"\n\"a\"\"\" b", "ttttttttt b");
        check(Language::C, "/* a /* b */ c", "cccccccccccc c");
        check(Language::Cpp, "R\"x(a)\" )x\" b", "ttttttttttt b");
    }

    #[test]
    fn hostile_lengths_are_read_once() {
        for piece in ["\"", "'", "/*", "r#\"", "R\"(", "`", "\"\"\"", "\\", "#", "\u{1F600}"] {
            let source = piece.repeat(200_000 / piece.len());
            for language in Language::ALL {
                assert_eq!(classes(language, &source).len(), source.len());
            }
        }
    }

    proptest! {
        #[test]
        fn every_byte_has_a_class_and_lines_stay(source in "[\"'`/*#rRb(){}\\\\\n a-z😀]{0,80}") {
            for language in Language::ALL {
                prop_assert_eq!(classes(language, &source).len(), source.len());
                prop_assert_eq!(code_only(language, &source).matches('\n').count(), source.matches('\n').count());
            }
        }
    }
}
