//! `playhouse compress`

use std::path::Path;
use std::sync::Arc;

use playhouse_models::ModelWish;
use playhouse_models::tokens::{Encoding, TiktokenCounter, TokenCounter};
use playhouse_protocol::Failure;
use playhouse_protocol::compress::{CompressText, Compressed, Pin, PinRule, Strategy, TEXT_BYTES_MAX};
use playhouse_protocol::task::TaskOptions;
use playhouse_runtime::Agent as _;
use playhouse_runtime::actors::compression::{CompressError, Job, compress, dropped_text, find_dropped};
use playhouse_runtime::actors::compressor::Compressor;
use serde::Serialize;

use super::work::{self, Work};
use crate::app::{App, Ended, Outcome};
use crate::args::{CompressArgs, CompressFormat};
use crate::exit::ExitStatus;
use crate::input;
use crate::render::{self, json};
use crate::session;
use crate::style::printable;

/// The result for programs.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    compressed: &'a Compressed,
    limit_tokens: u64,
    encoding: &'a str,
}

pub(crate) fn run(app: &App, args: &CompressArgs) -> Outcome {
    let text = input::read_text(&app.ui, &args.file, "the text", TEXT_BYTES_MAX)?;
    check(args, &text)?;
    let counter = counter(app, args)?;
    let compressed = compressed(app, args, &text, &counter)?;
    if let Some(hash) = &args.show_dropped {
        let part = find_dropped(&compressed.dropped, hash).and_then(|part| dropped_text(&text, part));
        let part = part.ok_or_else(|| {
            Failure::invalid(format!("find the dropped part {hash:?}: no part of this text has this hash"))
                .with_hint("Use the file, the limit, the strategy and the pins with which it was dropped.")
        })?;
        print(app, part)?;
        return Ok(ExitStatus::Success);
    }
    app.ui.note(&render::compress::summary(&compressed, app.ui.stderr_style()));
    if args.diff {
        app.ui.note(&printable(&render::compress::diff(&text, &compressed)));
    }
    match args.format {
        CompressFormat::Text => print(app, &compressed.text)?,
        CompressFormat::Json => {
            let scripted = compressed.origin.as_ref().is_some_and(|origin| origin.provider.is_scripted());
            let compressed = app.ui.safe(compressed)?;
            let report =
                Report { compressed: &compressed, limit_tokens: args.limit, encoding: counter.encoding() };
            app.ui.print(&json::envelope("compressed", scripted, &report)?)?;
        }
    }
    Ok(ExitStatus::Success)
}

/// Byte for byte into a pipe, so that what is counted there is what was promised; on a terminal without what it could
/// do there, and with a line end.
fn print(app: &App, text: &str) -> Result<(), Failure> {
    if app.ui.stdout_is_terminal() {
        return app.ui.print(&format!("{}\n", printable(text)));
    }
    app.ui.print(text)
}

fn check(args: &CompressArgs, text: &str) -> Result<(), Failure> {
    if text.contains('\0') {
        let name = args.file.display();
        return Err(Failure::invalid(format!("read the text from {name}: it is a binary file"))
            .with_hint("Name a text file."));
    }
    match args.pins.iter().position(|pin| pin.is_empty() || !text.contains(pin.as_str())) {
        Some(at) => {
            Err(Failure::invalid(format!("find the text of --pin number {}: it is not in it", at + 1))
                .with_hint("Copy it from the text letter by letter, white space included."))
        }
        None => Ok(()),
    }
}

/// Counts as the named model or encoding does. Without either no model is needed, and the newest encoding counts.
fn counter(app: &App, args: &CompressArgs) -> Result<Arc<dyn TokenCounter>, Failure> {
    let Some(model) = args.model.as_deref() else {
        let encoding = args.encoding.unwrap_or(Encoding::O200k);
        return Ok(Arc::new(TiktokenCounter::with_encoding(encoding, "")));
    };
    let catalog = session::catalog(app, &app.config()?)?;
    let model = catalog.select(&ModelWish::of(Compressor::KIND).named(Some(model)))?.model;
    match catalog.client(&model) {
        Ok(client) => Ok(client.tokens()),
        Err(_) => {
            app.ui.note(&format!("model {model} is not here yet, so its tokens are estimated"));
            Ok(Arc::new(TiktokenCounter::for_model(&model)))
        }
    }
}

fn compressed(
    app: &App,
    args: &CompressArgs,
    text: &str,
    counter: &Arc<dyn TokenCounter>,
) -> Result<Compressed, Ended> {
    let own = args.pins.iter().cloned().map(Pin::Text);
    let rules = if args.pin_rules.is_empty() { &PinRule::DEFAULT[..] } else { &args.pin_rules };
    let pins: Vec<_> = own.clone().chain(rules.iter().copied().map(Pin::Rule)).collect();
    let run = |pins: &[Pin], strategy| {
        let job = Job { text, limit_tokens: args.limit, strategy, pins, content: hint(&args.file) };
        compress(&job, &**counter)
    };
    match run(&pins, args.strategy) {
        Ok(done) if args.strategy == Strategy::Summarize && done.strategy.is_some() => {
            summarized(app, args, text, pins)
        }
        Ok(done) => Ok(done),
        // Nobody asked for these pins: better without them than not at all, and it is said.
        Err(CompressError::PinsTooLarge { .. }) if args.pin_rules.is_empty() => {
            let pins: Vec<_> = own.collect();
            let done = run(&pins, args.strategy).map_err(Failure::from)?;
            app.ui.warn("the addresses and paths of this text do not all fit, so they were not pinned");
            if args.strategy == Strategy::Summarize { summarized(app, args, text, pins) } else { Ok(done) }
        }
        Err(error) => Err(Failure::from(error).into()),
    }
}

/// What the file's ending says of its content.
fn hint(file: &Path) -> Option<playhouse_protocol::compress::Content> {
    use playhouse_protocol::compress::Content;
    match file.extension()?.to_str()? {
        "rs" => Some(Content::Rust),
        "md" | "markdown" => Some(Content::Markdown),
        "log" | "csv" | "tsv" | "jsonl" => Some(Content::Lines),
        _ => None,
    }
}

/// By the agent, which asks a model.
fn summarized(app: &App, args: &CompressArgs, text: &str, pins: Vec<Pin>) -> Result<Compressed, Ended> {
    let request = CompressText {
        text: text.to_owned(),
        limit_tokens: args.limit,
        strategy: Strategy::Summarize,
        pins,
        content: hint(&args.file),
        model: args.model.clone(),
    };
    work::run::<Compressor>(
        app,
        Work {
            request,
            options: TaskOptions::default(),
            models: vec![(Compressor::KIND, args.model.as_deref())],
            no_pull: args.no_pull,
        },
    )
}
