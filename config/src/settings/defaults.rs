//! What holds where nothing is configured.

use std::collections::BTreeMap;
use std::time::Duration;

use playhouse_protocol::completion::Sampling;

use super::{
    AgentConfig, AgentsConfig, AttemptsConfig, Config, JournalConfig, LimitsConfig, LocalConfig, LocalSource,
    ModelConfig, PriceConfig, ProviderConfig, RetriesConfig, SelectionConfig, TimeoutsConfig,
};

/// The embedded models that are in every catalog, the default one first. `known:` takes these names.
pub const BUILT_IN_MODELS: [&str; 2] = ["qwen2.5-coder-0.5b", "smollm2-135m"];

/// The longest answer, in tokens, of a model that is not told otherwise.
pub const COMPLETION_TOKENS_DEFAULT: u32 = 1024;

impl Default for Config {
    fn default() -> Self {
        let models = BUILT_IN_MODELS.map(|name| (name.to_owned(), ModelConfig::built_in(name)));
        Self {
            models: BTreeMap::from(models),
            selection: SelectionConfig::default(),
            agents: AgentsConfig::default(),
            limits: LimitsConfig::default(),
            attempts: AttemptsConfig::default(),
            journal: JournalConfig::default(),
            prompts_dir: None,
        }
    }
}

impl ModelConfig {
    /// A catalog entry with this provider and nothing else configured.
    pub fn new(provider: ProviderConfig) -> Self {
        let queue_len_max = match &provider {
            // The embedded model answers one request after the other: a longer queue is only a longer wait.
            ProviderConfig::Local(_) => 64,
            ProviderConfig::OpenAi(_) | ProviderConfig::Scripted { .. } => 256,
        };
        Self {
            provider,
            context_tokens: None,
            completion_tokens_default: COMPLETION_TOKENS_DEFAULT,
            encoding: None,
            price: PriceConfig::default(),
            queue_len_max,
        }
    }

    /// The catalog entry of an embedded model from the manifest of known models.
    pub fn built_in(name: &str) -> Self {
        let source = LocalSource::Known(name.to_owned());
        Self::new(ProviderConfig::Local(LocalConfig { source, threads: None }))
    }
}

impl Default for TimeoutsConfig {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_token: Duration::from_mins(1),
            between_tokens: Duration::from_secs(30),
            total: Duration::from_mins(5),
        }
    }
}

impl Default for RetriesConfig {
    fn default() -> Self {
        Self {
            attempts_max: 3,
            backoff_initial: Duration::from_millis(500),
            backoff_max: Duration::from_secs(10),
        }
    }
}

impl Default for SelectionConfig {
    fn default() -> Self {
        Self { default: BUILT_IN_MODELS[0].to_owned(), by_task: BTreeMap::new() }
    }
}

impl Default for AgentsConfig {
    /// Sampling is left to the provider: the embedded model is then greedy, so that its runs can be
    /// repeated, and servers that refuse a temperature are not sent one.
    fn default() -> Self {
        let sampling = Sampling::default();
        Self {
            generate: AgentConfig { completion_tokens_max: 1024, sampling },
            review: AgentConfig { completion_tokens_max: 700, sampling },
            develop_rounds: 2,
        }
    }
}

impl Default for AttemptsConfig {
    fn default() -> Self {
        Self {
            attempts_max: 3,
            backoff_initial: Duration::from_millis(200),
            backoff_max: Duration::from_secs(30),
        }
    }
}

impl Default for JournalConfig {
    /// A week, and a hundred thousand tasks: about a gigabyte of ordinary ones.
    fn default() -> Self {
        Self { path: None, ended_age_max: Some(Duration::from_hours(7 * 24)), ended_max: Some(100_000) }
    }
}

impl Default for LimitsConfig {
    fn default() -> Self {
        Self {
            agents_live_max: 1_000,
            tasks_open_max: 5_000,
            tenant_tasks_open_max: None,
            task_timeout: Duration::from_mins(30),
            shutdown_grace: Duration::from_secs(10),
        }
    }
}
