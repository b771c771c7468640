//! HTTP endpoints.

use std::path::Path;

use super::{base_url, resolve, timing};
use crate::error::{ConfigError, ConfigErrorKind};
use crate::key_path::KeyPath;
use crate::raw::{RawModel, RawProvider, RawTraffic};
use crate::report::Report;
use crate::secret::{REFERENCE_HINT, SecretRef};
use crate::settings::{HttpConfig, TrafficConfig};

pub(super) fn check(
    raw: &RawModel,
    provider: RawProvider,
    folder: &Path,
    path: &KeyPath,
    report: &mut Report,
) -> Option<HttpConfig> {
    let api_key = api_key(raw.api_key.as_deref(), folder, path, report);
    let url_path = path.child("base_url");
    let base_url = raw.base_url.as_deref().or_else(|| base_url::default(provider));
    let base_url = need(base_url, provider, &url_path, report).and_then(|text| {
        base_url::check(text, provider).map_err(|error| report.value(&url_path, error)).ok()
    });
    let model = need(raw.model.as_deref(), provider, &path.child("model"), report);
    let at = |key: &str| path.child(key);
    let timeouts = timing::timeouts(&raw.timeouts.clone().unwrap_or_default(), &at("timeouts"), report);
    let retries = timing::retries(&raw.retries.clone().unwrap_or_default(), &at("retries"), report);
    let breaker = timing::breaker(&raw.breaker.clone().unwrap_or_default(), &at("breaker"), report);
    let traffic = raw.traffic.as_ref().and_then(|raw| traffic(raw, folder, &at("traffic"), report));
    let base_url = base_url?;
    base_url::warn(&base_url, provider, api_key.is_some(), &url_path, report);
    Some(HttpConfig {
        base_url: base_url.as_str().trim_end_matches('/').to_owned(),
        model: model?.to_owned(),
        api_key,
        timeouts,
        retries,
        structured_output: raw.structured_output.unwrap_or(false),
        breaker,
        concurrency: timing::concurrency(&raw.concurrency.clone().unwrap_or_default()),
        pacing: timing::pacing(&raw.pacing.clone().unwrap_or_default()),
        hedging: raw.hedging.as_ref().map(timing::hedging),
        traffic,
    })
}

/// A value that a provider cannot do without.
pub(super) fn need<'a>(
    value: Option<&'a str>,
    provider: RawProvider,
    path: &KeyPath,
    report: &mut Report,
) -> Option<&'a str> {
    if value.is_none() {
        let message = format!("a model with `provider: {}` needs this key", provider.name());
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

fn traffic(raw: &RawTraffic, folder: &Path, path: &KeyPath, report: &mut Report) -> Option<TrafficConfig> {
    match (&raw.record, &raw.replay) {
        (Some(to), None) => Some(TrafficConfig::Record(resolve(folder, to))),
        (None, Some(from)) => Some(TrafficConfig::Replay(resolve(folder, from))),
        (Some(_), Some(_)) => {
            let error =
                ConfigError::new(ConfigErrorKind::Conflict, "`record` and `replay` stand side by side");
            report.key(&path.child("replay"), error.with_hint("keep one of the two"));
            None
        }
        (None, None) => {
            let error = ConfigError::new(ConfigErrorKind::Missing, "`record` or `replay` is missing");
            report.key(path, error.with_hint("write `record: FOLDER` or `replay: FOLDER`"));
            None
        }
    }
}
