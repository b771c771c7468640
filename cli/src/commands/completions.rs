//! `playhouse completions`

use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::app::{App, Outcome};
use crate::args::Cli;
use crate::exit::ExitStatus;

pub(crate) fn run(app: &App, shell: Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "playhouse", &mut script);
    app.ui.print(&String::from_utf8_lossy(&script))?;
    Ok(ExitStatus::Success)
}
