//! `playhouse config …`

use std::path::PathBuf;

use playhouse_config::LoadArgs;

use crate::app::{App, Outcome};
use crate::args::ConfigCommand;
use crate::exit::ExitStatus;
use crate::failure;
use crate::render::words;

pub(crate) fn run(app: &App, command: &ConfigCommand) -> Outcome {
    match command {
        ConfigCommand::Default => app.ui.print(playhouse_config::default_yaml())?,
        ConfigCommand::Check { file } => check(app, file.clone())?,
        ConfigCommand::Schema => app.ui.print(&playhouse_config::schema_json())?,
        ConfigCommand::Show => app.ui.print(&playhouse_config::show(&app.config()?))?,
    }
    Ok(ExitStatus::Success)
}

fn check(app: &App, file: Option<PathBuf>) -> Result<(), playhouse_protocol::Failure> {
    let path = file.or_else(|| app.global.config.clone());
    let args = LoadArgs { path, environment: app.environment.clone() };
    let loaded = playhouse_config::load(&args).map_err(|errors| failure::settings(&errors))?;
    for warning in &loaded.warnings {
        app.ui.warn(&warning.to_string());
    }
    // A key may be set elsewhere than where the file is checked, so these are no faults of the file.
    for unreadable in playhouse_config::check_secrets(&loaded.config, &app.environment) {
        app.ui.warn(&unreadable.to_string());
    }
    let name = match &loaded.source {
        Some(path) => path.display().to_string(),
        None => "no file of settings, so the defaults hold".to_owned(),
    };
    let models = words::counted(loaded.config.models.len() as u64, "model");
    app.ui.print(&format!("ok: {name}: {models}, default {}\n", loaded.config.selection.default))
}
