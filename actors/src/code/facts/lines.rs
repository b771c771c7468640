//! Counts lines of code and of comments.

use playhouse_protocol::code::Language;

use crate::code::scan::{Class, classes};

/// What was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lines {
    /// Lines with anything but white space and comments; strings are code, Python's docstrings too.
    pub(super) code: u32,
    /// Lines with a comment and nothing else.
    pub(super) comment: u32,
}

/// Counts the lines of `source`.
pub(super) fn count(language: Language, source: &str) -> Lines {
    let mut lines = Lines::default();
    let (mut code, mut comment) = (false, false);
    for (byte, class) in source.bytes().zip(classes(language, source)) {
        if byte == b'\n' {
            lines.end(&mut code, &mut comment);
        } else if !byte.is_ascii_whitespace() {
            code |= class != Class::Comment;
            comment |= class == Class::Comment;
        }
    }
    lines.end(&mut code, &mut comment);
    lines
}

impl Lines {
    fn end(&mut self, code: &mut bool, comment: &mut bool) {
        self.code = self.code.saturating_add(u32::from(*code));
        self.comment = self.comment.saturating_add(u32::from(*comment && !*code));
        (*code, *comment) = (false, false);
    }
}
