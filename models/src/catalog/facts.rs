//! What counting for an entry takes.

use std::sync::Arc;

use playhouse_config::settings::{LocalSource, ProviderConfig};

use super::entry::{context_tokens, local_path};
use super::stack::Stack;
use super::{CatalogError, build};
use crate::layers::Candidate as _;
use crate::tokens::{ModelFacts, TokenCounter, counter_for};

pub(super) fn of(stack: &Stack) -> Result<ModelFacts, CatalogError> {
    let Stack { name, config, shared, .. } = stack;
    let facts = |context_tokens: Option<u32>, counter: Arc<dyn TokenCounter>| ModelFacts {
        name: name.clone(),
        context_tokens,
        completion_tokens_default: config.completion_tokens_default,
        price: config.price,
        counter,
    };
    if let Some(client) = stack.made() {
        return Ok(facts(Some(client.info().context_tokens), client.tokens()));
    }
    let counter = match &config.provider {
        ProviderConfig::OpenAi(http) | ProviderConfig::Anthropic(http) | ProviderConfig::Ollama(http) => {
            build::counter(name, config, &http.model)?
        }
        ProviderConfig::Scripted { .. } => build::counter(name, config, name)?,
        ProviderConfig::Local(local) => {
            let here = local_path(&local.source, &shared.parts.models_dir).is_some_and(|path| path.is_file());
            if here {
                let client = stack.client()?;
                return Ok(facts(Some(client.info().context_tokens), client.tokens()));
            }
            let model = match &local.source {
                LocalSource::Known(known) => known.clone(),
                LocalSource::File(path) => {
                    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
                }
            };
            counter_for(&model, None, None)
        }
    };
    Ok(facts(context_tokens(config), counter))
}
