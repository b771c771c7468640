//! Measured figures of models that survive the process.

use std::path::Path;
use std::sync::Arc;

use playhouse_models::Catalog;
use playhouse_models::selection::PerformanceFileError;

/// Takes up what an earlier process saved. A file that cannot be used is told and left out: it is only a start.
pub(crate) async fn load(catalog: &Arc<Catalog>, path: &Path) {
    told(off_the_async_threads(catalog, path, |catalog, path| catalog.performance().load(path)).await);
}

/// Saves what was measured for later processes.
pub(crate) async fn save(catalog: &Arc<Catalog>, path: &Path) {
    told(off_the_async_threads(catalog, path, |catalog, path| catalog.performance().save(path)).await);
}

async fn off_the_async_threads(
    catalog: &Arc<Catalog>,
    path: &Path,
    work: fn(&Catalog, &Path) -> Result<(), PerformanceFileError>,
) -> Result<(), PerformanceFileError> {
    let (catalog, path) = (Arc::clone(catalog), path.to_owned());
    // The thread is gone only when the process ends.
    tokio::task::spawn_blocking(move || work(&catalog, &path)).await.unwrap_or(Ok(()))
}

fn told(done: Result<(), PerformanceFileError>) {
    if let Err(error) = done {
        tracing::warn!(%error, "measured figures of models are left out");
    }
}
