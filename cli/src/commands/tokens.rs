//! `playhouse tokens`

mod chat;
mod files;
mod report;

use std::path::Path;
use std::str::FromStr as _;

use playhouse_config::settings::ProviderConfig;
use playhouse_models::ModelWish;
use playhouse_models::tokens::analysis::PartTokens;
use playhouse_models::tokens::{Document, ModelFacts, TiktokenCounter, TokenAnalysis, count_many, parts_of};
use playhouse_protocol::Failure;
use playhouse_protocol::code::Language;
use playhouse_runtime::Agent as _;
use playhouse_runtime::actors::generator::CodeGenerator;

use crate::app::{App, Outcome};
use crate::args::{TableFormat, TokensArgs};
use crate::exit::ExitStatus;
use crate::render::json;
use crate::session;
use crate::style::printable;
use files::{Found, Skipped};
use report::{Counted, CountedFile};

/// So many bytes of texts are read before they are counted: enough for all cores, and a bound of what is in memory
/// (beside one more file).
const BATCH_BYTES: usize = 64 * 1024 * 1024;

/// Files that are counted at once, for the same reasons.
const BATCH_LEN: usize = 10_000;

pub(crate) fn run(app: &App, args: &TokensArgs) -> Outcome {
    let models = models(app, args)?;
    let text = if args.chat {
        chat::run(app, args, &models)?
    } else {
        let mut counting = Counting::new(&models, args.parts);
        for path in &args.paths {
            files::visit(&app.ui, path, &mut |found| match found {
                Found::Text { path, text } => counting.add(path, text),
                Found::Skipped(skipped) => {
                    app.ui.note(&printable(&format!("skipped {}: {}", skipped.path, skipped.reason)));
                    counting.skipped.push(skipped);
                }
            })?;
        }
        let counted = counting.finish(args.encoding.is_some())?;
        match args.format {
            TableFormat::Table => report::table(app, &counted),
            TableFormat::Json => json::envelope("tokens", false, &counted)?,
        }
    };
    app.ui.print(&text)?;
    Ok(ExitStatus::Success)
}

/// Texts that are being counted, batch by batch.
struct Counting<'a> {
    models: &'a [ModelFacts],
    /// Whether parts are told apart.
    parts: bool,
    waiting: Vec<(CountedFile, String)>,
    waiting_bytes: usize,
    files: Vec<CountedFile>,
    /// Of each model.
    part_tokens: Vec<Vec<PartTokens>>,
    skipped: Vec<Skipped>,
}

impl<'a> Counting<'a> {
    fn new(models: &'a [ModelFacts], parts: bool) -> Self {
        Self {
            models,
            parts,
            waiting: Vec::new(),
            waiting_bytes: 0,
            files: Vec::new(),
            part_tokens: models.iter().map(|_| Vec::new()).collect(),
            skipped: Vec::new(),
        }
    }

    fn add(&mut self, path: String, text: String) {
        self.waiting_bytes += text.len();
        self.waiting.push((CountedFile::new(path, &text), text));
        if self.waiting_bytes >= BATCH_BYTES || self.waiting.len() >= BATCH_LEN {
            self.count();
        }
    }

    fn count(&mut self) {
        let batch = std::mem::take(&mut self.waiting);
        self.waiting_bytes = 0;
        let (mut files, texts): (Vec<CountedFile>, Vec<String>) = batch.into_iter().unzip();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for (model, part_tokens) in self.models.iter().zip(&mut self.part_tokens) {
            for (file, tokens) in files.iter_mut().zip(count_many(&*model.counter, &texts)) {
                file.by_model.push(tokens);
            }
            if self.parts {
                let documents: Vec<_> =
                    files.iter().zip(&texts).map(|(file, text)| document(file, text)).collect();
                part_tokens.extend(parts_of(&documents, &*model.counter));
            }
        }
        self.files.append(&mut files);
    }

    fn finish(mut self, by_encoding: bool) -> Result<Counted, Failure> {
        self.count();
        if self.files.is_empty() {
            return Err(Failure::invalid("count tokens: there is no text file among what was named")
                .with_hint("Name text files, or folders with some."));
        }
        let total = |at: usize| self.files.iter().filter_map(|file| file.by_model.get(at)).sum();
        let analyses = self.models.iter().zip(self.part_tokens).enumerate().map(|(at, (model, parts))| {
            let mut analysis = TokenAnalysis::of_tokens(total(at), model);
            analysis.add_parts(&parts);
            analysis
        });
        let analyses = analyses.collect();
        Ok(Counted::new(analyses, self.files, self.skipped, by_encoding))
    }
}

fn document<'a>(file: &CountedFile, text: &'a str) -> Document<'a> {
    let ending = Path::new(&file.path).extension().and_then(|ending| ending.to_str());
    let language = ending.and_then(|ending| Language::from_str(ending).ok());
    Document { text, language: language.map(Language::as_str) }
}

/// Counts as the named models or encoding do; without either as the model does that writes code.
fn models(app: &App, args: &TokensArgs) -> Result<Vec<ModelFacts>, Failure> {
    if let Some(encoding) = args.encoding {
        let counter = TiktokenCounter::with_encoding(encoding, "");
        return Ok(vec![ModelFacts {
            name: encoding.as_str().to_owned(),
            context_tokens: None,
            completion_tokens_default: 0,
            price: playhouse_config::settings::PriceConfig::default(),
            counter: std::sync::Arc::new(counter),
        }]);
    }
    let catalog = session::catalog(app, &app.config()?)?;
    let mut names = args.models.clone();
    if names.is_empty() {
        names.push(catalog.select(&ModelWish::of(CodeGenerator::KIND))?.model);
    }
    let mut models = Vec::new();
    for name in &names {
        let facts = catalog.facts(name)?;
        let is_local = matches!(catalog.config(name)?.provider, ProviderConfig::Local(_));
        if is_local && !facts.counter.is_exact() {
            app.ui.note(&format!("model {name} is not here yet, so these counts are an estimate"));
        }
        models.push(facts);
    }
    Ok(models)
}

/// A path as it is shown.
fn name(path: &Path) -> String {
    path.display().to_string()
}
