//! A runtime for the time of one command.

use std::path::PathBuf;
use std::sync::Arc;

use playhouse_config::Config;
use playhouse_experiments::ab::AbMonitor;
use playhouse_experiments::registry::Registry;
use playhouse_gateway::{AdminError, AdminServer};
use playhouse_models::{Catalog, CatalogParts, NoObserver};
use playhouse_protocol::{Failure, SeededSource};
use playhouse_runtime::{Runtime, RuntimeBuilder, SystemWallClock};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::app::App;

/// A started runtime, and the admin port where one was asked for.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) runtime: Runtime,
    admin: JoinSet<Result<(), AdminError>>,
    admin_stop: CancellationToken,
}

impl Session {
    /// For commands of one task: it ends with the command, so nothing is written down.
    pub(crate) async fn start(app: &App, mut config: Config) -> Result<Self, Failure> {
        config.journal.path = None;
        Self::start_with(app, Runtime::builder().config(config)).await
    }

    pub(crate) async fn start_with(app: &App, mut builder: RuntimeBuilder) -> Result<Self, Failure> {
        if let Some(models_dir) = app.environment.models_dir() {
            builder = builder.models_dir(models_dir);
        }
        if let Some(file) = app.environment.performance_file() {
            builder = builder.performance_file(file);
        }
        if !builder.settings().selection.ab.is_empty() {
            builder = ab_monitor(app, builder.settings())?.attach(builder);
        }
        // Large for the moment of the start, and in the future of every command otherwise.
        let runtime = Box::pin(builder.start()).await?;
        let mut session = Self { runtime, admin: JoinSet::new(), admin_stop: CancellationToken::new() };
        if let Some(address) = app.global.metrics {
            let bound = AdminServer::bind(address, session.runtime.clone()).await;
            let server = bound.map_err(|error| admin_failure(&error))?;
            app.ui.note(&format!("metrics: http://{}/metrics", server.address()));
            let stop = session.admin_stop.clone();
            session.admin.spawn(server.serve(async move { stop.cancelled().await }));
        }
        Ok(session)
    }

    /// Ends what still runs. Tasks have ended or were cancelled before, so nothing is waited for.
    pub(crate) async fn end(self) {
        self.admin_stop.cancel();
        let Self { runtime, mut admin, .. } = self;
        let summary = runtime.shutdown(std::time::Duration::ZERO).await;
        admin.abort_all();
        if !summary.killed.is_empty() {
            tracing::warn!(killed = ?summary.killed, "parts of the runtime had to be killed");
        }
    }
}

fn admin_failure(error: &AdminError) -> Failure {
    let failure = Failure::new(error.class(), error.to_string());
    match error.hint() {
        Some(hint) => failure.with_hint(hint),
        None => failure,
    }
}

/// The registry of models in the folder of experiments.
pub(crate) fn registry(app: &App, config: &Config) -> Result<Registry, Failure> {
    Ok(Registry::new(&experiments_dir(app, config)?, Arc::new(SystemWallClock::now())))
}

/// The folder of experiments.
pub(crate) fn experiments_dir(app: &App, config: &Config) -> Result<PathBuf, Failure> {
    let dir = config.experiments.dir.clone().or_else(|| app.environment.experiments_dir());
    dir.ok_or_else(|| {
        Failure::invalid("find the folder for experiments: neither HOME nor XDG_STATE_HOME is set")
            .with_hint("Name one with `experiments.dir` in playhouse.yaml.")
    })
}

/// Adds the registered models to the settings. A registry that cannot be read is told and left out: who names a registered
/// model is then told that there is none.
pub(crate) fn add_registered_models(app: &App, config: &mut Config) {
    // Without a folder there is no registry.
    let Ok(registry) = registry(app, config) else { return };
    match registry.merge_into(config) {
        Ok(left_out) => {
            for one in left_out {
                app.ui.warn(&format!("{} is left out of the catalog: {}", one.entry, one.errors));
            }
        }
        Err(error) => app.ui.warn(&format!("{error}; registered models are left out")),
    }
}

/// The A/B tests of the settings.
pub(crate) fn ab_monitor(app: &App, config: &Config) -> Result<Arc<AbMonitor>, Failure> {
    Ok(AbMonitor::new(config, &experiments_dir(app, config)?, Arc::new(SystemWallClock::now())))
}

/// The catalog alone, with what earlier commands measured, for commands that run no agent.
pub(crate) fn catalog(app: &App, config: &Config) -> Result<Catalog, Failure> {
    let parts = CatalogParts {
        // Nothing here is drawn at random but the jitter of a retried ping.
        random: Arc::new(SeededSource::from_seed(u64::from(std::process::id()))),
        wall_clock: Arc::new(SystemWallClock::now()),
        models_dir: models_dir(app)?,
        observer: Arc::new(NoObserver),
    };
    let catalog = Catalog::new(config, parts);
    if let Some(file) = app.environment.performance_file()
        && let Err(error) = catalog.performance().load(&file)
    {
        app.ui.warn(&format!("{error}; it is left out"));
    }
    if !config.selection.ab.is_empty() {
        catalog.tell_quality(vec![ab_monitor(app, config)? as _]);
    }
    Ok(catalog)
}

/// The folder of fetched models.
pub(crate) fn models_dir(app: &App) -> Result<std::path::PathBuf, Failure> {
    app.environment.models_dir().ok_or_else(|| {
        Failure::invalid("find the folder for model files: neither HOME nor XDG_CACHE_HOME is set")
            .with_hint("Name one with PLAYHOUSE_MODELS_DIR.")
    })
}
