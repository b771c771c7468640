//! From a model's answer to code, tests and notes.
//!
//! Small models forget labels and fences, repeat themselves, and put shell commands beside code. The rules:
//!
//! 1. *Which blocks.* A block counts when its label is the language asked for (JavaScript and TypeScript, C and
//!    C++ pass for each other), or when its content shows that a label is missing or wrong. Blocks for a shell,
//!    output, data and other languages never count. Without any such block the prose is searched for lines
//!    that look like code.
//! 2. *Code or tests.* A block is tests when it holds nothing else, or when it stands under a heading for
//!    tests, holds some, and another block holds the code. Tests inside a block of code stay there: `code`
//!    is then a whole file and `tests` is empty.
//! 3. *Versions.* Blocks that define different names are parts of one program, in their order. Where a later
//!    block defines a name again, the later one stands if it is whole (closed, nothing left out by dots, for
//!    Rust: it parses) or the earlier one is not whole either. In Rust single items are replaced; in other
//!    languages a block that covers the earlier one replaces it, otherwise the one with more names stands.
//! 4. *One file.* [`join_source`](playhouse_protocol::generate::join_source) of the result holds everything
//!    once: imports that are there already, and items that the tests define again, are left out of the other
//!    part. Rust tests with `use super::…` outside of a module get one.

mod assemble;
mod bare;
mod candidate;
mod items;
mod looks;
mod markdown;
mod metadata;
mod notes;
mod signs;
#[cfg(test)]
mod tests;

use playhouse_protocol::code::{CodeBlock, Language};
use playhouse_protocol::generate::{CodeMetadata, Extraction};

pub(crate) use looks::holds_tests;

use candidate::Candidate;
use markdown::{Fenced, Piece};
use notes::Heading;

use super::text::{clean_answer, cut};

/// The most blocks of one answer that are looked at. Real answers have up to about ten.
pub const BLOCKS_MAX: usize = 64;

/// The most labels, and the longest one in characters, that an error names: a model wrote them.
const LABELS_MAX: usize = 5;
const LABEL_CHARS_MAX: usize = 20;

/// What was found in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extracted {
    /// The code; never empty.
    pub code: String,
    /// The tests where they stood apart; may be empty.
    pub tests: String,
    /// What the model said around the code, without headings of sections and metadata.
    pub explanation: String,
    /// Every fenced block in order, at most [`BLOCKS_MAX`].
    pub blocks: Vec<CodeBlock>,
    /// How the code was found.
    pub extraction: Extraction,
    /// What the model says of its code.
    pub metadata: CodeMetadata,
    /// What was left out or replaced, as sentences for a user.
    pub notes: Vec<String>,
}

/// The answer holds no code in the language that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("find {} code in the answer: {}", .language.display_name(), what_was_there(.labels, *.bytes))]
pub struct NoCode {
    /// The language asked for.
    pub language: Language,
    /// Labels of the blocks that were there: different ones, the first few, each cut to a word.
    pub labels: Vec<String>,
    /// The answer's length.
    pub bytes: usize,
}

fn what_was_there(labels: &[String], bytes: usize) -> String {
    match (labels, bytes) {
        (_, 0) => "it is empty".to_owned(),
        ([], _) => "it holds only prose".to_owned(),
        (labels, _) => format!("it holds only other blocks ({})", labels.join(", ")),
    }
}

/// Finds code in `answer`. Linear in its length, but for the parsing of at most [`BLOCKS_MAX`] blocks.
///
/// # Errors
/// [`NoCode`] when there is none in `language`.
pub fn extract(language: Language, answer: &str) -> Result<Extracted, NoCode> {
    let answer = clean_answer(answer);
    let pieces = markdown::pieces(&answer);
    let blocks = blocks(&pieces);
    let mut extraction = Extraction::Fenced;
    let mut found = sort(language, pieces);
    if found.candidates.is_empty() {
        extraction = Extraction::Bare;
        let prose = std::mem::take(&mut found.prose_with_headings);
        found = sort(language, bare::pieces(language, &prose));
    }
    let no_code = || NoCode { language, labels: shown_labels(&blocks), bytes: answer.trim().len() };
    let mut notes = found.notes;
    let parts = assemble::assemble(language, found.candidates, &mut notes).ok_or_else(no_code)?;
    if extraction == Extraction::Fenced && !parts.closed {
        extraction = Extraction::UnclosedFence;
    }
    let (explanation, metadata) = notes::read(&found.prose, &found.others);
    Ok(Extracted { code: parts.code, tests: parts.tests, explanation, blocks, extraction, metadata, notes })
}

fn shown_labels(blocks: &[CodeBlock]) -> Vec<String> {
    let mut labels: Vec<String> = Vec::new();
    for block in blocks {
        let label = cut(&markdown::label(&block.label), LABEL_CHARS_MAX);
        let label = if label.is_empty() { "no label".to_owned() } else { label };
        if labels.len() < LABELS_MAX && !labels.contains(&label) {
            labels.push(label);
        }
    }
    labels
}

fn blocks(pieces: &[Piece]) -> Vec<CodeBlock> {
    let blocks = pieces.iter().filter_map(|piece| match piece {
        Piece::Block(block) => Some(CodeBlock { label: block.info.clone(), code: block.code.clone() }),
        Piece::Prose(_) => None,
    });
    blocks.take(BLOCKS_MAX).collect()
}

/// The pieces of an answer by what they are.
#[derive(Default)]
struct Sorted {
    candidates: Vec<Candidate>,
    /// Blocks that are no code.
    others: Vec<String>,
    prose: Vec<String>,
    /// All prose as one text, for the search without fences.
    prose_with_headings: String,
    notes: Vec<String>,
}

fn sort(language: Language, pieces: Vec<Piece>) -> Sorted {
    let mut sorted = Sorted::default();
    let mut heading = Heading::None;
    let mut seen = 0;
    for piece in pieces {
        match piece {
            Piece::Prose(text) => {
                heading = Heading::last_in(&text);
                sorted.prose_with_headings.push_str(&text);
                sorted.prose.push(text);
            }
            Piece::Block(block) => {
                seen += 1;
                if seen <= BLOCKS_MAX {
                    sorted.block(language, block, heading);
                }
            }
        }
    }
    if seen > BLOCKS_MAX {
        sorted.notes.push(format!("Only the first {BLOCKS_MAX} of {seen} blocks were looked at."));
    }
    sorted
}

impl Sorted {
    fn block(&mut self, language: Language, block: Fenced, heading: Heading) {
        let only_a_fence = block.info.is_empty() && !block.closed;
        match Candidate::of(language, block, heading) {
            Ok(candidate) => self.candidates.push(candidate),
            // The fence above this text closed a block that was never opened.
            Err(text) if only_a_fence => self.prose.push(text),
            Err(other) => self.others.push(other),
        }
    }
}
