//! The parts of a text as Markdown has them, found line by line: cheap, and right for what models read and write.

use serde::{Serialize, Serializer};

/// The longest name of a language that is believed, in characters: what is longer is no name.
const LANGUAGE_LEN_MAX: usize = 24;

/// A kind of part. Shown as `prose`, `list`, `table`, `code` or `code:rust`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PartKind {
    /// Sentences, headings, and everything that is nothing else.
    Prose,
    /// Items of lists.
    List,
    /// Rows of tables.
    Table,
    /// A fenced block, its fences included, or a file of code; the language in lower case, empty where it is not named.
    Code(String),
}

impl PartKind {
    /// Code of a language as a fence names it: `Rust`, `rust,ignore`, nothing.
    pub(super) fn code(info: &str) -> Self {
        let language = info.split(|c: char| c.is_whitespace() || matches!(c, ',' | '{' | ':')).next();
        let named = |name: &&str| {
            name.chars().count() <= LANGUAGE_LEN_MAX
                && name.chars().all(|c| c.is_alphanumeric() || matches!(c, '+' | '#' | '-' | '_' | '.'))
        };
        Self::Code(language.filter(named).unwrap_or_default().to_lowercase())
    }

    /// The name used in reports.
    pub fn name(&self) -> String {
        match self {
            Self::Prose => "prose".to_owned(),
            Self::List => "list".to_owned(),
            Self::Table => "table".to_owned(),
            Self::Code(language) if language.is_empty() => "code".to_owned(),
            Self::Code(language) => format!("code:{language}"),
        }
    }
}

impl Serialize for PartKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.name())
    }
}

/// The parts of a text, in order; together they are the text.
pub(super) fn split(text: &str) -> Vec<(PartKind, &str)> {
    let mut parts: Vec<(PartKind, usize)> = Vec::new();
    let mut fence: Option<Fence<'_>> = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        let (kind, begins) = if let Some(open) = fence {
            if open.is_closed_by(trimmed) {
                fence = None;
            }
            (PartKind::code(open.info), false)
        } else if let Some(open) = Fence::opened_by(trimmed) {
            fence = Some(open);
            (PartKind::code(open.info), true)
        } else {
            (kind_of(trimmed, parts.last().map(|(kind, _)| kind)), false)
        };
        // A block is a part of its own, even right behind another one.
        if begins || parts.last().is_none_or(|(last, _)| *last != kind) {
            parts.push((kind, start));
        }
        start += line.len();
    }
    let ends: Vec<usize> = parts.iter().skip(1).map(|(_, start)| *start).chain([text.len()]).collect();
    parts.into_iter().zip(ends).map(|((kind, start), end)| (kind, &text[start..end])).collect()
}

/// The opening line of a block. Source: `CommonMark` 0.31, section 4.5, without the rules of indentation.
#[derive(Clone, Copy)]
struct Fence<'a> {
    mark: char,
    len: usize,
    info: &'a str,
}

impl<'a> Fence<'a> {
    fn opened_by(line: &'a str) -> Option<Self> {
        let mark = line.chars().next().filter(|mark| matches!(mark, '`' | '~'))?;
        let info = line.trim_start_matches(mark);
        let len = line.len() - info.len();
        (len >= 3 && !(mark == '`' && info.contains('`'))).then(|| Self { mark, len, info: info.trim() })
    }

    fn is_closed_by(self, line: &str) -> bool {
        line.len() >= self.len && line.chars().all(|c| c == self.mark)
    }
}

/// The kind of a line outside blocks. Empty lines, and lines that go on with an item, are part of what they follow.
fn kind_of(line: &str, before: Option<&PartKind>) -> PartKind {
    if line.is_empty() {
        return match before {
            Some(kind @ (PartKind::List | PartKind::Table)) => kind.clone(),
            _ => PartKind::Prose,
        };
    }
    if line.starts_with('|') {
        PartKind::Table
    } else if is_item(line) {
        PartKind::List
    } else {
        PartKind::Prose
    }
}

fn is_item(line: &str) -> bool {
    let bullet = ["- ", "* ", "+ "].iter().any(|bullet| line.starts_with(bullet));
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let numbered = (1..=9).contains(&(line.len() - number.len()))
        && (number.starts_with(". ") || number.starts_with(") "));
    bullet || numbered
}
