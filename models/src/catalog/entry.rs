//! What is known of an entry without asking it.

use std::path::{Path, PathBuf};

use playhouse_config::settings::{LocalSource, ModelConfig, PriceConfig, ProviderConfig};
use playhouse_protocol::completion::ProviderKind;

use crate::pull;
use crate::tokens::tiktoken;

/// The context of a scripted model: as large as an ordinary model's, so that demos compress where models would.
const SCRIPTED_CONTEXT_TOKENS: u32 = 32_768;

/// The context that is assumed of a served model when neither the settings nor its name tell: what small models and
/// servers have in common. Guessing too low compresses too early; guessing too high fails.
const SERVED_CONTEXT_TOKENS: u32 = 8_192;

/// An entry of the catalog, for lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CatalogEntry {
    /// Its name.
    pub name: String,
    /// The kind of provider.
    pub provider: ProviderKind,
    /// Where its answers come from: the endpoint and the provider's name of the model, or a file.
    pub location: String,
    /// Tokens of prompt and answer together; `None` when only the file tells and nobody has read it.
    pub context_tokens: Option<u32>,
    /// What it costs.
    pub price: PriceConfig,
    /// Whether it can be used as it is.
    pub state: EntryState,
    /// Whether it answers what the settings name no model for.
    pub is_default: bool,
}

/// Whether an entry can be used as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryState {
    /// Its file is there, or it is an endpoint, which only a ping can tell about.
    Ready,
    /// Its file is not there.
    FileMissing {
        /// Where it was looked for.
        path: PathBuf,
        /// The name to pull it by, when it is a known model.
        pull: Option<String>,
    },
    /// This program was built without the embedded model.
    NotBuiltIn,
    /// The settings name an embedded model that the manifest does not have.
    UnknownFile,
}

pub(super) fn describe(
    name: &str,
    config: &ModelConfig,
    models_dir: &Path,
    is_default: bool,
) -> CatalogEntry {
    let (location, state) = match &config.provider {
        ProviderConfig::OpenAi(http) | ProviderConfig::Anthropic(http) | ProviderConfig::Ollama(http) => {
            (format!("{} ({})", http.base_url, http.model), EntryState::Ready)
        }
        ProviderConfig::Scripted { script } => (script.display().to_string(), file_state(script, None)),
        ProviderConfig::Local(local) => match local_path(&local.source, models_dir) {
            None => (String::new(), EntryState::UnknownFile),
            Some(path) => {
                let known = match &local.source {
                    LocalSource::Known(known) => Some(known.clone()),
                    LocalSource::File(_) => None,
                };
                let built_in = cfg!(feature = "local");
                let state = if built_in { file_state(&path, known) } else { EntryState::NotBuiltIn };
                (path.display().to_string(), state)
            }
        },
    };
    CatalogEntry {
        name: name.to_owned(),
        provider: provider_kind(config),
        location,
        context_tokens: context_tokens(config),
        price: config.price,
        state,
        is_default,
    }
}

fn file_state(path: &Path, pull: Option<String>) -> EntryState {
    if path.is_file() { EntryState::Ready } else { EntryState::FileMissing { path: path.to_owned(), pull } }
}

/// The file of an embedded model; `None` when the manifest has no model of that name.
pub(super) fn local_path(source: &LocalSource, models_dir: &Path) -> Option<PathBuf> {
    match source {
        LocalSource::File(path) => Some(path.clone()),
        LocalSource::Known(known) => {
            pull::known_model(known).map(|model| pull::model_path(models_dir, &model.name))
        }
    }
}

pub(super) fn provider_kind(config: &ModelConfig) -> ProviderKind {
    match config.provider {
        ProviderConfig::Local(_) => ProviderKind::Local,
        ProviderConfig::OpenAi(_) => ProviderKind::OpenAi,
        ProviderConfig::Anthropic(_) => ProviderKind::Anthropic,
        ProviderConfig::Ollama(_) => ProviderKind::Ollama,
        ProviderConfig::Scripted { .. } => ProviderKind::Scripted,
    }
}

/// The context window: as configured, else as the manifest or the model's name tells, else a careful guess. `None`
/// for a file of the user's own, which tells it itself.
pub(super) fn context_tokens(config: &ModelConfig) -> Option<u32> {
    config.context_tokens.or_else(|| match &config.provider {
        ProviderConfig::Local(local) => match &local.source {
            LocalSource::Known(known) => pull::known_model(known).map(|model| model.context_tokens),
            LocalSource::File(_) => None,
        },
        ProviderConfig::OpenAi(http) | ProviderConfig::Anthropic(http) | ProviderConfig::Ollama(http) => {
            Some(tiktoken::context_tokens(&http.model).unwrap_or(SERVED_CONTEXT_TOKENS))
        }
        ProviderConfig::Scripted { .. } => Some(SCRIPTED_CONTEXT_TOKENS),
    })
}
