//! The catalog.

use super::{ms, text};
use crate::raw::{
    RawBreaker, RawCacheMode, RawConcurrency, RawHedging, RawModel, RawOverflow, RawPacing, RawPrice,
    RawProvider, RawRetries, RawTimeouts, RawTraffic,
};
use crate::settings::{
    BreakerConfig, CacheMode, HedgingConfig, HttpConfig, LocalConfig, LocalSource, ModelConfig,
    OverflowPolicy, PacingConfig, PriceConfig, ProviderConfig, TrafficConfig,
};

pub(crate) fn model(entry: &ModelConfig) -> RawModel {
    let common = RawModel {
        context_tokens: entry.context_tokens,
        completion_tokens_default: Some(entry.completion_tokens_default),
        encoding: entry.encoding.clone(),
        tokens_factor: entry.tokens_factor,
        price: Some(price(entry.price)),
        queue_len_max: Some(entry.queue_len_max),
        fallbacks: (!entry.fallbacks.is_empty()).then(|| entry.fallbacks.clone()),
        cache: Some(match entry.cache {
            CacheMode::Off => RawCacheMode::Off,
            CacheMode::Exact => RawCacheMode::Exact,
            CacheMode::Sampled => RawCacheMode::Sampled,
        }),
        overflow: Some(match entry.overflow {
            OverflowPolicy::Condense => RawOverflow::Condense,
            OverflowPolicy::Refuse => RawOverflow::Refuse,
        }),
        quality: entry.quality,
        ..RawModel::default()
    };
    match &entry.provider {
        ProviderConfig::Local(local) => with_local(common, local),
        ProviderConfig::OpenAi(http) => with_http(common, RawProvider::OpenAi, http),
        ProviderConfig::Anthropic(http) => with_http(common, RawProvider::Anthropic, http),
        ProviderConfig::Ollama(http) => with_http(common, RawProvider::Ollama, http),
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

fn with_http(common: RawModel, provider: RawProvider, http: &HttpConfig) -> RawModel {
    RawModel {
        provider: Some(provider),
        base_url: Some(http.base_url.clone()),
        model: Some(http.model.clone()),
        api_key: http.api_key.as_ref().map(ToString::to_string),
        timeouts: Some(RawTimeouts {
            connect_ms: Some(ms(http.timeouts.connect)),
            first_token_ms: Some(ms(http.timeouts.first_token)),
            between_tokens_ms: Some(ms(http.timeouts.between_tokens)),
            attempt_ms: Some(ms(http.timeouts.attempt)),
            total_ms: Some(ms(http.timeouts.total)),
        }),
        retries: Some(RawRetries {
            attempts_max: Some(http.retries.attempts_max),
            backoff_initial_ms: Some(ms(http.retries.backoff_initial)),
            backoff_max_ms: Some(ms(http.retries.backoff_max)),
        }),
        structured_output: Some(http.structured_output),
        breaker: Some(breaker(http.breaker)),
        concurrency: Some(RawConcurrency {
            max: Some(http.concurrency.max),
            adaptive: Some(http.concurrency.adaptive),
        }),
        pacing: pacing(http.pacing),
        hedging: http.hedging.map(hedging),
        traffic: http.traffic.as_ref().map(traffic),
        ..common
    }
}

fn breaker(breaker: Option<BreakerConfig>) -> RawBreaker {
    let Some(breaker) = breaker else {
        return RawBreaker { enabled: Some(false), ..RawBreaker::default() };
    };
    RawBreaker {
        enabled: Some(true),
        failure_ratio: Some(breaker.failure_ratio),
        calls_min: Some(breaker.calls_min),
        window_ms: Some(ms(breaker.window)),
        open_ms: Some(ms(breaker.open)),
        probes: Some(breaker.probes),
    }
}

/// Nothing where nothing is limited.
fn pacing(pacing: PacingConfig) -> Option<RawPacing> {
    let PacingConfig { requests_per_minute, tokens_per_minute } = pacing;
    (pacing != PacingConfig::default()).then_some(RawPacing { requests_per_minute, tokens_per_minute })
}

fn hedging(hedging: HedgingConfig) -> RawHedging {
    RawHedging {
        after_quantile: Some(hedging.after_quantile),
        after_min_ms: Some(ms(hedging.after_min)),
        extra_ratio_max: Some(hedging.extra_ratio_max),
    }
}

fn traffic(traffic: &TrafficConfig) -> RawTraffic {
    match traffic {
        TrafficConfig::Record(folder) => RawTraffic { record: Some(text(folder)), replay: None },
        TrafficConfig::Replay(folder) => RawTraffic { record: None, replay: Some(text(folder)) },
    }
}

fn price(price: PriceConfig) -> RawPrice {
    let usd_per_million = |nano: u64| Some(nano as f64 / 1_000.0);
    RawPrice {
        prompt_usd_per_million_tokens: usd_per_million(price.prompt_nano_usd_per_token),
        completion_usd_per_million_tokens: usd_per_million(price.completion_nano_usd_per_token),
    }
}
