//! Reads a review that is no JSON at all.

use playhouse_protocol::review::{AspectScore, Finding, Parse, Verdict};

use super::place::line_in;
use super::shape::{bare_finding, says_something};
use super::{FINDINGS_MAX, Opinion, RECOMMENDATIONS_MAX, SUMMARY_CHARS_MAX, TEXT_CHARS_MAX, words};
use crate::code::text::cut;

/// The longest line that is searched for verdict words and marks, in bytes: sentences, not blobs.
const LINE_BYTES_MAX: usize = 2_000;

/// What a list in the prose holds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Other,
    Findings,
    Recommendations,
}

/// The opinion in `answer`; text between fences is code and no opinion.
pub(super) fn read(answer: &str, line_count: u32) -> Opinion {
    let mut reading = Reading {
        opinion: Opinion {
            verdict: None,
            scores: Vec::new(),
            overall: None,
            findings: Vec::new(),
            recommendations: Vec::new(),
            summary: String::new(),
            parse: Parse::Prose,
        },
        named: None,
        approves: false,
        refuses: false,
        section: Section::Other,
        line_count,
    };
    let mut in_fence = false;
    for line in answer.lines().map(str::trim) {
        if line.starts_with("```") || line.starts_with("~~~") {
            in_fence = !in_fence;
        } else if !in_fence && !line.is_empty() && line.len() <= LINE_BYTES_MAX {
            reading.line(line);
        }
    }
    reading.finish()
}

struct Reading {
    opinion: Opinion,
    /// The verdict of a line such as `Verdict: approve`, which stands above all others.
    named: Option<Verdict>,
    approves: bool,
    refuses: bool,
    section: Section,
    line_count: u32,
}

impl Reading {
    fn line(&mut self, line: &str) {
        let (name, rest) = line.split_once([':', '=']).unwrap_or((line, ""));
        self.verdict(name, rest, line);
        if self.score(line) {
            return;
        }
        if let Some(text) = bullet(line) {
            self.item(text);
        } else if is_heading(line) {
            self.section = section(line);
        } else if self.opinion.summary.is_empty() && line.split_whitespace().count() > 2 {
            self.opinion.summary = cut(line, SUMMARY_CHARS_MAX);
        }
    }

    fn verdict(&mut self, name: &str, rest: &str, line: &str) {
        let name = words::plain(name);
        let is_name = ["verdict", "decision", "conclusion", "result", "recommendation", "status", "approved"]
            .iter()
            .any(|known| name.ends_with(known));
        if is_name && let Some(verdict) = words::verdict(rest) {
            // The first named verdict stands unless a later one is a refusal.
            self.named = Some(match (self.named, verdict) {
                (Some(Verdict::RequestChanges), _) => Verdict::RequestChanges,
                (_, verdict) => verdict,
            });
            return;
        }
        for sentence in line.split_inclusive(['.', '!', '?', ';']) {
            match words::in_sentence(sentence) {
                Some(Verdict::Approve) => self.approves = true,
                Some(Verdict::RequestChanges) => self.refuses = true,
                None => {}
            }
        }
    }

    /// Whether the line is a mark.
    fn score(&mut self, line: &str) -> bool {
        let Some((name, value)) = scored(line) else { return false };
        let Some(score) = words::score_in(value) else { return false };
        if let Some(aspect) = words::aspect(&name) {
            if self.opinion.scores.iter().all(|known| known.aspect != aspect) {
                self.opinion.scores.push(AspectScore { aspect, score });
            }
        } else if name.ends_with("score") || name.ends_with("rating") || name.ends_with("overall") {
            self.opinion.overall = self.opinion.overall.or(Some(score));
        } else {
            return false;
        }
        true
    }

    fn item(&mut self, text: &str) {
        if !says_something(text) {
            return;
        }
        match self.section {
            Section::Findings if self.opinion.findings.len() < FINDINGS_MAX => {
                let lines = line_in(text).filter(|span| {
                    span.first >= 1 && span.first <= span.last && span.last <= self.line_count
                });
                let (word, rest) = text.split_once([':', ')', ']']).unwrap_or(("", text));
                let severity = words::severity(word);
                self.opinion.findings.push(Finding {
                    severity,
                    lines,
                    ..bare_finding(if says_severity(word) { rest } else { text })
                });
            }
            Section::Recommendations if self.opinion.recommendations.len() < RECOMMENDATIONS_MAX => {
                self.opinion.recommendations.push(cut(text, TEXT_CHARS_MAX));
            }
            Section::Findings | Section::Recommendations | Section::Other => {}
        }
    }

    fn finish(mut self) -> Opinion {
        self.opinion.verdict = self.named.or(match (self.approves, self.refuses) {
            // Said both ways: the cautious one stands.
            (_, true) => Some(Verdict::RequestChanges),
            (true, false) => Some(Verdict::Approve),
            (false, false) => None,
        });
        self.opinion.findings.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        self.opinion.scores.sort_by_key(|mark| mark.aspect);
        self.opinion
    }
}

/// A name and the mark behind it: `Score: 7/10`, `**Quality** - 8`, `| Testing | 5 |`, `Overall (0-10): 8`.
fn scored(line: &str) -> Option<(String, &str)> {
    let line = bullet(line).unwrap_or(line).trim_start_matches(['#', '*', '|', ' ']);
    let at = line.find([':', '=', '|', '(', '–', '—']).unwrap_or(line.len());
    let at = at.min(line.find(|char: char| char.is_ascii_digit())?);
    let (name, mut value) = line.split_at(at);
    if let Some((_, behind)) = value.strip_prefix('(').and_then(|inner| inner.split_once(')'))
        && !behind.trim().is_empty()
    {
        value = behind;
    }
    let value = value.trim_start_matches([':', '=', '|', '(', '–', '—', '*', ' ', '-', '`']);
    words::is_mark(value).then(|| (words::plain(name), value))
}

fn bullet(line: &str) -> Option<&str> {
    let digits = line.bytes().take(3).take_while(u8::is_ascii_digit).count();
    let rest = if digits > 0 {
        line[digits..].strip_prefix(['.', ')'])?.strip_prefix(' ')?
    } else {
        line.strip_prefix("- ").or_else(|| line.strip_prefix("* ")).or_else(|| line.strip_prefix("• "))?
    };
    Some(rest.trim().trim_start_matches(['[', '(', '*']))
}

fn is_heading(line: &str) -> bool {
    line.starts_with('#')
        || line.ends_with(':')
        || line.starts_with("**") && line.trim_end_matches(':').ends_with("**")
}

fn section(heading: &str) -> Section {
    let heading = heading.to_lowercase();
    let any = |known: &[&str]| known.iter().any(|word| heading.contains(word));
    if any(&["recommend", "suggest", "improve", "next step"]) {
        Section::Recommendations
    } else if any(&["issue", "finding", "problem", "bug", "violation", "concern", "weakness"]) {
        Section::Findings
    } else {
        Section::Other
    }
}

fn says_severity(word: &str) -> bool {
    matches!(
        words::plain(word).as_str(),
        "critical" | "blocker" | "major" | "high" | "minor" | "medium" | "low" | "info" | "note" | "nit"
    )
}
