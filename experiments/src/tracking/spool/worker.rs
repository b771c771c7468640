//! Sends what is in the spool while a process lives.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::{Delivery, Spool};
use crate::tracking::{MlflowClient, TrackingError};

/// How long one delivery may take before it is begun anew: other processes get their turn.
const DELIVERY_MAX: Duration = Duration::from_secs(60);

/// The wait after a delivery that could not begin: the server denies us, or another process sends.
const PAUSE: Duration = Duration::from_secs(10);

/// How long a delivery that was stopped may take to let the spool go: it writes a small file.
const RELEASE_MAX: Duration = Duration::from_secs(5);

/// Between two looks whether it has.
const RELEASE_POLL: Duration = Duration::from_millis(10);

/// Sends what is in the spool as soon as it is appended. Made by whoever runs experiments; when it is dropped, sending stops
/// where it is, and the next process goes on.
#[derive(Debug)]
pub struct SpoolWorker {
    spool: Arc<Spool>,
    client: Arc<MlflowClient>,
    stop: CancellationToken,
    tasks: JoinSet<()>,
}

impl SpoolWorker {
    /// Begins to send, first what earlier processes have left.
    pub fn start(spool: Arc<Spool>, client: Arc<MlflowClient>) -> Self {
        let stop = CancellationToken::new();
        let mut tasks = JoinSet::new();
        let work = work(Arc::clone(&spool), Arc::clone(&client));
        let stopped = stop.clone();
        tasks.spawn(async move {
            tokio::select! {
                () = stopped.cancelled() => {}
                () = work => {}
            }
        });
        Self { spool, client, stop, tasks }
    }

    /// Sends what still waits, for as long as `grace`, and stops. What is left is sent by the next process.
    ///
    /// # Errors
    /// As [`Spool::deliver`].
    pub async fn finish(mut self, grace: Duration) -> Result<Delivery, TrackingError> {
        self.stop.cancel();
        while self.tasks.join_next().await.is_some() {}
        let deadline = Instant::now() + grace;
        let released = Instant::now() + RELEASE_MAX;
        loop {
            match self.spool.deliver(&self.client, deadline).await {
                // The last delivery may still be writing down how far it came.
                Err(TrackingError::Busy { .. }) if Instant::now() < released => sleep(RELEASE_POLL).await,
                ended => return ended,
            }
        }
    }
}

async fn work(spool: Arc<Spool>, client: Arc<MlflowClient>) {
    loop {
        match spool.deliver(&client, Instant::now() + DELIVERY_MAX).await {
            Ok(delivery) if delivery.pending == 0 => spool.appended.notified().await,
            Ok(delivery) => sleep(delivery.retry_after.unwrap_or_default()).await,
            Err(error) => {
                tracing::warn!(%error, "what was tracked is kept and not sent");
                sleep(PAUSE).await;
            }
        }
    }
}
