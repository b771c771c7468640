//! A block that may be code in the language asked for.

use playhouse_protocol::code::Language;

use super::items::Items;
use super::looks;
use super::markdown::{Fenced, label};
use super::notes::Heading;

/// A block of code.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// The text, without blank lines around it, ending in a line end.
    pub(super) code: String,
    /// What it defines.
    pub(super) items: Items,
    /// What was announced before it.
    pub(super) heading: Heading,
    /// Whether its fence was closed.
    pub(super) closed: bool,
    /// Whether nothing is missing in it, as far as can be told.
    pub(super) whole: bool,
    /// Whether it holds tests.
    pub(super) holds_tests: bool,
}

impl Candidate {
    /// The block as code in `language`, or its text where it is something else.
    pub(super) fn of(language: Language, block: Fenced, heading: Heading) -> Result<Self, String> {
        let label = label(&block.info);
        // A small model that lost its way repeats a mark until its answer is cut.
        let says_something = block.code.contains(char::is_alphanumeric);
        if !says_something
            || looks::is_other_label(&label)
            || heading == Heading::Metadata
            || looks::is_shell(&block.code)
        {
            return Err(block.code);
        }
        let items = Items::of(language, &block.code);
        let shown = (items.parsed && !items.items.is_empty()) || looks::looks_like(language, &block.code);
        let counts = match Language::from_label(&label) {
            Some(labelled) if same_family(labelled, language) => true,
            Some(_) => shown,
            None => {
                shown
                    || (label.is_empty()
                        && looks::score(language, &block.code) > 0
                        && heading != Heading::Usage)
            }
        };
        if !counts {
            return Err(block.code);
        }
        let code = trimmed(&block.code);
        let elided = looks::is_elided(&code);
        Ok(Self {
            whole: block.closed && !elided && (items.parsed || language != Language::Rust),
            holds_tests: looks::holds_tests(language, &code),
            closed: block.closed,
            heading,
            items,
            code,
        })
    }

    /// Whether it defines or imports nothing: lines to try something out.
    pub(super) fn is_snippet(&self) -> bool {
        self.items.items.is_empty()
    }

    /// Removes the items that `remove` names, where their places are known.
    pub(super) fn remove_items(&mut self, language: Language, remove: impl Fn(&super::items::Item) -> bool) {
        let doomed = self.items.items.iter().filter(|item| remove(item));
        let places: Vec<_> = doomed.map(|item| item.place.clone()).collect();
        if !self.items.parsed || places.is_empty() {
            return;
        }
        let mut code = std::mem::take(&mut self.code);
        for place in places.into_iter().rev() {
            if code.get(place.clone()).is_some() {
                let end = if code[place.end..].starts_with('\n') { place.end + 1 } else { place.end };
                code.replace_range(place.start..end, "");
            }
        }
        self.code = trimmed(&code);
        self.items = Items::of(language, &self.code);
    }
}

/// The text without blank lines at both ends, with one line end; the first line keeps its indentation.
fn trimmed(code: &str) -> String {
    let start = code.len() - code.trim_start().len();
    let line_start = code[..start].rfind('\n').map_or(0, |at| at + 1);
    format!("{}\n", code[line_start..].trim_end())
}

fn same_family(one: Language, other: Language) -> bool {
    let family = |language| match language {
        Language::JavaScript => Language::TypeScript,
        Language::Cpp => Language::C,
        other => other,
    };
    family(one) == family(other)
}
