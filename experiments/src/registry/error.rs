//! What can go wrong with the registry of models.

use std::io;
use std::path::PathBuf;

use playhouse_protocol::{Failure, FailureClass};

use super::model::{HISTORY_MAX, VERSIONS_MAX};

/// Something that the registry cannot do.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// The file cannot be read or written.
    #[error("{what} the registry {}: {source}", path.display())]
    File {
        /// What was tried, as a verb.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file does not hold a registry.
    #[error("read the registry {}: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Another version of the program wrote the file.
    #[error("read the registry {}: it has version {found}, this program reads {known}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// A model cannot be registered by this name.
    #[error("register model {name:?}: a name is 1 to 48 letters, digits, `.`, `-` and `_`")]
    Name {
        /// The name.
        name: String,
    },
    /// No reason is given.
    #[error("change model {name} in the registry: no reason is given")]
    NoReason {
        /// The model.
        name: String,
    },
    /// No model is registered by this name.
    #[error("find registered model {name:?}: {}", known_text(known))]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// Every registered model.
        known: Vec<String>,
    },
    /// A model has no such version.
    #[error("find version {version} of registered model {name}: it has versions 1 to {last}")]
    UnknownVersion {
        /// The model.
        name: String,
        /// What was asked for.
        version: u32,
        /// Its last version.
        last: u32,
    },
    /// There is nothing to go back to.
    #[error("roll back registered model {name}: no version was in production before")]
    NothingBefore {
        /// The model.
        name: String,
    },
    /// The version is in production.
    #[error("archive version {version} of registered model {name}: it is in production")]
    InProduction {
        /// The model.
        name: String,
        /// The version.
        version: u32,
    },
    /// A model has too many versions or changes.
    #[error(
        "change registered model {name}: it has {VERSIONS_MAX} versions or {HISTORY_MAX} changes, and no more are kept"
    )]
    Full {
        /// The model.
        name: String,
    },
}

fn known_text(known: &[String]) -> String {
    if known.is_empty() { "none is registered".to_owned() } else { format!("there are {}", known.join(", ")) }
}

impl RegistryError {
    /// What to decide on.
    pub const fn class(&self) -> FailureClass {
        match self {
            Self::File { .. } => FailureClass::Retryable,
            Self::Full { .. } => FailureClass::Overloaded,
            _ => FailureClass::InvalidInput,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::File { .. } => "Look whether the folder can be written and has room.".to_owned(),
            Self::Damaged { .. } => {
                "Restore the file from a copy or move it away; it is not written over.".to_owned()
            }
            Self::Version { .. } => "Use the program that wrote it, or move the file away.".to_owned(),
            Self::NoReason { .. } => "Say why with --reason; it stands in the history.".to_owned(),
            Self::UnknownModel { known, .. } if known.is_empty() => {
                "Register one: playhouse models register NAME --entry ENTRY".to_owned()
            }
            Self::UnknownModel { name, known } => {
                let near = known.iter().find(|known| strsim::jaro_winkler(known, name) > 0.8);
                return near.map(|near| format!("Did you mean {near}?"));
            }
            Self::UnknownVersion { name, .. } => format!("See them: playhouse models versions {name}"),
            Self::NothingBefore { name } => {
                format!("Promote a version instead: playhouse models promote {name} VERSION --reason WHY")
            }
            Self::InProduction { .. } => "Promote another version or roll back first.".to_owned(),
            Self::Full { .. } => "Register the model by another name.".to_owned(),
            Self::Name { .. } => return None,
        };
        Some(hint)
    }
}

impl From<RegistryError> for Failure {
    fn from(error: RegistryError) -> Self {
        let failure = Self::new(error.class(), error.to_string());
        match error.hint() {
            Some(hint) => failure.with_hint(hint),
            None => failure,
        }
    }
}
