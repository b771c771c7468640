//! Checked settings → YAML again, with nothing left to defaults.

use std::path::Path;
use std::time::Duration;

use crate::raw::{
    RawAgent, RawAgents, RawAttempts, RawConfig, RawDevelop, RawJournal, RawLimits, RawModel, RawPrice,
    RawPrompts, RawProvider, RawRetries, RawSelection, RawTimeouts,
};
use crate::settings::{
    AgentConfig, AgentsConfig, AttemptsConfig, Config, HttpConfig, JournalConfig, LimitsConfig, LocalConfig,
    LocalSource, ModelConfig, PriceConfig, ProviderConfig,
};

/// The settings as YAML that says the same when it is read again. Keys are shown as references only.
pub fn show(config: &Config) -> String {
    // The raw types are maps of texts and numbers, which always have a YAML form.
    crate::yaml::emit(&raw(config)).unwrap_or_default()
}

fn raw(config: &Config) -> RawConfig {
    let models = config.models.iter().map(|(name, entry)| (name.clone(), Some(model(entry))));
    let by_task = config.selection.by_task.iter().map(|(task, name)| (task.clone(), Some(name.clone())));
    RawConfig {
        models: Some(models.collect()),
        selection: Some(RawSelection {
            default: Some(config.selection.default.clone()),
            by_task: Some(by_task.collect()),
        }),
        agents: Some(agents(&config.agents)),
        limits: Some(limits(&config.limits)),
        attempts: Some(attempts(&config.attempts)),
        journal: Some(journal(&config.journal)),
        prompts: config.prompts_dir.as_ref().map(|folder| RawPrompts { folder: Some(text(folder)) }),
    }
}

fn model(entry: &ModelConfig) -> RawModel {
    let common = RawModel {
        context_tokens: entry.context_tokens,
        completion_tokens_default: Some(entry.completion_tokens_default),
        encoding: entry.encoding.clone(),
        price: Some(price(entry.price)),
        queue_len_max: Some(entry.queue_len_max),
        ..RawModel::default()
    };
    match &entry.provider {
        ProviderConfig::Local(local) => with_local(common, local),
        ProviderConfig::OpenAi(http) | ProviderConfig::Anthropic(http) | ProviderConfig::Ollama(http) => {
            with_http(common, http)
        }
        ProviderConfig::Scripted { script } => {
            RawModel { provider: Some(RawProvider::Scripted), script: Some(text(script)), ..common }
        }
    }
}

fn with_local(common: RawModel, local: &LocalConfig) -> RawModel {
    let (known, file) = match &local.source {
        LocalSource::Known(name) => (Some(name.clone()), None),
        LocalSource::File(path) => (None, Some(text(path))),
    };
    RawModel { provider: Some(RawProvider::Local), known, file, threads: local.threads, ..common }
}

fn with_http(common: RawModel, http: &HttpConfig) -> RawModel {
    RawModel {
        provider: Some(RawProvider::OpenAi),
        base_url: Some(http.base_url.clone()),
        model: Some(http.model.clone()),
        api_key: http.api_key.as_ref().map(ToString::to_string),
        timeouts: Some(RawTimeouts {
            connect_ms: Some(ms(http.timeouts.connect)),
            first_token_ms: Some(ms(http.timeouts.first_token)),
            between_tokens_ms: Some(ms(http.timeouts.between_tokens)),
            total_ms: Some(ms(http.timeouts.total)),
        }),
        retries: Some(RawRetries {
            attempts_max: Some(http.retries.attempts_max),
            backoff_initial_ms: Some(ms(http.retries.backoff_initial)),
            backoff_max_ms: Some(ms(http.retries.backoff_max)),
        }),
        structured_output: Some(http.structured_output),
        ..common
    }
}

fn price(price: PriceConfig) -> RawPrice {
    let usd_per_million = |nano: u64| Some(nano as f64 / 1_000.0);
    RawPrice {
        prompt_usd_per_million_tokens: usd_per_million(price.prompt_nano_usd_per_token),
        completion_usd_per_million_tokens: usd_per_million(price.completion_nano_usd_per_token),
    }
}

fn agents(agents: &AgentsConfig) -> RawAgents {
    let agent = |agent: &AgentConfig| RawAgent {
        completion_tokens_max: Some(agent.completion_tokens_max),
        temperature: agent.sampling.temperature,
        top_p: agent.sampling.top_p,
        top_k: agent.sampling.top_k,
        seed: agent.sampling.seed,
    };
    RawAgents {
        generate: Some(agent(&agents.generate)),
        review: Some(agent(&agents.review)),
        develop: Some(RawDevelop { rounds: Some(agents.develop_rounds) }),
    }
}

fn limits(limits: &LimitsConfig) -> RawLimits {
    RawLimits {
        agents_live_max: Some(limits.agents_live_max),
        tasks_open_max: Some(limits.tasks_open_max),
        tenant_tasks_open_max: limits.tenant_tasks_open_max,
        task_timeout_ms: Some(ms(limits.task_timeout)),
        shutdown_grace_ms: Some(ms(limits.shutdown_grace)),
    }
}

fn attempts(attempts: &AttemptsConfig) -> RawAttempts {
    RawAttempts {
        attempts_max: Some(attempts.attempts_max),
        backoff_initial_ms: Some(ms(attempts.backoff_initial)),
        backoff_max_ms: Some(ms(attempts.backoff_max)),
    }
}

fn journal(journal: &JournalConfig) -> RawJournal {
    RawJournal {
        path: journal.path.as_ref().map(|path| text(path)),
        ended_age_max_ms: Some(journal.ended_age_max.map_or(0, ms)),
        ended_max: Some(journal.ended_max.unwrap_or(0)),
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
