//! Sends what is in the spool while a process lives.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::{Delivery, Spool};
use crate::tracking::{MlflowClient, TrackingError};

/// How long one delivery may take before it is begun anew: other processes get their turn.
const DELIVERY_MAX: Duration = Duration::from_secs(60);

/// The wait after a delivery that could not begin: the server denies us, or another process sends.
const PAUSE: Duration = Duration::from_secs(10);

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
        self.spool.deliver(&self.client, Instant::now() + grace).await
    }
}

async fn work(spool: Arc<Spool>, client: Arc<MlflowClient>) {
    loop {
        match spool.deliver(&client, Instant::now() + DELIVERY_MAX).await {
            Ok(delivery) if delivery.pending == 0 => spool.appended.notified().await,
            Ok(_) => {}
            Err(error) => {
                tracing::warn!(%error, "what was tracked is kept and not sent");
                // Woken early or not, the next attempt is worth making.
                drop(timeout(PAUSE, std::future::pending::<()>()).await);
            }
        }
    }
}
