//! From the command line to a command.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;
use playhouse_config::{Config, Environment, LoadArgs};
use playhouse_protocol::{Failure, FailureClass};

use crate::args::{Cli, Command, Global};
use crate::exit::ExitStatus;
use crate::signals::{Interrupts, Signals};
use crate::ui::Ui;
use crate::{commands, failure, logging, session};

/// How long threads that read a file or compute may take to notice the end.
const THREADS_LIMIT: Duration = Duration::from_secs(2);

/// What every command is given.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) global: Global,
    pub(crate) environment: Environment,
    pub(crate) ui: Ui,
}

/// Runs the command that the command line names.
pub(crate) fn run() -> ExitStatus {
    // Wrong usage, `--help` and `--version` end here, as clap does it: with code 2 or 0.
    let Cli { global, command } = Cli::parse();
    let environment = Environment::process();
    let ui = Ui::new(&global, &environment);
    let app = App { global, environment, ui };
    let logs = logging::init(&app.ui, app.global.verbose).map_err(Ended::from);
    let done = logs.and_then(|()| app.dispatch(command));
    done.unwrap_or_else(|ended| {
        app.ui.failure(&ended.failure);
        ended.status
    })
}

/// A command that failed.
#[derive(Debug)]
pub(crate) struct Ended {
    failure: Failure,
    status: ExitStatus,
}

impl From<Failure> for Ended {
    fn from(failure: Failure) -> Self {
        let status = ExitStatus::of(failure.class);
        Self { failure, status }
    }
}

/// How a command ended.
pub(crate) type Outcome = Result<ExitStatus, Ended>;

impl App {
    fn dispatch(&self, command: Command) -> Outcome {
        match command {
            Command::Develop(args) if args.batch.from.is_some() => commands::batch::run(self, &args),
            Command::Develop(args) => commands::develop::run(self, &args),
            Command::Generate(args) => commands::generate::run(self, &args),
            Command::Review(args) => commands::review::run(self, &args),
            Command::Chat(args) => commands::chat::run(self, &args),
            Command::Load(args) => commands::load::run(self, &args),
            Command::Tasks(command) => commands::tasks::run(self, &command),
            Command::DeadLetters(command) => commands::dead_letters::run(self, &command),
            Command::Tree(args) => commands::tree::run(self, &args),
            Command::Models(args) => commands::models::run(self, &args),
            Command::Tokens(args) => commands::tokens::run(self, &args),
            Command::Compress(args) => commands::compress::run(self, &args),
            Command::Experiment(command) => commands::experiment::run(self, &command),
            Command::Riddles(args) => commands::riddles::run(self, &args),
            Command::Config(command) => commands::config::run(self, &command),
            Command::Completions { shell } => commands::completions::run(self, shell),
            Command::ExitCodes => {
                self.ui.print(&crate::exit::table())?;
                Ok(ExitStatus::Success)
            }
        }
    }

    /// The settings in force.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        let args = LoadArgs { path: self.global.config.clone(), environment: self.environment.clone() };
        let loaded = playhouse_config::load(&args).map_err(|errors| failure::settings(&errors))?;
        for warning in &loaded.warnings {
            self.ui.warn(&warning.to_string());
        }
        let mut config = loaded.config;
        session::add_registered_models(self, &mut config);
        Ok(config)
    }
}

/// Runs `work` on async threads. From here on a signal cancels instead of ending the program, so what
/// blocks (reading standard input) is done before.
pub(crate) fn block_on<T, F>(work: impl FnOnce(Arc<Signals>) -> F) -> Result<T, Ended>
where
    F: Future<Output = Result<T, Failure>>,
{
    let threads = threads()?;
    let done = threads.block_on(async {
        let signals = Arc::new(Signals::listen()?);
        work(Arc::clone(&signals)).await.map_err(|failure| {
            let mut ended = Ended::from(failure);
            if ended.failure.class == FailureClass::Cancelled {
                ended.status = signals.status();
            }
            ended
        })
    });
    threads.shutdown_timeout(THREADS_LIMIT);
    done
}

/// Runs `work`, which decides itself what Ctrl-C ends.
pub(crate) fn block_on_interruptible<F>(work: impl FnOnce(Interrupts) -> F) -> Outcome
where
    F: Future<Output = Result<ExitStatus, Failure>>,
{
    let threads = threads()?;
    let done = threads.block_on(async { work(Interrupts::listen()?).await });
    threads.shutdown_timeout(THREADS_LIMIT);
    Ok(done?)
}

fn threads() -> Result<tokio::runtime::Runtime, Failure> {
    let threads = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    threads.map_err(|error| Failure::internal(format!("start threads: {error}")))
}
