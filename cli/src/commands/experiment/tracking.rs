//! Telling trackers of a run: the run's own folder always, an MLflow server where the settings name one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use playhouse_config::Config;
use playhouse_experiments::analysis::Report;
use playhouse_experiments::run::StoredRun;
use playhouse_experiments::tracking::{
    Delivery, EmbeddedTracker, ExperimentTracker, MlflowClient, MlflowClientArgs, MlflowTracker, Spool,
    SpoolLimits, TrackingError, track_begin, track_end, track_files,
};
use playhouse_protocol::{Failure, SeededSource};
use tokio::time::Instant;

use crate::app::App;

/// The trackers of a command.
pub(super) struct Trackers {
    own: EmbeddedTracker,
    mlflow: Option<Mlflow>,
}

struct Mlflow {
    tracker: MlflowTracker,
    spool: Arc<Spool>,
    client: MlflowClient,
}

impl Trackers {
    /// Those that the settings ask for. An MLflow server that cannot be told is left out, and that is said: it keeps nobody
    /// from a run.
    pub(super) async fn open(app: &App, config: &Config, folder: &Path) -> Self {
        Self::connect(config, folder).await.unwrap_or_else(|failure| {
            app.ui.warn(&format!("the MLflow server is not told of the run: failed to {failure}"));
            Self { own: EmbeddedTracker::new(folder), mlflow: None }
        })
    }

    /// Those that the settings ask for. Nothing is sent yet.
    ///
    /// # Errors
    /// When what waits for the MLflow server cannot be read.
    pub(super) async fn connect(config: &Config, folder: &Path) -> Result<Self, Failure> {
        let mut mlflow = None;
        if let Some(uri) = &config.experiments.tracking_uri {
            let spool = Spool::open(folder, SpoolLimits::default()).await?;
            let client = MlflowClient::new(MlflowClientArgs {
                tracking_uri: uri.clone(),
                token: config.experiments.tracking_token.clone(),
                // Only the jitter of waits is drawn.
                random: Arc::new(SeededSource::from_seed(u64::from(std::process::id()))),
            })?;
            mlflow = Some(Mlflow { tracker: MlflowTracker::new(Arc::clone(&spool)), spool, client });
        }
        Ok(Self { own: EmbeddedTracker::new(folder), mlflow })
    }

    /// Tells of the run, and of its report where there is one. What a tracker cannot take is said and hinders nothing: the
    /// run is in its folder.
    pub(super) async fn tell(&self, app: &App, run: &StoredRun, report: Option<&Report>) {
        let own = tell(&self.own, run, report, false).await;
        let elsewhere = match &self.mlflow {
            Some(mlflow) => tell(&mlflow.tracker, run, report, true).await,
            None => Ok(()),
        };
        for error in [own.err(), elsewhere.err()].into_iter().flatten() {
            app.ui.warn(&format!("the run is not tracked: failed to {error}"));
        }
    }

    /// Sends what waits for the MLflow server, for as long as it is worth waiting.
    pub(super) async fn deliver(&self, app: &App, at_most: Duration) -> Result<Option<Delivery>, Failure> {
        let Some(Mlflow { spool, client, .. }) = &self.mlflow else { return Ok(None) };
        let delivery = spool.deliver(client, Instant::now() + at_most).await?;
        if delivery.pending > 0 {
            let why = delivery.last_failure.as_deref().unwrap_or("the time was over");
            app.ui.warn(&format!(
                "{} operations wait for the MLflow server ({why}); send them later: playhouse experiment track",
                delivery.pending
            ));
        }
        if delivery.parked > 0 {
            app.ui.warn(&format!(
                "the MLflow server refused {} operations for good; they are in spool/parked.jsonl",
                delivery.parked
            ));
        }
        Ok(Some(delivery))
    }
}

/// Tells one tracker. Files come before the end, and only to a tracker that is elsewhere.
async fn tell(
    tracker: &dyn ExperimentTracker,
    run: &StoredRun,
    report: Option<&Report>,
    with_files: bool,
) -> Result<(), TrackingError> {
    track_begin(tracker, run).await?;
    let Some(report) = report else { return Ok(()) };
    if with_files {
        track_files(tracker, run).await?;
    }
    track_end(tracker, run, report).await
}
