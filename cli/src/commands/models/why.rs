//! `playhouse models why`: which model would answer a task, and why no other.

use std::fmt::Write as _;

use playhouse_config::Config;
use playhouse_models::CatalogError;
use playhouse_models::selection::{Candidate, Check, Explanation, ModelWish};
use playhouse_protocol::Failure;
use serde::Serialize;

use super::measured::Figures;
use crate::app::{App, Outcome};
use crate::args::{TableFormat, WhyArgs};
use crate::exit::ExitStatus;
use crate::render::json;
use crate::render::table::Table;
use crate::session;
use crate::style::Style;

pub(super) fn run(app: &App, config: &Config, args: &WhyArgs) -> Outcome {
    let catalog = session::catalog(app, config)?;
    let wish = ModelWish {
        task_type: &args.task,
        model: args.model.as_deref(),
        task_id: args.task_id,
        context_tokens: args.context,
    };
    let constraints = args.constraints(config.selection.constraints.get(&args.task));
    let explanation = catalog.explain(&wish, constraints.as_ref()).map_err(Failure::from)?;
    let text = match args.format {
        TableFormat::Table => table(app.ui.stdout_style(), &args.task, &explanation),
        TableFormat::Json => json::envelope("selection", false, &Explained::new(&args.task, &explanation))?,
    };
    app.ui.print(&text)?;
    // What was considered is shown also when none of it fits.
    explanation.outcome.map_err(|error| Failure::from(CatalogError::from(error)))?;
    Ok(ExitStatus::Success)
}

/// How a model fares in a choice.
fn verdict(candidate: &Candidate) -> &'static str {
    let fits = candidate.checks.iter().all(Check::passes);
    match (candidate.is_chosen, candidate.is_considered, fits) {
        (true, ..) => "chosen",
        (false, false, _) => "not considered",
        (false, true, true) => "fits",
        (false, true, false) => "does not fit",
    }
}

fn table(style: Style, task: &str, explanation: &Explanation) -> String {
    let mut text = String::new();
    if let Ok(selection) = &explanation.outcome {
        let _ = writeln!(text, "{task}: {}\n{}\n", style.bold(&selection.model), selection.reason);
    }
    let mut table = Table::new(&["model", "verdict", "because it"]);
    for candidate in &explanation.candidates {
        let fits = candidate.checks.iter().all(Check::passes);
        let told = candidate.checks.iter().filter(|check| fits || !check.passes()).map(Check::to_string);
        let told = told.collect::<Vec<_>>().join("; ");
        table.row([candidate.model.clone(), verdict(candidate).to_owned(), told]);
    }
    text.push_str(&table.render(style));
    text
}

/// A choice as programs are told of it.
#[derive(Debug, Serialize)]
struct Explained<'a> {
    task: &'a str,
    /// The chosen model; `None` when none fits.
    model: Option<&'a str>,
    /// The rule that chose it.
    rule: Option<&'static str>,
    reason: Option<String>,
    /// Why none was chosen.
    error: Option<String>,
    candidates: Vec<Considered<'a>>,
}

#[derive(Debug, Serialize)]
struct Considered<'a> {
    model: &'a str,
    verdict: &'static str,
    checks: Vec<Checked>,
    /// For tasks of this type.
    quality: Option<f64>,
    /// Of a call with 1,000 tokens of prompt and 1,000 of answer.
    compared_nano_usd: u64,
    measured: Figures,
}

#[derive(Debug, Serialize)]
struct Checked {
    key: &'static str,
    passes: bool,
    text: String,
}

impl<'a> Explained<'a> {
    fn new(task: &'a str, explanation: &'a Explanation) -> Self {
        let selection = explanation.outcome.as_ref().ok();
        let checked =
            |check: &Check| Checked { key: check.key(), passes: check.passes(), text: check.to_string() };
        let considered = |candidate: &'a Candidate| Considered {
            model: &candidate.model,
            verdict: verdict(candidate),
            checks: candidate.checks.iter().map(checked).collect(),
            quality: candidate.measured.quality,
            compared_nano_usd: candidate.compared_nano_usd,
            measured: Figures::from(&candidate.measured),
        };
        Self {
            task,
            model: selection.map(|selection| selection.model.as_str()),
            rule: selection.map(|selection| selection.reason.rule.as_str()),
            reason: selection.map(|selection| selection.reason.to_string()),
            error: explanation.outcome.as_ref().err().map(ToString::to_string),
            candidates: explanation.candidates.iter().map(considered).collect(),
        }
    }
}
