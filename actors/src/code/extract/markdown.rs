//! Splits an answer into prose and fenced blocks, by the rules of `CommonMark` made lenient.
//!
//! Source: `CommonMark` 0.31.2, section 4.5. Beyond it: a fence may stand at any depth of a list or a quote; a
//! fence that opens with a known label inside a block whose end was forgotten ends that block; a block of
//! markdown is opened and its own blocks are taken; code on one line between fences is a block.

use playhouse_protocol::code::Language;

/// A part of an answer, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Lines outside of fences.
    Prose(String),
    /// A fenced block.
    Block(Fenced),
}

/// A fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fenced {
    /// What stands behind the opening fence.
    pub(super) info: String,
    /// The lines between the fences, each with its `\n`.
    pub(super) code: String,
    /// Whether the closing fence (or the next opening one) was there.
    pub(super) closed: bool,
}

/// Blocks of markdown in blocks of markdown that are opened; deeper ones stay as they are.
const NESTING_MAX: u32 = 3;

/// The pieces of `answer`, whose line ends are `\n`. Linear in its length.
pub(super) fn pieces(answer: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    split(answer, NESTING_MAX, &mut found);
    found
}

fn split(text: &str, nesting_left: u32, found: &mut Vec<Piece>) {
    let mut prose = String::new();
    let mut open: Option<Open> = None;
    for line in text.split_inclusive('\n') {
        let fence = Fence::read(line);
        match (&mut open, fence) {
            (None, Some(fence)) => {
                if let Some(block) = fence.on_one_line() {
                    flush(&mut prose, found);
                    found.push(Piece::Block(block));
                } else {
                    flush(&mut prose, found);
                    open = Some(Open::at(&fence));
                }
            }
            (None, None) => prose.push_str(line),
            (Some(block), fence) => match block.take(line, fence.as_ref()) {
                Taken::Inside => {}
                Taken::Closed => close(open.take(), true, nesting_left, found),
                Taken::Reopened => {
                    close(open.take(), true, nesting_left, found);
                    open = fence.as_ref().map(Open::at);
                }
            },
        }
    }
    flush(&mut prose, found);
    close(open, false, nesting_left, found);
}

fn flush(prose: &mut String, found: &mut Vec<Piece>) {
    if !prose.trim().is_empty() {
        found.push(Piece::Prose(std::mem::take(prose)));
    }
    prose.clear();
}

fn close(open: Option<Open>, closed: bool, nesting_left: u32, found: &mut Vec<Piece>) {
    let Some(open) = open else { return };
    if open.markdown && nesting_left > 0 && open.code.lines().any(|line| Fence::read(line).is_some()) {
        split(&open.code, nesting_left - 1, found);
    } else if !open.code.trim().is_empty() {
        found.push(Piece::Block(Fenced { info: open.info, code: open.code, closed }));
    }
}

/// A line that begins with a fence.
struct Fence<'a> {
    /// Columns before the fence, list marks and quote marks included.
    indent: usize,
    /// Whether the fence stood in a quote.
    quoted: bool,
    mark: u8,
    len: usize,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn read(line: &'a str) -> Option<Self> {
        let mut rest = line.trim_end();
        let full = rest.len();
        let mut quoted = false;
        loop {
            rest = rest.trim_start();
            if let Some(inner) = rest.strip_prefix('>') {
                (rest, quoted) = (inner, true);
            } else if let Some(inner) = after_list_mark(rest) {
                rest = inner;
            } else {
                break;
            }
        }
        let mark = *rest.as_bytes().first()?;
        let len = rest.bytes().take_while(|byte| *byte == mark).count();
        if !matches!(mark, b'`' | b'~') || len < 3 {
            return None;
        }
        Some(Self { indent: full - rest.len(), quoted, mark, len, info: rest[len..].trim() })
    }

    /// Whether it can only open a block.
    fn opens(&self) -> bool {
        !self.info.is_empty() && (self.mark != b'`' || !self.info.contains('`'))
    }

    /// ```` ```rust fn a() {} ``` ```` on one line.
    fn on_one_line(&self) -> Option<Fenced> {
        let mark = char::from(self.mark);
        let inner = self.info.strip_suffix(mark)?.trim_end_matches(mark).trim();
        let (label, code) = match inner.split_once(char::is_whitespace) {
            Some((label, code)) if Language::from_label(label).is_some() => (label, code.trim()),
            _ => ("", inner),
        };
        let info = label.to_owned();
        (!code.is_empty()).then(|| Fenced { info, code: format!("{code}\n"), closed: true })
    }
}

/// What follows a list mark (`-`, `*`, `+`, `1.`, `2)`) and a space.
fn after_list_mark(line: &str) -> Option<&str> {
    let digits = line.bytes().take(4).take_while(u8::is_ascii_digit).count();
    let rest = &line[digits..];
    let marks: &[char] = if digits > 0 { &['.', ')'] } else { &['-', '*', '+'] };
    rest.strip_prefix(marks)?.strip_prefix([' ', '\t'])
}

struct Open {
    info: String,
    code: String,
    indent: usize,
    quoted: bool,
    mark: u8,
    len: usize,
    markdown: bool,
    /// Inside a block of markdown: whether one of its own blocks is open.
    in_inner: bool,
}

enum Taken {
    Inside,
    Closed,
    Reopened,
}

impl Open {
    fn at(fence: &Fence<'_>) -> Self {
        Self {
            info: fence.info.to_owned(),
            code: String::new(),
            indent: fence.indent,
            quoted: fence.quoted,
            mark: fence.mark,
            len: fence.len,
            markdown: matches!(label(fence.info).as_str(), "markdown" | "md"),
            in_inner: false,
        }
    }

    fn take(&mut self, line: &str, fence: Option<&Fence<'_>>) -> Taken {
        if let Some(fence) = fence
            && fence.mark == self.mark
            && fence.indent <= self.indent + 3
        {
            let long_enough = fence.len >= self.len;
            if self.markdown && fence.opens() {
                self.in_inner |= long_enough;
            } else if self.in_inner && fence.info.is_empty() && long_enough {
                self.in_inner = false;
            } else if fence.info.is_empty() && long_enough {
                return Taken::Closed;
            } else if long_enough && fence.opens() && Language::from_label(&label(fence.info)).is_some() {
                return Taken::Reopened;
            }
        }
        self.code.push_str(self.without_indent(line));
        if !line.ends_with('\n') {
            self.code.push('\n');
        }
        Taken::Inside
    }

    /// The line without as much white space as stood before the opening fence, and without its quote mark.
    fn without_indent<'a>(&self, line: &'a str) -> &'a str {
        let mut line = line;
        if self.quoted {
            let inner = line.trim_start_matches([' ', '\t']);
            if let Some(inner) = inner.strip_prefix('>') {
                return inner.strip_prefix(' ').unwrap_or(inner);
            }
        }
        for _ in 0..self.indent {
            match line.strip_prefix([' ', '\t']) {
                Some(shorter) => line = shorter,
                None => break,
            }
        }
        line
    }
}

/// The language label of an info string: its first word, without what editors and documentation tools add.
pub(super) fn label(info: &str) -> String {
    let info = info.trim_start_matches(['{', '.', ' ']);
    let word = info.split([' ', '\t', ',', '{', '}', ':', '=', ';']).next().unwrap_or_default();
    word.trim_start_matches('.').trim_start_matches("language-").to_ascii_lowercase()
}
