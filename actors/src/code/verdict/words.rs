//! What single words and numbers of a review mean.

use playhouse_protocol::review::{Aspect, Severity, Verdict};

/// A name without case and without what is no letter or digit: `overallScore` and `Overall score` are one.
pub(super) fn plain(name: &str) -> String {
    name.chars().filter(|char| char.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// The aspect that a name stands for.
pub(super) fn aspect(name: &str) -> Option<Aspect> {
    let name = plain(name);
    let name = name.strip_suffix("score").or_else(|| name.strip_suffix("rating")).unwrap_or(&name);
    match name {
        "functionality" | "functional" | "function" | "correctness" | "correct" | "logic"
        | "completeness" => Some(Aspect::Functionality),
        "quality" | "codequality" | "style" | "codestyle" | "readability" | "clarity" | "pep8" => {
            Some(Aspect::Quality)
        }
        "testing" | "tests" | "test" | "testcoverage" | "coverage" | "testquality" => Some(Aspect::Testing),
        "maintainability" | "maintenance" | "structure" | "design" | "documentation" => {
            Some(Aspect::Maintainability)
        }
        "security" | "safety" | "robustness" => Some(Aspect::Security),
        _ => None,
    }
}

/// How bad a word says that a finding is; what is not known is minor.
pub(super) fn severity(word: &str) -> Severity {
    match plain(word).as_str() {
        "critical" | "blocker" | "blocking" | "fatal" | "severe" => Severity::Critical,
        "major" | "high" | "error" | "bug" | "important" => Severity::Major,
        "info" | "information" | "informational" | "note" | "nit" | "trivial" | "style" | "none" | "hint" => {
            Severity::Info
        }
        _ => Severity::Minor,
    }
}

/// A mark from 0 to 10 out of `value`, or `None` where it is no mark.
///
/// Above 10 and up to 100 it counts as percent; below 0 it is 0; more is nonsense.
pub(super) fn score(value: f64) -> Option<f32> {
    let score = match value {
        value if !value.is_finite() || value > 100.0 => return None,
        value if value > 10.0 => value / 10.0,
        value => value.max(0.0),
    };
    // At most 10, so nothing is lost that matters.
    #[expect(clippy::cast_possible_truncation, reason = "a mark from 0 to 10 fits")]
    Some(score as f32)
}

/// A mark in words: `8`, `8/10`, `4 out of 5`, `85%`, `7.5 (good)`.
pub(super) fn score_in(text: &str) -> Option<f32> {
    let text = text.trim_start_matches(|char: char| !char.is_ascii_digit() && char != '-');
    let (value, rest) = number(text)?;
    let rest = rest.trim_start();
    let of =
        rest.strip_prefix('/').or_else(|| rest.strip_prefix("out of")).or_else(|| rest.strip_prefix("of "));
    if let Some((best, _)) = of.and_then(|of| number(of.trim_start())) {
        return (best > 0.0).then(|| score((value / best * 10.0).clamp(0.0, 10.0))).flatten();
    }
    // A range is a template's, or no answer.
    if rest.starts_with(['-', '–']) && rest.contains(|char: char| char.is_ascii_digit()) {
        return None;
    }
    if rest.starts_with('%') {
        return score((value / 10.0).clamp(0.0, 10.0));
    }
    score(value)
}

/// Whether `text` is a mark and nothing else: a number, its scale, perhaps a remark in brackets.
pub(super) fn is_mark(text: &str) -> bool {
    let rest = number(text).map_or("x", |(_, rest)| rest.trim_start());
    rest.is_empty()
        || rest.starts_with(['/', '%', '(', '|', ',', '.', '*', ';'])
        || rest.starts_with("out of")
}

/// The number at the beginning of `text` and what follows it.
fn number(text: &str) -> Option<(f64, &str)> {
    let sign = usize::from(text.starts_with('-'));
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut len = sign + digits(&text[sign..]);
    if text[len..].starts_with('.') && digits(&text[len + 1..]) > 0 {
        len += 1 + digits(&text[len + 1..]);
    }
    text[..len].parse().ok().map(|value| (value, &text[len..]))
}

/// The verdict that a short text stands for, as the value of a field.
///
/// A text that names both, as a template does, names none.
pub(super) fn verdict(text: &str) -> Option<Verdict> {
    match plain(text).as_str() {
        "yes" | "true" | "pass" | "passed" | "ok" | "okay" | "good" | "accept" | "accepted" | "shipit" => {
            Some(Verdict::Approve)
        }
        "no" | "false" | "fail" | "failed" | "bad" | "revise" | "revision" | "changes" => {
            Some(Verdict::RequestChanges)
        }
        _ => in_sentence(text),
    }
}

/// The verdict that a sentence pronounces; one that says both pronounces none.
pub(super) fn in_sentence(text: &str) -> Option<Verdict> {
    let words = clause_words(text);
    let word = |at: usize| words.get(at).map_or("", String::as_str);
    let (mut approves, mut refuses) = (false, false);
    for at in 0..words.len() {
        let clause = words[..at].iter().rev().take(4).take_while(|word| !is_clause_end(word));
        let negated = clause.into_iter().any(|word| is_negation(word));
        if is_approval(word(at), word(at + 1), word(at + 2)) {
            // "Approve after the fix", "would approve if": not now.
            let near = &words[at.saturating_sub(6)..words.len().min(at + 8)];
            let conditional = near.iter().any(|word| is_condition(word));
            (approves, refuses) = if negated || conditional { (approves, true) } else { (true, refuses) };
        }
        // Only a complaint: "not incorrect" is no approval.
        refuses |= !negated && (word(at) == "incorrect" || (word(at) == "not" && word(at + 1) == "correct"));
        if is_refusal(word(at), word(at + 1), word(at + 2)) {
            (approves, refuses) = if negated { (true, refuses) } else { (approves, true) };
        }
    }
    match (approves, refuses) {
        (true, false) => Some(Verdict::Approve),
        (false, true) => Some(Verdict::RequestChanges),
        _ => None,
    }
}

/// Words in lower case; marks that separate clauses are words of their own.
fn clause_words(text: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for char in text.chars() {
        match char {
            '’' | '\'' => words.last_mut().into_iter().for_each(|word| word.push('\'')),
            char if char.is_alphanumeric() => {
                words.last_mut().into_iter().for_each(|word| word.extend(char.to_lowercase()));
            }
            ',' | ':' | '(' | ')' | '—' => words.extend([",".to_owned(), String::new()]),
            _ => words.push(String::new()),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn is_clause_end(word: &str) -> bool {
    matches!(word, "," | "and" | "so" | "but" | "therefore" | "thus" | "hence" | "because" | "then")
}

fn is_condition(word: &str) -> bool {
    matches!(word, "if" | "once" | "after" | "until" | "unless")
}

fn is_negation(word: &str) -> bool {
    word.ends_with("n't")
        || matches!(
            word,
            "not"
                | "no"
                | "never"
                | "cannot"
                | "cant"
                | "dont"
                | "without"
                | "unable"
                | "nothing"
                | "neither"
                | "nor"
        )
}

fn is_approval(word: &str, next: &str, after: &str) -> bool {
    matches!(word, "approve" | "approved" | "approves" | "approving" | "approval" | "lgtm" | "acceptable")
        || matches!(
            (word, next, after),
            ("looks", "good", "to") | ("ship", "it", _) | ("good" | "ready" | "safe", "to", "merge")
        )
}

fn is_refusal(word: &str, next: &str, after: &str) -> bool {
    matches!(word, "reject" | "rejected" | "rejects" | "disapprove" | "disapproved" | "unacceptable")
        || matches!(
            (word, next),
            ("request" | "requests" | "requesting" | "requested", "changes" | "change")
                | (
                    "changes" | "change" | "revision" | "revisions",
                    "requested" | "required" | "needed" | "necessary"
                )
                | (
                    "needs" | "require" | "requires" | "need",
                    "work" | "changes" | "revision" | "fixing" | "fixes" | "improvement" | "improvements"
                )
        )
        || matches!(
            (word, next, after),
            (
                "changes" | "fixes" | "revisions",
                "are" | "were",
                "requested" | "required" | "needed" | "necessary"
            )
        )
}
