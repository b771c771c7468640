//! HTTP endpoints.

use std::path::Path;
use std::time::Duration;

use url::{Host, Url};

use super::ms_or;
use crate::error::{ConfigError, ConfigErrorKind};
use crate::key_path::KeyPath;
use crate::raw::{RawModel, RawRetries, RawTimeouts};
use crate::report::Report;
use crate::secret::{REFERENCE_HINT, SecretRef};
use crate::settings::{HttpConfig, RetriesConfig, TimeoutsConfig};

/// What the client adds to a base URL itself.
const CHAT_PATH: &str = "/chat/completions";

pub(super) fn check(
    raw: &RawModel,
    folder: &Path,
    path: &KeyPath,
    report: &mut Report,
) -> Option<HttpConfig> {
    let api_key = api_key(raw.api_key.as_deref(), folder, path, report);
    let url_path = path.child("base_url");
    let base_url = need(raw.base_url.as_deref(), "open_ai", &url_path, report)
        .and_then(|text| base_url(text).map_err(|error| report.value(&url_path, error)).ok());
    let model = need(raw.model.as_deref(), "open_ai", &path.child("model"), report);
    let timeouts = timeouts(&raw.timeouts.clone().unwrap_or_default(), &path.child("timeouts"), report);
    let retries = retries(&raw.retries.clone().unwrap_or_default(), &path.child("retries"), report);
    let base_url = base_url?;
    if api_key.is_some() && base_url.scheme() == "http" && !is_loopback(&base_url) {
        report.warn(
            &url_path,
            "the key would be sent in the clear",
            "use https, or an endpoint on this machine",
        );
    }
    Some(HttpConfig {
        base_url: base_url.as_str().trim_end_matches('/').to_owned(),
        model: model?.to_owned(),
        api_key,
        timeouts,
        retries,
        structured_output: raw.structured_output.unwrap_or(false),
        ..HttpConfig::new("", "")
    })
}

/// A value that a provider cannot do without.
pub(super) fn need<'a>(
    value: Option<&'a str>,
    provider: &str,
    path: &KeyPath,
    report: &mut Report,
) -> Option<&'a str> {
    if value.is_none() {
        let message = format!("a model with `provider: {provider}` needs this key");
        report.key(path, ConfigError::new(ConfigErrorKind::Missing, message));
    }
    value
}

fn api_key(text: Option<&str>, folder: &Path, path: &KeyPath, report: &mut Report) -> Option<SecretRef> {
    let parsed = SecretRef::parse(text?, folder);
    parsed
        .map_err(|_| {
            let message = "this is not a reference; a key itself must not stand in a file of settings";
            let error = ConfigError::new(ConfigErrorKind::LiteralSecret, message).with_hint(REFERENCE_HINT);
            report.value(&path.child("api_key"), error);
        })
        .ok()
}

/// Checks a base URL. Errors do not hold the text: a URL can hold a password.
fn base_url(text: &str) -> Result<Url, ConfigError> {
    let wrong =
        |message: &str, hint: &str| Err(ConfigError::new(ConfigErrorKind::Invalid, message).with_hint(hint));
    let example = "write, for example, `https://api.openai.com/v1` or `http://127.0.0.1:11434/v1`";
    let text = text.trim();
    let Ok(url) = Url::parse(text) else { return wrong("not a URL", example) };
    if !matches!(url.scheme(), "http" | "https") {
        return wrong("the URL begins with neither `http://` nor `https://`", example);
    }
    if url.host_str().is_none_or(str::is_empty) {
        return wrong("the URL has no host", example);
    }
    if !url.username().is_empty() || url.password().is_some() {
        return wrong(
            "the URL holds a user name or password",
            "take it out, and refer to the key with `api_key`",
        );
    }
    if url.query().is_some() || url.fragment().is_some() {
        return wrong("the URL has a part behind `?` or `#`", "keep only what stands before it");
    }
    if url.path().trim_end_matches('/').ends_with(CHAT_PATH) {
        return wrong("the URL goes too far", "leave `/chat/completions` out; it is added to each request");
    }
    Ok(url)
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

fn timeouts(raw: &RawTimeouts, path: &KeyPath, report: &mut Report) -> TimeoutsConfig {
    let default = TimeoutsConfig::default();
    let total = ms_or(raw.total_ms, default.total);
    let mut part = |ms: Option<u64>, default: Duration, key: &str| {
        if ms.is_some_and(|ms| Duration::from_millis(ms) > total) {
            let message = format!("it is longer than the {} ms of `total_ms`", total.as_millis());
            let error = ConfigError::new(ConfigErrorKind::Conflict, message);
            report.value(&path.child(key), error.with_hint("write less, or raise `total_ms`"));
        }
        // A default gives way to a shorter total.
        ms_or(ms, default.min(total))
    };
    TimeoutsConfig {
        connect: part(raw.connect_ms, default.connect, "connect_ms"),
        first_token: part(raw.first_token_ms, default.first_token, "first_token_ms"),
        between_tokens: part(raw.between_tokens_ms, default.between_tokens, "between_tokens_ms"),
        attempt: default.attempt.min(total),
        total,
    }
}

fn retries(raw: &RawRetries, path: &KeyPath, report: &mut Report) -> RetriesConfig {
    let default = RetriesConfig::default();
    let (initial, most) = (raw.backoff_initial_ms, raw.backoff_max_ms);
    if let (Some(initial), Some(most)) = (initial, most)
        && initial > most
    {
        let message = format!("it is longer than the {most} ms of `backoff_max_ms`");
        let error = ConfigError::new(ConfigErrorKind::Conflict, message);
        report.value(
            &path.child("backoff_initial_ms"),
            error.with_hint("write less, or raise `backoff_max_ms`"),
        );
    }
    // Of two waits of which one is written, the other gives way.
    let backoff_max = ms_or(most, default.backoff_max.max(ms_or(initial, Duration::ZERO)));
    RetriesConfig {
        attempts_max: raw.attempts_max.unwrap_or(default.attempts_max),
        backoff_initial: ms_or(initial, default.backoff_initial.min(backoff_max)),
        backoff_max,
    }
}
