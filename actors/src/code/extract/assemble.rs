//! Puts blocks together: which are tests, which replace others, and one file of all that stays.

use std::collections::BTreeSet;

use playhouse_protocol::code::Language;

use super::candidate::Candidate;
use super::notes::Heading;

/// Code and tests that together are one file.
pub(super) struct Parts {
    pub(super) code: String,
    pub(super) tests: String,
    /// Whether the fences of all blocks in it were closed.
    pub(super) closed: bool,
}

/// Puts `candidates` together; `None` where there are none. What is left out is told in `notes`.
pub(super) fn assemble(
    language: Language,
    candidates: Vec<Candidate>,
    notes: &mut Vec<String>,
) -> Option<Parts> {
    let test_flags: Vec<bool> = (0..candidates.len()).map(|at| is_tests(&candidates, at)).collect();
    let mut code = Program::new(language);
    let mut tests = Program::new(language);
    for (candidate, is_tests) in candidates.into_iter().zip(test_flags) {
        let program = if is_tests { &mut tests } else { &mut code };
        program.add(candidate, notes);
    }
    if code.parts.is_empty() {
        if tests.parts.is_empty() {
            return None;
        }
        notes.push("The answer holds only tests.".to_owned());
        std::mem::swap(&mut code, &mut tests);
    }
    let defined_by_tests: BTreeSet<String> = tests.keys();
    let imported: BTreeSet<String> = code.imports();
    code.remove_covered(&defined_by_tests);
    tests.remove_imports(&imported);
    let closed = code.parts.iter().chain(&tests.parts).all(|part| part.closed);
    let code = code.text();
    let tests = tests.test_text(code.trim().is_empty());
    // The tests held all of the code again.
    let (code, tests) = if code.trim().is_empty() { (tests, String::new()) } else { (code, tests) };
    Some(Parts { code, tests, closed })
}

/// Rule 2 of the front page.
fn is_tests(candidates: &[Candidate], at: usize) -> bool {
    let candidate = &candidates[at];
    if candidate.items.only_tests() {
        return true;
    }
    let keys = candidate.items.keys();
    let mut others = candidates.iter().enumerate().filter(|(other, _)| *other != at).map(|(_, other)| other);
    let code_elsewhere = others.clone().any(|other| !other.holds_tests && !other.is_snippet());
    let overlaps = others.any(|other| !keys.is_disjoint(&other.items.keys()));
    candidate.holds_tests && code_elsewhere && !overlaps
        || candidate.heading == Heading::Tests
            && code_elsewhere
            && !candidate.items.parsed
            && !candidate.items.only_main()
}

/// Blocks that make up one text.
struct Program {
    language: Language,
    parts: Vec<Candidate>,
}

impl Program {
    fn new(language: Language) -> Self {
        Self { language, parts: Vec::new() }
    }

    fn keys(&self) -> BTreeSet<String> {
        self.parts.iter().flat_map(|part| part.items.keys()).map(str::to_owned).collect()
    }

    fn imports(&self) -> BTreeSet<String> {
        let items = self.parts.iter().flat_map(|part| &part.items.items).filter(|item| item.import);
        items.flat_map(|item| item.keys.iter().cloned()).collect()
    }

    /// Adds a block, by rule 3 of the front page.
    fn add(&mut self, mut new: Candidate, notes: &mut Vec<String>) {
        let usage = new.is_snippet() || (new.heading == Heading::Usage && new.items.only_main());
        let only_snippets_so_far = self.parts.iter().all(Candidate::is_snippet);
        if only_snippets_so_far && !new.is_snippet() {
            self.parts.clear();
        } else if usage && !self.parts.is_empty() {
            return;
        }
        let meetings: Vec<Meeting> = self.parts.iter().map(|part| Meeting::of(part, &new)).collect();
        if meetings.contains(&Meeting::NewIsLess) {
            return;
        }
        let names = owned_keys(&new);
        for (mut part, meeting) in std::mem::take(&mut self.parts).into_iter().zip(meetings) {
            if matches!(meeting, Meeting::NewCovers | Meeting::Items) && part.code != new.code {
                notes.push(replaced(&part, &new));
            }
            if meeting == Meeting::Items {
                part.remove_items(self.language, |item| {
                    !item.import && item.keys.iter().all(|key| names.contains(key))
                });
            }
            if meeting != Meeting::NewCovers {
                self.parts.push(part);
            }
        }
        let imported = self.imports();
        new.remove_items(self.language, |item| {
            item.import && item.keys.iter().all(|key| imported.contains(key))
        });
        if !new.code.trim().is_empty() {
            self.parts.push(new);
        }
    }

    fn remove_covered(&mut self, keys: &BTreeSet<String>) {
        for part in &mut self.parts {
            part.remove_items(self.language, |item| {
                !item.import && item.keys.iter().all(|key| keys.contains(key))
            });
        }
    }

    fn remove_imports(&mut self, imported: &BTreeSet<String>) {
        for part in self.parts.iter_mut().filter(|part| !needs_module(part)) {
            part.remove_items(self.language, |item| {
                item.import && item.keys.iter().all(|key| imported.contains(key))
            });
        }
    }

    fn text(&self) -> String {
        joined(self.language, true, self.parts.iter().map(|part| part.code.as_str()))
    }

    /// The text of tests: those that look for the code above them get a module to look from.
    fn test_text(&self, at_start: bool) -> String {
        let (bare, ready): (Vec<_>, Vec<_>) = self.parts.iter().partition(|part| needs_module(part));
        let ready = joined(self.language, at_start, ready.iter().map(|part| part.code.as_str()));
        if bare.is_empty() {
            return ready;
        }
        let inner = joined(self.language, true, bare.iter().map(|part| part.code.as_str()));
        let name = if self.keys().contains("mod tests") { "more_tests" } else { "tests" };
        let module = format!("#[cfg(test)]\nmod {name} {{\n{}\n}}\n", inner.trim_end());
        joined(self.language, true, [ready.as_str(), module.as_str()])
    }
}

/// Whether these are Rust tests that import from `super` without being in a module.
fn needs_module(part: &Candidate) -> bool {
    part.items.parsed
        && part
            .items
            .items
            .iter()
            .any(|item| item.import && item.keys.iter().any(|key| key.starts_with("use super::")))
}

fn owned_keys(part: &Candidate) -> BTreeSet<String> {
    part.items.keys().into_iter().map(str::to_owned).collect()
}

fn replaced(old: &Candidate, new: &Candidate) -> String {
    let names: Vec<_> =
        old.items.keys().intersection(&new.items.keys()).take(5).map(|key| format!("`{key}`")).collect();
    format!("A later version of {} replaced an earlier one.", names.join(", "))
}

/// How a later block stands to an earlier one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meeting {
    /// They define different names.
    Apart,
    /// The later one replaces the earlier one.
    NewCovers,
    /// The earlier one stands.
    NewIsLess,
    /// Items of the earlier one are replaced.
    Items,
}

impl Meeting {
    fn of(old: &Candidate, new: &Candidate) -> Self {
        if old.code.contains(new.code.trim()) {
            return Self::NewIsLess;
        }
        let (old_keys, new_keys) = (old.items.keys(), new.items.keys());
        if old_keys.is_disjoint(&new_keys) {
            Self::Apart
        } else if old.whole && !new.whole {
            Self::NewIsLess
        } else if old_keys.is_subset(&new_keys) || (new.whole && !old.whole) {
            Self::NewCovers
        } else if old.items.parsed && new.items.parsed && no_item_in_part(old, &new_keys) {
            Self::Items
        } else if new_keys.is_subset(&old_keys) || new_keys.len() < old_keys.len() {
            Self::NewIsLess
        } else {
            Self::NewCovers
        }
    }
}

/// Whether each item of `old` is defined by `keys` wholly or not at all.
fn no_item_in_part(old: &Candidate, keys: &BTreeSet<&str>) -> bool {
    old.items.items.iter().filter(|item| !item.import).all(|item| {
        let known = item.keys.iter().filter(|key| keys.contains(key.as_str())).count();
        known == 0 || known == item.keys.len()
    })
}

/// The texts with a blank line between them. What Rust allows only at the beginning of a file is left out of
/// all but the first, and of the first too when something else stands before it.
fn joined<'a>(language: Language, at_start: bool, texts: impl IntoIterator<Item = &'a str>) -> String {
    let mut all = String::new();
    for text in texts.into_iter().filter(|text| !text.trim().is_empty()) {
        if all.is_empty() && at_start {
            all.push_str(text);
            continue;
        }
        if !all.is_empty() {
            all.push('\n');
        }
        if language == Language::Rust {
            let inner = |line: &&str| line.starts_with("#![") || line.starts_with("//!");
            all.extend(text.split_inclusive('\n').filter(|line| !inner(line)));
        } else {
            all.push_str(text);
        }
    }
    all
}
