//! The catalog.

use std::collections::BTreeMap;
use std::path::Path;

use super::{check_names, endpoint, resolve};
use crate::error::{ConfigError, ConfigErrorKind};
use crate::key_path::KeyPath;
use crate::nearest::nearest;
use crate::raw::{RawCacheMode, RawModel, RawOverflow, RawPrice, RawProvider};
use crate::report::Report;
use crate::settings::{
    BUILT_IN_MODELS, CacheMode, Config, LocalConfig, LocalSource, ModelConfig, OverflowPolicy, PriceConfig,
    ProviderConfig,
};

/// The longest name of a model, in characters: it becomes a label of metrics.
const NAME_LEN_MAX: usize = 64;

/// The encodings that tokens can be counted with.
const ENCODINGS: [&str; 6] =
    ["r50k_base", "p50k_base", "p50k_edit", "cl100k_base", "o200k_base", "o200k_harmony"];

/// The built-in entries, with those that are written over and beside them.
pub(super) fn check_all(
    raw: BTreeMap<String, Option<RawModel>>,
    folder: &Path,
    report: &mut Report,
) -> BTreeMap<String, ModelConfig> {
    let mut models = Config::default().models;
    for (name, entry) in raw {
        let path = KeyPath::of(["models", &name]);
        check_name(&name, &path, report);
        let checked = check_entry(&name, entry.unwrap_or_default(), folder, &path, report);
        // An entry that is wrong still is one: names that refer to it are right.
        models.insert(name.clone(), checked.unwrap_or_else(|| ModelConfig::built_in(&name)));
    }
    check_fallbacks(&models, report);
    models
}

fn check_name(name: &str, path: &KeyPath, report: &mut Report) {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '/');
    if name.is_empty() || name.len() > NAME_LEN_MAX || !name.chars().all(allowed) {
        let error = ConfigError::new(ConfigErrorKind::Invalid, "not a name for a model");
        let hint =
            format!("use 1 to {NAME_LEN_MAX} of the characters a-z, A-Z, 0-9, `.`, `-`, `_`, `:` and `/`");
        report.key(path, error.with_hint(hint));
    }
}

pub(crate) fn check_entry(
    name: &str,
    raw: RawModel,
    folder: &Path,
    path: &KeyPath,
    report: &mut Report,
) -> Option<ModelConfig> {
    let built_in = BUILT_IN_MODELS.contains(&name);
    let Some(provider) = raw.provider.or(built_in.then_some(RawProvider::Local)) else {
        let error = ConfigError::new(ConfigErrorKind::Missing, "the provider is missing");
        report.key(
            &path.child("provider"),
            error.with_hint("write `provider: local`, `open_ai`, `anthropic`, `ollama` or `scripted`"),
        );
        return None;
    };
    refuse_foreign_keys(&raw, provider, path, report);
    let http = |report: &mut Report| endpoint::check(&raw, provider, folder, path, report);
    let provider = match provider {
        RawProvider::Local => ProviderConfig::Local(LocalConfig {
            source: local_source(name, &raw, folder, path, report)?,
            threads: raw.threads,
        }),
        RawProvider::OpenAi => ProviderConfig::OpenAi(http(report)?),
        RawProvider::Anthropic => ProviderConfig::Anthropic(http(report)?),
        RawProvider::Ollama => ProviderConfig::Ollama(http(report)?),
        RawProvider::Scripted => {
            let script = endpoint::need(raw.script.as_deref(), provider, &path.child("script"), report)?;
            ProviderConfig::Scripted { script: resolve(folder, script) }
        }
    };
    let default = ModelConfig::new(provider);
    check_context(&raw, path, report);
    check_encoding(raw.encoding.as_deref(), path, report);
    Some(ModelConfig {
        context_tokens: raw.context_tokens,
        completion_tokens_default: raw.completion_tokens_default.unwrap_or_else(|| {
            // A context smaller than twice the usual answer still has room for a prompt.
            default.completion_tokens_default.min(raw.context_tokens.map_or(u32::MAX, |context| context / 2))
        }),
        encoding: raw.encoding,
        tokens_factor: raw.tokens_factor,
        price: price(&raw.price.unwrap_or_default(), path, report),
        queue_len_max: raw.queue_len_max.unwrap_or(default.queue_len_max),
        fallbacks: raw.fallbacks.unwrap_or_default(),
        cache: raw.cache.map_or(default.cache, cache_mode),
        overflow: raw.overflow.map_or(default.overflow, overflow),
        quality: raw.quality,
        provider: default.provider,
    })
}

/// Providers that are endpoints.
const ENDPOINTS: &[RawProvider] = &[RawProvider::OpenAi, RawProvider::Anthropic, RawProvider::Ollama];

/// Providers whose models do not bring their own tokenizer.
const NO_OWN_TOKENS: &[RawProvider] =
    &[RawProvider::OpenAi, RawProvider::Anthropic, RawProvider::Ollama, RawProvider::Scripted];

/// A key of another provider would be ignored: so it is a mistake.
fn refuse_foreign_keys(raw: &RawModel, provider: RawProvider, path: &KeyPath, report: &mut Report) {
    let local: &[RawProvider] = &[RawProvider::Local];
    let keys = [
        ("known", local, raw.known.is_some()),
        ("file", local, raw.file.is_some()),
        ("threads", local, raw.threads.is_some()),
        ("base_url", ENDPOINTS, raw.base_url.is_some()),
        ("model", ENDPOINTS, raw.model.is_some()),
        ("api_key", ENDPOINTS, raw.api_key.is_some()),
        ("timeouts", ENDPOINTS, raw.timeouts.is_some()),
        ("retries", ENDPOINTS, raw.retries.is_some()),
        ("structured_output", ENDPOINTS, raw.structured_output.is_some()),
        ("breaker", ENDPOINTS, raw.breaker.is_some()),
        ("concurrency", ENDPOINTS, raw.concurrency.is_some()),
        ("pacing", ENDPOINTS, raw.pacing.is_some()),
        ("hedging", ENDPOINTS, raw.hedging.is_some()),
        ("traffic", ENDPOINTS, raw.traffic.is_some()),
        ("script", &[RawProvider::Scripted], raw.script.is_some()),
        ("tokens_factor", NO_OWN_TOKENS, raw.tokens_factor.is_some()),
    ];
    for (key, owners, present) in keys {
        if present && !owners.contains(&provider) {
            let message = format!("a model with `provider: {}` does not have this key", provider.name());
            let names: Vec<_> = owners.iter().map(|owner| format!("`{}`", owner.name())).collect();
            let names = names.join(" or ").replacen('`', "`provider: ", 1);
            let error = ConfigError::new(ConfigErrorKind::Conflict, message);
            report.key(&path.child(key), error.with_hint(format!("take it out, or write {names}")));
        }
    }
}

const fn cache_mode(raw: RawCacheMode) -> CacheMode {
    match raw {
        RawCacheMode::Off => CacheMode::Off,
        RawCacheMode::Exact => CacheMode::Exact,
        RawCacheMode::Sampled => CacheMode::Sampled,
    }
}

const fn overflow(raw: RawOverflow) -> OverflowPolicy {
    match raw {
        RawOverflow::Condense => OverflowPolicy::Condense,
        RawOverflow::Refuse => OverflowPolicy::Refuse,
    }
}

/// Fallbacks are names of the catalog, which is known only when all of it has been read.
fn check_fallbacks(models: &BTreeMap<String, ModelConfig>, report: &mut Report) {
    for (name, entry) in models {
        let path = KeyPath::of(["models", name, "fallbacks"]);
        check_names(&entry.fallbacks, models, &path, report);
        for (index, _) in entry.fallbacks.iter().enumerate().filter(|(_, fallback)| *fallback == name) {
            let error = ConfigError::new(ConfigErrorKind::Conflict, "a model cannot stand in for itself");
            report
                .value(&path.child(&index.to_string()), error.with_hint("name another one, or take it out"));
        }
    }
}

fn local_source(
    name: &str,
    raw: &RawModel,
    folder: &Path,
    path: &KeyPath,
    report: &mut Report,
) -> Option<LocalSource> {
    match (&raw.known, &raw.file) {
        (Some(_), Some(_)) => {
            let error = ConfigError::new(ConfigErrorKind::Conflict, "`known` and `file` stand side by side");
            report.key(&path.child("file"), error.with_hint("keep one of the two"));
            None
        }
        (None, Some(file)) => Some(LocalSource::File(resolve(folder, file))),
        (Some(known), None) if BUILT_IN_MODELS.contains(&known.as_str()) => {
            Some(LocalSource::Known(known.clone()))
        }
        (Some(known), None) => {
            let shown: String = known.chars().take(60).collect();
            let message = format!("{shown:?} is not a model that Playhouse knows");
            let hint = match nearest(known, BUILT_IN_MODELS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    format!("known: {}; use `file` for a GGUF file of your own", BUILT_IN_MODELS.join(", "))
                }
            };
            report.value(
                &path.child("known"),
                ConfigError::new(ConfigErrorKind::UnknownName, message).with_hint(hint),
            );
            None
        }
        (None, None) if BUILT_IN_MODELS.contains(&name) => Some(LocalSource::Known(name.to_owned())),
        (None, None) => {
            let error = ConfigError::new(ConfigErrorKind::Missing, "`known` or `file` is missing");
            let hint = format!("write `known: {}` or `file: PATH.gguf`", BUILT_IN_MODELS[0]);
            report.key(&path.child("known"), error.with_hint(hint));
            None
        }
    }
}

fn check_context(raw: &RawModel, path: &KeyPath, report: &mut Report) {
    if let (Some(context), Some(completion)) = (raw.context_tokens, raw.completion_tokens_default)
        && completion >= context
    {
        let message = format!("an answer of {completion} tokens leaves no room for a prompt");
        let hint = format!("write less than the {context} of `context_tokens`");
        let error = ConfigError::new(ConfigErrorKind::Conflict, message).with_hint(hint);
        report.value(&path.child("completion_tokens_default"), error);
    }
}

fn check_encoding(encoding: Option<&str>, path: &KeyPath, report: &mut Report) {
    let Some(encoding) = encoding.filter(|encoding| !ENCODINGS.contains(encoding)) else { return };
    let shown: String = encoding.chars().take(60).collect();
    let error = ConfigError::new(ConfigErrorKind::UnknownName, format!("{shown:?} is not an encoding"));
    let hint = match nearest(encoding, ENCODINGS) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("known: {}", ENCODINGS.join(", ")),
    };
    report.value(&path.child("encoding"), error.with_hint(hint));
}

fn price(raw: &RawPrice, path: &KeyPath, report: &mut Report) -> PriceConfig {
    let path = path.child("price");
    let mut nano =
        |usd: Option<f64>, key: &str| nano_usd_per_token(usd.unwrap_or(0.0), &path.child(key), report);
    PriceConfig {
        prompt_nano_usd_per_token: nano(raw.prompt_usd_per_million_tokens, "prompt_usd_per_million_tokens"),
        completion_nano_usd_per_token: nano(
            raw.completion_usd_per_million_tokens,
            "completion_usd_per_million_tokens",
        ),
    }
}

/// A dollar per million tokens is 1,000 billionths per token. Parts of a billionth are rounded up, so that
/// a budget is never overdrawn by rounding.
fn nano_usd_per_token(usd_per_million: f64, path: &KeyPath, report: &mut Report) -> u64 {
    let exact = usd_per_million * 1_000.0;
    let rounded = exact.round();
    // What binary fractions add to a decimal price is far below this.
    let whole = (exact - rounded).abs() < 1e-6;
    let nano = if whole { rounded } else { exact.ceil() };
    if !whole {
        let message = format!("{usd_per_million} is counted as {}", nano / 1_000.0);
        report.warn(path, message, "prices are counted in steps of 0.001");
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the schema's limits: 0 to 10^9"
    )]
    let nano = nano as u64;
    nano
}
