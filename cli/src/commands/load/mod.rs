//! `playhouse load`: many tasks, and a reckoning.

mod drive;
mod faults;
mod report;
mod tally;

use std::sync::Arc;

use playhouse_config::Config;
use playhouse_protocol::{Failure, SeededSource};
use playhouse_runtime::store::{MemoryStore, SqliteStore, TaskStore};
use playhouse_runtime::{Accounting, Runtime};

use self::drive::{Plan, drive};
use self::faults::{Faults, LoadAgent, LoadModel, MODEL};
use self::report::{Outcomes, Report};
use crate::app::{self, App, Outcome};
use crate::args::{LoadArgs, LoadFormat};
use crate::exit::ExitStatus;
use crate::output::OutputFile;
use crate::render::json;
use crate::session::Session;

/// How long open tasks may go on when the run is stopped.
const STOP_GRACE: std::time::Duration = std::time::Duration::from_millis(500);

pub(crate) fn run(app: &App, args: &LoadArgs) -> Outcome {
    let config = app.config()?;
    if let Some(model) = args.model.as_deref().filter(|model| !config.models.contains_key(*model)) {
        let names = config.models.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        return Err(Failure::invalid(format!("load with model {model}: it is not in the catalog"))
            .with_hint(format!("The catalog has: {names}"))
            .into());
    }
    let output = args.output.as_deref().map(OutputFile::check).transpose()?;
    let plan = Plan::new(args)?;
    if plan.is_journaled && args.journal.is_none() {
        app.ui.note("durability is full and no --journal is named: tasks are kept in this process's memory");
    }
    let report = app::block_on(|signals| async move {
        let store = open_store(args).await?;
        let is_fresh = store.counts().await?.total() == 0;
        let session = signals.or_cancelled(start(app, args, config, &plan, Arc::clone(&store))).await?;
        let driven = drive(app, &session.runtime, &plan, &signals, STOP_GRACE).await;
        let books = session.runtime.accounting();
        let journal = if plan.is_journaled { Some(store.counts().await?) } else { None };
        session.end().await;
        let report = Report::new(args, &plan, driven?, books, journal, is_fresh);
        Ok((report, signals.token().is_cancelled().then(|| signals.status())))
    })?;
    let (report, stopped) = report;
    let text = match args.format {
        LoadFormat::Text => report.text(),
        LoadFormat::Json => json::envelope("load", report.scripted, &report)?,
        LoadFormat::Html => report.html(),
    };
    match &output {
        Some(output) => {
            output.write(&text)?;
            app.ui.note(&format!("report: {}", output.path().display()));
        }
        None => app.ui.print(&text)?,
    }
    Ok(match stopped {
        _ if !report.adds_up => ExitStatus::NotAccounted,
        Some(status) => status,
        None if report.slos.iter().any(|slo| !slo.held) => ExitStatus::SloMissed,
        None => ExitStatus::Success,
    })
}

async fn open_store(args: &LoadArgs) -> Result<Arc<dyn TaskStore>, Failure> {
    let Some(path) = args.journal.clone() else { return Ok(Arc::new(MemoryStore::default())) };
    let opened = tokio::task::spawn_blocking(move || SqliteStore::open(&path)).await;
    match opened {
        Ok(store) => Ok(Arc::new(store?)),
        Err(_) => Err(Failure::internal("open the journal: the thread that opens it ended")),
    }
}

async fn start(
    app: &App,
    args: &LoadArgs,
    mut config: Config,
    plan: &Plan,
    store: Arc<dyn TaskStore>,
) -> Result<Session, Failure> {
    let width = usize::try_from(plan.width).unwrap_or(usize::MAX);
    config.limits.agents_live_max = config.limits.agents_live_max.max(width);
    // Nothing of the run may be pruned while it runs.
    config.journal.ended_max = None;
    let faults = Arc::new(Faults::new(args));
    let model = LoadModel::new(Arc::clone(&faults));
    let mut builder = Runtime::builder()
        .config(config)
        .store(store)
        .model(MODEL, Arc::new(model))
        .agent(LoadAgent::new(faults, args.model.clone()));
    if args.model.is_none() {
        builder = builder.default_model(MODEL);
    }
    Session::start_with(app, builder).await
}

/// A source of draws for one place of the run.
fn draw(seed: u64, place: &str) -> f64 {
    use playhouse_protocol::RandomSource as _;
    // The upper 53 bits: as many as a double holds exactly.
    (SeededSource::from_seed(seed).fork(place).next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}

/// Whether the books, the generator and the journal tell the same.
fn adds_up(
    books: &Accounting,
    outcomes: &Outcomes,
    journal: Option<playhouse_runtime::store::StatusCounts>,
    is_fresh: bool,
) -> bool {
    let own = outcomes.completed
        + outcomes.failed.values().sum::<u64>()
        + outcomes.cancelled
        + outcomes.dead_lettered
        + outcomes.kept;
    let holds = books.adds_up() && books.open == 0 && own == outcomes.acknowledged;
    let as_counted = !is_fresh
        || (books.accepted == outcomes.acknowledged
            && books.completed == outcomes.completed
            && books.dead_lettered == outcomes.dead_lettered
            && books.cancelled == outcomes.cancelled);
    let as_written = journal.is_none_or(|journal| {
        journal.open == books.kept && (!is_fresh || journal.completed == outcomes.completed)
    });
    holds && as_counted && as_written
}
