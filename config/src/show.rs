//! Checked settings → YAML again, with nothing left to defaults.

pub(crate) mod model;
mod selection;

use std::path::Path;
use std::time::Duration;

use crate::raw::{
    RawAgent, RawAgents, RawAttempts, RawBudgets, RawCache, RawConfig, RawDevelop, RawExperiments,
    RawJournal, RawLimits, RawPrompts, RawRedis, RawRetryBudget, RawUsageLimits,
};
use crate::settings::{
    AgentConfig, AgentsConfig, AttemptsConfig, BudgetsConfig, CacheConfig, Config, ExperimentsConfig,
    JournalConfig, LimitsConfig, RetryBudgetConfig, UsageLimits,
};

/// Billionths in a dollar.
const NANO: f64 = 1e9;

/// The settings as YAML that says the same when it is read again. Keys are shown as references only.
pub fn show(config: &Config) -> String {
    // The raw types are maps of texts and numbers, which always have a YAML form.
    crate::yaml::emit(&raw(config)).unwrap_or_default()
}

fn raw(config: &Config) -> RawConfig {
    let models = config.models.iter().map(|(name, entry)| (name.clone(), Some(model::model(entry))));
    RawConfig {
        models: Some(models.collect()),
        selection: Some(selection::selection(&config.selection)),
        agents: Some(agents(&config.agents)),
        limits: Some(limits(&config.limits)),
        attempts: Some(attempts(&config.attempts)),
        journal: Some(journal(&config.journal)),
        cache: Some(cache(&config.cache)),
        budgets: budgets(&config.budgets),
        retry_budget: Some(retry_budget(&config.retry_budget)),
        prompts: config.prompts_dir.as_ref().map(|folder| RawPrompts { folder: Some(text(folder)) }),
        experiments: experiments(&config.experiments),
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

fn cache(cache: &CacheConfig) -> RawCache {
    RawCache {
        memory_bytes_max: Some(cache.memory_bytes_max),
        age_max_ms: Some(ms(cache.age_max)),
        redis: cache.redis.as_ref().map(|redis| RawRedis {
            url: Some(redis.url.to_string()),
            timeout_ms: Some(ms(redis.timeout)),
            key_prefix: Some(redis.key_prefix.clone()),
        }),
    }
}

/// Nothing where nothing is limited.
fn budgets(budgets: &BudgetsConfig) -> Option<RawBudgets> {
    let raw = |limits: &UsageLimits| RawUsageLimits {
        tokens: limits.tokens_max,
        usd: limits.cost_nano_usd_max.map(|nano| nano as f64 / NANO),
    };
    let some = |limits: &UsageLimits| (*limits != UsageLimits::default()).then(|| raw(limits));
    let tenants = budgets.tenants.iter().map(|(name, limits)| (name.clone(), Some(raw(limits))));
    (*budgets != BudgetsConfig::default()).then(|| RawBudgets {
        task: some(&budgets.task),
        day: some(&budgets.day),
        tenant_day: some(&budgets.tenant_day),
        tenants: (!budgets.tenants.is_empty()).then(|| tenants.collect()),
    })
}

/// Nothing where nothing is set.
fn experiments(experiments: &ExperimentsConfig) -> Option<RawExperiments> {
    (*experiments != ExperimentsConfig::default()).then(|| RawExperiments {
        dir: experiments.dir.as_ref().map(|dir| text(dir)),
        tracking_uri: experiments.tracking_uri.clone(),
        tracking_token: experiments.tracking_token.as_ref().map(ToString::to_string),
    })
}

fn retry_budget(budget: &RetryBudgetConfig) -> RawRetryBudget {
    RawRetryBudget {
        ratio_max: Some(budget.ratio_max),
        free: Some(budget.free),
        window_ms: Some(ms(budget.window)),
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}
