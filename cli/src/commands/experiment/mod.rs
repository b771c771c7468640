//! `playhouse experiment …`
//!
//! `templates` writes and checks templates; `run` asks what a template asks, for `playhouse riddles` too; `look` is everything
//! that reads runs; `status` is the A/B tests in production; `tracking` tells trackers of runs.

mod look;
pub(crate) mod run;
mod status;
pub(crate) mod templates;
mod tracking;

use playhouse_config::Config;
use playhouse_experiments::run::RunStore;
use playhouse_protocol::Failure;

use crate::app::{App, Outcome};
use crate::args::ExperimentCommand;

pub(crate) fn run(app: &App, command: &ExperimentCommand) -> Outcome {
    match command {
        ExperimentCommand::New { template, output } => {
            templates::new(app, template.as_deref(), output.as_deref())
        }
        ExperimentCommand::Check { file, modes } => templates::check(app, file, modes),
        ExperimentCommand::Run(args) => run::template(app, args),
        ExperimentCommand::Resume(args) => run::resume(app, args),
        ExperimentCommand::List { format } => look::list(app, *format),
        ExperimentCommand::Show { run, item, format } => look::show(app, run, item.as_deref(), *format),
        ExperimentCommand::Report { run, format, details, output } => {
            let shown = look::Shown { format: *format, details: *details };
            look::report(app, run, shown, output.as_deref())
        }
        ExperimentCommand::Compare { baseline, run, format } => look::compare(app, baseline, run, *format),
        ExperimentCommand::Verify { run } => look::verify(app, run),
        ExperimentCommand::Status { format } => status::status(app, *format),
        ExperimentCommand::ResumeArm { task, arm, reason } => status::resume_arm(app, task, arm, reason),
        ExperimentCommand::Track { run } => run::track(app, run.as_deref()),
    }
}

/// Where runs are kept.
fn store(app: &App, config: &Config) -> Result<RunStore, Failure> {
    let folder = config.experiments.dir.clone().or_else(|| app.environment.experiments_dir());
    folder.map(RunStore::new).ok_or_else(|| {
        Failure::invalid("find the folder of experiments: neither HOME nor XDG_STATE_HOME is set")
            .with_hint("Name one in playhouse.yaml: experiments: {dir: PATH}")
    })
}
