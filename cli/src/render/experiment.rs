//! Reports of experiments for a terminal.

use std::fmt::Write as _;

use playhouse_experiments::analysis::{Finding, Report};
use playhouse_experiments::report::{claims, rows};

use super::table::Table;
use crate::style::{Style, printable};

/// What may be claimed, then the numbers, then what to know before believing them.
pub(crate) fn report(report: &Report, style: Style) -> String {
    let mut text = style.bold(&printable(&format!("{}: {}", report.run, report.description)));
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
    for rows in rows(report) {
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
