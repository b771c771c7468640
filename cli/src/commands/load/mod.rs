//! `playhouse load`: many tasks, and a reckoning.

mod drive;
mod faults;
mod reckoning;
mod report;
mod tally;

use std::sync::Arc;

use playhouse_config::Config;
use playhouse_config::settings::ProviderConfig;
use playhouse_protocol::{Failure, WallClock as _};
use playhouse_runtime::store::{MemoryStore, SqliteStore, TaskStore};
use playhouse_runtime::{Runtime, SystemWallClock};

use self::drive::{Driven, Plan, drive};
use self::faults::{Faults, LoadAgent, LoadModel, MODEL};
use self::reckoning::Journal;
use self::tally::Tally;
use crate::app::{self, App, Outcome};
use crate::args::{LoadArgs, LoadFormat};
use crate::exit::ExitStatus;
use crate::output::OutputFile;
use crate::render::json;
use crate::render::load::{self as render, Report};
use crate::session::Session;
use crate::signals::Signals;

pub(crate) fn run(app: &App, args: &LoadArgs) -> Outcome {
    let config = app.config()?;
    let scripted = is_scripted(args, &config)?;
    let output = args.output.as_deref().map(OutputFile::check).transpose()?;
    let plan = Plan::new(args)?;
    tell_what_may_surprise(app, args, &plan);
    let (report, stopped) = app::block_on(|signals| async move {
        let run = measure(app, args, config, &plan, &signals).await?;
        let report = report::report(args, &plan, run.driven, run.books, run.journal, scripted);
        Ok((report, signals.token().is_cancelled().then(|| signals.status())))
    })?;
    let text = match args.format {
        LoadFormat::Text => render::text(&report),
        LoadFormat::Json => json::envelope("load", report.scripted, &report)?,
        LoadFormat::Html => render::page(&report),
    };
    match &output {
        Some(output) => {
            output.write(&text)?;
            app.ui.note(&format!("report: {}", output.path().display()));
        }
        None => app.ui.print(&text)?,
    }
    Ok(status(&report, stopped))
}

/// Whether the model that is asked answers from a script: the load run's own one does.
fn is_scripted(args: &LoadArgs, config: &Config) -> Result<bool, Failure> {
    let Some(name) = args.model.as_deref() else { return Ok(true) };
    match config.models.get(name) {
        Some(model) => Ok(matches!(model.provider, ProviderConfig::Scripted { .. })),
        None => {
            let names = config.models.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            Err(Failure::invalid(format!("load with model {name}: it is not in the catalog"))
                .with_hint(format!("The catalog has: {names}")))
        }
    }
}

/// What is allowed and yet may not be meant.
fn tell_what_may_surprise(app: &App, args: &LoadArgs, plan: &Plan) {
    if plan.is_journaled && args.journal.is_none() {
        app.ui.note(
            "durability is full and no --journal is named: tasks are kept in this process's memory, which grows with them",
        );
    }
    let all_fail = args.calls > 0 && args.fail >= 1.0;
    if args.panic >= 1.0 || all_fail {
        let what = if all_fail { "every model call fails" } else { "every attempt panics" };
        app.ui.note(&format!("{what}: no task can succeed"));
    }
}

/// A lost task stands above a signal, and that above a goal: the report says it all.
fn status(report: &Report, stopped: Option<ExitStatus>) -> ExitStatus {
    match stopped {
        _ if !report.adds_up => ExitStatus::NotAccounted,
        Some(status) => status,
        None if report.slos.iter().any(|slo| !slo.held) => ExitStatus::SloMissed,
        None => ExitStatus::Success,
    }
}

/// A run that is over, with the runtime down.
struct Measured {
    driven: Driven,
    books: playhouse_runtime::Accounting,
    journal: Option<Journal>,
}

async fn measure(
    app: &App,
    args: &LoadArgs,
    config: Config,
    plan: &Plan,
    signals: &Arc<Signals>,
) -> Result<Measured, Failure> {
    let store = open_store(args).await?;
    let before = store.counts().await?;
    // Resumed tasks may end while the runtime starts: they are this run's.
    let tally = Tally::new(SystemWallClock::now().unix_ms());
    let session = signals.or_cancelled(start(app, args, config, plan, Arc::clone(&store))).await?;
    let driven = drive(app, &session.runtime, plan, signals, tally).await;
    let books = session.runtime.accounting();
    let after = store.counts().await;
    session.end().await;
    let journal = if plan.is_journaled { Some(Journal { before, after: after? }) } else { None };
    Ok(Measured { driven: driven?, books, journal })
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
    config: Config,
    plan: &Plan,
    store: Arc<dyn TaskStore>,
) -> Result<Session, Failure> {
    let faults = Arc::new(Faults::new(args));
    let model = LoadModel::new(Arc::clone(&faults));
    let mut builder = Runtime::builder()
        .config(for_load(config, plan.width))
        .store(store)
        .model(MODEL, Arc::new(model))
        .agent(LoadAgent::new(faults, args.model.clone()));
    if args.model.is_none() {
        builder = builder.default_model(MODEL);
    }
    Session::start_with(app, builder).await
}

/// The user's settings with room for `width` tasks and agents at once, of one tenant too, and without pruning: a journal that forgets ended tasks
/// while the run goes on cannot be counted against the books, and would let their keys be submitted anew.
fn for_load(mut config: Config, width: u64) -> Config {
    let width = usize::try_from(width).unwrap_or(usize::MAX);
    let limits = &mut config.limits;
    limits.agents_live_max = limits.agents_live_max.max(width);
    limits.tasks_open_max = limits.tasks_open_max.max(width);
    limits.tenant_tasks_open_max = limits.tenant_tasks_open_max.map(|max| max.max(width));
    config.journal.ended_max = None;
    config.journal.ended_age_max = None;
    config
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::Parser as _;
    use playhouse_runtime::Accounting;

    use super::*;
    use crate::args::{Cli, Command};

    #[test]
    fn nothing_of_a_journal_is_pruned_under_a_run_neither_by_number_nor_by_age() {
        let config = for_load(Config::default(), 50_000);
        assert_eq!((config.journal.ended_max, config.journal.ended_age_max), (None, None));
        assert_eq!(config.limits.agents_live_max, 50_000);
        let least = Config::default().limits.agents_live_max;
        assert_eq!(for_load(Config::default(), 1).limits.agents_live_max, least);
    }

    #[test]
    fn books_that_do_not_add_up_end_with_their_own_code_whatever_else_there_was() {
        let cli = Cli::try_parse_from(["playhouse", "load", "-n", "1", "--slo", "throughput_min=2"]).unwrap();
        let Command::Load(args) = cli.command else { panic!("it is another command") };
        let of = |lost: u64| {
            let mut tally = Tally::new(0);
            (tally.outcomes.acknowledged, tally.here.completed) = (1, 1);
            let books = Accounting { accepted: 1 + lost, completed: 1, ..Accounting::default() };
            let driven = Driven { tally, elapsed: Duration::from_secs(1) };
            report::report(&args, &Plan::new(&args).unwrap(), driven, books, None, true)
        };
        let stopped = Some(ExitStatus::Interrupted);
        assert_eq!(status(&of(1), None), ExitStatus::NotAccounted);
        assert_eq!(status(&of(1), stopped), ExitStatus::NotAccounted);
        assert_eq!(ExitStatus::NotAccounted.code(), 8);
        assert!(!of(1).differences.is_empty(), "the report tells which counts differ");
        assert_eq!(
            (status(&of(0), None), status(&of(0), stopped)),
            (ExitStatus::SloMissed, ExitStatus::Interrupted)
        );
    }

    #[test]
    fn a_width_is_that_width_whatever_the_bounds_of_open_tasks_are() {
        let mut config = Config::default();
        config.limits.tenant_tasks_open_max = Some(10);
        let limits = for_load(config, 50_000).limits;
        assert_eq!((limits.tasks_open_max, limits.tenant_tasks_open_max), (50_000, Some(50_000)));
        let limits = for_load(Config::default(), 1).limits;
        assert_eq!((limits.tasks_open_max, limits.tenant_tasks_open_max), (5_000, None));
    }
}
