//! Telling trackers of a run: the run's own folder always, an MLflow server where the settings name one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use playhouse_config::Config;
use playhouse_experiments::analysis::Report;
use playhouse_experiments::run::StoredRun;
use playhouse_experiments::tracking::{
    Delivery, EmbeddedTracker, ExperimentTracker, MlflowClient, MlflowClientArgs, MlflowTracker, Spool,
    SpoolLimits, TrackingError, track_begin, track_end,
};
use playhouse_protocol::{Failure, SeededSource};
use tokio::time::Instant;

use crate::app::App;

/// How long a command waits at its end for an MLflow server to take what it is told. The rest is sent by a later command.
const GRACE: Duration = Duration::from_secs(20);

/// The trackers of a command.
pub(super) struct Trackers {
    trackers: Vec<Box<dyn ExperimentTracker>>,
    mlflow: Option<(Arc<Spool>, MlflowClient)>,
}

impl Trackers {
    /// Those that the settings ask for. Nothing is sent yet.
    pub(super) async fn open(config: &Config, folder: &Path) -> Result<Self, Failure> {
        let mut trackers: Vec<Box<dyn ExperimentTracker>> = vec![Box::new(EmbeddedTracker::new(folder))];
        let mut mlflow = None;
        if let Some(uri) = &config.experiments.tracking_uri {
            let spool = Spool::open(folder, SpoolLimits::default()).await?;
            let client = MlflowClient::new(MlflowClientArgs {
                tracking_uri: uri.clone(),
                token: config.experiments.tracking_token.clone(),
                // Only the jitter of waits is drawn.
                random: Arc::new(SeededSource::from_seed(u64::from(std::process::id()))),
            })?;
            trackers.push(Box::new(MlflowTracker::new(Arc::clone(&spool))));
            mlflow = Some((spool, client));
        }
        Ok(Self { trackers, mlflow })
    }

    /// Tells of the run, and of its report where there is one. What a tracker cannot take is said and hinders nothing: the
    /// run is in its folder.
    pub(super) async fn tell(&self, app: &App, run: &StoredRun, report: Option<&Report>) {
        for tracker in &self.trackers {
            let told = async {
                track_begin(&**tracker, run).await?;
                match report {
                    Some(report) => track_end(&**tracker, run, report).await,
                    None => Ok::<(), TrackingError>(()),
                }
            };
            if let Err(error) = told.await {
                app.ui.warn(&format!("the run is not tracked: failed to {error}"));
            }
        }
    }

    /// Sends what waits for the MLflow server, for as long as it is worth waiting.
    pub(super) async fn deliver(&self, app: &App) -> Result<Option<Delivery>, Failure> {
        let Some((spool, client)) = &self.mlflow else { return Ok(None) };
        let delivery = spool.deliver(client, Instant::now() + GRACE).await?;
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
