//! Builds an entry's client with the layers around it.

use std::sync::Arc;

use playhouse_config::settings::{CacheMode, HttpConfig, LocalConfig, ModelConfig, ProviderConfig};

use super::entry::{context_tokens, provider_kind};
use super::{CatalogError, CatalogParts};
use crate::cache::{AnswerCache, CacheScope};
use crate::client::{ModelClient, ModelInfo};
use crate::layers::{Cached, CachedParts, Priced, RetryPolicy, Retrying};
use crate::openai::{Connections, OpenAiArgs, OpenAiModel};
use crate::scripted::{Script, ScriptedModel};
use crate::tokens::TokenCounter;
use crate::tokens::tiktoken::{Encoding, TiktokenCounter};

pub(super) fn client(
    name: &str,
    config: &ModelConfig,
    parts: &CatalogParts,
    connections: &Connections,
) -> Result<Arc<dyn ModelClient>, CatalogError> {
    let bare: Arc<dyn ModelClient> = match &config.provider {
        // The other forms take their place here.
        ProviderConfig::OpenAi(http) | ProviderConfig::Anthropic(http) | ProviderConfig::Ollama(http) => {
            let model = OpenAiModel::new(open_ai_args(name, config, http, parts)?, connections)?;
            let policy = RetryPolicy::new(&http.retries, &http.timeouts);
            Arc::new(Retrying::new(Arc::new(model), policy, Arc::clone(&parts.random)))
        }
        ProviderConfig::Scripted { script } => {
            let script = Script::read(script)
                .map_err(|source| CatalogError::Script { model: name.to_owned(), source })?;
            Arc::new(ScriptedModel::new(info(name, config, false), script, counter(name, config, name)?))
        }
        ProviderConfig::Local(local) => local_model(name, config, local, parts)?,
    };
    Ok(Arc::new(Priced::new(bare, config.price)))
}

/// The client with its answers kept, where they are. Outside everything that asks, so that an answer that is kept waits for no
/// turn; a fallback's answer belongs to the fallback, so it must be inside what falls back.
pub(super) fn cached(
    client: Arc<dyn ModelClient>,
    config: &ModelConfig,
    cache: Option<Arc<AnswerCache>>,
    parts: &CatalogParts,
) -> Arc<dyn ModelClient> {
    let Some(cache) = cache.filter(|_| config.cache != CacheMode::Off) else { return client };
    let scope = CacheScope::new(config);
    let observer = Arc::clone(&parts.observer);
    Arc::new(Cached::new(client, CachedParts { mode: config.cache, scope, cache, observer }))
}

fn info(name: &str, config: &ModelConfig, structured_output: bool) -> ModelInfo {
    ModelInfo {
        name: name.to_owned(),
        provider: provider_kind(config),
        context_tokens: context_tokens(config).unwrap_or_default(),
        completion_tokens_default: config.completion_tokens_default,
        structured_output,
    }
}

/// The counter of a model that does not bring its own.
fn counter(name: &str, config: &ModelConfig, model: &str) -> Result<Arc<dyn TokenCounter>, CatalogError> {
    let Some(encoding) = &config.encoding else {
        return Ok(Arc::new(TiktokenCounter::for_model(model)));
    };
    let encoding = Encoding::from_name(encoding).ok_or_else(|| CatalogError::UnknownEncoding {
        model: name.to_owned(),
        encoding: encoding.clone(),
        known: Encoding::ALL.map(Encoding::as_str).to_vec(),
    })?;
    Ok(Arc::new(TiktokenCounter::with_encoding(encoding, model)))
}

fn open_ai_args(
    name: &str,
    config: &ModelConfig,
    http: &HttpConfig,
    parts: &CatalogParts,
) -> Result<OpenAiArgs, CatalogError> {
    let api_key = match &http.api_key {
        Some(reference) => {
            let key = reference.resolve();
            Some(key.map_err(|source| CatalogError::Key { model: name.to_owned(), source })?)
        }
        None => None,
    };
    Ok(OpenAiArgs {
        info: info(name, config, http.structured_output),
        base_url: http.base_url.clone(),
        model: http.model.clone(),
        api_key,
        timeouts: http.timeouts,
        tokens: counter(name, config, &http.model)?,
        wall_clock: Arc::clone(&parts.wall_clock),
    })
}

#[cfg(feature = "local")]
fn local_model(
    name: &str,
    config: &ModelConfig,
    local: &LocalConfig,
    parts: &CatalogParts,
) -> Result<Arc<dyn ModelClient>, CatalogError> {
    use playhouse_config::settings::LocalSource;

    use crate::error::ModelError;
    use crate::local::{LocalModel, LocalOptions, inspect};

    let path = super::entry::local_path(&local.source, &parts.models_dir).ok_or_else(|| {
        let known_name = match &local.source {
            LocalSource::Known(known) => known.clone(),
            LocalSource::File(path) => path.display().to_string(),
        };
        let known = crate::pull::known_models().iter().map(|model| model.name.clone()).collect();
        CatalogError::UnknownFile { model: name.to_owned(), known_name, known }
    })?;
    let context_tokens = match context_tokens(config) {
        Some(tokens) => tokens,
        // Only the file tells.
        None => {
            let facts = inspect(&path);
            facts.map_err(|error| ModelError::new(&info(name, config, false), error.into()))?.context_tokens
        }
    };
    Ok(Arc::new(LocalModel::new(LocalOptions {
        name: name.to_owned(),
        path,
        threads: local.threads,
        context_tokens,
        completion_tokens_default: config.completion_tokens_default,
        seed: parts.random.next_u64(),
    })))
}

#[cfg(not(feature = "local"))]
fn local_model(
    name: &str,
    _: &ModelConfig,
    _: &LocalConfig,
    _: &CatalogParts,
) -> Result<Arc<dyn ModelClient>, CatalogError> {
    Err(CatalogError::NoLocal { model: name.to_owned() })
}
