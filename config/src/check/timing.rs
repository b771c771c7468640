//! How calls of an endpoint are timed, bounded and repeated.

use std::time::Duration;

use super::ms_or;
use crate::error::{ConfigError, ConfigErrorKind};
use crate::key_path::KeyPath;
use crate::raw::{RawBreaker, RawConcurrency, RawHedging, RawPacing, RawRetries, RawTimeouts};
use crate::report::Report;
use crate::settings::{
    BreakerConfig, ConcurrencyConfig, HedgingConfig, PacingConfig, RetriesConfig, TimeoutsConfig,
};

pub(super) fn timeouts(raw: &RawTimeouts, path: &KeyPath, report: &mut Report) -> TimeoutsConfig {
    let default = TimeoutsConfig::default();
    let written = Duration::from_millis;
    let total = ms_or(raw.total_ms, default.total);
    // Of several limits of which some are written, the others give way.
    let parts = [raw.connect_ms, raw.first_token_ms, raw.between_tokens_ms];
    let longest = parts.into_iter().flatten().max().map_or(Duration::ZERO, written);
    let attempt = raw.attempt_ms.map_or(default.attempt.max(longest).min(total), written);
    if raw.attempt_ms.is_some() && attempt > total {
        report.value(&path.child("attempt_ms"), too_long(total, "total_ms"));
    }
    let mut part = |ms: Option<u64>, default: Duration, key: &str| {
        let time = ms.map_or(default.min(attempt).min(total), written);
        if time > total {
            report.value(&path.child(key), too_long(total, "total_ms"));
        } else if time > attempt {
            report.value(&path.child(key), too_long(attempt, "attempt_ms"));
        }
        time
    };
    TimeoutsConfig {
        connect: part(raw.connect_ms, default.connect, "connect_ms"),
        first_token: part(raw.first_token_ms, default.first_token, "first_token_ms"),
        between_tokens: part(raw.between_tokens_ms, default.between_tokens, "between_tokens_ms"),
        attempt,
        total,
    }
}

fn too_long(limit: Duration, key: &str) -> ConfigError {
    let message = format!("it is longer than the {} ms of `{key}`", limit.as_millis());
    ConfigError::new(ConfigErrorKind::Conflict, message).with_hint(format!("write less, or raise `{key}`"))
}

pub(super) fn retries(raw: &RawRetries, path: &KeyPath, report: &mut Report) -> RetriesConfig {
    let default = RetriesConfig::default();
    let (initial, most) = (raw.backoff_initial_ms, raw.backoff_max_ms);
    if let (Some(initial), Some(most)) = (initial, most)
        && initial > most
    {
        let error = too_long(Duration::from_millis(most), "backoff_max_ms");
        report.value(&path.child("backoff_initial_ms"), error);
    }
    // Of two waits of which one is written, the other gives way.
    let backoff_max = ms_or(most, default.backoff_max.max(ms_or(initial, Duration::ZERO)));
    RetriesConfig {
        attempts_max: raw.attempts_max.unwrap_or(default.attempts_max),
        backoff_initial: ms_or(initial, default.backoff_initial.min(backoff_max)),
        backoff_max,
    }
}

pub(super) fn breaker(raw: &RawBreaker, path: &KeyPath, report: &mut Report) -> Option<BreakerConfig> {
    if raw.enabled == Some(false) {
        if *raw != (RawBreaker { enabled: Some(false), ..RawBreaker::default() }) {
            report.warn(
                path,
                "the other keys have no effect",
                "take `enabled: false` out, or the other keys",
            );
        }
        return None;
    }
    let default = BreakerConfig::default();
    Some(BreakerConfig {
        failure_ratio: raw.failure_ratio.unwrap_or(default.failure_ratio),
        calls_min: raw.calls_min.unwrap_or(default.calls_min),
        window: ms_or(raw.window_ms, default.window),
        open: ms_or(raw.open_ms, default.open),
        probes: raw.probes.unwrap_or(default.probes),
    })
}

pub(super) fn concurrency(raw: &RawConcurrency) -> ConcurrencyConfig {
    let default = ConcurrencyConfig::default();
    ConcurrencyConfig {
        max: raw.max.unwrap_or(default.max),
        adaptive: raw.adaptive.unwrap_or(default.adaptive),
    }
}

pub(super) const fn pacing(raw: &RawPacing) -> PacingConfig {
    PacingConfig { requests_per_minute: raw.requests_per_minute, tokens_per_minute: raw.tokens_per_minute }
}

pub(super) fn hedging(raw: &RawHedging) -> HedgingConfig {
    let default = HedgingConfig::default();
    HedgingConfig {
        after_quantile: raw.after_quantile.unwrap_or(default.after_quantile),
        after_min: ms_or(raw.after_min_ms, default.after_min),
        extra_ratio_max: raw.extra_ratio_max.unwrap_or(default.extra_ratio_max),
    }
}
