//! Raw settings → checked settings: what a schema cannot say, and the defaults.

mod base_url;
mod budgets;
mod cache;
mod constraints;
mod endpoint;
mod experiments;
pub(crate) mod model;
mod selection;
mod timing;

pub(crate) use budgets::nano_usd;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use playhouse_protocol::completion::Sampling;

use crate::aliases::{AliasName, RegisteredModels};
use crate::error::{ConfigError, ConfigErrorKind};
use crate::key_path::KeyPath;
use crate::nearest::nearest;
use crate::raw::{RawAgent, RawAgents, RawAttempts, RawConfig, RawJournal, RawLimits};
use crate::report::Report;
use crate::settings::{
    AgentConfig, AgentsConfig, AttemptsConfig, Config, JournalConfig, LimitsConfig, ModelConfig,
};

/// Checks settings whose shape is right. What is wrong goes into the report; the answer is of use only
/// when nothing is.
pub(crate) fn check(raw: RawConfig, folder: &Path, report: &mut Report) -> Config {
    let models = model::check_all(raw.models.unwrap_or_default(), folder, report);
    Config {
        selection: selection::check(raw.selection.unwrap_or_default(), &models, report),
        models,
        agents: agents(raw.agents.unwrap_or_default()),
        limits: limits(&raw.limits.unwrap_or_default()),
        attempts: attempts(&raw.attempts.unwrap_or_default()),
        journal: journal(raw.journal.unwrap_or_default(), folder),
        cache: cache::cache(raw.cache.unwrap_or_default(), folder, report),
        budgets: budgets::budgets(raw.budgets.unwrap_or_default(), report),
        retry_budget: budgets::retry_budget(&raw.retry_budget.unwrap_or_default()),
        prompts_dir: raw.prompts.unwrap_or_default().folder.map(|path| resolve(folder, &path)),
        experiments: experiments::check(raw.experiments.unwrap_or_default(), folder, report),
        registered: RegisteredModels::new(),
    }
}

/// A relative path begins at the folder of the settings.
fn resolve(folder: &Path, path: &str) -> PathBuf {
    folder.join(path)
}

/// Names of the catalog, none of them twice.
fn check_names(
    names: &[String],
    models: &BTreeMap<String, ModelConfig>,
    path: &KeyPath,
    report: &mut Report,
) {
    for (index, name) in names.iter().enumerate() {
        let path = path.child(&index.to_string());
        if let Some(error) = wrong_name(name, models) {
            report.value(&path, error);
        } else if names.iter().take(index).any(|before| before == name) {
            let error = ConfigError::new(ConfigErrorKind::DuplicateKey, format!("{name:?} stands twice"));
            report.value(&path, error.with_hint("keep one of the two"));
        }
    }
}

/// What is wrong with a name that models are selected by: one of the catalog, or an alias of a registered model. Which models
/// are registered is known only where one is selected.
fn wrong_name(name: &str, models: &BTreeMap<String, ModelConfig>) -> Option<ConfigError> {
    if name.starts_with('@') {
        return AliasName::parse(name).err().map(ConfigError::from);
    }
    (!models.contains_key(name)).then(|| unknown_model(name, models))
}

fn unknown_model(name: &str, models: &BTreeMap<String, ModelConfig>) -> ConfigError {
    let shown: String = name.chars().take(60).collect();
    let error = ConfigError::new(ConfigErrorKind::UnknownName, format!("{shown:?} is not in the catalog"));
    let names = models.keys().map(String::as_str);
    error.with_hint(match nearest(name, names.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("the catalog has: {}", names.collect::<Vec<_>>().join(", ")),
    })
}

fn agents(raw: RawAgents) -> AgentsConfig {
    let default = AgentsConfig::default();
    AgentsConfig {
        generate: agent(&raw.generate.unwrap_or_default(), default.generate),
        review: agent(&raw.review.unwrap_or_default(), default.review),
        develop_rounds: raw.develop.unwrap_or_default().rounds.unwrap_or(default.develop_rounds),
    }
}

fn agent(raw: &RawAgent, default: AgentConfig) -> AgentConfig {
    AgentConfig {
        completion_tokens_max: raw.completion_tokens_max.unwrap_or(default.completion_tokens_max),
        sampling: Sampling {
            temperature: raw.temperature.or(default.sampling.temperature),
            top_p: raw.top_p.or(default.sampling.top_p),
            top_k: raw.top_k.or(default.sampling.top_k),
            seed: raw.seed.or(default.sampling.seed),
        },
    }
}

fn limits(raw: &RawLimits) -> LimitsConfig {
    let default = LimitsConfig::default();
    LimitsConfig {
        agents_live_max: raw.agents_live_max.unwrap_or(default.agents_live_max),
        tasks_open_max: raw.tasks_open_max.unwrap_or(default.tasks_open_max),
        tenant_tasks_open_max: raw.tenant_tasks_open_max.or(default.tenant_tasks_open_max),
        task_timeout: ms_or(raw.task_timeout_ms, default.task_timeout),
        shutdown_grace: ms_or(raw.shutdown_grace_ms, default.shutdown_grace),
    }
}

fn attempts(raw: &RawAttempts) -> AttemptsConfig {
    let default = AttemptsConfig::default();
    AttemptsConfig {
        attempts_max: raw.attempts_max.unwrap_or(default.attempts_max),
        backoff_initial: ms_or(raw.backoff_initial_ms, default.backoff_initial),
        backoff_max: ms_or(raw.backoff_max_ms, default.backoff_max),
    }
}

fn journal(raw: RawJournal, folder: &Path) -> JournalConfig {
    let default = JournalConfig::default();
    // 0 is no bound.
    JournalConfig {
        path: raw.path.map(|path| resolve(folder, &path)),
        ended_age_max: raw
            .ended_age_max_ms
            .map_or(default.ended_age_max, |ms| (ms > 0).then(|| Duration::from_millis(ms))),
        ended_max: raw.ended_max.map_or(default.ended_max, |max| (max > 0).then_some(max)),
    }
}

fn ms_or(ms: Option<u64>, default: Duration) -> Duration {
    ms.map_or(default, Duration::from_millis)
}
