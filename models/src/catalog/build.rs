//! Builds an entry's client with the layers around it.

use std::sync::Arc;

use playhouse_config::settings::{
    CacheMode, HttpConfig, LocalConfig, ModelConfig, ProviderConfig, TrafficConfig,
};

use super::entry::{context_tokens, provider_kind};
use super::stack::Stack;
use super::{CatalogError, CatalogParts};
use crate::cache::CacheScope;
use crate::client::{ModelClient, ModelInfo};
use crate::http::{Connections, HttpArgs, HttpModel};
use crate::layers::{
    Breaking, Cached, CachedParts, Candidate, FallingBack, Hedged, Limited, Observed, Paced, Priced,
    RetryPolicy, Retrying,
};
use crate::scripted::{Script, ScriptedModel};
use crate::tokens::{Encoding, TokenCounter, counter_for};
use crate::{anthropic, ollama, openai};

/// The client of an entry with the models that are asked when it fails.
pub(super) fn client(
    stack: &Stack,
    others: Vec<Arc<dyn Candidate>>,
) -> Result<Arc<dyn ModelClient>, CatalogError> {
    let model = stack.client()?;
    if others.is_empty() {
        return Ok(model);
    }
    Ok(Arc::new(FallingBack::new(model, others, Arc::clone(&stack.shared.parts.observer))))
}

/// An entry's provider in its layers. The order, from the outside:
///
/// 1. `FallingBack` (in [`client`]): everything below is one model's own, so one model's trouble never counts against
///    another;
/// 2. `Cached`: an answer that is kept waits for no turn and passes an open breaker; and it is the answer of this model,
///    never of a fallback;
/// 3. `Priced`: what an answer cost is known before anybody else sees it;
/// 4. `Retrying`: each attempt passes everything below anew, and waits between attempts hold no place;
/// 5. `Hedged`: both calls are one attempt; each passes the breaker and the limits by itself;
/// 6. `Breaking`: refuses before anything is waited for, and sees each request's end, not each call's;
/// 7. `Paced`: a call is told at once when its turn would come too late, which it could not be from inside the queue for
///    a place; and what waits for its turn holds no place;
/// 8. `Limited`: the last thing that is waited for, so that its times are the server's alone. It keeps to the pauses of
///    the pace for the calls that have had their turn;
/// 9. `Observed`: one request to the provider, measured without our own waits; and where the provider counts tokens, its
///    count beside ours.
///
/// Models in this process have neither a network nor another's limits: they are observed, priced and kept only.
pub(super) fn stack(stack: &Stack) -> Result<Arc<dyn ModelClient>, CatalogError> {
    let Stack { name, config, instruments, shared, .. } = stack;
    let parts = &shared.parts;
    let observer = || Arc::clone(&parts.observer);
    let provider = provider(name, config, parts, &shared.connections)?;
    let observed = Observed::new(provider, Arc::clone(&instruments.stats), observer()).priced(config.price);
    let model = match config.provider.http() {
        Some(http) => reliable(Arc::new(observed.comparing_tokens()), http, stack),
        None => Arc::new(observed),
    };
    let priced = Arc::new(Priced::new(model, config.price));
    let mode = config.cache;
    if mode == CacheMode::Off {
        return Ok(priced);
    }
    let Some(cache) = shared.cache.get()? else { return Ok(priced) };
    let scope = CacheScope::new(config);
    Ok(Arc::new(Cached::new(priced, CachedParts { mode, scope, cache, observer: observer() })))
}

/// The layers of a model behind a network.
pub(super) fn reliable(
    observed: Arc<dyn ModelClient>,
    http: &HttpConfig,
    stack: &Stack,
) -> Arc<dyn ModelClient> {
    let Stack { instruments, shared, .. } = stack;
    let observer = || Arc::clone(&shared.parts.observer);
    let mut model = observed;
    if let Some(concurrency) = &instruments.concurrency {
        let limited = Limited::new(model, Arc::clone(concurrency), observer());
        model = Arc::new(match &instruments.pace {
            Some(pace) => limited.pausing_with(Arc::clone(pace)),
            None => limited,
        });
    }
    if let Some(pace) = &instruments.pace {
        model = Arc::new(Paced::new(model, Arc::clone(pace), http.timeouts.total, observer()));
    }
    if let Some(breaker) = &instruments.breaker {
        model = Arc::new(Breaking::new(model, Arc::clone(breaker), observer()));
    }
    if let Some(hedging) = http.hedging {
        model = Arc::new(Hedged::new(model, hedging, instruments.breaker.clone(), observer()));
    }
    let policy = RetryPolicy::new(&http.retries, &http.timeouts);
    let retrying = Retrying::new(model, policy, Arc::clone(&shared.parts.random));
    Arc::new(retrying.within(Arc::clone(&shared.retry_budget)).told_to(observer()))
}

/// The bare client of an entry.
fn provider(
    name: &str,
    config: &ModelConfig,
    parts: &CatalogParts,
    connections: &Connections,
) -> Result<Arc<dyn ModelClient>, CatalogError> {
    Ok(match &config.provider {
        ProviderConfig::OpenAi(http) | ProviderConfig::Anthropic(http) | ProviderConfig::Ollama(http) => {
            Arc::new(http_model(name, config, http, parts, connections)?)
        }
        ProviderConfig::Scripted { script } => {
            let script = Script::read(script)
                .map_err(|source| CatalogError::Script { model: name.to_owned(), source })?;
            Arc::new(ScriptedModel::new(info(name, config, false), script, counter(name, config, name)?))
        }
        ProviderConfig::Local(local) => local_model(name, config, local, parts)?,
    })
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
pub(super) fn counter(
    name: &str,
    config: &ModelConfig,
    model: &str,
) -> Result<Arc<dyn TokenCounter>, CatalogError> {
    let encoding = config.encoding.as_ref().map(|encoding| {
        Encoding::from_name(encoding).ok_or_else(|| CatalogError::UnknownEncoding {
            model: name.to_owned(),
            encoding: encoding.clone(),
            known: Encoding::ALL.map(Encoding::as_str).to_vec(),
        })
    });
    Ok(counter_for(model, encoding.transpose()?, config.tokens_factor))
}

fn http_model(
    name: &str,
    config: &ModelConfig,
    http: &HttpConfig,
    parts: &CatalogParts,
    connections: &Connections,
) -> Result<HttpModel, CatalogError> {
    let api_key = match &http.api_key {
        // Recorded answers are played back where nobody has the key.
        Some(_) if matches!(http.traffic, Some(TrafficConfig::Replay(_))) => None,
        Some(reference) => {
            let key = reference.resolve();
            Some(key.map_err(|source| CatalogError::Key { model: name.to_owned(), source })?)
        }
        None => None,
    };
    let args = HttpArgs {
        info: info(name, config, http.structured_output),
        base_url: http.base_url.clone(),
        model: http.model.clone(),
        api_key,
        timeouts: http.timeouts,
        traffic: http.traffic.clone(),
        tokens: counter(name, config, &http.model)?,
        wall_clock: Arc::clone(&parts.wall_clock),
    };
    let model = match &config.provider {
        ProviderConfig::Anthropic(_) => anthropic::client(args, connections),
        ProviderConfig::Ollama(_) => ollama::client(args, connections),
        _ => openai::client(args, connections),
    };
    Ok(model?)
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
