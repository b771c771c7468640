//! `playhouse develop --from FILE`: many specs side by side.

use std::path::Path;

use playhouse_config::specs::{SpecEntry, parse_specs};
use playhouse_models::ModelWish;
use playhouse_protocol::Failure;
use playhouse_protocol::develop::{Develop, Developed};
use playhouse_runtime::Runtime;
use playhouse_runtime::actors::develop::Developer;
use tokio::sync::mpsc;

use super::{develop, fetch};
use crate::app::{self, App, Outcome};
use crate::args::{DevelopArgs, Format};
use crate::exit::ExitStatus;
use crate::output::OutputFolder;
use crate::progress::BatchProgress;
use crate::render::batch::{Batch, Item, ItemStatus, summary};
use crate::render::{self, json};
use crate::session::Session;
use crate::signals::Signals;
use crate::style::Style;
use crate::{failure, input};

/// The largest file of specs, in bytes: the most specs that it may have, each of average length.
const SPECS_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The file that tells of all results in a folder of them.
const REPORT: &str = "report.json";

pub(crate) fn run(app: &App, args: &DevelopArgs) -> Outcome {
    let config = app.config()?;
    let specs = read_specs(app, args)?;
    let requests = requests(app, args, &specs, config.agents.develop_rounds)?;
    let folder = args.output.as_deref().map(OutputFolder::check).transpose()?;
    let mut work = BatchWork {
        app,
        args,
        folder,
        progress: BatchProgress::new(&app.ui, specs.len()),
        batch: Batch { items: items(&specs, &requests, args.format)? },
    };
    let (work, status) = app::block_on(|signals| async move {
        let session = signals.or_cancelled(Session::start(app, config)).await?;
        let done = work.run(&session.runtime, &signals, requests).await;
        work.progress.clear();
        session.end().await;
        done?;
        let cancelled = signals.token().is_cancelled().then(|| signals.status());
        Ok((work, cancelled))
    })?;
    work.print()?;
    Ok(status.unwrap_or_else(|| work.status()))
}

/// A batch under way.
struct BatchWork<'a> {
    app: &'a App,
    args: &'a DevelopArgs,
    folder: Option<OutputFolder>,
    progress: BatchProgress,
    batch: Batch,
}

impl BatchWork<'_> {
    /// Runs all specs; a signal ends it early, with what is there kept.
    async fn run(
        &mut self,
        runtime: &Runtime,
        signals: &Signals,
        requests: Vec<Develop>,
    ) -> Result<(), Failure> {
        let options = self.args.limits.options();
        // What is wrong for all is told once, before anything is fetched or asked.
        let probe = Develop { spec: "probe".to_owned(), ..Develop::default() };
        runtime.check::<Developer>(&probe, &options)?;
        let wanted = models(runtime, &requests);
        let wanted: Vec<_> = wanted.iter().map(|(task, model)| (*task, model.as_deref())).collect();
        let fetched = fetch::ensure(self.app, runtime.catalog(), &wanted, self.args.model.no_pull);
        signals.or_cancelled(fetched).await?;

        // Each item is sent once, so that sending never finds the queue full.
        let (sender, mut ended) = mpsc::channel(requests.len());
        let observe = move |index: usize, outcome: &Result<Developed, Failure>| {
            // The receiver lives as long as the map.
            let _ = sender.try_send((index, outcome.clone()));
        };
        let map = runtime.map::<Developer>(requests).width(self.args.batch.width).options(options);
        let all = map.observe(observe).run();
        let mut all = std::pin::pin!(all);
        loop {
            tokio::select! {
                biased;
                () = signals.token().cancelled() => break,
                Some((index, outcome)) = ended.recv() => self.ended(index, outcome)?,
                done = &mut all => {
                    // What was observed last may not have been taken yet; this has all of it.
                    for (index, outcome) in done?.into_iter().enumerate() {
                        self.ended(index, outcome)?;
                    }
                    break;
                }
            }
        }
        self.report()
    }

    /// One item has ended; told a second time, it changes nothing.
    fn ended(&mut self, index: usize, outcome: Result<Developed, Failure>) -> Result<(), Failure> {
        let Some(item) = self.batch.items.get_mut(index) else { return Ok(()) };
        if item.developed.is_some() || item.failure.is_some() {
            return Ok(());
        }
        match outcome {
            Ok(developed) => {
                item.status = if developed.approved { ItemStatus::Approved } else { ItemStatus::NotApproved };
                if let (Some(folder), Some(file)) = (&self.folder, &item.file) {
                    folder.write(file, &develop::document(&developed, &item.spec, self.args.format)?)?;
                }
                item.developed = Some(developed);
            }
            Err(failure) => {
                item.status = ItemStatus::Failed;
                item.file = None;
                item.failure = Some(failure);
            }
        }
        let outcome = item.outcome();
        self.progress.ended(&item.name, &outcome);
        Ok(())
    }

    /// Writes what is known of all items into the folder.
    fn report(&mut self) -> Result<(), Failure> {
        let written = self.folder.is_some();
        for item in &mut self.batch.items {
            if !written || item.developed.is_none() {
                item.file = None;
            }
        }
        match &self.folder {
            None => Ok(()),
            Some(folder) => folder.write(REPORT, &self.document()?),
        }
    }

    fn document(&self) -> Result<String, Failure> {
        json::envelope("developed_many", self.batch.is_scripted(), &self.batch)
    }

    /// Results to standard output, unless they are in a folder; the summary beside them.
    fn print(&self) -> Result<(), Failure> {
        let ui = &self.app.ui;
        let batch = ui.safe(self.batch.clone())?;
        if let Some(folder) = &self.folder {
            ui.note(&format!("wrote {}", folder.path().display()));
            return ui.print(&summary(&batch, ui.stdout_style()));
        }
        match self.args.format {
            Format::Json => ui.print(&json::envelope("developed_many", batch.is_scripted(), &batch)?)?,
            Format::Text => {
                let mut text = String::new();
                for item in &batch.items {
                    if let Some(developed) = &item.developed {
                        text.push_str(&ui.stdout_style().bold(&format!("── {} ──\n", item.name)));
                        let source = developed.source();
                        text.push_str(&render::develop::text(developed, Some(&source), ui.stdout_style()));
                        text.push('\n');
                    }
                }
                return ui.print(&format!("{text}{}", summary(&batch, ui.stdout_style())));
            }
            Format::Markdown => {
                let reports = batch.items.iter().filter_map(|item| {
                    Some(render::markdown::developed(item.developed.as_ref()?, &item.spec))
                });
                ui.print(&reports.collect::<Vec<_>>().join("\n"))?;
            }
        }
        ui.note(summary(&batch, Style::PLAIN).trim_end());
        Ok(())
    }

    /// The code of the first spec that failed.
    fn status(&self) -> ExitStatus {
        let failed = self.batch.items.iter().find_map(|item| item.failure.as_ref());
        let approved = self.batch.items.iter().all(|item| item.status == ItemStatus::Approved);
        match failed {
            Some(failure) => ExitStatus::of(failure.class),
            None => develop::status(approved, self.args.require_approval),
        }
    }
}

/// The task types and models of all items; an item with a model that does not exist fails alone.
fn models(runtime: &Runtime, requests: &[Develop]) -> Vec<(&'static str, Option<String>)> {
    let mut wanted: Vec<(&'static str, Option<String>)> = Vec::new();
    for request in requests {
        for (task, model) in develop::models(request.model.as_deref(), request.reviewer_model.as_deref()) {
            let one = (task, model.map(str::to_owned));
            if !wanted.contains(&one) && runtime.catalog().select(&ModelWish::of(task).named(model)).is_ok() {
                wanted.push(one);
            }
        }
    }
    wanted
}

fn read_specs(app: &App, args: &DevelopArgs) -> Result<Vec<SpecEntry>, Failure> {
    let path = args.batch.from.as_deref().unwrap_or(Path::new(input::STDIN));
    let text = input::read_text(&app.ui, path, "the specs", SPECS_BYTES_MAX)?;
    let specs = parse_specs(&path.display().to_string(), &text);
    specs.map_err(|errors| failure::input("read the specs", &errors))
}

/// What the file asks for, with the flags where it leaves something open.
fn requests(
    app: &App,
    args: &DevelopArgs,
    specs: &[SpecEntry],
    rounds: u32,
) -> Result<Vec<Develop>, Failure> {
    let flags = develop::request(app, args, String::new(), args.rounds.unwrap_or(rounds))?;
    let request = |spec: &SpecEntry| Develop {
        spec: spec.spec.clone(),
        language: spec.language.unwrap_or(flags.language),
        constraints: flags.constraints.iter().chain(&spec.constraints).cloned().collect(),
        context: spec.context.clone().or_else(|| flags.context.clone()),
        tests: spec.tests.unwrap_or(flags.tests),
        rounds: spec.rounds.unwrap_or(flags.rounds),
        model: spec.model.clone().or_else(|| flags.model.clone()),
        reviewer_model: spec.reviewer_model.clone().or_else(|| flags.reviewer_model.clone()),
        sampling: flags.sampling,
    };
    Ok(specs.iter().map(request).collect())
}

/// All items before any of them has ended, with the files that their results will go to.
fn items(specs: &[SpecEntry], requests: &[Develop], format: Format) -> Result<Vec<Item>, Failure> {
    let item = |(spec, request): (&SpecEntry, &Develop)| {
        let ending = match format {
            Format::Text => request.language.file_extension(),
            Format::Json => "json",
            Format::Markdown => "md",
        };
        let file = format!("{}.{ending}", spec.name);
        if file.eq_ignore_ascii_case(REPORT) {
            let failure =
                Failure::invalid(format!("name a spec {:?}: {REPORT} tells of all specs", spec.name));
            return Err(failure.with_hint("Give it another name."));
        }
        Ok(Item {
            name: spec.name.clone(),
            spec: spec.spec.clone(),
            status: ItemStatus::Cancelled,
            file: Some(file),
            developed: None,
            failure: None,
        })
    };
    specs.iter().zip(requests).map(item).collect()
}
