//! Reports of experiments for a terminal.

use std::fmt::Write as _;

use playhouse_experiments::analysis::{Finding, Outcome, Report};
use playhouse_experiments::report::{Details, claims, rows};

use super::table::Table;
use crate::style::{Style, printable};

/// The tables that decide. The others are in the files of the report.
const SHOWN: [&str; 3] = ["Variants", "Comparisons", "Outcomes"];

/// What may be claimed, then the numbers, then what to know before believing them.
pub(crate) fn report(report: &Report, style: Style) -> String {
    let head = match report.description.as_str() {
        "" => report.run.clone(),
        about => format!("{}: {about}", report.run),
    };
    let mut text = style.bold(&printable(&head));
    text.push('\n');
    for claim in claims(report) {
        let sentence = printable(&claim.text);
        let sentence = match claim.finding {
            Finding::Better if claim.is_deciding => style.green(&sentence),
            Finding::Worse if claim.is_deciding => style.red(&sentence),
            Finding::Better | Finding::Worse | Finding::NoEvidence | Finding::TooFewItems => {
                sentence.into_owned()
            }
        };
        // Writing to a string does not fail.
        let _ = writeln!(text, "- {sentence}");
    }
    for rows in rows(report).into_iter().filter(|rows| SHOWN.contains(&rows.title.as_str())) {
        let _ = write!(text, "\n{}\n", style.bold(&printable(&rows.title)));
        text.push_str(&Table::of(rows.header, rows.rows).render(style));
    }
    if !report.warnings.is_empty() {
        let _ = write!(text, "\n{}\n", style.bold("Before you believe it"));
        for warning in &report.warnings {
            let _ = writeln!(text, "- {}", style.yellow(&printable(&warning.text)));
        }
    }
    text
}

/// How many answers to each item came out right, for each variant.
pub(crate) fn details(details: &Details, variants: &[String], style: Style) -> String {
    let header =
        ["item", "group", "difficulty"].map(str::to_owned).into_iter().chain(variants.iter().cloned());
    let rows = details.items.iter().map(|item| {
        let cell = |variant: &String| {
            let answers: Vec<_> = item.answers.iter().filter(|answer| answer.variant == *variant).collect();
            let right = answers.iter().filter(|answer| answer.outcome == Outcome::Right).count();
            match answers.as_slice() {
                [] => String::new(),
                [one] => outcome(one.outcome).to_owned(),
                many => format!("{right}/{}", many.len()),
            }
        };
        let difficulty = item.difficulty.unwrap_or_default().to_owned();
        [item.id.clone(), item.group.clone(), difficulty]
            .into_iter()
            .chain(variants.iter().map(cell))
            .collect()
    });
    let mut text = format!("\n{}\n", style.bold("Items"));
    text.push_str(&printable(&Table::of(header.collect(), rows.collect()).render(Style::PLAIN)));
    if details.left_out > 0 {
        // Writing to a string does not fail.
        let _ = writeln!(text, "… and {} more", details.left_out);
    }
    text
}

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Right => "right",
        Outcome::Wrong => "wrong",
        Outcome::Refused => "refused",
        Outcome::Truncated => "cut",
        Outcome::Empty => "empty",
        Outcome::Failed(_) => "failed",
    }
}
