//! Asking what a template asks.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use playhouse_config::Config;
use playhouse_config::experiments::{ExperimentTask, ExperimentTemplate};
use playhouse_config::settings::CacheMode;
use playhouse_experiments::analysis::{Cell, Report};
use playhouse_experiments::registry::Registry;
use playhouse_experiments::run::{Manifest, ManifestParts, OpenRun, RunStore, Runner, StoredRun};
use playhouse_experiments::verify::{REPORT_HTML, report_of, write_report};
use playhouse_models::{Catalog, ModelWish};
use playhouse_protocol::task::TaskOptions;
use playhouse_protocol::{Failure, FailureClass};
use playhouse_runtime::{Runtime, SystemWallClock};

use super::tracking::Trackers;
use super::{look, store, templates};
use crate::app::{self, App, Outcome};
use crate::args::{AskingArgs, ResumeArgs, RunArgs};
use crate::commands::fetch;
use crate::exit::ExitStatus;
use crate::progress::RunProgress;
use crate::session::{self, Session};
use crate::signals::Signals;

/// The journal of a run under way, in its folder. It goes when the run has ended: the records have everything then.
pub(super) const JOURNAL: &str = "journal.db";

/// How long a run waits at its end for an MLflow server to take what it is told. The rest is sent by a later command.
const GRACE: Duration = Duration::from_secs(5);

/// How long the command that does nothing else sends.
const SENDING_MAX: Duration = Duration::from_secs(120);

pub(super) fn template(app: &App, args: &RunArgs) -> Outcome {
    let config = app.config()?;
    let (design, text) = templates::load(app, &config, &args.file, &args.modes)?;
    begin(app, config, design, Some(text), &args.asking)
}

/// Begins a run of a design, and goes on to its end.
pub(crate) fn begin(
    app: &App,
    config: Config,
    design: ExperimentTemplate,
    template_yaml: Option<String>,
    asking: &AskingArgs,
) -> Outcome {
    let store = store(app, &config)?;
    let catalog = session::catalog(app, &config)?;
    let clock = SystemWallClock::now();
    let experiment = design.name.clone();
    let select = |task_type: &str, model: Option<&str>| {
        Ok(catalog.select(&ModelWish::of(task_type).named(model))?.model)
    };
    let parts = ManifestParts { design, template_yaml, catalog: &catalog, model_for: &select, clock: &clock };
    let manifest = Manifest::of(parts)?;
    // A file of many megabytes is fetched before there is a run that could fail for it.
    app::block_on(|signals| async move {
        let planned = manifest(experiment.clone());
        let fetched = fetch_models(app, &catalog, &planned, asking);
        signals.or_cancelled(fetched).await?;
        let run = store.create(&experiment, |run| Manifest { run, ..planned })?;
        app.ui.note(&format!("run {} in {}", run.run().manifest.run, run.run().folder.display()));
        to_its_end(app, config, run, asking, &signals).await
    })
}

pub(super) fn resume(app: &App, args: &ResumeArgs) -> Outcome {
    let config = app.config()?;
    let store: RunStore = store(app, &config)?;
    let run = store.take_up(&args.run).map_err(Failure::from)?;
    let catalog = session::catalog(app, &config)?;
    run.run().manifest.check_models(&catalog)?;
    app::block_on(|signals| async move {
        let fetched = fetch_models(app, &catalog, &run.run().manifest, &args.asking);
        signals.or_cancelled(fetched).await?;
        app.ui.note(&format!("run {} goes on", run.run().manifest.run));
        to_its_end(app, config, run, &args.asking, &signals).await
    })
}

/// `playhouse experiment track`
pub(super) fn track(app: &App, run: Option<&str>) -> Outcome {
    let config = app.config()?;
    let store: RunStore = store(app, &config)?;
    if config.experiments.tracking_uri.is_none() {
        let failure = Failure::invalid("send what was tracked: the settings name no MLflow server");
        return Err(failure.with_hint("Name one in playhouse.yaml: experiments: {tracking_uri: URL}").into());
    }
    let run = run.map(|run| store.read(run)).transpose().map_err(Failure::from)?;
    app::block_on(|signals| async move {
        let work = async {
            let trackers = Trackers::connect(&config, store.folder()).await?;
            if let Some(run) = &run {
                let report = report_of(run)?;
                trackers.tell(app, run, Some(&report).filter(|_| run.ending.is_some())).await;
            }
            trackers.deliver(app, SENDING_MAX).await
        };
        let delivery = signals.or_cancelled(work).await?.unwrap_or_default();
        app.ui.print(&format!("{} sent, {} wait\n", delivery.sent, delivery.pending))?;
        Ok(if delivery.pending > 0 { ExitStatus::Unavailable } else { ExitStatus::Success })
    })
}

async fn fetch_models(
    app: &App,
    catalog: &Catalog,
    manifest: &Manifest,
    asking: &AskingArgs,
) -> Result<(), Failure> {
    let task_type = match manifest.design.task {
        ExperimentTask::Riddle => "riddle",
        ExperimentTask::Develop => "generate",
    };
    let mut wanted: Vec<_> = manifest.models.keys().map(|model| (task_type, Some(model.as_str()))).collect();
    if manifest.design.task == ExperimentTask::Develop {
        wanted.push(("review", None));
    }
    fetch::ensure(app, catalog, &wanted, asking.no_pull).await
}

async fn to_its_end(
    app: &App,
    mut config: Config,
    mut run: OpenRun,
    asking: &AskingArgs,
    signals: &Signals,
) -> Result<ExitStatus, Failure> {
    let journal = run.run().folder.join(JOURNAL);
    let tracking = config.clone();
    config.journal.path = Some(journal.clone());
    // An answer of a stand-in would be taken for the model's own.
    config.models.values_mut().for_each(|model| model.fallbacks.clear());
    if !asking.cache {
        // Kept answers are no new evidence, and take no time.
        config.models.values_mut().for_each(|model| model.cache = CacheMode::Off);
    }
    let session = Session::start_with(app, Runtime::builder().config(config)).await?;
    let options = TaskOptions {
        timeout_ms: asking.timeout.map(|seconds| seconds.saturating_mul(1_000)),
        ..TaskOptions::default()
    };
    let runner =
        Runner { runtime: session.runtime.clone(), clock: Arc::new(SystemWallClock::now()), options };
    let trackers = Trackers::open(app, &tracking, store_of(&run)).await;
    trackers.tell(app, run.run(), None).await;
    let mut progress = RunProgress::new(&app.ui);
    let mut observe = |now: &playhouse_experiments::run::Progress| progress.show(now);
    let ended = signals.or_cancelled(async { Ok(runner.run(&mut run, &mut observe).await?) }).await;
    progress.clear();
    drop(runner);
    session.end().await;
    if let Err(failure) = ended {
        let name = run.run().manifest.run.clone();
        drop(run);
        if failure.class != FailureClass::Cancelled {
            let hint = format!("What was answered is kept; go on with: playhouse experiment resume {name}");
            app.ui.note(&hint);
            return Err(failure);
        }
        return Err(Failure::new(
            FailureClass::Cancelled,
            format!("finish run {name}: it was interrupted; what was answered is kept"),
        )
        .with_hint(format!("Go on with: playhouse experiment resume {name}")));
    }
    remove_journal(&journal);
    let report = write_report(run.run())?;
    take_results(app, run.run(), &report);
    trackers.tell(app, run.run(), Some(&report)).await;
    let shown = look::Shown { format: asking.format, details: asking.details };
    app.ui.print(&look::text(app, &report, run.run(), shown)?)?;
    app.ui.note(&format!("report: {}", run.run().folder.join(REPORT_HTML).display()));
    // The run itself is whole, and what waits is sent by a later command.
    let delivery = trackers.deliver(app, GRACE);
    if let Err(failure) = signals.or_cancelled(delivery).await {
        app.ui.warn(&format!("what was tracked is kept and not sent: failed to {failure}"));
    }
    let is_silent = |cell: &Cell| cell.answered == 0 && cell.asked > 0;
    Ok(if report.cells.iter().any(is_silent) { ExitStatus::Unavailable } else { ExitStatus::Success })
}

/// Keeps the results beside the registered versions that they are about.
pub(super) fn take_results(app: &App, run: &StoredRun, report: &Report) {
    let folder = run.folder.parent().unwrap_or(Path::new("."));
    let registry = Registry::new(folder, Arc::new(SystemWallClock::now()));
    if let Err(error) = registry.take_report(report) {
        app.ui.warn(&format!("the registry of models does not have the results: failed to {error}"));
    }
}

/// The folder of all runs.
fn store_of(run: &OpenRun) -> &Path {
    run.run().folder.parent().unwrap_or(Path::new("."))
}

/// The run is written down: what cannot be removed takes room and does no harm.
pub(super) fn remove_journal(journal: &Path) {
    for ending in ["", "-wal", "-shm", ".lock", "-lock"] {
        let mut name = journal.as_os_str().to_owned();
        name.push(ending);
        let _ = fs::remove_file(name);
    }
}
