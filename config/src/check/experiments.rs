//! Where experiments and the registry of models are kept.

use std::path::Path;

use super::{base_url, resolve};
use crate::error::{ConfigError, ConfigErrorKind};
use crate::key_path::KeyPath;
use crate::raw::RawExperiments;
use crate::report::Report;
use crate::secret::{SecretRef, TRACKING_HINT};
use crate::settings::ExperimentsConfig;

const EXAMPLE: &str = "write, for example, `http://127.0.0.1:5000`";

/// What the client adds to the address itself.
const API: &str = "/api";

pub(super) fn check(raw: RawExperiments, folder: &Path, report: &mut Report) -> ExperimentsConfig {
    let top = KeyPath::of(["experiments"]);
    let (uri_path, token_path) = (top.child("tracking_uri"), top.child("tracking_token"));
    let has_token = raw.tracking_token.is_some();
    let tracking_uri = raw.tracking_uri.and_then(|text| {
        let uri = tracking_uri(&text).map_err(|error| report.value(&uri_path, error)).ok()?;
        if has_token && uri.scheme() == "http" && !base_url::is_loopback(&uri) {
            let hint = "use https, or a server on this machine";
            report.warn(&uri_path, "the token would be sent in the clear", hint);
        }
        Some(uri.as_str().trim_end_matches('/').to_owned())
    });
    let tracking_token = raw.tracking_token.and_then(|text| {
        let wrong = |_| {
            let message = "this is not a reference; a token must not stand in a file of settings";
            let error = ConfigError::new(ConfigErrorKind::LiteralSecret, message).with_hint(TRACKING_HINT);
            report.value(&token_path, error);
        };
        SecretRef::parse(&text, folder).map_err(wrong).ok()
    });
    if tracking_token.is_some() && tracking_uri.is_none() {
        let hint = "name the server with `tracking_uri`, or take this out";
        report.warn(&token_path, "it has no effect: there is no `tracking_uri`", hint);
    }
    ExperimentsConfig { dir: raw.dir.map(|dir| resolve(folder, &dir)), tracking_uri, tracking_token }
}

fn tracking_uri(text: &str) -> Result<url::Url, ConfigError> {
    let uri = base_url::of_server(text, EXAMPLE, "tracking_token")?;
    if uri.path().trim_end_matches('/').split('/').any(|part| part == "api") {
        let error = ConfigError::new(ConfigErrorKind::Invalid, "the URL goes too far");
        return Err(
            error.with_hint(format!("leave out what begins with `{API}`; it is added to each request"))
        );
    }
    Ok(uri)
}
