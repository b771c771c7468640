//! A report as one page that needs nothing else.

use std::fmt::Write as _;

use super::claims::{Claim, claims};
use super::details::{AnswerDetail, Details, ItemDetail};
use super::escape::html as escaped;
use super::pictures::pictures;
use super::style::STYLE;
use super::tables::{Rows, rows, summary};
use crate::analysis::{Finding, Outcome, Report};

/// The report as a page: findings first, then what weighs on them, pictures, tables, and what was asked and answered. It runs no
/// script and fetches nothing.
pub fn html(report: &Report, details: &Details) -> String {
    let title = format!("{}: {}", escaped(&report.experiment), escaped(&report.run));
    let tables: String = rows(report).iter().map(table).collect();
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title>\n\
         <style>{STYLE}</style></head>\n<body><main>\n<h1>{title}</h1>\n{}{}{}{}{tables}{}</main></body></html>\n",
        head(report),
        findings(report),
        warnings(report),
        section("Pictures", &pictures(report)),
        items(details)
    )
}

fn head(report: &Report) -> String {
    format!("<p>{}</p>\n<p class=\"note\">{}</p>\n", escaped(&report.description), escaped(&summary(report)))
}

fn findings(report: &Report) -> String {
    let class = |claim: &Claim| match claim.finding {
        Finding::Better => "better",
        Finding::Worse => "worse",
        Finding::NoEvidence | Finding::TooFewItems => "open",
    };
    let paragraph = |claim: &Claim| format!("<p class=\"{}\">{}</p>\n", class(claim), escaped(&claim.text));
    let claims = claims(report);
    let nothing = "<p>There is one variant, and nothing that it could be held against.</p>\n".to_owned();
    let text = if claims.is_empty() { nothing } else { claims.iter().map(paragraph).collect() };
    section("Findings", &text)
}

fn warnings(report: &Report) -> String {
    let line = |text: &str| format!("<li>{}</li>\n", escaped(text));
    let lines: String = report.warnings.iter().map(|warning| line(&warning.text)).collect();
    let nothing = "<p>Nothing was noticed.</p>\n".to_owned();
    section("What weighs on them", &if lines.is_empty() { nothing } else { format!("<ul>{lines}</ul>\n") })
}

fn section(title: &str, text: &str) -> String {
    format!("<h2>{title}</h2>\n{text}")
}

fn table(table: &Rows) -> String {
    let cells = |cells: &[String], tag: &str| -> String {
        cells.iter().flat_map(|cell| [format!("<{tag}>"), escaped(cell), format!("</{tag}>")]).collect()
    };
    let mut text = format!("<h2>{}</h2>\n", escaped(&table.title));
    if !table.note.is_empty() {
        // Writing to a string does not fail.
        let _ = writeln!(text, "<p class=\"note\">{}</p>", escaped(&table.note));
    }
    let _ = writeln!(
        text,
        "<div class=\"scroll\"><table><thead><tr>{}</tr></thead><tbody>",
        cells(&table.header, "th")
    );
    for row in &table.rows {
        let _ = writeln!(text, "<tr>{}</tr>", cells(row, "td"));
    }
    text.push_str("</tbody></table></div>\n");
    text
}

fn items(details: &Details) -> String {
    let mut text: String = details.items.iter().map(item).collect();
    if details.left_out > 0 {
        let _ = writeln!(text, "<p class=\"note\">{} more items are in the records.</p>", details.left_out);
    }
    section("Items", &text)
}

fn item(item: &ItemDetail) -> String {
    let kinds: Vec<_> = [Some(item.group.as_str()).filter(|group| !group.is_empty()), item.difficulty]
        .into_iter()
        .flatten()
        .map(escaped)
        .collect();
    let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
    let accepted: Vec<_> = item.accepted.iter().map(|answer| escaped(answer)).collect();
    let accepted = if accepted.is_empty() {
        String::new()
    } else {
        format!("<p class=\"note\">Accepted: {}</p>\n", accepted.join(" · "))
    };
    let answers: String = item.answers.iter().map(answer).collect();
    format!(
        "<section class=\"item\"><h3>{}{kinds}</h3>\n<p class=\"question\">{}</p>\n{accepted}<div class=\"scroll\"><table><thead><tr>\
         <th>variant</th><th>repeat</th><th>outcome</th><th>answer</th><th>judge</th><th>in full</th></tr></thead><tbody>\n\
         {answers}</tbody></table></div></section>\n",
        escaped(&item.id),
        escaped(&item.question)
    )
}

fn answer(answer: &AnswerDetail) -> String {
    let judged = match answer.judged {
        None => "–",
        Some(None) => "undecided",
        Some(Some(true)) => "right",
        Some(Some(false)) => "wrong",
    };
    let texts: String = answer
        .texts
        .iter()
        .flat_map(|text| ["<pre>".to_owned(), escaped(text), "</pre>".to_owned()])
        .collect();
    let samples =
        if answer.samples > 1 { format!("chosen from {}", answer.samples) } else { "text".to_owned() };
    format!(
        "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{judged}</td><td><details><summary>{samples}</summary>{texts}\
         </details></td></tr>\n",
        escaped(&answer.variant),
        answer.repeat + 1,
        outcome(answer.outcome),
        answer.answer.as_deref().map_or_else(|| "–".to_owned(), escaped),
    )
}

fn outcome(outcome: Outcome) -> String {
    match outcome {
        Outcome::Right => "right".to_owned(),
        Outcome::Wrong => "wrong".to_owned(),
        Outcome::Refused => "refused".to_owned(),
        Outcome::Truncated => "cut".to_owned(),
        Outcome::Empty => "empty".to_owned(),
        Outcome::Failed(class) => format!("failed: {class}"),
    }
}
