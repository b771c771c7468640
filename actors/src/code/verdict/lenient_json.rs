//! Reads JSON as models write it: with text around it, without quotes, with comments, cut at the end.
//!
//! What is valid JSON is read as what it is. The rest is repaired by rules that look only at what follows:
//! no text is an error, and each character is read a bounded number of times.

use serde_json::{Map, Number, Value};

/// The deepest nesting that is followed; a review needs four levels.
const DEPTH_MAX: usize = 64;

/// The most values in one object or array tree; a review of 50 findings has some 300.
const VALUES_MAX: usize = 20_000;

/// Reads the object or array that begins at byte `start` of `text`, and where it ends.
///
/// `None` where there is no bracket at `start`, or the bounds above are exceeded.
pub(super) fn read_at(text: &str, start: usize) -> Option<(Value, usize)> {
    let mut reader = Reader { text, at: start, open: Vec::new(), values: 0 };
    reader.run().map(|value| (value, reader.at))
}

/// An object or array that is being read.
enum Open {
    Object { members: Map<String, Value>, key: Option<String> },
    Array(Vec<Value>),
}

impl Open {
    fn close(self) -> Value {
        match self {
            // A key without a value was cut off: it says nothing.
            Self::Object { members, .. } => Value::Object(members),
            Self::Array(values) => Value::Array(values),
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    open: Vec<Open>,
    values: usize,
}

impl Reader<'_> {
    fn run(&mut self) -> Option<Value> {
        if !matches!(self.peek(), Some('{' | '[')) {
            return None;
        }
        loop {
            self.skip_blanks_and_comments();
            if self.open.len() > DEPTH_MAX || self.values > VALUES_MAX {
                return None;
            }
            let Some(char) = self.peek() else { return self.close_all() };
            match char {
                '{' => self.enter(Open::Object { members: Map::new(), key: None }),
                '[' => self.enter(Open::Array(Vec::new())),
                '}' | ']' => {
                    if let Some(whole) = self.close(char) {
                        return Some(whole);
                    }
                }
                ',' | ':' | '=' | ';' => self.bump(char),
                _ => self.scalar(char),
            }
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn bump(&mut self, char: char) {
        self.at += char.len_utf8();
    }

    fn enter(&mut self, open: Open) {
        self.bump('{');
        self.values += 1;
        // An object where a key should stand belongs to no key: its members stand for themselves.
        self.open.push(open);
    }

    /// Closes what `bracket` closes, and what was forgotten in it. A bracket that closes nothing is passed over.
    fn close(&mut self, bracket: char) -> Option<Value> {
        self.bump(bracket);
        let closes =
            |open: &Open| matches!((open, bracket), (Open::Object { .. }, '}') | (Open::Array(_), ']'));
        let at = self.open.iter().rposition(closes)?;
        while self.open.len() > at {
            let value = self.open.pop()?.close();
            if self.open.is_empty() {
                return Some(value);
            }
            self.put(value);
        }
        None
    }

    fn close_all(&mut self) -> Option<Value> {
        while let Some(open) = self.open.pop() {
            let value = open.close();
            if self.open.is_empty() {
                return Some(value);
            }
            self.put(value);
        }
        None
    }

    fn put(&mut self, value: Value) {
        match self.open.last_mut() {
            Some(Open::Array(values)) => values.push(value),
            Some(Open::Object { members, key }) => match (key.take(), value) {
                (Some(name), value) => {
                    members.insert(name, value);
                }
                (None, Value::Object(inner)) => members.extend(inner),
                (None, _) => {}
            },
            None => {}
        }
    }

    fn scalar(&mut self, char: char) {
        self.values += 1;
        let wants_key = matches!(self.open.last(), Some(Open::Object { key: None, .. }));
        let quote = closing_quote(char);
        let mut value = match quote {
            Some(quote) => Value::String(self.string(char, quote, wants_key)),
            None => self.word(wants_key),
        };
        if wants_key {
            let name = match value {
                Value::String(name) => name,
                other => other.to_string(),
            };
            self.skip_blanks_and_comments();
            // A string that no colon follows is no key, but a value too much.
            if matches!(self.peek(), Some(':' | '=' | '{' | '[' | '"' | '\'') | None)
                && let Some(Open::Object { key, .. }) = self.open.last_mut()
            {
                *key = Some(name);
            }
            return;
        }
        // The template's `"approve" | "request_changes"`, copied: all of it is the value.
        self.skip_blanks_and_comments();
        if self.peek() == Some('|')
            && let Value::String(text) = &mut value
        {
            text.push_str(&self.take_while(|char| !matches!(char, ',' | '}' | ']' | '\n')));
        }
        self.put(value);
    }

    fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> String {
        let rest = &self.text[self.at..];
        let len = rest.find(|char| !wanted(char)).unwrap_or(rest.len());
        self.at += len;
        rest[..len].to_owned()
    }

    /// A number, a literal, or text without quotes: up to what can end it.
    fn word(&mut self, is_key: bool) -> Value {
        let start = self.at;
        let mut word = self.take_while(|char| {
            !matches!(char, ',' | '}' | ']' | '\n' | ':' | '"') || (!is_key && char == ':')
        });
        if word.is_empty() {
            // A lone quote or the like: passed over, so that reading goes on.
            if let Some(char) = self.peek() {
                self.bump(char);
            }
            return Value::Null;
        }
        let comment = word.find("//").or_else(|| word.find(" #")).filter(|at| *at > 0);
        if let Some(comment) = comment {
            self.at = start + comment;
            word.truncate(comment);
        }
        let word = word.trim();
        match word {
            "null" | "None" | "undefined" | "nil" | "NULL" => Value::Null,
            "true" | "True" | "TRUE" => Value::Bool(true),
            "false" | "False" | "FALSE" => Value::Bool(false),
            _ => match serde_json::from_str::<Number>(word.trim_start_matches('+')) {
                Ok(number) => Value::Number(number),
                Err(_) => Value::String(word.to_owned()),
            },
        }
    }

    fn string(&mut self, open: char, quote: char, is_key: bool) -> String {
        self.bump(open);
        let mut text = String::new();
        while let Some(char) = self.peek() {
            self.bump(char);
            match char {
                '\\' => self.escape(&mut text),
                _ if char == quote && self.ends_here(is_key) => return text,
                _ => text.push(char),
            }
        }
        text
    }

    /// Whether the quote before this place ends its string: what may follow a string follows.
    fn ends_here(&self, is_key: bool) -> bool {
        let rest = &self.text[self.at..];
        let next = rest.trim_start_matches([' ', '\t', '\r']);
        match next.chars().next() {
            // Of the last three: a comma was forgotten between two strings, or a comment follows.
            None | Some(',' | ';' | '}' | ']' | '\n' | '|' | '"' | '/' | '#') => true,
            Some(':' | '=') => is_key,
            Some(_) => false,
        }
    }

    fn escape(&mut self, text: &mut String) {
        let Some(char) = self.peek() else { return };
        self.bump(char);
        match char {
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            'b' => text.push('\u{8}'),
            'f' => text.push('\u{C}'),
            'u' => text.push(self.unicode_escape()),
            // `\"`, `\\`, `\/`, and what is no escape at all, such as `\'` or `\d`.
            '"' | '\\' | '/' | '\'' => text.push(char),
            other => text.extend(['\\', other]),
        }
    }

    fn unicode_escape(&mut self) -> char {
        let Some(high) = self.hex4() else { return char::REPLACEMENT_CHARACTER };
        if !(0xD800..0xDC00).contains(&high) {
            return char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER);
        }
        let before = self.at;
        if self.text[self.at..].starts_with("\\u") {
            self.at += 2;
            if let Some(low @ 0xDC00..0xE000) = self.hex4() {
                let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
                return char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            }
        }
        self.at = before;
        char::REPLACEMENT_CHARACTER
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        let value = u32::from_str_radix(digits, 16).ok()?;
        self.at += 4;
        Some(value)
    }

    fn skip_blanks_and_comments(&mut self) {
        loop {
            let rest = &self.text[self.at..];
            let blanks = rest.len() - rest.trim_start().len();
            let rest = &rest[blanks..];
            let comment = if rest.starts_with("//") || rest.starts_with('#') {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |at| at + 2)
            } else {
                0
            };
            self.at += blanks + comment;
            if comment == 0 {
                return;
            }
        }
    }
}

/// The quote that closes what `char` opens.
fn closing_quote(char: char) -> Option<char> {
    match char {
        '"' | '\'' | '`' => Some(char),
        '“' | '„' | '”' => Some('”'),
        '‘' | '’' => Some('’'),
        _ => None,
    }
}
