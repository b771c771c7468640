//! `playhouse models …`

mod describe;
mod measured;
mod notes;
mod registry;
mod why;

use std::sync::Arc;

use playhouse_config::Config;
use playhouse_config::settings::{LocalSource, ProviderConfig};
use playhouse_models::pull::{PullSource, known_model, known_models};
use playhouse_models::{Catalog, ModelClient};
use playhouse_protocol::{Failure, FailureClass};
use tokio::time::Instant;

use super::fetch;
use crate::app::{self, App, Outcome};
use crate::args::{ModelsArgs, ModelsCommand, PullArgs, TableFormat};
use crate::exit::ExitStatus;
use crate::render::words;
use crate::session;

pub(crate) fn run(app: &App, args: &ModelsArgs) -> Outcome {
    let config = app.config()?;
    let Some(command) = &args.command else { return list(app, &config, args.format) };
    match command {
        ModelsCommand::List { format } => list(app, &config, *format),
        ModelsCommand::Show { name, format } => {
            let catalog = session::catalog(app, &config)?;
            app.ui.print(&describe::one(&app.ui, &config, &catalog, name, *format)?)?;
            Ok(ExitStatus::Success)
        }
        ModelsCommand::Why(args) => why::run(app, &config, args),
        ModelsCommand::Pull(args) => pull(app, &config, args),
        ModelsCommand::Register(args) => registry::register(app, &config, args),
        ModelsCommand::Promote(args) => registry::promote(app, &config, args),
        ModelsCommand::Rollback { name, reason } => registry::rollback(app, &config, name, reason),
        ModelsCommand::Archive(args) => registry::archive(app, &config, args),
        ModelsCommand::Versions { name, format } => {
            registry::versions(app, &config, name.as_deref(), *format)
        }
        ModelsCommand::Ping { name } => ping(app, &config, name.as_deref()),
    }
}

fn list(app: &App, config: &Config, format: TableFormat) -> Outcome {
    let catalog = session::catalog(app, config)?;
    let ollama = app::block_on(|_| async { Ok(playhouse_models::probe::ollama().await) })?;
    let notes = notes::offers(config, &app.environment.provider_variables(), ollama.as_deref());
    app.ui.print(&describe::all(&app.ui, config, &catalog, &notes, format)?)?;
    Ok(ExitStatus::Success)
}

fn pull(app: &App, config: &Config, args: &PullArgs) -> Outcome {
    let name = args.name.as_deref().unwrap_or(&config.selection.default);
    let name = &session::catalog(app, config)?.entry_name(name).map_err(Failure::from)?;
    let known = known_model(&file_of(config, name)).ok_or_else(|| {
        let names: Vec<_> = known_models().iter().map(|model| model.name.as_str()).collect();
        Failure::invalid(format!("pull model {name:?}: it is no embedded model that can be fetched"))
            .with_hint(format!("Models with a file to fetch: {}.", names.join(", ")))
    })?;
    let source = args.source.as_deref().map(PullSource::parse).unwrap_or_default();
    let pulled = app::block_on(|signals| async move {
        signals.or_cancelled(fetch::fetch(app, known, &source, args.force)).await
    })?;
    let size = words::bytes(pulled.bytes);
    let path = pulled.path.display();
    let outcome = match pulled.source {
        None => format!("{} is there already: {path} ({size}), its hash is right\n", known.name),
        Some(source) => format!("fetched {} from {source}: {path} ({size}), its hash is right\n", known.name),
    };
    app.ui.print(&outcome)?;
    Ok(ExitStatus::Success)
}

/// The embedded model behind a catalog entry; the name itself where the catalog has no such entry.
fn file_of(config: &Config, name: &str) -> String {
    match config.models.get(name).map(|model| &model.provider) {
        Some(ProviderConfig::Local(local)) => match &local.source {
            LocalSource::Known(known) => known.clone(),
            LocalSource::File(_) => name.to_owned(),
        },
        Some(_) => String::new(),
        None => name.to_owned(),
    }
}

/// Tries one model or all, each in turn; ends with the code of the first that fails.
fn ping(app: &App, config: &Config, name: Option<&str>) -> Outcome {
    let catalog = Arc::new(session::catalog(app, config)?);
    let names: Vec<String> = match name {
        Some(name) => vec![name.to_owned()],
        None => config.models.keys().cloned().collect(),
    };
    let first = app::block_on(|signals| async move {
        let mut first: Option<FailureClass> = None;
        for name in &names {
            let since = Instant::now();
            let reached = signals.or_cancelled(reach(&catalog, name)).await;
            match reached {
                Ok(()) => {
                    let elapsed_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
                    app.ui.print(&format!("{name}: ok, {}\n", words::seconds(elapsed_ms)))?;
                }
                Err(failure) if names.len() == 1 || failure.class == FailureClass::Cancelled => {
                    return Err(failure);
                }
                Err(failure) => {
                    app.ui.print(&format!("{name}: failed to {}\n", failure.message))?;
                    first.get_or_insert(failure.class);
                }
            }
        }
        Ok(first)
    })?;
    Ok(first.map_or(ExitStatus::Success, ExitStatus::of))
}

async fn reach(catalog: &Arc<Catalog>, name: &str) -> Result<(), Failure> {
    let (catalog, name) = (Arc::clone(catalog), name.to_owned());
    let client: Arc<dyn ModelClient> = tokio::task::spawn_blocking(move || catalog.client(&name))
        .await
        .map_err(|_| Failure::internal("open the model: the thread that opens it ended"))??;
    Ok(client.ping().await?)
}
