//! A report as Markdown.

use std::fmt::Write as _;

use super::claims::claims;
use super::escape::markdown as escaped;
use super::tables::{Rows, rows, summary};
use crate::analysis::Report;

/// The report as Markdown: findings first, then what weighs on them, then tables.
pub fn markdown(report: &Report) -> String {
    let mut text = format!("# {}: {}\n\n", escaped(&report.experiment), escaped(&report.run));
    if !report.description.is_empty() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{}\n", escaped(&report.description));
    }
    let _ = writeln!(text, "{}\n", escaped(&summary(report)));
    let findings: Vec<_> = claims(report).into_iter().map(|claim| claim.text).collect();
    list(
        &mut text,
        "Findings",
        &findings,
        "There is one variant, and nothing that it could be held against.",
    );
    let warnings: Vec<_> = report.warnings.iter().map(|warning| warning.text.clone()).collect();
    list(&mut text, "What weighs on them", &warnings, "Nothing was noticed.");
    rows(report).iter().for_each(|rows| table(&mut text, rows));
    text
}

fn list(text: &mut String, title: &str, sentences: &[String], nothing: &str) {
    let _ = writeln!(text, "## {title}\n");
    if sentences.is_empty() {
        let _ = writeln!(text, "{nothing}");
    }
    for sentence in sentences {
        let _ = writeln!(text, "- {}", escaped(sentence));
    }
    text.push('\n');
}

fn table(text: &mut String, table: &Rows) {
    let _ = writeln!(text, "## {}\n", table.title);
    if !table.note.is_empty() {
        let _ = writeln!(text, "{}\n", escaped(&table.note));
    }
    let line = |cells: &[String]| {
        let cells: Vec<_> = cells.iter().map(|cell| escaped(cell)).collect();
        format!("| {} |", cells.join(" | "))
    };
    let _ = writeln!(text, "{}\n|{}", line(&table.header), "---|".repeat(table.header.len()));
    for row in &table.rows {
        let _ = writeln!(text, "{}", line(row));
    }
    text.push('\n');
}
