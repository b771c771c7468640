//! What can go wrong when a model is looked up.

use playhouse_config::error::ConfigError;
use playhouse_protocol::{Failure, FailureClass};

use crate::cache::CacheError;
use crate::error::ModelError;
use crate::scripted::ScriptError;
use crate::selection::{NoModelFits, SelectionError, UnknownAlias};

/// A model that cannot be had from the catalog.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// No entry has the name.
    #[error("find model {name:?}: the catalog has {}", known.join(", "))]
    UnknownModel {
        /// What was asked for.
        name: String,
        /// The entry with the most similar name, where one is similar.
        nearest: Option<String>,
        /// Every entry.
        known: Vec<String>,
    },
    /// The entry refers to a key that cannot be read.
    #[error("use model {model}: its key: {}", source.line())]
    Key {
        /// The catalog entry.
        model: String,
        /// What is wrong with the reference.
        source: ConfigError,
    },
    /// The entry's script cannot be used.
    #[error("use model {model}: {source}")]
    Script {
        /// The catalog entry.
        model: String,
        /// What is wrong with the script.
        source: ScriptError,
    },
    /// The entry names an encoding that nobody knows.
    #[error("use model {model}: there is no encoding {encoding:?} (known: {})", known.join(", "))]
    UnknownEncoding {
        /// The catalog entry.
        model: String,
        /// What the settings say.
        encoding: String,
        /// Every encoding.
        known: Vec<&'static str>,
    },
    /// The entry names a model file that is not in the manifest.
    #[error("use model {model}: no embedded model is called {known_name:?} (known: {})", known.join(", "))]
    UnknownFile {
        /// The catalog entry.
        model: String,
        /// What the settings say.
        known_name: String,
        /// Every embedded model.
        known: Vec<String>,
    },
    /// This program was built without the embedded model.
    #[error("use model {model}: this build has no embedded model")]
    NoLocal {
        /// The catalog entry.
        model: String,
    },
    /// No model fulfils the constraints.
    #[error("{0}")]
    NoModelFits(#[from] NoModelFits),
    /// An alias leads to no version of a registered model.
    #[error("{0}")]
    UnknownAlias(#[from] UnknownAlias),
    /// The cache is not described rightly.
    #[error("{0}")]
    Cache(#[from] CacheError),
    /// The client cannot be made.
    #[error("{0}")]
    Client(#[from] ModelError),
}

/// How similar a name must be to be offered, from 0.0 to 1.0 (Jaro-Winkler). Below this the offer is noise.
const SIMILARITY_MIN: f64 = 0.75;

impl CatalogError {
    pub(super) fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a String>) -> Self {
        let known: Vec<String> = known.cloned().collect();
        let similarity = |candidate: &String| strsim::jaro_winkler(name, candidate);
        let nearest = known.iter().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
        let nearest = nearest.filter(|candidate| similarity(candidate) >= SIMILARITY_MIN).cloned();
        Self::UnknownModel { name: name.to_owned(), nearest, known }
    }

    /// What to decide on.
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Key { .. } => FailureClass::Denied,
            Self::Client(error) => error.class(),
            Self::Cache(error) => error.class(),
            Self::UnknownModel { .. }
            | Self::Script { .. }
            | Self::UnknownEncoding { .. }
            | Self::UnknownFile { .. }
            | Self::NoModelFits(_)
            | Self::UnknownAlias(_)
            | Self::NoLocal { .. } => FailureClass::InvalidInput,
        }
    }

    /// What a person can do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownModel { nearest: Some(nearest), .. } => Some(format!("Did you mean {nearest}?")),
            Self::UnknownModel { nearest: None, .. } => {
                Some("Add it under `models` in playhouse.yaml, or see: playhouse models list".to_owned())
            }
            Self::Key { source, .. } => source.hint.clone(),
            Self::Script { source, .. } => source.hint(),
            Self::UnknownEncoding { .. } => {
                Some("Leave `encoding` out to have it chosen by the model's name.".to_owned())
            }
            Self::UnknownFile { .. } => {
                Some("A GGUF file of your own is named by its path: `file: PATH`.".to_owned())
            }
            Self::NoLocal { .. } => Some(
                "Build with the feature `local`, or choose a model behind an endpoint: playhouse models list"
                    .to_owned(),
            ),
            Self::NoModelFits(error) => Some(error.hint()),
            Self::UnknownAlias(error) => Some(error.hint().to_owned()),
            Self::Cache(error) => error.hint(),
            Self::Client(error) => error.hint(),
        }
    }
}

impl From<SelectionError> for CatalogError {
    fn from(error: SelectionError) -> Self {
        match error {
            SelectionError::NoModelFits(error) => error.into(),
            SelectionError::UnknownAlias(error) => error.into(),
        }
    }
}

impl From<CatalogError> for Failure {
    fn from(error: CatalogError) -> Self {
        match error {
            CatalogError::Client(error) => error.into(),
            error => {
                let failure = Self::new(error.class(), error.to_string());
                match error.hint() {
                    Some(hint) => failure.with_hint(hint),
                    None => failure,
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use playhouse_config::SecretRef;

    use super::*;

    #[test]
    fn what_to_do_about_a_missing_secret_is_said_once() {
        let source = SecretRef::Env("PLAYHOUSE_NO_SUCH_KEY".to_owned()).resolve().unwrap_err();
        let hint = source.hint.clone().unwrap();
        for error in [
            CatalogError::Key { model: "m".to_owned(), source: source.clone() },
            CatalogError::Cache(CacheError::Address(source.clone())),
        ] {
            assert_eq!(error.hint().as_ref(), Some(&hint));
            let text = error.to_string();
            assert!(!text.contains(&hint) && !text.contains("hint"), "{text}");
        }
    }
}
