//! Bounds how deep a parser by recursive descent can get in a text, without recursion.

use proc_macro2::token_stream::IntoIter;
use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

/// The place with the most tokens on its path.
pub(super) struct Deepest {
    /// Their number.
    pub(super) tokens: u32,
    /// The line of the place, counted from 1.
    pub(super) line: usize,
}

/// Finds the place with the most tokens on its path: those of each open bracket since its last separator.
///
/// A parser goes one level deeper only by reading a token, and comes back up where a bracket closes, a list
/// goes on or a statement ends. So the number bounds its depth, whatever the text.
pub(super) fn deepest(tokens: TokenStream) -> Deepest {
    let mut deepest = Deepest { tokens: 0, line: 1 };
    let mut outer: Vec<(IntoIter, Level)> = Vec::new();
    let (mut iter, mut level) = (tokens.into_iter(), Level::default());
    // Tokens of all levels in `outer`.
    let mut total = 0_u32;
    loop {
        let Some(token) = iter.next() else {
            let Some(parent) = outer.pop() else { return deepest };
            (iter, level) = parent;
            total -= level.tokens;
            continue;
        };
        level.take(&token);
        if total + level.tokens > deepest.tokens {
            deepest = Deepest { tokens: total + level.tokens, line: token.span().start().line };
        }
        if let TokenTree::Group(group) = token {
            total += level.tokens;
            outer.push((std::mem::replace(&mut iter, group.stream().into_iter()), level));
            level = Level::default();
        }
    }
}

/// What was read in one bracket since its last separator.
#[derive(Default)]
struct Level {
    tokens: u32,
    /// `<` without its `>`: a comma between them separates nothing outside of them.
    angles: u32,
    /// `|`, of which a closure has two: a comma may stand between its parameters.
    pipes: u32,
    after_block: bool,
    after_arrow: bool,
}

impl Level {
    fn take(&mut self, token: &TokenTree) {
        // A block ends an item or a statement, unless an expression goes on behind it.
        if std::mem::take(&mut self.after_block) && begins_anew(token) {
            *self = Self::default();
        }
        let after_arrow = std::mem::take(&mut self.after_arrow);
        match token {
            TokenTree::Group(group) => self.after_block = group.delimiter() == Delimiter::Brace,
            TokenTree::Punct(punct) => match punct.as_char() {
                ';' => {
                    *self = Self::default();
                    return;
                }
                ',' => {
                    self.tokens = self.angles + self.pipes / 2;
                    return;
                }
                '<' => self.angles += 1,
                '>' if !after_arrow => self.angles = self.angles.saturating_sub(1),
                '|' => self.pipes += 1,
                // The first half of `->` or `=>`.
                '-' | '=' => self.after_arrow = punct.spacing() == Spacing::Joint,
                _ => {}
            },
            TokenTree::Ident(_) | TokenTree::Literal(_) => {}
        }
        self.tokens = self.tokens.saturating_add(1);
    }
}

fn begins_anew(token: &TokenTree) -> bool {
    match token {
        TokenTree::Ident(name) => name != "else" && name != "as",
        TokenTree::Punct(punct) => punct.as_char() == '#',
        TokenTree::Group(_) | TokenTree::Literal(_) => false,
    }
}
