//! Words that announce an answer.

use super::extract::{THINKING, clean};

/// Words for an answer, in the languages of questions.
const ANSWER: [&str; 9] =
    ["answer", "antwort", "réponse", "reponse", "respuesta", "risposta", "resposta", "答案", "答え"];

/// Words that tell that an answer is not the speaker's own, or not the last one.
const OTHERS: [&str; 26] = [
    "wrong",
    "incorrect",
    "obvious",
    "intuitive",
    "tempting",
    "naive",
    "common",
    "usual",
    "typical",
    "quick",
    "first",
    "initial",
    "instinctive",
    "expected",
    "an",
    "any",
    "possible",
    "no",
    "your",
    "their",
    "people's",
    "to",
    "not",
    "another",
    "preliminary",
    "apparent",
];

/// Words between an announcement and the answer.
const LINKS: [&str; 16] = [
    "is", "was", "would", "must", "should", "has", "ist", "lautet", "est", "es", "é", "è", "will", "can",
    "could", "are",
];

/// First words of what an answer is the answer to: "the answer to the riddle is".
const COMPLEMENTS: [&str; 10] = ["to", "of", "for", "in", "here", "i", "we", "that", "then", "therefore"];

/// The most words of that.
const COMPLEMENT_WORDS_MAX: usize = 8;

/// How the last lines may begin that announce an answer in other words.
const CONCLUSIONS: [&str; 8] = [
    "in conclusion,",
    "to conclude,",
    "conclusion:",
    "result:",
    "solution:",
    "verdict:",
    "####",
    "in summary,",
];

/// The most announcements by the same word: more are a model that repeats itself.
const ANNOUNCEMENTS_MAX: usize = 64;

/// An announced answer.
#[derive(Debug, Clone)]
pub(super) struct Announcement {
    /// How far it is to be trusted: 3 for a *final* answer, 2 for an answer, 1 for a conclusion.
    pub(super) trust: u8,
    /// Where the answer begins.
    pub(super) begin: usize,
    /// The rest of the line, or the next line that says something.
    pub(super) claim: String,
}

/// The announcements of a plain text that something follows, in order; of very many the last ones.
pub(super) fn announcements(text: &str) -> Vec<Announcement> {
    let lower = text.to_ascii_lowercase();
    let of_word = |word: &&'static str| {
        let places = lower.rmatch_indices(*word);
        let announced = places.filter_map(|(at, word)| announcement(text, &lower, at, word.len()));
        announced.take(ANNOUNCEMENTS_MAX).collect::<Vec<_>>()
    };
    let mut found: Vec<_> = ANSWER.iter().flat_map(of_word).collect();
    found.extend(conclusion(text, &lower));
    found.sort_by_key(|found| found.begin);
    found
}

fn announcement(text: &str, lower: &str, at: usize, len: usize) -> Option<Announcement> {
    let is_ascii = lower[at..].starts_with(|c: char| c.is_ascii());
    let (before, behind) = (&lower[..at], &lower[at + len..]);
    if is_ascii && (before.ends_with(char::is_alphanumeric) || behind.starts_with(char::is_alphanumeric)) {
        return None;
    }
    let line = before.rsplit('\n').next().unwrap_or_default();
    let mut words =
        line.rsplit(|c: char| !(c.is_alphanumeric() || c == '\'')).filter(|word| !word.is_empty());
    let previous = words.next().unwrap_or_default();
    if OTHERS.contains(&previous) {
        return None;
    }
    let is_final = previous == "final" || matches!(previous, "endgültige" | "finale");
    if is_final && words.next().is_some_and(|word| matches!(word, "no" | "not")) {
        return None;
    }
    let begin = at + len + link(behind, line)?;
    let (claim, begin) = claim(text, begin)?;
    Some(Announcement { trust: if is_final { 3 } else { 2 }, begin, claim })
}

/// The length of what links an announcement to its answer; `None` when nothing does. A line may also hold the announcement
/// alone.
fn link(behind: &str, before: &str) -> Option<usize> {
    let line = behind.split('\n').next().unwrap_or_default();
    let mut rest = line.trim_start_matches(['"', '\'', ' ', ')']);
    if let Some((_, after)) = rest.strip_prefix('(').and_then(|inside| inside.split_once(')')) {
        rest = after.trim_start();
    }
    let used = |rest: &str| line.len() - rest.len();
    if let Some(after) = rest.strip_prefix([':', '=', '→', '—', '–', '是', 'は', '为']) {
        return Some(used(after));
    }
    if rest.trim_matches(['.', ' ']).is_empty() {
        let is_heading = before.split_whitespace().all(|word| {
            let word = word.trim_matches(|c: char| !c.is_alphanumeric());
            matches!(word, "" | "the" | "my" | "final" | "correct" | "so" | "our")
        });
        return is_heading.then_some(line.len());
    }
    for count in 0..=COMPLEMENT_WORDS_MAX {
        let trimmed = rest.trim_start();
        let len =
            trimmed.find(|c: char| !(c.is_alphanumeric() || c == '\'' || c == '-')).unwrap_or(trimmed.len());
        let (word, after) = trimmed.split_at(len);
        if word.is_empty() || trimmed.starts_with(|c: char| c.is_ascii_digit()) {
            return None;
        }
        if LINKS.contains(&word) {
            let after = after.trim_start();
            let after = after.strip_prefix("be ").unwrap_or(after);
            return Some(used(after.trim_start_matches([':', ' '])));
        }
        if count == 0 && !COMPLEMENTS.contains(&word) {
            return None;
        }
        if let Some(after) = after.trim_start_matches(['"', ' ']).strip_prefix(':') {
            return Some(used(after));
        }
        rest = after;
    }
    None
}

/// What is announced from here: inside quotation marks, to the end of the line, or the next line that says something. `None` for the
/// form that a question asks to fill in, and for the begin of a way of thinking.
fn claim(text: &str, begin: usize) -> Option<(String, usize)> {
    let mut place = begin;
    for (number, line) in text.get(begin..)?.split_inclusive('\n').enumerate() {
        let says =
            clean(line).filter(|_| !(number == 0 && line.trim_end().ends_with(':') && line.trim() != ":"));
        if let Some(said) = says {
            let lower = said.to_lowercase();
            let first = lower.split(|c: char| !(c.is_alphanumeric() || c == '\'')).next().unwrap_or_default();
            let is_thought =
                matches!(first, "let" | "let's" | "step" | "first" | "okay" | "sure" | "thinking")
                    && THINKING.contains(&first);
            let has_more = || {
                let rest = text.get(place + line.len()..).unwrap_or_default();
                said.contains(". ") || rest.contains(char::is_alphanumeric)
            };
            if lower.contains("your answer") || (is_thought && has_more()) {
                return None;
            }
            return Some((quoted(line).unwrap_or_else(|| line.to_owned()), place));
        }
        place += line.len();
    }
    None
}

/// What stands in quotation marks at the begin of a line.
fn quoted(line: &str) -> Option<String> {
    let inside = line.trim_start_matches([' ', ':']).strip_prefix('"')?.split('"').next()?;
    clean(inside)
}

/// A conclusion in one of the last two lines that say something.
fn conclusion(text: &str, lower: &str) -> Option<Announcement> {
    let lines = lower.lines().rev().filter(|line| line.chars().any(char::is_alphanumeric)).take(2);
    lines.into_iter().find_map(|line| {
        let begin = CONCLUSIONS.iter().find(|begin| line.trim_start().starts_with(**begin))?;
        let at = lower.rfind(line)? + (line.len() - line.trim_start().len()) + begin.len();
        let (claim, at) = claim(text, at)?;
        Some(Announcement { trust: 1, begin: at, claim })
    })
}
