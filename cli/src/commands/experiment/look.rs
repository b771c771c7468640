//! Everything that reads runs.

use std::fmt::Write as _;
use std::path::Path;

use playhouse_experiments::analysis::Report;
use playhouse_experiments::report::{Details, html, json, markdown};
use playhouse_experiments::run::{Ending, Evidence, StoredRun, combine};
use playhouse_experiments::verify::{REPORT_HTML, report_of, verify as verify_run, write_report};
use playhouse_protocol::Failure;
use playhouse_protocol::riddle::Verdict;
use serde::Serialize;

use super::run::{JOURNAL, remove_journal, take_results};
use super::store;
use crate::app::{App, Outcome};
use crate::args::{ReportFormat, TableFormat};
use crate::exit::ExitStatus;
use crate::output::OutputFile;
use crate::render::table::Table;
use crate::render::{self, json as envelope, words};
use crate::style::printable;

/// A run in a list.
#[derive(Debug, Serialize)]
struct RunSummary {
    run: String,
    created_unix_ms: u64,
    ending: Ending,
    variants: usize,
    items: usize,
    answers: usize,
    planned: u64,
    description: String,
}

impl RunSummary {
    fn of(run: &StoredRun) -> Self {
        let design = &run.manifest.design;
        Self {
            run: run.manifest.run.clone(),
            created_unix_ms: run.manifest.created_unix_ms,
            ending: run.ending.unwrap_or(Ending::Open),
            variants: design.variants.len(),
            items: design.items.len(),
            answers: run.records.len(),
            planned: design.items.len() as u64 * design.variants.len() as u64 * u64::from(design.repeats),
            description: design.description.clone(),
        }
    }
}

const fn ending_text(ending: Ending) -> &'static str {
    match ending {
        Ending::Complete => "complete",
        Ending::Decided => "decided",
        Ending::BudgetSpent => "budget spent",
        Ending::Open => "open",
    }
}

pub(super) fn list(app: &App, format: TableFormat) -> Outcome {
    let store = store(app, &app.config()?)?;
    let mut runs = Vec::new();
    for name in store.names().map_err(Failure::from)? {
        match store.read(&name) {
            Ok(run) => runs.push(RunSummary::of(&run)),
            // One that cannot be read hides none of the others.
            Err(error) => app.ui.warn(&error.to_string()),
        }
    }
    runs.sort_by(|a, b| b.created_unix_ms.cmp(&a.created_unix_ms).then_with(|| b.run.cmp(&a.run)));
    if format == TableFormat::Json {
        #[derive(Serialize)]
        struct Runs<'a> {
            runs: &'a [RunSummary],
        }
        app.ui.print(&envelope::envelope("experiment_runs", false, &Runs { runs: &runs })?)?;
        return Ok(ExitStatus::Success);
    }
    let mut table = Table::new(&["run", "ended", ">variants", ">items", ">answers", "about"]);
    for run in &runs {
        table.row([
            run.run.clone(),
            ending_text(run.ending).to_owned(),
            run.variants.to_string(),
            run.items.to_string(),
            format!("{}/{}", run.answers, run.planned),
            printable(&run.description).into_owned(),
        ]);
    }
    app.ui.print(&table.render(app.ui.stdout_style()))?;
    if runs.is_empty() {
        app.ui.note("there are no runs yet: playhouse experiment new, then playhouse experiment run");
    }
    Ok(ExitStatus::Success)
}

pub(super) fn show(app: &App, run: &str, item: Option<&str>, format: TableFormat) -> Outcome {
    let run = store(app, &app.config()?)?.read(run).map_err(Failure::from)?;
    if let Some(item) = item {
        return show_item(app, &run, item, format);
    }
    if format == TableFormat::Json {
        app.ui.print(&envelope::envelope("experiment_run", false, &app.ui.safe(run.manifest)?)?)?;
        return Ok(ExitStatus::Success);
    }
    let (manifest, design) = (&run.manifest, &run.manifest.design);
    let mut text = String::new();
    let mut line = |name: &str, value: &str| {
        // Writing to a string does not fail.
        let _ = writeln!(text, "{name:<12} {}", printable(value));
    };
    let summary = RunSummary::of(&run);
    line("run", &manifest.run);
    line("folder", &run.folder.display().to_string());
    line("about", &design.description);
    line("ended", ending_text(summary.ending));
    line("answers", &format!("{} of {}", summary.answers, summary.planned));
    line("dataset", &format!("{} ({} items, {} repeats)", design.dataset, summary.items, design.repeats));
    line("seed", &design.seed.to_string());
    line("program", &format!("playhouse {}", manifest.code.playhouse));
    let machine = &manifest.machine;
    line(
        "machine",
        &format!(
            "{}, {}, {}",
            machine.os,
            machine.arch,
            words::counted(u64::from(machine.threads), "thread")
        ),
    );
    let mut variants = Table::new(&["variant", "model", "mode", "prompt"]);
    for variant in &design.variants {
        let hash = manifest.prompts_sha256.get(&variant.name).map_or("", String::as_str);
        variants.row([
            variant.name.clone(),
            variant.model.clone().unwrap_or_default(),
            variant.mode.name.clone(),
            hash.chars().take(12).collect(),
        ]);
    }
    let mut models = Table::new(&["model", "provider", "from", "settings"]);
    for (name, version) in &manifest.models {
        models.row([
            name.clone(),
            version.provider.clone(),
            version.model.clone(),
            version.config_sha256.chars().take(12).collect(),
        ]);
    }
    let style = app.ui.stdout_style();
    app.ui.print(&format!("{text}\n{}\n{}", variants.render(style), models.render(style)))?;
    Ok(ExitStatus::Success)
}

/// The answers to one item.
fn show_item(app: &App, run: &StoredRun, item: &str, format: TableFormat) -> Outcome {
    let items = &run.manifest.design.items;
    if !items.iter().any(|known| known.id == item) {
        let hint = match playhouse_config::nearest(item, items.iter().map(|item| item.id.as_str())) {
            Some(near) => format!("Did you mean {near}?"),
            None => format!(
                "The items of the run are in its report: playhouse experiment report {}",
                run.manifest.run
            ),
        };
        let failure =
            Failure::invalid(format!("find item {item:?} of run {}: there is none", run.manifest.run));
        return Err(failure.with_hint(hint).into());
    }
    let records: Vec<_> = run.records.iter().filter(|record| record.item == item).cloned().collect();
    if format == TableFormat::Json {
        #[derive(Serialize)]
        struct Answers<'a, T> {
            item: &'a str,
            answers: T,
        }
        let answers = Answers { item, answers: app.ui.safe(records)? };
        app.ui.print(&envelope::envelope("experiment_answers", false, &answers)?)?;
        return Ok(ExitStatus::Success);
    }
    let style = app.ui.stdout_style();
    let mut text = String::new();
    for record in &records {
        let (verdict, answer) = match &record.evidence {
            Evidence::Riddle(riddle) => {
                let verdict = match riddle.score.verdict {
                    Verdict::Right => style.green("right"),
                    Verdict::Wrong => style.red("wrong"),
                    Verdict::Refused => style.yellow("refused"),
                    Verdict::Truncated => style.yellow("truncated"),
                    Verdict::Empty => style.yellow("empty"),
                };
                (verdict, riddle.answer().map(|answer| answer.text.clone()).unwrap_or_default())
            }
            Evidence::Developed(developed) => {
                let verdict =
                    if developed.approved { style.green("approved") } else { style.red("not approved") };
                (verdict, developed.source())
            }
            Evidence::Failed { failure, .. } => {
                (style.yellow("failed"), format!("failed to {}", failure.message))
            }
        };
        let head = style.bold(&printable(&format!("── {}, repeat {} ──", record.variant, record.repeat + 1)));
        // Writing to a string does not fail.
        let _ = writeln!(text, "{head} {verdict}\n{}\n", printable(answer.trim_end()));
    }
    app.ui.print(&text)?;
    Ok(ExitStatus::Success)
}

/// How a report is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    pub(super) format: ReportFormat,
    /// Whether the table tells what came of each item.
    pub(super) details: bool,
}

pub(super) fn report(app: &App, run: &str, shown: Shown, output: Option<&Path>) -> Outcome {
    let run = store(app, &app.config()?)?.read(run).map_err(Failure::from)?;
    let output = output.map(OutputFile::check).transpose()?;
    // One under way is told as it stands, and nothing is written that its end would have to replace.
    let report = match run.ending {
        None => report_of(&run).map_err(Failure::from)?,
        Some(_) => {
            let report = write_report(&run).map_err(Failure::from)?;
            // What a process that died behind the end of its run has left undone.
            take_results(app, &run, &report);
            remove_journal(&run.folder.join(JOURNAL));
            report
        }
    };
    let text = text(app, &report, &run, shown)?;
    match output {
        Some(file) => {
            file.write(&text)?;
            app.ui.note(&format!("wrote {}", file.path().display()));
        }
        None => app.ui.print(&text)?,
    }
    if run.ending.is_some() {
        app.ui.note(&format!("report: {}", run.folder.join(REPORT_HTML).display()));
    }
    Ok(ExitStatus::Success)
}

/// A report in one of its forms.
pub(super) fn text(app: &App, report: &Report, run: &StoredRun, shown: Shown) -> Result<String, Failure> {
    Ok(match shown.format {
        ReportFormat::Table => {
            let style = app.ui.stdout_style();
            let mut text = render::experiment::report(report, style);
            if shown.details {
                let variants: Vec<_> = report.cells.iter().map(|cell| cell.variant.clone()).collect();
                let details = Details::new(&run.manifest, &run.records);
                text.push_str(&render::experiment::details(&details, &variants, style));
            }
            text
        }
        ReportFormat::Json => {
            json(report).map_err(|error| Failure::internal(format!("write the report as JSON: {error}")))?
        }
        ReportFormat::Markdown => markdown(report),
        ReportFormat::Html => html(report, &Details::new(&run.manifest, &run.records)),
    })
}

pub(super) fn compare(app: &App, baseline: &str, run: &str, format: ReportFormat) -> Outcome {
    let store = store(app, &app.config()?)?;
    let read = |name: &str| store.read(name).map_err(Failure::from);
    let combined = combine(&read(baseline)?, &read(run)?)?;
    let report = report_of(&combined).map_err(Failure::from)?;
    app.ui.print(&text(app, &report, &combined, Shown { format, details: false })?)?;
    Ok(ExitStatus::Success)
}

pub(super) fn verify(app: &App, run: &str) -> Outcome {
    let run = store(app, &app.config()?)?.read(run).map_err(Failure::from)?;
    let verified = verify_run(&run).map_err(Failure::from)?;
    app.ui.print(&format!(
        "{}: {} and {} made again, all the same\n",
        run.manifest.run,
        words::counted(verified.records as u64, "answer"),
        words::counted(verified.numbers as u64, "number"),
    ))?;
    Ok(ExitStatus::Success)
}
