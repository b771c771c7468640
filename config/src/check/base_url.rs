//! Addresses of endpoints.

use url::{Host, Url};

use crate::error::{ConfigError, ConfigErrorKind};
use crate::key_path::KeyPath;
use crate::raw::RawProvider;
use crate::report::Report;

/// What the clients add to a base URL themselves, and whose form it is.
const PATHS: [(&str, RawProvider); 3] = [
    ("/chat/completions", RawProvider::OpenAi),
    ("/messages", RawProvider::Anthropic),
    ("/api/chat", RawProvider::Ollama),
];

/// What holds where no address is written; a server of OpenAI's form may be anywhere.
pub(super) const fn default(provider: RawProvider) -> Option<&'static str> {
    match provider {
        RawProvider::Anthropic => Some("https://api.anthropic.com/v1"),
        RawProvider::Ollama => Some("http://127.0.0.1:11434"),
        RawProvider::OpenAi | RawProvider::Local | RawProvider::Scripted => None,
    }
}

/// Checks a base URL. Errors do not hold the text: a URL can hold a password.
pub(super) fn check(text: &str, provider: RawProvider) -> Result<Url, ConfigError> {
    let example = match default(provider) {
        Some(url) => format!("write, for example, `{url}`"),
        None => "write, for example, `https://api.openai.com/v1` or `http://127.0.0.1:8000/v1`".to_owned(),
    };
    let url = of_server(text, &example, "api_key")?;
    match too_far(url.path().trim_end_matches('/'), provider) {
        Some(hint) => Err(wrong("the URL goes too far", hint)),
        None => Ok(url),
    }
}

/// Checks the address of a server of any kind; `key` is the setting that refers to its secret.
pub(super) fn of_server(text: &str, example: &str, key: &str) -> Result<Url, ConfigError> {
    let text = text.trim();
    let Ok(url) = Url::parse(text) else { return Err(wrong("not a URL", example)) };
    if !matches!(url.scheme(), "http" | "https") {
        return Err(wrong("the URL begins with neither `http://` nor `https://`", example));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err(wrong("the URL has no host", example));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong(
            "the URL holds a user name or password",
            format!("take it out, and refer to the key with `{key}`"),
        ));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(wrong("the URL has a part behind `?` or `#`", "keep only what stands before it"));
    }
    Ok(url)
}

fn wrong(message: &str, hint: impl Into<String>) -> ConfigError {
    ConfigError::new(ConfigErrorKind::Invalid, message).with_hint(hint)
}

/// What to do about a path with something at its end that the client adds itself.
fn too_far(path: &str, provider: RawProvider) -> Option<String> {
    let added = |part: &str| Some(format!("leave `{part}` out; it is added to each request"));
    if let Some((part, owner)) = PATHS.into_iter().find(|(part, _)| path.ends_with(part)) {
        if owner == provider {
            return added(part);
        }
        let owner = owner.name();
        return Some(format!("leave `{part}` out; for a server that speaks it, write `provider: {owner}`"));
    }
    if provider != RawProvider::Ollama {
        return None;
    }
    if path.ends_with("/v1") {
        let hint = "leave `/v1` out; to ask Ollama in OpenAI's form, write `provider: open_ai`";
        return Some(hint.to_owned());
    }
    if path.ends_with("/api") { added("/api") } else { None }
}

/// Says what is hardly meant.
pub(super) fn warn(url: &Url, provider: RawProvider, has_key: bool, path: &KeyPath, report: &mut Report) {
    if has_key && url.scheme() == "http" && !is_loopback(url) {
        report.warn(path, "the key would be sent in the clear", "use https, or an endpoint on this machine");
    }
    if provider == RawProvider::Anthropic && url.path() == "/" {
        report.warn(
            path,
            "`/messages` would be asked for, and most servers have it behind `/v1`",
            "add `/v1`, unless the server has it at the top",
        );
    }
}

pub(super) fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}
