//! LaTeX in an answer.

use super::plain::{BOX_BEGIN, BOX_END};

/// The longest group, in characters: an answer in a box is short, and a brace that is not closed is looked for no further.
const GROUP_CHARS_MAX: usize = 2_000;

/// How deep LaTeX may nest: deeper groups are dropped.
const DEPTH_MAX: u32 = 16;

/// Takes LaTeX apart: fractions become `a/b`, boxes get marks, other commands the sign that they stand for.
pub(super) fn without_latex(text: &str) -> String {
    taken_apart(text, 0)
}

fn taken_apart(text: &str, depth: u32) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let behind = &rest[c.len_utf8()..];
        rest = match c {
            '\\' => command(behind, &mut out, depth),
            '{' | '}' => behind,
            '$' => {
                if is_currency(&out, behind) {
                    out.push('$');
                }
                behind
            }
            _ => {
                out.push(c);
                behind
            }
        };
    }
    out
}

/// Whether a dollar sign stands for dollars: in front of a number, and not around a formula, which has no space at its end.
fn is_currency(before: &str, behind: &str) -> bool {
    if before.ends_with(|c: char| c.is_alphanumeric()) || !behind.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let line = behind.lines().next().unwrap_or_default();
    line.split_once('$')
        .is_none_or(|(inside, _)| inside.ends_with(|c: char| !c.is_alphanumeric() && !matches!(c, ')' | '}')))
}

/// Writes what a command stands for and returns what is behind it.
fn command<'a>(text: &'a str, out: &mut String, depth: u32) -> &'a str {
    let name_len = text.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(text.len());
    let (name, behind) = text.split_at(name_len);
    if name.is_empty() {
        let Some(c) = text.chars().next() else { return text };
        match c {
            '!' => {}
            ',' | ';' | ':' | ' ' | '(' | ')' | '[' | ']' => out.push(' '),
            '\\' => out.push('\n'),
            other => out.push(other),
        }
        return &text[c.len_utf8()..];
    }
    match name {
        "frac" | "dfrac" | "tfrac" => {
            if let Some((above, behind)) = group(behind)
                && let Some((below, behind)) = group(behind)
            {
                let inner =
                    |text| if depth < DEPTH_MAX { taken_apart(text, depth + 1) } else { String::new() };
                // A whole number in front of a fraction is one number with it.
                if out.ends_with(|c: char| c.is_ascii_digit()) {
                    out.push(' ');
                }
                out.push_str(&format_fraction(&inner(above), &inner(below)));
                return behind;
            }
        }
        "boxed" | "fbox" => {
            if let Some((inside, behind)) = group(behind) {
                out.push(BOX_BEGIN);
                if depth < DEPTH_MAX {
                    out.push_str(&taken_apart(inside, depth + 1));
                }
                out.push(BOX_END);
                return behind;
            }
        }
        "times" | "cdot" => out.push('×'),
        "div" => out.push('÷'),
        "approx" | "sim" => out.push('≈'),
        "le" | "leq" => out.push('≤'),
        "ge" | "geq" => out.push('≥'),
        "ne" | "neq" => out.push('≠'),
        "circ" => out.push('°'),
        "to" | "rightarrow" | "Rightarrow" | "implies" => out.push('→'),
        "quad" | "qquad" | "newline" => out.push(' '),
        "text" | "textbf" | "textit" | "mathrm" | "mathbf" | "mathit" | "mathsf" | "texttt" | "emph"
        | "mbox" | "operatorname" | "left" | "right" | "displaystyle" => {}
        other => {
            out.push_str(other);
            out.push(' ');
        }
    }
    behind
}

fn format_fraction(above: &str, below: &str) -> String {
    format!("{}/{}", above.trim(), below.trim())
}

/// What stands in braces at the begin of a text, and what is behind them.
fn group(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('{')?;
    let mut depth = 1_u32;
    let end = inner.char_indices().take(GROUP_CHARS_MAX).find(|(_, c)| {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        depth == 0
    });
    let (end, _) = end?;
    Some((&inner[..end], &inner[end + 1..]))
}
