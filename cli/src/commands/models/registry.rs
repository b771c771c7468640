//! `playhouse models register`, `promote`, `rollback`, `archive` and `versions`.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use playhouse_config::Config;
use playhouse_config::aliases::version_entry;
use playhouse_experiments::registry::{Event, Registry, RegistryEvaluation, RegistryModel, Stages, Why};
use playhouse_experiments::tracking::{Delivery, MlflowClient, MlflowClientArgs, Spool, SpoolLimits};
use playhouse_protocol::{Failure, SeededSource};
use serde::Serialize;
use tokio::time::Instant;

use crate::app::{self, App, Outcome};
use crate::args::{ChangeArgs, RegisterArgs, TableFormat};
use crate::exit::ExitStatus;
use crate::render::chat::moment;
use crate::render::json;
use crate::render::table::Table;
use crate::session;
use crate::style::Style;

/// How long a tracking server is waited for; what it was not told by then, it is told by a later command.
const SEND_MAX: Duration = Duration::from_secs(5);

/// The beginning of a hash that is shown to people.
const HASH_CHARS: usize = 12;

pub(super) fn register(app: &App, config: &Config, args: &RegisterArgs) -> Outcome {
    let RegisterArgs { name, entry, reason } = args;
    let catalog = session::catalog(app, config)?;
    let settings = catalog.config(entry).map_err(Failure::from)?;
    let registry = session::registry(app, config)?;
    let reason = reason.clone().unwrap_or_else(|| format!("registered from {entry}"));
    let registered = registry.register(name, settings, &why(app, &reason)).map_err(Failure::from)?;
    let version = registered.version;
    let told = if registered.is_new {
        format!("registered {entry} as version {version} of {name}, a candidate\n")
    } else {
        format!("{entry} is version {version} of {name} already\n")
    };
    done(app, config, &registry, name, &told)
}

pub(super) fn promote(app: &App, config: &Config, args: &ChangeArgs) -> Outcome {
    let ChangeArgs { name, version, reason } = args;
    let registry = session::registry(app, config)?;
    registry.promote(name, *version, &why(app, reason)).map_err(Failure::from)?;
    done(app, config, &registry, name, &format!("@{name} leads to version {version}\n"))
}

pub(super) fn rollback(app: &App, config: &Config, name: &str, reason: &str) -> Outcome {
    let registry = session::registry(app, config)?;
    let version = registry.rollback(name, &why(app, reason)).map_err(Failure::from)?;
    done(app, config, &registry, name, &format!("@{name} leads to version {version} again\n"))
}

pub(super) fn archive(app: &App, config: &Config, args: &ChangeArgs) -> Outcome {
    let ChangeArgs { name, version, reason } = args;
    let registry = session::registry(app, config)?;
    registry.archive(name, *version, &why(app, reason)).map_err(Failure::from)?;
    done(app, config, &registry, name, &format!("version {version} of {name} is archived\n"))
}

pub(super) fn versions(app: &App, config: &Config, name: Option<&str>, format: TableFormat) -> Outcome {
    let registry = session::registry(app, config)?;
    let models: BTreeMap<String, RegistryModel> = match name {
        Some(name) => [(name.to_owned(), registry.model(name).map_err(Failure::from)?)].into(),
        None => registry.list().map_err(Failure::from)?,
    };
    let text = match format {
        TableFormat::Json => json::envelope("registered_models", false, &Listed::new(&models))?,
        TableFormat::Table => table(app.ui.stdout_style(), &models, name.is_some()),
    };
    app.ui.print(&text)?;
    Ok(ExitStatus::Success)
}

/// By whom and why.
fn why(app: &App, reason: &str) -> Why {
    let who = ["USER", "USERNAME"].into_iter().find_map(|name| app.environment.get(name));
    Why { who: who.map(|who| who.to_string_lossy().into_owned()), reason: reason.to_owned() }
}

/// Tells what was done, and the tracking server where there is one.
fn done(app: &App, config: &Config, registry: &Registry, name: &str, told: &str) -> Outcome {
    app.ui.print(told)?;
    match mirror(app, config, registry, name) {
        Ok(None) => {}
        Ok(Some(delivery)) if delivery.pending == 0 && delivery.parked == 0 => {
            app.ui.note("the tracking server was told");
        }
        Ok(Some(delivery)) => {
            let Delivery { pending, parked, last_failure, .. } = delivery;
            let cause = last_failure.map(|cause| format!(": {cause}")).unwrap_or_default();
            let waits = "what waits is sent by a later command";
            app.ui
                .warn(&format!("the tracking server: {pending} wait, {parked} were refused{cause}; {waits}"));
        }
        // The registry has changed: that a mirror has not is no failure of the command.
        Err(failure) => app.ui.warn(&failure.to_string()),
    }
    Ok(ExitStatus::Success)
}

fn mirror(app: &App, config: &Config, registry: &Registry, name: &str) -> Result<Option<Delivery>, Failure> {
    let Some(tracking_uri) = config.experiments.tracking_uri.clone() else { return Ok(None) };
    let dir = session::experiments_dir(app, config)?;
    let operations = registry.mirror(name)?;
    let token = config.experiments.tracking_token.clone();
    let random = Arc::new(SeededSource::from_seed(u64::from(std::process::id())));
    let client = MlflowClient::new(MlflowClientArgs { tracking_uri, token, random })?;
    let sent = app::block_on(|signals| async move {
        let send = async {
            let spool = Spool::open(&dir, SpoolLimits::default()).await?;
            spool.append(operations).await?;
            Ok(spool.deliver(&client, Instant::now() + SEND_MAX).await?)
        };
        // What kept it from being sent is told, and ends nothing.
        Ok(signals.or_cancelled(send).await)
    });
    sent.unwrap_or_else(|_| Err(Failure::internal("tell the tracking server: no thread could be started")))
        .map(Some)
}

fn table(style: Style, models: &BTreeMap<String, RegistryModel>, has_history: bool) -> String {
    if models.is_empty() {
        return "no model is registered: playhouse models register NAME --entry ENTRY\n".to_owned();
    }
    let mut table = Table::new(&["model", ">version", "stage", "entry", "sha256", "measured"]);
    for (name, model) in models {
        let stages = Stages::of(model);
        for version in &model.versions {
            let stage = stages.stages.get(&version.version).map_or("", |stage| stage.as_str());
            let runs: Vec<_> = version.evaluations.iter().map(evaluation).collect();
            table.row([
                name.clone(),
                version.version.to_string(),
                stage.to_owned(),
                version_entry(name, version.version),
                version.sha256.chars().take(HASH_CHARS).collect(),
                runs.join("; "),
            ]);
        }
    }
    let mut text = table.render(style);
    if has_history {
        let mut table = Table::new(&["when (UTC)", "what", ">version", "who", "why"]);
        for event in models.values().flat_map(|model| &model.history) {
            table.row([
                moment(event.unix_ms),
                event.kind.as_str().to_owned(),
                event.version.to_string(),
                event.why.who.clone().unwrap_or_default(),
                event.why.reason.clone(),
            ]);
        }
        let _ = write!(text, "\n{}", table.render(style));
    }
    text
}

fn evaluation(evaluation: &RegistryEvaluation) -> String {
    let metrics = evaluation.metrics.iter().map(|(name, value)| format!("{name} {value}"));
    format!("{}: {}", evaluation.run, metrics.collect::<Vec<_>>().join(", "))
}

/// Registered models as programs are told of them.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    models: Vec<ListedModel<'a>>,
}

#[derive(Debug, Serialize)]
struct ListedModel<'a> {
    name: &'a str,
    production: Option<u32>,
    candidate: Option<u32>,
    versions: Vec<ListedVersion<'a>>,
    history: &'a [Event],
}

#[derive(Debug, Serialize)]
struct ListedVersion<'a> {
    version: u32,
    stage: &'static str,
    /// Its entry in the catalog.
    entry: String,
    sha256: &'a str,
    entry_yaml: &'a str,
    evaluations: &'a [RegistryEvaluation],
}

impl<'a> Listed<'a> {
    fn new(models: &'a BTreeMap<String, RegistryModel>) -> Self {
        let models = models.iter().map(|(name, model)| {
            let stages = Stages::of(model);
            let versions = model.versions.iter().map(|version| ListedVersion {
                version: version.version,
                stage: stages.stages.get(&version.version).map_or("", |stage| stage.as_str()),
                entry: version_entry(name, version.version),
                sha256: &version.sha256,
                entry_yaml: &version.entry_yaml,
                evaluations: &version.evaluations,
            });
            ListedModel {
                name,
                production: stages.production,
                candidate: stages.newest_candidate(),
                versions: versions.collect(),
                history: &model.history,
            }
        });
        Self { models: models.collect() }
    }
}
