//! `playhouse tokens`

mod files;

use std::path::Path;
use std::sync::Arc;

use playhouse_models::ModelWish;
use playhouse_models::tokens::{TiktokenCounter, TokenCounter};
use playhouse_protocol::Failure;
use playhouse_runtime::Agent as _;
use playhouse_runtime::actors::generator::CodeGenerator;
use serde::Serialize;

use crate::app::{App, Outcome};
use crate::args::{TableFormat, TokensArgs};
use crate::exit::ExitStatus;
use crate::render::table::Table;
use crate::render::{json, words};
use crate::session;
use crate::style::printable;
use files::{Found, Skipped};

/// What was counted.
#[derive(Debug, Serialize)]
struct Counted {
    encoding: String,
    /// Whether the counts are the model's own; otherwise they are an estimate by a related encoding.
    exact: bool,
    total_tokens: u64,
    total_bytes: u64,
    files: Vec<CountedFile>,
    skipped: Vec<Skipped>,
}

#[derive(Debug, Serialize)]
struct CountedFile {
    path: String,
    tokens: u64,
    bytes: u64,
    lines: u64,
}

pub(crate) fn run(app: &App, args: &TokensArgs) -> Outcome {
    let counter = counter(app, args)?;
    let mut counted = Counted {
        encoding: counter.encoding().to_owned(),
        exact: counter.is_exact() || args.encoding.is_some(),
        total_tokens: 0,
        total_bytes: 0,
        files: Vec::new(),
        skipped: Vec::new(),
    };
    for path in &args.paths {
        files::visit(&app.ui, path, &mut |found| match found {
            Found::Text { path, text } => {
                let file = CountedFile {
                    path,
                    tokens: counter.count(&text),
                    bytes: text.len() as u64,
                    lines: text.lines().count() as u64,
                };
                counted.total_tokens += file.tokens;
                counted.total_bytes += file.bytes;
                counted.files.push(file);
            }
            Found::Skipped(skipped) => {
                app.ui.note(&printable(&format!("skipped {}: {}", skipped.path, skipped.reason)));
                counted.skipped.push(skipped);
            }
        })?;
    }
    if counted.files.is_empty() {
        return Err(Failure::invalid("count tokens: there is no text file among what was named")
            .with_hint("Name text files, or folders with some.")
            .into());
    }
    let text = match args.format {
        TableFormat::Table => table(app, &counted),
        TableFormat::Json => json::envelope("tokens", false, &counted)?,
    };
    app.ui.print(&text)?;
    Ok(ExitStatus::Success)
}

/// Counts as the named model or encoding does; without either as the model does that writes code.
fn counter(app: &App, args: &TokensArgs) -> Result<Arc<dyn TokenCounter>, Failure> {
    if let Some(encoding) = args.encoding {
        return Ok(Arc::new(TiktokenCounter::with_encoding(encoding, "")));
    }
    let catalog = session::catalog(app, &app.config()?)?;
    let model = catalog.select(&ModelWish::of(CodeGenerator::KIND).named(args.model.as_deref()))?.model;
    match catalog.client(&model) {
        Ok(client) => Ok(client.tokens()),
        Err(error) if args.model.is_some() => Err(error.into()),
        Err(_) => {
            app.ui.note(&format!("model {model} is not here yet, so these counts are an estimate"));
            Ok(Arc::new(TiktokenCounter::for_model(&model)))
        }
    }
}

fn table(app: &App, counted: &Counted) -> String {
    let mut table = Table::new(&[">tokens", ">lines", ">bytes", "file"]);
    for file in &counted.files {
        let path = printable(&file.path).into_owned();
        table.row([
            words::thousands(file.tokens),
            words::thousands(file.lines),
            words::thousands(file.bytes),
            path,
        ]);
    }
    if counted.files.len() > 1 {
        let lines = counted.files.iter().map(|file| file.lines).sum();
        table.row([
            words::thousands(counted.total_tokens),
            words::thousands(lines),
            words::thousands(counted.total_bytes),
            "total".to_owned(),
        ]);
    }
    let estimate = if counted.exact { "" } else { " (an estimate: the model's own tokenizer is not known)" };
    format!("{}encoding: {}{estimate}\n", table.render(app.ui.stdout_style()), counted.encoding)
}

/// A path as it is shown.
fn name(path: &Path) -> String {
    path.display().to_string()
}
