//! What holds where nothing is configured.

use std::collections::BTreeMap;
use std::time::Duration;

use playhouse_protocol::completion::Sampling;

use crate::aliases::RegisteredModels;
use crate::secret::SecretRef;

use super::{
    AbConfig, AgentConfig, AgentsConfig, AttemptsConfig, BreakerConfig, BudgetsConfig, CacheConfig,
    CacheMode, ConcurrencyConfig, Config, DemotionConfig, ExperimentsConfig, HarmfulArm, HedgingConfig,
    HttpConfig, JournalConfig, LimitsConfig, LocalConfig, LocalSource, ModelConfig, OverflowPolicy,
    PacingConfig, PriceConfig, ProviderConfig, RedisConfig, RetriesConfig, RetryBudgetConfig,
    SelectionConfig, TimeoutsConfig,
};

/// The embedded models that are in every catalog, the default one first. `known:` takes these names.
pub const BUILT_IN_MODELS: [&str; 2] = ["qwen2.5-coder-0.5b", "smollm2-135m"];

/// Tokens of prompt and answer that they hold, in the order of [`BUILT_IN_MODELS`].
pub const BUILT_IN_CONTEXT_TOKENS: [u32; 2] = [32_768, 8_192];

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
            cache: CacheConfig::default(),
            budgets: BudgetsConfig::default(),
            retry_budget: RetryBudgetConfig::default(),
            prompts_dir: None,
            experiments: ExperimentsConfig::default(),
            registered: RegisteredModels::new(),
        }
    }
}

impl ModelConfig {
    /// A catalog entry with this provider and nothing else configured.
    pub fn new(provider: ProviderConfig) -> Self {
        let queue_len_max = match &provider {
            // The embedded model answers one request after the other: a longer queue is only a longer wait.
            ProviderConfig::Local(_) => 64,
            ProviderConfig::OpenAi(_)
            | ProviderConfig::Anthropic(_)
            | ProviderConfig::Ollama(_)
            | ProviderConfig::Scripted { .. } => 256,
        };
        // A script may hold several answers to one request, in an order.
        let cache = match &provider {
            ProviderConfig::Scripted { .. } => CacheMode::Off,
            _ => CacheMode::Exact,
        };
        Self {
            provider,
            context_tokens: None,
            completion_tokens_default: COMPLETION_TOKENS_DEFAULT,
            encoding: None,
            tokens_factor: None,
            price: PriceConfig::default(),
            queue_len_max,
            fallbacks: Vec::new(),
            cache,
            overflow: OverflowPolicy::default(),
            quality: None,
        }
    }

    /// The catalog entry of an embedded model from the manifest of known models.
    pub fn built_in(name: &str) -> Self {
        let source = LocalSource::Known(name.to_owned());
        Self::new(ProviderConfig::Local(LocalConfig { source, threads: None }))
    }
}

impl HttpConfig {
    /// An endpoint with nothing else configured.
    pub fn new(base_url: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            model: model.into(),
            api_key: None,
            timeouts: TimeoutsConfig::default(),
            retries: RetriesConfig::default(),
            structured_output: false,
            breaker: Some(BreakerConfig::default()),
            concurrency: ConcurrencyConfig::default(),
            pacing: PacingConfig::default(),
            hedging: None,
            traffic: None,
        }
    }
}

impl Default for BreakerConfig {
    fn default() -> Self {
        Self {
            failure_ratio: 0.5,
            calls_min: 20,
            window: Duration::from_secs(30),
            open: Duration::from_secs(5),
            probes: 3,
        }
    }
}

impl Default for ConcurrencyConfig {
    fn default() -> Self {
        Self { max: 256, adaptive: true }
    }
}

impl Default for HedgingConfig {
    fn default() -> Self {
        Self { after_quantile: 0.95, after_min: Duration::from_millis(50), extra_ratio_max: 0.05 }
    }
}

impl RedisConfig {
    /// A server whose address is at `url`, with nothing else configured. A model takes a hundred times longer to
    /// answer than a Redis server nearby, so one that takes longer than this is not worth the wait.
    pub fn new(url: SecretRef) -> Self {
        Self { url, timeout: Duration::from_millis(100), key_prefix: "playhouse:".to_owned() }
    }
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self { memory_bytes_max: 64 * 1024 * 1024, age_max: Duration::from_hours(24), redis: None }
    }
}

impl Default for RetryBudgetConfig {
    fn default() -> Self {
        Self { ratio_max: 0.1, free: 10, window: Duration::from_secs(10) }
    }
}

impl Default for DemotionConfig {
    fn default() -> Self {
        Self { error_ratio_max: 0.5, latency_factor_max: 3.0, calls: 50, duration: Duration::from_mins(1) }
    }
}

impl Default for TimeoutsConfig {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_token: Duration::from_mins(1),
            between_tokens: Duration::from_secs(30),
            attempt: Duration::from_mins(2),
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
        Self {
            default: BUILT_IN_MODELS[0].to_owned(),
            by_task: BTreeMap::new(),
            split: BTreeMap::new(),
            ab: BTreeMap::new(),
            constraints: BTreeMap::new(),
            demotion: DemotionConfig::default(),
        }
    }
}

impl Default for AbConfig {
    /// One test in twenty may be wrong; fifty outcomes are the fewest that anybody should believe.
    fn default() -> Self {
        Self { baseline: String::new(), false_winners: 0.05, harmful: HarmfulArm::Stop, outcomes_min: 50 }
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
